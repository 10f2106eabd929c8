import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recordroute.common.v1 import minutes_pb2 as _minutes_pb2
from recordroute.common.v1 import transcript_pb2 as _transcript_pb2
from recordroute.gateway.v1 import workflow_pb2 as _workflow_pb2
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

class ArtifactState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARTIFACT_STATE_UNSPECIFIED: _ClassVar[ArtifactState]
    ARTIFACT_STATE_READY: _ClassVar[ArtifactState]
    ARTIFACT_STATE_STALE: _ClassVar[ArtifactState]
    ARTIFACT_STATE_FAILED: _ClassVar[ArtifactState]

class RecordingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORDING_KIND_UNSPECIFIED: _ClassVar[RecordingKind]
    RECORDING_KIND_MEDIA: _ClassVar[RecordingKind]
    RECORDING_KIND_DOCUMENT: _ClassVar[RecordingKind]

class Access(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_UNSPECIFIED: _ClassVar[Access]
    ACCESS_READ: _ClassVar[Access]
    ACCESS_WRITE: _ClassVar[Access]
    ACCESS_OWNER: _ClassVar[Access]

class RecordingOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECORDING_ORDER_UNSPECIFIED: _ClassVar[RecordingOrder]
    RECORDING_ORDER_CREATED_AT: _ClassVar[RecordingOrder]
    RECORDING_ORDER_RECORDED_AT: _ClassVar[RecordingOrder]
    RECORDING_ORDER_TITLE: _ClassVar[RecordingOrder]
    RECORDING_ORDER_DURATION: _ClassVar[RecordingOrder]
    RECORDING_ORDER_SIZE: _ClassVar[RecordingOrder]

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    EXPORT_FORMAT_TXT: _ClassVar[ExportFormat]
    EXPORT_FORMAT_MD: _ClassVar[ExportFormat]
    EXPORT_FORMAT_SRT: _ClassVar[ExportFormat]
    EXPORT_FORMAT_VTT: _ClassVar[ExportFormat]
    EXPORT_FORMAT_JSON: _ClassVar[ExportFormat]
    EXPORT_FORMAT_DOCX: _ClassVar[ExportFormat]

class ImportOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_OUTCOME_UNSPECIFIED: _ClassVar[ImportOutcome]
    IMPORT_OUTCOME_IMPORTED: _ClassVar[ImportOutcome]
    IMPORT_OUTCOME_PRESENT: _ClassVar[ImportOutcome]
    IMPORT_OUTCOME_FAILED: _ClassVar[ImportOutcome]
ARTIFACT_KIND_UNSPECIFIED: ArtifactKind
ARTIFACT_KIND_MEDIA: ArtifactKind
ARTIFACT_KIND_TRANSCRIPT: ArtifactKind
ARTIFACT_KIND_MINUTES: ArtifactKind
ARTIFACT_KIND_EMBEDDINGS: ArtifactKind
ARTIFACT_KIND_INDEX: ArtifactKind
ARTIFACT_STATE_UNSPECIFIED: ArtifactState
ARTIFACT_STATE_READY: ArtifactState
ARTIFACT_STATE_STALE: ArtifactState
ARTIFACT_STATE_FAILED: ArtifactState
RECORDING_KIND_UNSPECIFIED: RecordingKind
RECORDING_KIND_MEDIA: RecordingKind
RECORDING_KIND_DOCUMENT: RecordingKind
ACCESS_UNSPECIFIED: Access
ACCESS_READ: Access
ACCESS_WRITE: Access
ACCESS_OWNER: Access
RECORDING_ORDER_UNSPECIFIED: RecordingOrder
RECORDING_ORDER_CREATED_AT: RecordingOrder
RECORDING_ORDER_RECORDED_AT: RecordingOrder
RECORDING_ORDER_TITLE: RecordingOrder
RECORDING_ORDER_DURATION: RecordingOrder
RECORDING_ORDER_SIZE: RecordingOrder
EXPORT_FORMAT_UNSPECIFIED: ExportFormat
EXPORT_FORMAT_TXT: ExportFormat
EXPORT_FORMAT_MD: ExportFormat
EXPORT_FORMAT_SRT: ExportFormat
EXPORT_FORMAT_VTT: ExportFormat
EXPORT_FORMAT_JSON: ExportFormat
EXPORT_FORMAT_DOCX: ExportFormat
IMPORT_OUTCOME_UNSPECIFIED: ImportOutcome
IMPORT_OUTCOME_IMPORTED: ImportOutcome
IMPORT_OUTCOME_PRESENT: ImportOutcome
IMPORT_OUTCOME_FAILED: ImportOutcome

class Artifact(_message.Message):
    __slots__ = ("kind", "size_bytes", "created_at", "model", "state", "error", "made_from", "workflow_id", "sha256")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MADE_FROM_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    kind: ArtifactKind
    size_bytes: int
    created_at: _timestamp_pb2.Timestamp
    model: str
    state: ArtifactState
    error: _workflow_pb2.WorkflowError
    made_from: _containers.RepeatedScalarFieldContainer[ArtifactKind]
    workflow_id: str
    sha256: str
    def __init__(self, kind: _Optional[_Union[ArtifactKind, str]] = ..., size_bytes: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., model: _Optional[str] = ..., state: _Optional[_Union[ArtifactState, str]] = ..., error: _Optional[_Union[_workflow_pb2.WorkflowError, _Mapping]] = ..., made_from: _Optional[_Iterable[_Union[ArtifactKind, str]]] = ..., workflow_id: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class Bookmark(_message.Message):
    __slots__ = ("position", "label")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    position: _duration_pb2.Duration
    label: str
    def __init__(self, position: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., label: _Optional[str] = ...) -> None: ...

class Recording(_message.Message):
    __slots__ = ("id", "title", "file_name", "size_bytes", "sha256", "duration", "language", "created_at", "recorded_at", "artifacts", "latest_workflow_id", "kind", "media_type", "page_count", "tags", "folder", "speakers", "bookmarks", "deleted_at", "purge_at", "owner", "access", "latest_workflow_state", "etag", "title_is_set")
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
    KIND_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    BOOKMARKS_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    PURGE_AT_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    LATEST_WORKFLOW_STATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    TITLE_IS_SET_FIELD_NUMBER: _ClassVar[int]
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
    kind: RecordingKind
    media_type: str
    page_count: int
    tags: _containers.RepeatedScalarFieldContainer[str]
    folder: str
    speakers: _containers.RepeatedCompositeFieldContainer[RecordingSpeaker]
    bookmarks: _containers.RepeatedCompositeFieldContainer[Bookmark]
    deleted_at: _timestamp_pb2.Timestamp
    purge_at: _timestamp_pb2.Timestamp
    owner: str
    access: Access
    latest_workflow_state: _workflow_pb2.WorkflowState
    etag: str
    title_is_set: bool
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., file_name: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., language: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., artifacts: _Optional[_Iterable[_Union[Artifact, _Mapping]]] = ..., latest_workflow_id: _Optional[str] = ..., kind: _Optional[_Union[RecordingKind, str]] = ..., media_type: _Optional[str] = ..., page_count: _Optional[int] = ..., tags: _Optional[_Iterable[str]] = ..., folder: _Optional[str] = ..., speakers: _Optional[_Iterable[_Union[RecordingSpeaker, _Mapping]]] = ..., bookmarks: _Optional[_Iterable[_Union[Bookmark, _Mapping]]] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purge_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., owner: _Optional[str] = ..., access: _Optional[_Union[Access, str]] = ..., latest_workflow_state: _Optional[_Union[_workflow_pb2.WorkflowState, str]] = ..., etag: _Optional[str] = ..., title_is_set: _Optional[bool] = ...) -> None: ...

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
    __slots__ = ("page_size", "page_token", "text", "tags", "folder", "recorded_from", "recorded_before", "languages", "workflow_states", "kinds", "in_bin", "order_by", "ascending", "speakers")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FROM_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_STATES_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    IN_BIN_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    ASCENDING_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    text: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    folder: str
    recorded_from: _timestamp_pb2.Timestamp
    recorded_before: _timestamp_pb2.Timestamp
    languages: _containers.RepeatedScalarFieldContainer[str]
    workflow_states: _containers.RepeatedScalarFieldContainer[_workflow_pb2.WorkflowState]
    kinds: _containers.RepeatedScalarFieldContainer[RecordingKind]
    in_bin: bool
    order_by: RecordingOrder
    ascending: bool
    speakers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., text: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., folder: _Optional[str] = ..., recorded_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., languages: _Optional[_Iterable[str]] = ..., workflow_states: _Optional[_Iterable[_Union[_workflow_pb2.WorkflowState, str]]] = ..., kinds: _Optional[_Iterable[_Union[RecordingKind, str]]] = ..., in_bin: _Optional[bool] = ..., order_by: _Optional[_Union[RecordingOrder, str]] = ..., ascending: _Optional[bool] = ..., speakers: _Optional[_Iterable[str]] = ...) -> None: ...

