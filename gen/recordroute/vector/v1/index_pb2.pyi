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

class IndexActivity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDEX_ACTIVITY_UNSPECIFIED: _ClassVar[IndexActivity]
    INDEX_ACTIVITY_IDLE: _ClassVar[IndexActivity]
    INDEX_ACTIVITY_OPTIMIZING: _ClassVar[IndexActivity]
    INDEX_ACTIVITY_REEMBEDDING: _ClassVar[IndexActivity]
SEARCH_MODE_UNSPECIFIED: SearchMode
SEARCH_MODE_DENSE: SearchMode
SEARCH_MODE_LEXICAL: SearchMode
SEARCH_MODE_HYBRID: SearchMode
INDEX_ACTIVITY_UNSPECIFIED: IndexActivity
INDEX_ACTIVITY_IDLE: IndexActivity
INDEX_ACTIVITY_OPTIMIZING: IndexActivity
INDEX_ACTIVITY_REEMBEDDING: IndexActivity

class UpsertConfig(_message.Message):
    __slots__ = ("owner", "document_id", "language", "recorded_at", "model", "kind", "folder", "tags")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    owner: str
    document_id: str
    language: str
    recorded_at: _timestamp_pb2.Timestamp
    model: str
    kind: str
    folder: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, owner: _Optional[str] = ..., document_id: _Optional[str] = ..., language: _Optional[str] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., model: _Optional[str] = ..., kind: _Optional[str] = ..., folder: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ...) -> None: ...

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
    __slots__ = ("owner", "query", "mode", "limit", "document_ids", "recorded_from", "recorded_before", "tags", "folder", "speakers", "languages", "kinds", "rerank", "hits_per_document", "keep_duplicates", "page_token")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FROM_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    RERANK_FIELD_NUMBER: _ClassVar[int]
    HITS_PER_DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    KEEP_DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    owner: str
    query: str
    mode: SearchMode
    limit: int
    document_ids: _containers.RepeatedScalarFieldContainer[str]
    recorded_from: _timestamp_pb2.Timestamp
    recorded_before: _timestamp_pb2.Timestamp
    tags: _containers.RepeatedScalarFieldContainer[str]
    folder: str
    speakers: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    rerank: _embedding_pb2.RerankMethod
    hits_per_document: int
    keep_duplicates: bool
    page_token: str
    def __init__(self, owner: _Optional[str] = ..., query: _Optional[str] = ..., mode: _Optional[_Union[SearchMode, str]] = ..., limit: _Optional[int] = ..., document_ids: _Optional[_Iterable[str]] = ..., recorded_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tags: _Optional[_Iterable[str]] = ..., folder: _Optional[str] = ..., speakers: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ..., kinds: _Optional[_Iterable[str]] = ..., rerank: _Optional[_Union[_embedding_pb2.RerankMethod, str]] = ..., hits_per_document: _Optional[int] = ..., keep_duplicates: _Optional[bool] = ..., page_token: _Optional[str] = ...) -> None: ...

