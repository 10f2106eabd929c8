import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from recordroute.common.v1 import model_pb2 as _model_pb2
from recordroute.common.v1 import transcript_pb2 as _transcript_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EmbeddingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EMBEDDING_KIND_UNSPECIFIED: _ClassVar[EmbeddingKind]
    EMBEDDING_KIND_QUERY: _ClassVar[EmbeddingKind]
    EMBEDDING_KIND_PASSAGE: _ClassVar[EmbeddingKind]

class TruncationMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRUNCATION_MODE_UNSPECIFIED: _ClassVar[TruncationMode]
    TRUNCATION_MODE_END: _ClassVar[TruncationMode]
    TRUNCATION_MODE_ERROR: _ClassVar[TruncationMode]
    TRUNCATION_MODE_WINDOW_MEAN: _ClassVar[TruncationMode]

class RerankMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RERANK_METHOD_UNSPECIFIED: _ClassVar[RerankMethod]
    RERANK_METHOD_NONE: _ClassVar[RerankMethod]
    RERANK_METHOD_LATE_INTERACTION: _ClassVar[RerankMethod]
    RERANK_METHOD_CROSS_ENCODER: _ClassVar[RerankMethod]
EMBEDDING_KIND_UNSPECIFIED: EmbeddingKind
EMBEDDING_KIND_QUERY: EmbeddingKind
EMBEDDING_KIND_PASSAGE: EmbeddingKind
TRUNCATION_MODE_UNSPECIFIED: TruncationMode
TRUNCATION_MODE_END: TruncationMode
TRUNCATION_MODE_ERROR: TruncationMode
TRUNCATION_MODE_WINDOW_MEAN: TruncationMode
RERANK_METHOD_UNSPECIFIED: RerankMethod
RERANK_METHOD_NONE: RerankMethod
RERANK_METHOD_LATE_INTERACTION: RerankMethod
RERANK_METHOD_CROSS_ENCODER: RerankMethod

class TokenArray(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, ids: _Optional[_Iterable[int]] = ...) -> None: ...

class EmbedRequest(_message.Message):
    __slots__ = ("texts", "kind", "token_arrays", "normalize", "dimensions", "truncation")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ARRAYS_FIELD_NUMBER: _ClassVar[int]
    NORMALIZE_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATION_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    kind: EmbeddingKind
    token_arrays: _containers.RepeatedCompositeFieldContainer[TokenArray]
    normalize: bool
    dimensions: int
    truncation: TruncationMode
    def __init__(self, texts: _Optional[_Iterable[str]] = ..., kind: _Optional[_Union[EmbeddingKind, str]] = ..., token_arrays: _Optional[_Iterable[_Union[TokenArray, _Mapping]]] = ..., normalize: _Optional[bool] = ..., dimensions: _Optional[int] = ..., truncation: _Optional[_Union[TruncationMode, str]] = ...) -> None: ...

class Embedding(_message.Message):
    __slots__ = ("values", "token_count", "truncated")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    token_count: int
    truncated: bool
    def __init__(self, values: _Optional[_Iterable[float]] = ..., token_count: _Optional[int] = ..., truncated: _Optional[bool] = ...) -> None: ...

class EmbedResponse(_message.Message):
    __slots__ = ("embeddings", "model", "token_count")
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    embeddings: _containers.RepeatedCompositeFieldContainer[Embedding]
    model: str
    token_count: int
    def __init__(self, embeddings: _Optional[_Iterable[_Union[Embedding, _Mapping]]] = ..., model: _Optional[str] = ..., token_count: _Optional[int] = ...) -> None: ...

class StreamEmbedConfig(_message.Message):
    __slots__ = ("kind", "normalize", "dimensions", "truncation")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NORMALIZE_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATION_FIELD_NUMBER: _ClassVar[int]
    kind: EmbeddingKind
    normalize: bool
    dimensions: int
    truncation: TruncationMode
    def __init__(self, kind: _Optional[_Union[EmbeddingKind, str]] = ..., normalize: _Optional[bool] = ..., dimensions: _Optional[int] = ..., truncation: _Optional[_Union[TruncationMode, str]] = ...) -> None: ...

