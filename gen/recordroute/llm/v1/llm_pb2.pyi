import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from recordroute.common.v1 import minutes_pb2 as _minutes_pb2
from recordroute.common.v1 import model_pb2 as _model_pb2
from recordroute.common.v1 import transcript_pb2 as _transcript_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SummarizeRequest(_message.Message):
    __slots__ = ("segments", "language", "model")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Segment]
    language: str
    model: str
    def __init__(self, segments: _Optional[_Iterable[_Union[_transcript_pb2.Segment, _Mapping]]] = ..., language: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class SummarizeProgress(_message.Message):
    __slots__ = ("completed_steps", "total_steps")
    COMPLETED_STEPS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    completed_steps: int
    total_steps: int
    def __init__(self, completed_steps: _Optional[int] = ..., total_steps: _Optional[int] = ...) -> None: ...

class SummarizeDelta(_message.Message):
    __slots__ = ("chunk", "text")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    chunk: int
    text: str
    def __init__(self, chunk: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class SummarizeStats(_message.Message):
    __slots__ = ("prompt_tokens", "completion_tokens", "processing_time")
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_TIME_FIELD_NUMBER: _ClassVar[int]
    prompt_tokens: int
    completion_tokens: int
    processing_time: _duration_pb2.Duration
    def __init__(self, prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., processing_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SummarizeResult(_message.Message):
    __slots__ = ("minutes", "stats")
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    minutes: _minutes_pb2.Minutes
    stats: SummarizeStats
    def __init__(self, minutes: _Optional[_Union[_minutes_pb2.Minutes, _Mapping]] = ..., stats: _Optional[_Union[SummarizeStats, _Mapping]] = ...) -> None: ...

class SummarizeResponse(_message.Message):
    __slots__ = ("progress", "delta", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: SummarizeProgress
    delta: SummarizeDelta
    result: SummarizeResult
    def __init__(self, progress: _Optional[_Union[SummarizeProgress, _Mapping]] = ..., delta: _Optional[_Union[SummarizeDelta, _Mapping]] = ..., result: _Optional[_Union[SummarizeResult, _Mapping]] = ...) -> None: ...

class TitleRequest(_message.Message):
    __slots__ = ("segments", "language", "model")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Segment]
    language: str
    model: str
    def __init__(self, segments: _Optional[_Iterable[_Union[_transcript_pb2.Segment, _Mapping]]] = ..., language: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class TitleResponse(_message.Message):
    __slots__ = ("title", "model")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    title: str
    model: str
    def __init__(self, title: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[_model_pb2.ModelInfo]
    def __init__(self, models: _Optional[_Iterable[_Union[_model_pb2.ModelInfo, _Mapping]]] = ...) -> None: ...
