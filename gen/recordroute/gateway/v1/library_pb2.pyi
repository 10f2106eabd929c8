import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recordroute.common.v1 import minutes_pb2 as _minutes_pb2
from recordroute.common.v1 import transcript_pb2 as _transcript_pb2
from recordroute.stt.v1 import stt_pb2 as _stt_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ArtifactKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARTIFACT_KIND_UNSPECIFIED: _ClassVar[ArtifactKind]
    ARTIFACT_KIND_MEDIA: _ClassVar[ArtifactKind]
    ARTIFACT_KIND_TRANSCRIPT: _ClassVar[ArtifactKind]
    ARTIFACT_KIND_MINUTES: _ClassVar[ArtifactKind]
    ARTIFACT_KIND_EMBEDDINGS: _ClassVar[ArtifactKind]
    ARTIFACT_KIND_INDEX: _ClassVar[ArtifactKind]

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    EXPORT_FORMAT_TXT: _ClassVar[ExportFormat]
    EXPORT_FORMAT_MD: _ClassVar[ExportFormat]
    EXPORT_FORMAT_SRT: _ClassVar[ExportFormat]
    EXPORT_FORMAT_VTT: _ClassVar[ExportFormat]
    EXPORT_FORMAT_JSON: _ClassVar[ExportFormat]
ARTIFACT_KIND_UNSPECIFIED: ArtifactKind
ARTIFACT_KIND_MEDIA: ArtifactKind
ARTIFACT_KIND_TRANSCRIPT: ArtifactKind
ARTIFACT_KIND_MINUTES: ArtifactKind
ARTIFACT_KIND_EMBEDDINGS: ArtifactKind
ARTIFACT_KIND_INDEX: ArtifactKind
EXPORT_FORMAT_UNSPECIFIED: ExportFormat
EXPORT_FORMAT_TXT: ExportFormat
EXPORT_FORMAT_MD: ExportFormat
EXPORT_FORMAT_SRT: ExportFormat
EXPORT_FORMAT_VTT: ExportFormat
EXPORT_FORMAT_JSON: ExportFormat

class Artifact(_message.Message):
    __slots__ = ("kind", "size_bytes", "created_at", "model")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    kind: ArtifactKind
    size_bytes: int
    created_at: _timestamp_pb2.Timestamp
    model: str
    def __init__(self, kind: _Optional[_Union[ArtifactKind, str]] = ..., size_bytes: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., model: _Optional[str] = ...) -> None: ...

class Recording(_message.Message):
    __slots__ = ("id", "title", "file_name", "size_bytes", "sha256", "duration", "language", "created_at", "recorded_at", "artifacts", "latest_workflow_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    LATEST_WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    file_name: str
    size_bytes: int
    sha256: str
    duration: _duration_pb2.Duration
    language: str
    created_at: _timestamp_pb2.Timestamp
    recorded_at: _timestamp_pb2.Timestamp
    artifacts: _containers.RepeatedCompositeFieldContainer[Artifact]
    latest_workflow_id: str
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., file_name: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., language: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., artifacts: _Optional[_Iterable[_Union[Artifact, _Mapping]]] = ..., latest_workflow_id: _Optional[str] = ...) -> None: ...

class GetRecordingRequest(_message.Message):
    __slots__ = ("recording_id",)
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    def __init__(self, recording_id: _Optional[str] = ...) -> None: ...

class GetRecordingResponse(_message.Message):
    __slots__ = ("recording",)
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    recording: Recording
    def __init__(self, recording: _Optional[_Union[Recording, _Mapping]] = ...) -> None: ...

class ListRecordingsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRecordingsResponse(_message.Message):
    __slots__ = ("recordings", "next_page_token")
    RECORDINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    recordings: _containers.RepeatedCompositeFieldContainer[Recording]
    next_page_token: str
    def __init__(self, recordings: _Optional[_Iterable[_Union[Recording, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteRecordingRequest(_message.Message):
    __slots__ = ("request_id", "recording_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_id: str
    def __init__(self, request_id: _Optional[str] = ..., recording_id: _Optional[str] = ...) -> None: ...

class DeleteRecordingResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTranscriptRequest(_message.Message):
    __slots__ = ("recording_id", "page_size", "page_token", "include_removed_text")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_REMOVED_TEXT_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    page_size: int
    page_token: str
    include_removed_text: bool
    def __init__(self, recording_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_removed_text: _Optional[bool] = ...) -> None: ...

class RecordingSpeaker(_message.Message):
    __slots__ = ("label", "name", "voice_id", "voice_similarity", "speech_duration")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VOICE_ID_FIELD_NUMBER: _ClassVar[int]
    VOICE_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    SPEECH_DURATION_FIELD_NUMBER: _ClassVar[int]
    label: str
    name: str
    voice_id: str
    voice_similarity: float
    speech_duration: _duration_pb2.Duration
    def __init__(self, label: _Optional[str] = ..., name: _Optional[str] = ..., voice_id: _Optional[str] = ..., voice_similarity: _Optional[float] = ..., speech_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetTranscriptResponse(_message.Message):
    __slots__ = ("segments", "language", "next_page_token", "warnings", "speakers", "removed")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Segment]
    language: str
    next_page_token: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    speakers: _containers.RepeatedCompositeFieldContainer[RecordingSpeaker]
    removed: _containers.RepeatedCompositeFieldContainer[_stt_pb2.RemovedText]
    def __init__(self, segments: _Optional[_Iterable[_Union[_transcript_pb2.Segment, _Mapping]]] = ..., language: _Optional[str] = ..., next_page_token: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., speakers: _Optional[_Iterable[_Union[RecordingSpeaker, _Mapping]]] = ..., removed: _Optional[_Iterable[_Union[_stt_pb2.RemovedText, _Mapping]]] = ...) -> None: ...

class GetMinutesRequest(_message.Message):
    __slots__ = ("recording_id",)
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    def __init__(self, recording_id: _Optional[str] = ...) -> None: ...

class GetMinutesResponse(_message.Message):
    __slots__ = ("minutes",)
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    minutes: _minutes_pb2.Minutes
    def __init__(self, minutes: _Optional[_Union[_minutes_pb2.Minutes, _Mapping]] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ("recording_id", "format")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    format: ExportFormat
    def __init__(self, recording_id: _Optional[str] = ..., format: _Optional[_Union[ExportFormat, str]] = ...) -> None: ...

class ExportResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...
