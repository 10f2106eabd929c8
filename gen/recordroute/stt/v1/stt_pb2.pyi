import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from recordroute.common.v1 import model_pb2 as _model_pb2
from recordroute.common.v1 import transcript_pb2 as _transcript_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TranscribeConfig(_message.Message):
    __slots__ = ("language", "model", "beam_size", "word_timestamps")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    BEAM_SIZE_FIELD_NUMBER: _ClassVar[int]
    WORD_TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    language: str
    model: str
    beam_size: int
    word_timestamps: bool
    def __init__(self, language: _Optional[str] = ..., model: _Optional[str] = ..., beam_size: _Optional[int] = ..., word_timestamps: _Optional[bool] = ...) -> None: ...

class TranscribeRequest(_message.Message):
    __slots__ = ("config", "audio_chunk")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CHUNK_FIELD_NUMBER: _ClassVar[int]
    config: TranscribeConfig
    audio_chunk: bytes
    def __init__(self, config: _Optional[_Union[TranscribeConfig, _Mapping]] = ..., audio_chunk: _Optional[bytes] = ...) -> None: ...

class MediaInfo(_message.Message):
    __slots__ = ("container", "codec", "duration", "sample_rate_hertz", "channels")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HERTZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    container: str
    codec: str
    duration: _duration_pb2.Duration
    sample_rate_hertz: int
    channels: int
    def __init__(self, container: _Optional[str] = ..., codec: _Optional[str] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., sample_rate_hertz: _Optional[int] = ..., channels: _Optional[int] = ...) -> None: ...

class DetectedLanguage(_message.Message):
    __slots__ = ("language", "probability")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    language: str
    probability: float
    def __init__(self, language: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...

class TranscribeProgress(_message.Message):
    __slots__ = ("processed", "total")
    PROCESSED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    processed: _duration_pb2.Duration
    total: _duration_pb2.Duration
    def __init__(self, processed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class TranscribeStats(_message.Message):
    __slots__ = ("audio_duration", "speech_duration", "processing_time", "segment_count", "model", "warnings")
    AUDIO_DURATION_FIELD_NUMBER: _ClassVar[int]
    SPEECH_DURATION_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_TIME_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    audio_duration: _duration_pb2.Duration
    speech_duration: _duration_pb2.Duration
    processing_time: _duration_pb2.Duration
    segment_count: int
    model: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, audio_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., speech_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., processing_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., segment_count: _Optional[int] = ..., model: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class TranscribeResponse(_message.Message):
    __slots__ = ("media_info", "language", "progress", "segment", "stats")
    MEDIA_INFO_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    media_info: MediaInfo
    language: DetectedLanguage
    progress: TranscribeProgress
    segment: _transcript_pb2.Segment
    stats: TranscribeStats
    def __init__(self, media_info: _Optional[_Union[MediaInfo, _Mapping]] = ..., language: _Optional[_Union[DetectedLanguage, _Mapping]] = ..., progress: _Optional[_Union[TranscribeProgress, _Mapping]] = ..., segment: _Optional[_Union[_transcript_pb2.Segment, _Mapping]] = ..., stats: _Optional[_Union[TranscribeStats, _Mapping]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[_model_pb2.ModelInfo]
    def __init__(self, models: _Optional[_Iterable[_Union[_model_pb2.ModelInfo, _Mapping]]] = ...) -> None: ...
