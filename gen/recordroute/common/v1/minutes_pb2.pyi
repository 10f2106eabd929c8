import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MinutesSectionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MINUTES_SECTION_KIND_UNSPECIFIED: _ClassVar[MinutesSectionKind]
    MINUTES_SECTION_KIND_TOPICS: _ClassVar[MinutesSectionKind]
    MINUTES_SECTION_KIND_KEY_POINTS: _ClassVar[MinutesSectionKind]
    MINUTES_SECTION_KIND_DECISIONS: _ClassVar[MinutesSectionKind]
    MINUTES_SECTION_KIND_ACTION_ITEMS: _ClassVar[MinutesSectionKind]
    MINUTES_SECTION_KIND_RISKS: _ClassVar[MinutesSectionKind]
    MINUTES_SECTION_KIND_NEXT_STEPS: _ClassVar[MinutesSectionKind]
    MINUTES_SECTION_KIND_CUSTOM: _ClassVar[MinutesSectionKind]
MINUTES_SECTION_KIND_UNSPECIFIED: MinutesSectionKind
MINUTES_SECTION_KIND_TOPICS: MinutesSectionKind
MINUTES_SECTION_KIND_KEY_POINTS: MinutesSectionKind
MINUTES_SECTION_KIND_DECISIONS: MinutesSectionKind
MINUTES_SECTION_KIND_ACTION_ITEMS: MinutesSectionKind
MINUTES_SECTION_KIND_RISKS: MinutesSectionKind
MINUTES_SECTION_KIND_NEXT_STEPS: MinutesSectionKind
MINUTES_SECTION_KIND_CUSTOM: MinutesSectionKind

class Evidence(_message.Message):
    __slots__ = ("segment_index", "start", "end", "speaker", "quote", "page", "line")
    SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    segment_index: int
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    speaker: str
    quote: str
    page: int
    line: int
    def __init__(self, segment_index: _Optional[int] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., speaker: _Optional[str] = ..., quote: _Optional[str] = ..., page: _Optional[int] = ..., line: _Optional[int] = ...) -> None: ...

class MinutesField(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class MinutesItem(_message.Message):
    __slots__ = ("text", "evidence", "fields", "edited", "done")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    text: str
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    fields: _containers.RepeatedCompositeFieldContainer[MinutesField]
    edited: bool
    done: bool
    def __init__(self, text: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., fields: _Optional[_Iterable[_Union[MinutesField, _Mapping]]] = ..., edited: _Optional[bool] = ..., done: _Optional[bool] = ...) -> None: ...

class MinutesSection(_message.Message):
    __slots__ = ("kind", "items", "title")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    kind: MinutesSectionKind
    items: _containers.RepeatedCompositeFieldContainer[MinutesItem]
    title: str
    def __init__(self, kind: _Optional[_Union[MinutesSectionKind, str]] = ..., items: _Optional[_Iterable[_Union[MinutesItem, _Mapping]]] = ..., title: _Optional[str] = ...) -> None: ...

class Minutes(_message.Message):
    __slots__ = ("language", "overview", "sections", "model", "unsupported", "template", "overview_edited")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    OVERVIEW_FIELD_NUMBER: _ClassVar[int]
    SECTIONS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    UNSUPPORTED_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    OVERVIEW_EDITED_FIELD_NUMBER: _ClassVar[int]
    language: str
    overview: str
    sections: _containers.RepeatedCompositeFieldContainer[MinutesSection]
    model: str
    unsupported: _containers.RepeatedScalarFieldContainer[str]
    template: str
    overview_edited: bool
    def __init__(self, language: _Optional[str] = ..., overview: _Optional[str] = ..., sections: _Optional[_Iterable[_Union[MinutesSection, _Mapping]]] = ..., model: _Optional[str] = ..., unsupported: _Optional[_Iterable[str]] = ..., template: _Optional[str] = ..., overview_edited: _Optional[bool] = ...) -> None: ...
