import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recordroute.vector.v1 import embedding_pb2 as _embedding_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SearchMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_MODE_UNSPECIFIED: _ClassVar[SearchMode]
    SEARCH_MODE_DENSE: _ClassVar[SearchMode]
    SEARCH_MODE_LEXICAL: _ClassVar[SearchMode]
    SEARCH_MODE_HYBRID: _ClassVar[SearchMode]
SEARCH_MODE_UNSPECIFIED: SearchMode
SEARCH_MODE_DENSE: SearchMode
SEARCH_MODE_LEXICAL: SearchMode
SEARCH_MODE_HYBRID: SearchMode

class UpsertConfig(_message.Message):
    __slots__ = ("owner", "document_id", "language", "recorded_at", "model")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    owner: str
    document_id: str
    language: str
    recorded_at: _timestamp_pb2.Timestamp
    model: str
    def __init__(self, owner: _Optional[str] = ..., document_id: _Optional[str] = ..., language: _Optional[str] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., model: _Optional[str] = ...) -> None: ...

class EmbeddedPassage(_message.Message):
    __slots__ = ("passage", "vector")
    PASSAGE_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    passage: _embedding_pb2.Passage
    vector: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, passage: _Optional[_Union[_embedding_pb2.Passage, _Mapping]] = ..., vector: _Optional[_Iterable[float]] = ...) -> None: ...

class EmbeddedPassages(_message.Message):
    __slots__ = ("passages",)
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    passages: _containers.RepeatedCompositeFieldContainer[EmbeddedPassage]
    def __init__(self, passages: _Optional[_Iterable[_Union[EmbeddedPassage, _Mapping]]] = ...) -> None: ...

class UpsertRequest(_message.Message):
    __slots__ = ("config", "batch")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    config: UpsertConfig
    batch: EmbeddedPassages
    def __init__(self, config: _Optional[_Union[UpsertConfig, _Mapping]] = ..., batch: _Optional[_Union[EmbeddedPassages, _Mapping]] = ...) -> None: ...

class UpsertResponse(_message.Message):
    __slots__ = ("passage_count",)
    PASSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    passage_count: int
    def __init__(self, passage_count: _Optional[int] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("owner", "document_id")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    owner: str
    document_id: str
    def __init__(self, owner: _Optional[str] = ..., document_id: _Optional[str] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ("deleted_passage_count",)
    DELETED_PASSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    deleted_passage_count: int
    def __init__(self, deleted_passage_count: _Optional[int] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ("owner", "query", "mode", "limit", "document_ids", "recorded_from", "recorded_before")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FROM_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    owner: str
    query: str
    mode: SearchMode
    limit: int
    document_ids: _containers.RepeatedScalarFieldContainer[str]
    recorded_from: _timestamp_pb2.Timestamp
    recorded_before: _timestamp_pb2.Timestamp
    def __init__(self, owner: _Optional[str] = ..., query: _Optional[str] = ..., mode: _Optional[_Union[SearchMode, str]] = ..., limit: _Optional[int] = ..., document_ids: _Optional[_Iterable[str]] = ..., recorded_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TextRange(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class SearchHit(_message.Message):
    __slots__ = ("document_id", "passage", "score", "dense_score", "lexical_score", "snippet", "highlights", "snippet_start")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    DENSE_SCORE_FIELD_NUMBER: _ClassVar[int]
    LEXICAL_SCORE_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_FIELD_NUMBER: _ClassVar[int]
    HIGHLIGHTS_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_START_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    passage: _embedding_pb2.Passage
    score: float
    dense_score: float
    lexical_score: float
    snippet: str
    highlights: _containers.RepeatedCompositeFieldContainer[TextRange]
    snippet_start: _duration_pb2.Duration
    def __init__(self, document_id: _Optional[str] = ..., passage: _Optional[_Union[_embedding_pb2.Passage, _Mapping]] = ..., score: _Optional[float] = ..., dense_score: _Optional[float] = ..., lexical_score: _Optional[float] = ..., snippet: _Optional[str] = ..., highlights: _Optional[_Iterable[_Union[TextRange, _Mapping]]] = ..., snippet_start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("hits", "mode")
    HITS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[SearchHit]
    mode: SearchMode
    def __init__(self, hits: _Optional[_Iterable[_Union[SearchHit, _Mapping]]] = ..., mode: _Optional[_Union[SearchMode, str]] = ...) -> None: ...

class GetStatsRequest(_message.Message):
    __slots__ = ("owner", "document_id")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    owner: str
    document_id: str
    def __init__(self, owner: _Optional[str] = ..., document_id: _Optional[str] = ...) -> None: ...

class GetStatsResponse(_message.Message):
    __slots__ = ("passage_count", "document_count", "model", "dimensions")
    PASSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    passage_count: int
    document_count: int
    model: str
    dimensions: int
    def __init__(self, passage_count: _Optional[int] = ..., document_count: _Optional[int] = ..., model: _Optional[str] = ..., dimensions: _Optional[int] = ...) -> None: ...