class TextRange(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class PassageReference(_message.Message):
    __slots__ = ("document_id", "passage_index", "start")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_INDEX_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    passage_index: int
    start: _duration_pb2.Duration
    def __init__(self, document_id: _Optional[str] = ..., passage_index: _Optional[int] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SearchHit(_message.Message):
    __slots__ = ("document_id", "passage", "score", "dense_score", "lexical_score", "snippet", "highlights", "snippet_start", "snippet_end", "sentence", "rerank_score", "duplicates")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    DENSE_SCORE_FIELD_NUMBER: _ClassVar[int]
    LEXICAL_SCORE_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_FIELD_NUMBER: _ClassVar[int]
    HIGHLIGHTS_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_START_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_END_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    RERANK_SCORE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    passage: _embedding_pb2.Passage
    score: float
    dense_score: float
    lexical_score: float
    snippet: str
    highlights: _containers.RepeatedCompositeFieldContainer[TextRange]
    snippet_start: _duration_pb2.Duration
    snippet_end: _duration_pb2.Duration
    sentence: TextRange
    rerank_score: float
    duplicates: _containers.RepeatedCompositeFieldContainer[PassageReference]
    def __init__(self, document_id: _Optional[str] = ..., passage: _Optional[_Union[_embedding_pb2.Passage, _Mapping]] = ..., score: _Optional[float] = ..., dense_score: _Optional[float] = ..., lexical_score: _Optional[float] = ..., snippet: _Optional[str] = ..., highlights: _Optional[_Iterable[_Union[TextRange, _Mapping]]] = ..., snippet_start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., snippet_end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., sentence: _Optional[_Union[TextRange, _Mapping]] = ..., rerank_score: _Optional[float] = ..., duplicates: _Optional[_Iterable[_Union[PassageReference, _Mapping]]] = ...) -> None: ...

class SearchGroup(_message.Message):
    __slots__ = ("document_id", "hits", "found_count")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    FOUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    hits: _containers.RepeatedCompositeFieldContainer[SearchHit]
    found_count: int
    def __init__(self, document_id: _Optional[str] = ..., hits: _Optional[_Iterable[_Union[SearchHit, _Mapping]]] = ..., found_count: _Optional[int] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("hits", "mode", "groups", "next_page_token", "rerank", "rerank_model")
    HITS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RERANK_FIELD_NUMBER: _ClassVar[int]
    RERANK_MODEL_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[SearchHit]
    mode: SearchMode
    groups: _containers.RepeatedCompositeFieldContainer[SearchGroup]
    next_page_token: str
    rerank: _embedding_pb2.RerankMethod
    rerank_model: str
    def __init__(self, hits: _Optional[_Iterable[_Union[SearchHit, _Mapping]]] = ..., mode: _Optional[_Union[SearchMode, str]] = ..., groups: _Optional[_Iterable[_Union[SearchGroup, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., rerank: _Optional[_Union[_embedding_pb2.RerankMethod, str]] = ..., rerank_model: _Optional[str] = ...) -> None: ...

class FindSimilarRequest(_message.Message):
    __slots__ = ("owner", "document_id", "passage_index", "limit", "recorded_from", "recorded_before", "tags", "folder", "speakers", "languages", "kinds")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_INDEX_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FROM_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    owner: str
    document_id: str
    passage_index: int
    limit: int
    recorded_from: _timestamp_pb2.Timestamp
    recorded_before: _timestamp_pb2.Timestamp
    tags: _containers.RepeatedScalarFieldContainer[str]
    folder: str
    speakers: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, owner: _Optional[str] = ..., document_id: _Optional[str] = ..., passage_index: _Optional[int] = ..., limit: _Optional[int] = ..., recorded_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tags: _Optional[_Iterable[str]] = ..., folder: _Optional[str] = ..., speakers: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ..., kinds: _Optional[_Iterable[str]] = ...) -> None: ...

class PassageMatch(_message.Message):
    __slots__ = ("source_passage_index", "passage", "score")
    SOURCE_PASSAGE_INDEX_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    source_passage_index: int
    passage: _embedding_pb2.Passage
    score: float
    def __init__(self, source_passage_index: _Optional[int] = ..., passage: _Optional[_Union[_embedding_pb2.Passage, _Mapping]] = ..., score: _Optional[float] = ...) -> None: ...

class SimilarDocument(_message.Message):
    __slots__ = ("document_id", "score", "matches")
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    document_id: str
    score: float
    matches: _containers.RepeatedCompositeFieldContainer[PassageMatch]
    def __init__(self, document_id: _Optional[str] = ..., score: _Optional[float] = ..., matches: _Optional[_Iterable[_Union[PassageMatch, _Mapping]]] = ...) -> None: ...

class FindSimilarResponse(_message.Message):
    __slots__ = ("documents",)
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[SimilarDocument]
    def __init__(self, documents: _Optional[_Iterable[_Union[SimilarDocument, _Mapping]]] = ...) -> None: ...

class GetStatsRequest(_message.Message):
    __slots__ = ("owner", "document_id")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    owner: str
    document_id: str
    def __init__(self, owner: _Optional[str] = ..., document_id: _Optional[str] = ...) -> None: ...

class GetStatsResponse(_message.Message):
    __slots__ = ("passage_count", "document_count", "model", "dimensions", "activity", "progress")
    PASSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    passage_count: int
    document_count: int
    model: str
    dimensions: int
    activity: IndexActivity
    progress: float
    def __init__(self, passage_count: _Optional[int] = ..., document_count: _Optional[int] = ..., model: _Optional[str] = ..., dimensions: _Optional[int] = ..., activity: _Optional[_Union[IndexActivity, str]] = ..., progress: _Optional[float] = ...) -> None: ...

class GetDocumentRequest(_message.Message):
    __slots__ = ("owner", "document_id", "page_size", "page_token")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    owner: str
    document_id: str
    page_size: int
    page_token: str
    def __init__(self, owner: _Optional[str] = ..., document_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetDocumentResponse(_message.Message):
    __slots__ = ("language", "recorded_at", "kind", "folder", "tags", "passages", "passage_count", "next_page_token")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    language: str
    recorded_at: _timestamp_pb2.Timestamp
    kind: str
    folder: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    passages: _containers.RepeatedCompositeFieldContainer[_embedding_pb2.Passage]
    passage_count: int
    next_page_token: str
    def __init__(self, language: _Optional[str] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[str] = ..., folder: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., passages: _Optional[_Iterable[_Union[_embedding_pb2.Passage, _Mapping]]] = ..., passage_count: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class OptimizeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OptimizeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SnapshotRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SnapshotResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class RestoreRequest(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class RestoreResponse(_message.Message):
    __slots__ = ("passage_count",)
    PASSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    passage_count: int
    def __init__(self, passage_count: _Optional[int] = ...) -> None: ...