class ListRecordingsResponse(_message.Message):
    __slots__ = ("recordings", "next_page_token", "total_count")
    RECORDINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    recordings: _containers.RepeatedCompositeFieldContainer[Recording]
    next_page_token: str
    total_count: int
    def __init__(self, recordings: _Optional[_Iterable[_Union[Recording, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_count: _Optional[int] = ...) -> None: ...

class ListFacetsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Facet(_message.Message):
    __slots__ = ("value", "recording_count")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    RECORDING_COUNT_FIELD_NUMBER: _ClassVar[int]
    value: str
    recording_count: int
    def __init__(self, value: _Optional[str] = ..., recording_count: _Optional[int] = ...) -> None: ...

class ListFacetsResponse(_message.Message):
    __slots__ = ("tags", "folders", "languages", "bin_count", "speakers")
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FOLDERS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    BIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedCompositeFieldContainer[Facet]
    folders: _containers.RepeatedCompositeFieldContainer[Facet]
    languages: _containers.RepeatedCompositeFieldContainer[Facet]
    bin_count: int
    speakers: _containers.RepeatedCompositeFieldContainer[Facet]
    def __init__(self, tags: _Optional[_Iterable[_Union[Facet, _Mapping]]] = ..., folders: _Optional[_Iterable[_Union[Facet, _Mapping]]] = ..., languages: _Optional[_Iterable[_Union[Facet, _Mapping]]] = ..., bin_count: _Optional[int] = ..., speakers: _Optional[_Iterable[_Union[Facet, _Mapping]]] = ...) -> None: ...

class UpdateRecordingRequest(_message.Message):
    __slots__ = ("request_id", "recording", "update_mask", "etag")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording: Recording
    update_mask: _field_mask_pb2.FieldMask
    etag: str
    def __init__(self, request_id: _Optional[str] = ..., recording: _Optional[_Union[Recording, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class UpdateRecordingResponse(_message.Message):
    __slots__ = ("recording",)
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    recording: Recording
    def __init__(self, recording: _Optional[_Union[Recording, _Mapping]] = ...) -> None: ...

class DeleteRecordingRequest(_message.Message):
    __slots__ = ("request_id", "recording_id", "purge")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    PURGE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_id: str
    purge: bool
    def __init__(self, request_id: _Optional[str] = ..., recording_id: _Optional[str] = ..., purge: _Optional[bool] = ...) -> None: ...

class DeleteRecordingResponse(_message.Message):
    __slots__ = ("purge_at",)
    PURGE_AT_FIELD_NUMBER: _ClassVar[int]
    purge_at: _timestamp_pb2.Timestamp
    def __init__(self, purge_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RestoreRecordingRequest(_message.Message):
    __slots__ = ("request_id", "recording_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_id: str
    def __init__(self, request_id: _Optional[str] = ..., recording_id: _Optional[str] = ...) -> None: ...

class RestoreRecordingResponse(_message.Message):
    __slots__ = ("recording",)
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    recording: Recording
    def __init__(self, recording: _Optional[_Union[Recording, _Mapping]] = ...) -> None: ...

class BulkLabels(_message.Message):
    __slots__ = ("add_tags", "remove_tags", "folder")
    ADD_TAGS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_TAGS_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    add_tags: _containers.RepeatedScalarFieldContainer[str]
    remove_tags: _containers.RepeatedScalarFieldContainer[str]
    folder: str
    def __init__(self, add_tags: _Optional[_Iterable[str]] = ..., remove_tags: _Optional[_Iterable[str]] = ..., folder: _Optional[str] = ...) -> None: ...

class BulkDelete(_message.Message):
    __slots__ = ("purge",)
    PURGE_FIELD_NUMBER: _ClassVar[int]
    purge: bool
    def __init__(self, purge: _Optional[bool] = ...) -> None: ...

class BulkRestore(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BulkEditRequest(_message.Message):
    __slots__ = ("request_id", "recording_ids", "labels", "delete", "restore")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_IDS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    RESTORE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_ids: _containers.RepeatedScalarFieldContainer[str]
    labels: BulkLabels
    delete: BulkDelete
    restore: BulkRestore
    def __init__(self, request_id: _Optional[str] = ..., recording_ids: _Optional[_Iterable[str]] = ..., labels: _Optional[_Union[BulkLabels, _Mapping]] = ..., delete: _Optional[_Union[BulkDelete, _Mapping]] = ..., restore: _Optional[_Union[BulkRestore, _Mapping]] = ...) -> None: ...

class BulkEditResult(_message.Message):
    __slots__ = ("recording_id", "recording", "error")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    recording: Recording
    error: _workflow_pb2.WorkflowError
    def __init__(self, recording_id: _Optional[str] = ..., recording: _Optional[_Union[Recording, _Mapping]] = ..., error: _Optional[_Union[_workflow_pb2.WorkflowError, _Mapping]] = ...) -> None: ...

class BulkEditResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BulkEditResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BulkEditResult, _Mapping]]] = ...) -> None: ...

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
    __slots__ = ("segments", "language", "next_page_token", "warnings", "speakers", "removed", "etag", "revision", "damages")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DAMAGES_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Segment]
    language: str
    next_page_token: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    speakers: _containers.RepeatedCompositeFieldContainer[RecordingSpeaker]
    removed: _containers.RepeatedCompositeFieldContainer[_stt_pb2.RemovedText]
    etag: str
    revision: int
    damages: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.MediaDamage]
    def __init__(self, segments: _Optional[_Iterable[_Union[_transcript_pb2.Segment, _Mapping]]] = ..., language: _Optional[str] = ..., next_page_token: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., speakers: _Optional[_Iterable[_Union[RecordingSpeaker, _Mapping]]] = ..., removed: _Optional[_Iterable[_Union[_stt_pb2.RemovedText, _Mapping]]] = ..., etag: _Optional[str] = ..., revision: _Optional[int] = ..., damages: _Optional[_Iterable[_Union[_transcript_pb2.MediaDamage, _Mapping]]] = ...) -> None: ...

class ReplaceText(_message.Message):
    __slots__ = ("segment_index", "start", "end", "text")
    SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    segment_index: int
    start: int
    end: int
    text: str
    def __init__(self, segment_index: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class SplitSegment(_message.Message):
    __slots__ = ("segment_index", "position")
    SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    segment_index: int
    position: int
    def __init__(self, segment_index: _Optional[int] = ..., position: _Optional[int] = ...) -> None: ...

class MergeSegments(_message.Message):
    __slots__ = ("first_segment_index", "last_segment_index")
    FIRST_SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    LAST_SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    first_segment_index: int
    last_segment_index: int
    def __init__(self, first_segment_index: _Optional[int] = ..., last_segment_index: _Optional[int] = ...) -> None: ...

class AssignSpeaker(_message.Message):
    __slots__ = ("segment_indices", "label")
    SEGMENT_INDICES_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    segment_indices: _containers.RepeatedScalarFieldContainer[int]
    label: str
    def __init__(self, segment_indices: _Optional[_Iterable[int]] = ..., label: _Optional[str] = ...) -> None: ...

class RenameSpeaker(_message.Message):
    __slots__ = ("label", "name")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    label: str
    name: str
    def __init__(self, label: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class FindAndReplace(_message.Message):
    __slots__ = ("find", "replacement", "match_case", "whole_words")
    FIND_FIELD_NUMBER: _ClassVar[int]
    REPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    MATCH_CASE_FIELD_NUMBER: _ClassVar[int]
    WHOLE_WORDS_FIELD_NUMBER: _ClassVar[int]
    find: str
    replacement: str
    match_case: bool
    whole_words: bool
    def __init__(self, find: _Optional[str] = ..., replacement: _Optional[str] = ..., match_case: _Optional[bool] = ..., whole_words: _Optional[bool] = ...) -> None: ...

class TranscriptEdit(_message.Message):
    __slots__ = ("replace_text", "split_segment", "merge_segments", "assign_speaker", "rename_speaker", "find_and_replace")
    REPLACE_TEXT_FIELD_NUMBER: _ClassVar[int]
    SPLIT_SEGMENT_FIELD_NUMBER: _ClassVar[int]
    MERGE_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    ASSIGN_SPEAKER_FIELD_NUMBER: _ClassVar[int]
    RENAME_SPEAKER_FIELD_NUMBER: _ClassVar[int]
    FIND_AND_REPLACE_FIELD_NUMBER: _ClassVar[int]
    replace_text: ReplaceText
    split_segment: SplitSegment
    merge_segments: MergeSegments
    assign_speaker: AssignSpeaker
    rename_speaker: RenameSpeaker
    find_and_replace: FindAndReplace
    def __init__(self, replace_text: _Optional[_Union[ReplaceText, _Mapping]] = ..., split_segment: _Optional[_Union[SplitSegment, _Mapping]] = ..., merge_segments: _Optional[_Union[MergeSegments, _Mapping]] = ..., assign_speaker: _Optional[_Union[AssignSpeaker, _Mapping]] = ..., rename_speaker: _Optional[_Union[RenameSpeaker, _Mapping]] = ..., find_and_replace: _Optional[_Union[FindAndReplace, _Mapping]] = ...) -> None: ...

class EditTranscriptRequest(_message.Message):
    __slots__ = ("request_id", "recording_id", "etag", "edits", "skip_vocabulary")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    EDITS_FIELD_NUMBER: _ClassVar[int]
    SKIP_VOCABULARY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_id: str
    etag: str
    edits: _containers.RepeatedCompositeFieldContainer[TranscriptEdit]
    skip_vocabulary: bool
    def __init__(self, request_id: _Optional[str] = ..., recording_id: _Optional[str] = ..., etag: _Optional[str] = ..., edits: _Optional[_Iterable[_Union[TranscriptEdit, _Mapping]]] = ..., skip_vocabulary: _Optional[bool] = ...) -> None: ...

class TranscriptRevision(_message.Message):
    __slots__ = ("revision", "created_at", "author", "summary", "reverted_to", "etag")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    REVERTED_TO_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    revision: int
    created_at: _timestamp_pb2.Timestamp
    author: str
    summary: str
    reverted_to: int
    etag: str
    def __init__(self, revision: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., summary: _Optional[str] = ..., reverted_to: _Optional[int] = ..., etag: _Optional[str] = ...) -> None: ...

class EditTranscriptResponse(_message.Message):
    __slots__ = ("revision", "changed_segments", "segment_count", "speakers", "replaced_counts", "changed_count")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    REPLACED_COUNTS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    revision: TranscriptRevision
    changed_segments: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Segment]
    segment_count: int
    speakers: _containers.RepeatedCompositeFieldContainer[RecordingSpeaker]
    replaced_counts: _containers.RepeatedScalarFieldContainer[int]
    changed_count: int
    def __init__(self, revision: _Optional[_Union[TranscriptRevision, _Mapping]] = ..., changed_segments: _Optional[_Iterable[_Union[_transcript_pb2.Segment, _Mapping]]] = ..., segment_count: _Optional[int] = ..., speakers: _Optional[_Iterable[_Union[RecordingSpeaker, _Mapping]]] = ..., replaced_counts: _Optional[_Iterable[int]] = ..., changed_count: _Optional[int] = ...) -> None: ...

class ListTranscriptRevisionsRequest(_message.Message):
    __slots__ = ("recording_id", "page_size", "page_token")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    page_size: int
    page_token: str
    def __init__(self, recording_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTranscriptRevisionsResponse(_message.Message):
    __slots__ = ("revisions", "next_page_token")
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revisions: _containers.RepeatedCompositeFieldContainer[TranscriptRevision]
    next_page_token: str
    def __init__(self, revisions: _Optional[_Iterable[_Union[TranscriptRevision, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevertTranscriptRequest(_message.Message):
    __slots__ = ("request_id", "recording_id", "etag", "revision")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_id: str
    etag: str
    revision: int
    def __init__(self, request_id: _Optional[str] = ..., recording_id: _Optional[str] = ..., etag: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class RevertTranscriptResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: TranscriptRevision
    def __init__(self, revision: _Optional[_Union[TranscriptRevision, _Mapping]] = ...) -> None: ...

class GetMinutesRequest(_message.Message):
    __slots__ = ("recording_id",)
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    def __init__(self, recording_id: _Optional[str] = ...) -> None: ...

class GetMinutesResponse(_message.Message):
    __slots__ = ("minutes", "stale", "etag")
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    minutes: _minutes_pb2.Minutes
    stale: bool
    etag: str
    def __init__(self, minutes: _Optional[_Union[_minutes_pb2.Minutes, _Mapping]] = ..., stale: _Optional[bool] = ..., etag: _Optional[str] = ...) -> None: ...

class MinutesLine(_message.Message):
    __slots__ = ("section_index", "item_index")
    SECTION_INDEX_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    section_index: int
    item_index: int
    def __init__(self, section_index: _Optional[int] = ..., item_index: _Optional[int] = ...) -> None: ...

class RewriteLine(_message.Message):
    __slots__ = ("line", "text")
    LINE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    line: MinutesLine
    text: str
    def __init__(self, line: _Optional[_Union[MinutesLine, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class TickLine(_message.Message):
    __slots__ = ("line", "done")
    LINE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    line: MinutesLine
    done: bool
    def __init__(self, line: _Optional[_Union[MinutesLine, _Mapping]] = ..., done: _Optional[bool] = ...) -> None: ...

class MinutesEdit(_message.Message):
    __slots__ = ("overview", "rewrite_line", "remove_line", "tick_line")
    OVERVIEW_FIELD_NUMBER: _ClassVar[int]
    REWRITE_LINE_FIELD_NUMBER: _ClassVar[int]
    REMOVE_LINE_FIELD_NUMBER: _ClassVar[int]
    TICK_LINE_FIELD_NUMBER: _ClassVar[int]
    overview: str
    rewrite_line: RewriteLine
    remove_line: MinutesLine
    tick_line: TickLine
    def __init__(self, overview: _Optional[str] = ..., rewrite_line: _Optional[_Union[RewriteLine, _Mapping]] = ..., remove_line: _Optional[_Union[MinutesLine, _Mapping]] = ..., tick_line: _Optional[_Union[TickLine, _Mapping]] = ...) -> None: ...

class EditMinutesRequest(_message.Message):
    __slots__ = ("request_id", "recording_id", "etag", "edits")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    EDITS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_id: str
    etag: str
    edits: _containers.RepeatedCompositeFieldContainer[MinutesEdit]
    def __init__(self, request_id: _Optional[str] = ..., recording_id: _Optional[str] = ..., etag: _Optional[str] = ..., edits: _Optional[_Iterable[_Union[MinutesEdit, _Mapping]]] = ...) -> None: ...

class EditMinutesResponse(_message.Message):
    __slots__ = ("minutes", "etag")
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    minutes: _minutes_pb2.Minutes
    etag: str
    def __init__(self, minutes: _Optional[_Union[_minutes_pb2.Minutes, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class GetWaveformRequest(_message.Message):
    __slots__ = ("recording_id", "peak_count")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    PEAK_COUNT_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    peak_count: int
    def __init__(self, recording_id: _Optional[str] = ..., peak_count: _Optional[int] = ...) -> None: ...

class GetWaveformResponse(_message.Message):
    __slots__ = ("peaks", "duration")
    PEAKS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    peaks: bytes
    duration: _duration_pb2.Duration
    def __init__(self, peaks: _Optional[bytes] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class DownloadArtifactRequest(_message.Message):
    __slots__ = ("recording_id", "kind", "offset", "length")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    kind: ArtifactKind
    offset: int
    length: int
    def __init__(self, recording_id: _Optional[str] = ..., kind: _Optional[_Union[ArtifactKind, str]] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ...) -> None: ...

class ArtifactInfo(_message.Message):
    __slots__ = ("file_name", "media_type", "size_bytes", "sha256")
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    def __init__(self, file_name: _Optional[str] = ..., media_type: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class DownloadArtifactResponse(_message.Message):
    __slots__ = ("info", "chunk")
    INFO_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    info: ArtifactInfo
    chunk: bytes
    def __init__(self, info: _Optional[_Union[ArtifactInfo, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

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

class ExportLibraryRequest(_message.Message):
    __slots__ = ("recording_ids",)
    RECORDING_IDS_FIELD_NUMBER: _ClassVar[int]
    recording_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, recording_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportLibraryResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class ImportConfig(_message.Message):
    __slots__ = ("request_id", "skip_index")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SKIP_INDEX_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    skip_index: bool
    def __init__(self, request_id: _Optional[str] = ..., skip_index: _Optional[bool] = ...) -> None: ...

class ImportLibraryRequest(_message.Message):
    __slots__ = ("config", "chunk")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    config: ImportConfig
    chunk: bytes
    def __init__(self, config: _Optional[_Union[ImportConfig, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ImportLibraryResponse(_message.Message):
    __slots__ = ("entry", "outcome", "recording_id", "error", "done_count", "total_count")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DONE_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    entry: str
    outcome: ImportOutcome
    recording_id: str
    error: _workflow_pb2.WorkflowError
    done_count: int
    total_count: int
    def __init__(self, entry: _Optional[str] = ..., outcome: _Optional[_Union[ImportOutcome, str]] = ..., recording_id: _Optional[str] = ..., error: _Optional[_Union[_workflow_pb2.WorkflowError, _Mapping]] = ..., done_count: _Optional[int] = ..., total_count: _Optional[int] = ...) -> None: ...

class ShareRecordingRequest(_message.Message):
    __slots__ = ("request_id", "recording_id", "user", "access")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_id: str
    user: str
    access: Access
    def __init__(self, request_id: _Optional[str] = ..., recording_id: _Optional[str] = ..., user: _Optional[str] = ..., access: _Optional[_Union[Access, str]] = ...) -> None: ...

class Share(_message.Message):
    __slots__ = ("user", "access", "created_at")
    USER_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    user: str
    access: Access
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, user: _Optional[str] = ..., access: _Optional[_Union[Access, str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ShareRecordingResponse(_message.Message):
    __slots__ = ("share",)
    SHARE_FIELD_NUMBER: _ClassVar[int]
    share: Share
    def __init__(self, share: _Optional[_Union[Share, _Mapping]] = ...) -> None: ...

class UnshareRecordingRequest(_message.Message):
    __slots__ = ("request_id", "recording_id", "user")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_id: str
    user: str
    def __init__(self, request_id: _Optional[str] = ..., recording_id: _Optional[str] = ..., user: _Optional[str] = ...) -> None: ...

class UnshareRecordingResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSharesRequest(_message.Message):
    __slots__ = ("recording_id",)
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    def __init__(self, recording_id: _Optional[str] = ...) -> None: ...

class ListSharesResponse(_message.Message):
    __slots__ = ("shares",)
    SHARES_FIELD_NUMBER: _ClassVar[int]
    shares: _containers.RepeatedCompositeFieldContainer[Share]
    def __init__(self, shares: _Optional[_Iterable[_Union[Share, _Mapping]]] = ...) -> None: ...