class EmbedBatch(_message.Message):
    __slots__ = ("texts", "token_arrays")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ARRAYS_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    token_arrays: _containers.RepeatedCompositeFieldContainer[TokenArray]
    def __init__(self, texts: _Optional[_Iterable[str]] = ..., token_arrays: _Optional[_Iterable[_Union[TokenArray, _Mapping]]] = ...) -> None: ...

class StreamEmbedRequest(_message.Message):
    __slots__ = ("config", "batch")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    config: StreamEmbedConfig
    batch: EmbedBatch
    def __init__(self, config: _Optional[_Union[StreamEmbedConfig, _Mapping]] = ..., batch: _Optional[_Union[EmbedBatch, _Mapping]] = ...) -> None: ...

class StreamEmbedResponse(_message.Message):
    __slots__ = ("embeddings", "model", "token_count")
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    embeddings: _containers.RepeatedCompositeFieldContainer[Embedding]
    model: str
    token_count: int
    def __init__(self, embeddings: _Optional[_Iterable[_Union[Embedding, _Mapping]]] = ..., model: _Optional[str] = ..., token_count: _Optional[int] = ...) -> None: ...

class TextBlock(_message.Message):
    __slots__ = ("text", "page", "line", "starts_paragraph")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    STARTS_PARAGRAPH_FIELD_NUMBER: _ClassVar[int]
    text: str
    page: int
    line: int
    starts_paragraph: bool
    def __init__(self, text: _Optional[str] = ..., page: _Optional[int] = ..., line: _Optional[int] = ..., starts_paragraph: _Optional[bool] = ...) -> None: ...

class SplitPassagesRequest(_message.Message):
    __slots__ = ("segments", "blocks", "max_tokens", "overlap_tokens", "overlap_sentences")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_SENTENCES_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Segment]
    blocks: _containers.RepeatedCompositeFieldContainer[TextBlock]
    max_tokens: int
    overlap_tokens: int
    overlap_sentences: int
    def __init__(self, segments: _Optional[_Iterable[_Union[_transcript_pb2.Segment, _Mapping]]] = ..., blocks: _Optional[_Iterable[_Union[TextBlock, _Mapping]]] = ..., max_tokens: _Optional[int] = ..., overlap_tokens: _Optional[int] = ..., overlap_sentences: _Optional[int] = ...) -> None: ...

class Passage(_message.Message):
    __slots__ = ("index", "text", "start", "end", "first_segment_index", "last_segment_index", "speakers", "content_hash", "page", "line")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    LAST_SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_HASH_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    index: int
    text: str
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    first_segment_index: int
    last_segment_index: int
    speakers: _containers.RepeatedScalarFieldContainer[str]
    content_hash: str
    page: int
    line: int
    def __init__(self, index: _Optional[int] = ..., text: _Optional[str] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., first_segment_index: _Optional[int] = ..., last_segment_index: _Optional[int] = ..., speakers: _Optional[_Iterable[str]] = ..., content_hash: _Optional[str] = ..., page: _Optional[int] = ..., line: _Optional[int] = ...) -> None: ...

class SplitPassagesResponse(_message.Message):
    __slots__ = ("passages", "model")
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    passages: _containers.RepeatedCompositeFieldContainer[Passage]
    model: str
    def __init__(self, passages: _Optional[_Iterable[_Union[Passage, _Mapping]]] = ..., model: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[_model_pb2.ModelInfo]
    def __init__(self, models: _Optional[_Iterable[_Union[_model_pb2.ModelInfo, _Mapping]]] = ...) -> None: ...

class RerankRequest(_message.Message):
    __slots__ = ("query", "texts", "method")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    query: str
    texts: _containers.RepeatedScalarFieldContainer[str]
    method: RerankMethod
    def __init__(self, query: _Optional[str] = ..., texts: _Optional[_Iterable[str]] = ..., method: _Optional[_Union[RerankMethod, str]] = ...) -> None: ...

class RerankResponse(_message.Message):
    __slots__ = ("scores", "method", "model")
    SCORES_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    scores: _containers.RepeatedScalarFieldContainer[float]
    method: RerankMethod
    model: str
    def __init__(self, scores: _Optional[_Iterable[float]] = ..., method: _Optional[_Union[RerankMethod, str]] = ..., model: _Optional[str] = ...) -> None: ...
