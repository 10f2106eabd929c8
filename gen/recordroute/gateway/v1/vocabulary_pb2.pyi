import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VocabularyTerm(_message.Message):
    __slots__ = ("text", "heard_as", "correction_count", "learned", "created_at")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HEARD_AS_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    LEARNED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    text: str
    heard_as: _containers.RepeatedScalarFieldContainer[str]
    correction_count: int
    learned: bool
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, text: _Optional[str] = ..., heard_as: _Optional[_Iterable[str]] = ..., correction_count: _Optional[int] = ..., learned: _Optional[bool] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListTermsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTermsResponse(_message.Message):
    __slots__ = ("terms", "next_page_token")
    TERMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    terms: _containers.RepeatedCompositeFieldContainer[VocabularyTerm]
    next_page_token: str
    def __init__(self, terms: _Optional[_Iterable[_Union[VocabularyTerm, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AddTermsRequest(_message.Message):
    __slots__ = ("request_id", "texts")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., texts: _Optional[_Iterable[str]] = ...) -> None: ...

class AddTermsResponse(_message.Message):
    __slots__ = ("terms",)
    TERMS_FIELD_NUMBER: _ClassVar[int]
    terms: _containers.RepeatedCompositeFieldContainer[VocabularyTerm]
    def __init__(self, terms: _Optional[_Iterable[_Union[VocabularyTerm, _Mapping]]] = ...) -> None: ...

class RemoveTermsRequest(_message.Message):
    __slots__ = ("request_id", "texts")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., texts: _Optional[_Iterable[str]] = ...) -> None: ...

class RemoveTermsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
