import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recordroute.gateway.v1 import library_pb2 as _library_pb2
from recordroute.vector.v1 import index_pb2 as _index_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SearchRequest(_message.Message):
    __slots__ = ("query", "limit", "recorded_from", "recorded_before", "recording_ids", "tags", "folder", "speakers", "languages", "mode", "page_token")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FROM_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    RECORDING_IDS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    query: str
    limit: int
    recorded_from: _timestamp_pb2.Timestamp
    recorded_before: _timestamp_pb2.Timestamp
    recording_ids: _containers.RepeatedScalarFieldContainer[str]
    tags: _containers.RepeatedScalarFieldContainer[str]
    folder: str
    speakers: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    mode: _index_pb2.SearchMode
    page_token: str
    def __init__(self, query: _Optional[str] = ..., limit: _Optional[int] = ..., recorded_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recording_ids: _Optional[_Iterable[str]] = ..., tags: _Optional[_Iterable[str]] = ..., folder: _Optional[str] = ..., speakers: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ..., mode: _Optional[_Union[_index_pb2.SearchMode, str]] = ..., page_token: _Optional[str] = ...) -> None: ...

class TextRange(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class SearchHit(_message.Message):
    __slots__ = ("recording_id", "recording_title", "start", "end", "text", "snippet", "highlights", "snippet_start", "score", "speakers", "page", "line", "segment_index", "last_segment_index", "recorded_at", "recording_kind", "sentence")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_TITLE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_FIELD_NUMBER: _ClassVar[int]
    HIGHLIGHTS_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_START_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    LAST_SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDING_KIND_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    recording_title: str
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    text: str
    snippet: str
    highlights: _containers.RepeatedCompositeFieldContainer[TextRange]
    snippet_start: _duration_pb2.Duration
    score: float
    speakers: _containers.RepeatedScalarFieldContainer[str]
    page: int
    line: int
    segment_index: int
    last_segment_index: int
    recorded_at: _timestamp_pb2.Timestamp
    recording_kind: _library_pb2.RecordingKind
    sentence: TextRange
    def __init__(self, recording_id: _Optional[str] = ..., recording_title: _Optional[str] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., text: _Optional[str] = ..., snippet: _Optional[str] = ..., highlights: _Optional[_Iterable[_Union[TextRange, _Mapping]]] = ..., snippet_start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., score: _Optional[float] = ..., speakers: _Optional[_Iterable[str]] = ..., page: _Optional[int] = ..., line: _Optional[int] = ..., segment_index: _Optional[int] = ..., last_segment_index: _Optional[int] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recording_kind: _Optional[_Union[_library_pb2.RecordingKind, str]] = ..., sentence: _Optional[_Union[TextRange, _Mapping]] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("hits", "next_page_token")
    HITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[SearchHit]
    next_page_token: str
    def __init__(self, hits: _Optional[_Iterable[_Union[SearchHit, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class FindSimilarRequest(_message.Message):
    __slots__ = ("recording_id", "limit")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    limit: int
    def __init__(self, recording_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class SimilarRecording(_message.Message):
    __slots__ = ("recording", "similarity")
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    recording: _library_pb2.Recording
    similarity: float
    def __init__(self, recording: _Optional[_Union[_library_pb2.Recording, _Mapping]] = ..., similarity: _Optional[float] = ...) -> None: ...

class FindSimilarResponse(_message.Message):
    __slots__ = ("recordings",)
    RECORDINGS_FIELD_NUMBER: _ClassVar[int]
    recordings: _containers.RepeatedCompositeFieldContainer[SimilarRecording]
    def __init__(self, recordings: _Optional[_Iterable[_Union[SimilarRecording, _Mapping]]] = ...) -> None: ...

class Exchange(_message.Message):
    __slots__ = ("question", "answer")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    question: str
    answer: str
    def __init__(self, question: _Optional[str] = ..., answer: _Optional[str] = ...) -> None: ...

class AskRequest(_message.Message):
    __slots__ = ("question", "history", "language", "model", "recorded_from", "recorded_before", "recording_ids", "tags", "folder", "speakers", "languages")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FROM_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    RECORDING_IDS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    question: str
    history: _containers.RepeatedCompositeFieldContainer[Exchange]
    language: str
    model: str
    recorded_from: _timestamp_pb2.Timestamp
    recorded_before: _timestamp_pb2.Timestamp
    recording_ids: _containers.RepeatedScalarFieldContainer[str]
    tags: _containers.RepeatedScalarFieldContainer[str]
    folder: str
    speakers: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, question: _Optional[str] = ..., history: _Optional[_Iterable[_Union[Exchange, _Mapping]]] = ..., language: _Optional[str] = ..., model: _Optional[str] = ..., recorded_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recording_ids: _Optional[_Iterable[str]] = ..., tags: _Optional[_Iterable[str]] = ..., folder: _Optional[str] = ..., speakers: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ...) -> None: ...

class AskSources(_message.Message):
    __slots__ = ("standalone_question", "sources")
    STANDALONE_QUESTION_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    standalone_question: str
    sources: _containers.RepeatedCompositeFieldContainer[SearchHit]
    def __init__(self, standalone_question: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[SearchHit, _Mapping]]] = ...) -> None: ...

class AskCitation(_message.Message):
    __slots__ = ("source_index", "range", "start")
    SOURCE_INDEX_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    source_index: int
    range: TextRange
    start: _duration_pb2.Duration
    def __init__(self, source_index: _Optional[int] = ..., range: _Optional[_Union[TextRange, _Mapping]] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class AskSentence(_message.Message):
    __slots__ = ("text", "citations")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    text: str
    citations: _containers.RepeatedCompositeFieldContainer[AskCitation]
    def __init__(self, text: _Optional[str] = ..., citations: _Optional[_Iterable[_Union[AskCitation, _Mapping]]] = ...) -> None: ...

class AskResult(_message.Message):
    __slots__ = ("found", "model")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    found: bool
    model: str
    def __init__(self, found: _Optional[bool] = ..., model: _Optional[str] = ...) -> None: ...

class AskResponse(_message.Message):
    __slots__ = ("sources", "delta", "sentence", "result")
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    sources: AskSources
    delta: str
    sentence: AskSentence
    result: AskResult
    def __init__(self, sources: _Optional[_Union[AskSources, _Mapping]] = ..., delta: _Optional[str] = ..., sentence: _Optional[_Union[AskSentence, _Mapping]] = ..., result: _Optional[_Union[AskResult, _Mapping]] = ...) -> None: ...
