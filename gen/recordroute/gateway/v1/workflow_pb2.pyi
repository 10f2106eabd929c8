import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recordroute.stt.v1 import stt_pb2 as _stt_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WorkflowStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKFLOW_STAGE_UNSPECIFIED: _ClassVar[WorkflowStage]
    WORKFLOW_STAGE_TRANSCRIBE: _ClassVar[WorkflowStage]
    WORKFLOW_STAGE_SUMMARISE: _ClassVar[WorkflowStage]
    WORKFLOW_STAGE_EMBED: _ClassVar[WorkflowStage]
    WORKFLOW_STAGE_INDEX: _ClassVar[WorkflowStage]

class WorkflowState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKFLOW_STATE_UNSPECIFIED: _ClassVar[WorkflowState]
    WORKFLOW_STATE_QUEUED: _ClassVar[WorkflowState]
    WORKFLOW_STATE_RUNNING: _ClassVar[WorkflowState]
    WORKFLOW_STATE_SUCCEEDED: _ClassVar[WorkflowState]
    WORKFLOW_STATE_FAILED: _ClassVar[WorkflowState]
    WORKFLOW_STATE_CANCELLED: _ClassVar[WorkflowState]
    WORKFLOW_STATE_SKIPPED: _ClassVar[WorkflowState]

class WorkflowPriority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKFLOW_PRIORITY_UNSPECIFIED: _ClassVar[WorkflowPriority]
    WORKFLOW_PRIORITY_HIGH: _ClassVar[WorkflowPriority]
    WORKFLOW_PRIORITY_NORMAL: _ClassVar[WorkflowPriority]
    WORKFLOW_PRIORITY_LOW: _ClassVar[WorkflowPriority]
WORKFLOW_STAGE_UNSPECIFIED: WorkflowStage
WORKFLOW_STAGE_TRANSCRIBE: WorkflowStage
WORKFLOW_STAGE_SUMMARISE: WorkflowStage
WORKFLOW_STAGE_EMBED: WorkflowStage
WORKFLOW_STAGE_INDEX: WorkflowStage
WORKFLOW_STATE_UNSPECIFIED: WorkflowState
WORKFLOW_STATE_QUEUED: WorkflowState
WORKFLOW_STATE_RUNNING: WorkflowState
WORKFLOW_STATE_SUCCEEDED: WorkflowState
WORKFLOW_STATE_FAILED: WorkflowState
WORKFLOW_STATE_CANCELLED: WorkflowState
WORKFLOW_STATE_SKIPPED: WorkflowState
WORKFLOW_PRIORITY_UNSPECIFIED: WorkflowPriority
WORKFLOW_PRIORITY_HIGH: WorkflowPriority
WORKFLOW_PRIORITY_NORMAL: WorkflowPriority
WORKFLOW_PRIORITY_LOW: WorkflowPriority

class WorkflowOptions(_message.Message):
    __slots__ = ("language", "stt_model", "llm_model", "skip_summary", "skip_index", "profile", "detect_language_per_segment", "translate", "hotwords", "initial_prompt", "skip_speakers", "speaker_count", "channel_mode", "audio_stream", "template", "output_language", "first_stage", "skip_vocabulary", "priority")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    STT_MODEL_FIELD_NUMBER: _ClassVar[int]
    LLM_MODEL_FIELD_NUMBER: _ClassVar[int]
    SKIP_SUMMARY_FIELD_NUMBER: _ClassVar[int]
    SKIP_INDEX_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    DETECT_LANGUAGE_PER_SEGMENT_FIELD_NUMBER: _ClassVar[int]
    TRANSLATE_FIELD_NUMBER: _ClassVar[int]
    HOTWORDS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_PROMPT_FIELD_NUMBER: _ClassVar[int]
    SKIP_SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_MODE_FIELD_NUMBER: _ClassVar[int]
    AUDIO_STREAM_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    FIRST_STAGE_FIELD_NUMBER: _ClassVar[int]
    SKIP_VOCABULARY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    language: str
    stt_model: str
    llm_model: str
    skip_summary: bool
    skip_index: bool
    profile: _stt_pb2.Profile
    detect_language_per_segment: bool
    translate: bool
    hotwords: _containers.RepeatedScalarFieldContainer[str]
    initial_prompt: str
    skip_speakers: bool
    speaker_count: int
    channel_mode: _stt_pb2.ChannelMode
    audio_stream: int
    template: str
    output_language: str
    first_stage: WorkflowStage
    skip_vocabulary: bool
    priority: WorkflowPriority
    def __init__(self, language: _Optional[str] = ..., stt_model: _Optional[str] = ..., llm_model: _Optional[str] = ..., skip_summary: _Optional[bool] = ..., skip_index: _Optional[bool] = ..., profile: _Optional[_Union[_stt_pb2.Profile, str]] = ..., detect_language_per_segment: _Optional[bool] = ..., translate: _Optional[bool] = ..., hotwords: _Optional[_Iterable[str]] = ..., initial_prompt: _Optional[str] = ..., skip_speakers: _Optional[bool] = ..., speaker_count: _Optional[int] = ..., channel_mode: _Optional[_Union[_stt_pb2.ChannelMode, str]] = ..., audio_stream: _Optional[int] = ..., template: _Optional[str] = ..., output_language: _Optional[str] = ..., first_stage: _Optional[_Union[WorkflowStage, str]] = ..., skip_vocabulary: _Optional[bool] = ..., priority: _Optional[_Union[WorkflowPriority, str]] = ...) -> None: ...

class WorkflowError(_message.Message):
    __slots__ = ("reason", "message", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class StageStatus(_message.Message):
    __slots__ = ("stage", "state", "percent", "started_at", "ended_at", "remaining", "waiting_for")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_FIELD_NUMBER: _ClassVar[int]
    stage: WorkflowStage
    state: WorkflowState
    percent: float
    started_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    remaining: _duration_pb2.Duration
    waiting_for: WorkflowError
    def __init__(self, stage: _Optional[_Union[WorkflowStage, str]] = ..., state: _Optional[_Union[WorkflowState, str]] = ..., percent: _Optional[float] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., remaining: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., waiting_for: _Optional[_Union[WorkflowError, _Mapping]] = ...) -> None: ...

class Workflow(_message.Message):
    __slots__ = ("id", "recording_id", "state", "options", "stages", "error", "created_at", "ended_at", "last_sequence", "remaining", "queue_position", "batch_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    QUEUE_POSITION_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    recording_id: str
    state: WorkflowState
    options: WorkflowOptions
    stages: _containers.RepeatedCompositeFieldContainer[StageStatus]
    error: WorkflowError
    created_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    last_sequence: int
    remaining: _duration_pb2.Duration
    queue_position: int
    batch_id: str
    def __init__(self, id: _Optional[str] = ..., recording_id: _Optional[str] = ..., state: _Optional[_Union[WorkflowState, str]] = ..., options: _Optional[_Union[WorkflowOptions, _Mapping]] = ..., stages: _Optional[_Iterable[_Union[StageStatus, _Mapping]]] = ..., error: _Optional[_Union[WorkflowError, _Mapping]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_sequence: _Optional[int] = ..., remaining: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queue_position: _Optional[int] = ..., batch_id: _Optional[str] = ...) -> None: ...

class WorkflowEvent(_message.Message):
    __slots__ = ("sequence", "time", "stage", "state", "percent", "error", "remaining", "waiting_for")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    time: _timestamp_pb2.Timestamp
    stage: WorkflowStage
    state: WorkflowState
    percent: float
    error: WorkflowError
    remaining: _duration_pb2.Duration
    waiting_for: WorkflowError
    def __init__(self, sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stage: _Optional[_Union[WorkflowStage, str]] = ..., state: _Optional[_Union[WorkflowState, str]] = ..., percent: _Optional[float] = ..., error: _Optional[_Union[WorkflowError, _Mapping]] = ..., remaining: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., waiting_for: _Optional[_Union[WorkflowError, _Mapping]] = ...) -> None: ...

class StartWorkflowRequest(_message.Message):
    __slots__ = ("request_id", "recording_id", "options")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_id: str
    options: WorkflowOptions
    def __init__(self, request_id: _Optional[str] = ..., recording_id: _Optional[str] = ..., options: _Optional[_Union[WorkflowOptions, _Mapping]] = ...) -> None: ...

class StartWorkflowResponse(_message.Message):
    __slots__ = ("workflow",)
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    workflow: Workflow
    def __init__(self, workflow: _Optional[_Union[Workflow, _Mapping]] = ...) -> None: ...

class GetWorkflowRequest(_message.Message):
    __slots__ = ("workflow_id",)
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    def __init__(self, workflow_id: _Optional[str] = ...) -> None: ...

class GetWorkflowResponse(_message.Message):
    __slots__ = ("workflow",)
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    workflow: Workflow
    def __init__(self, workflow: _Optional[_Union[Workflow, _Mapping]] = ...) -> None: ...

class ListWorkflowsRequest(_message.Message):
    __slots__ = ("recording_id", "page_size", "page_token", "states", "batch_id")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[WorkflowState]
    batch_id: str
    def __init__(self, recording_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., states: _Optional[_Iterable[_Union[WorkflowState, str]]] = ..., batch_id: _Optional[str] = ...) -> None: ...

class ListWorkflowsResponse(_message.Message):
    __slots__ = ("workflows", "next_page_token")
    WORKFLOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    workflows: _containers.RepeatedCompositeFieldContainer[Workflow]
    next_page_token: str
    def __init__(self, workflows: _Optional[_Iterable[_Union[Workflow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelWorkflowRequest(_message.Message):
    __slots__ = ("request_id", "workflow_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    workflow_id: str
    def __init__(self, request_id: _Optional[str] = ..., workflow_id: _Optional[str] = ...) -> None: ...

class CancelWorkflowResponse(_message.Message):
    __slots__ = ("workflow",)
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    workflow: Workflow
    def __init__(self, workflow: _Optional[_Union[Workflow, _Mapping]] = ...) -> None: ...

class RetryWorkflowRequest(_message.Message):
    __slots__ = ("request_id", "workflow_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    workflow_id: str
    def __init__(self, request_id: _Optional[str] = ..., workflow_id: _Optional[str] = ...) -> None: ...

class RetryWorkflowResponse(_message.Message):
    __slots__ = ("workflow",)
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    workflow: Workflow
    def __init__(self, workflow: _Optional[_Union[Workflow, _Mapping]] = ...) -> None: ...

class WatchWorkflowRequest(_message.Message):
    __slots__ = ("workflow_id", "after_sequence")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    workflow_id: str
    after_sequence: int
    def __init__(self, workflow_id: _Optional[str] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class WatchWorkflowResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: WorkflowEvent
    def __init__(self, event: _Optional[_Union[WorkflowEvent, _Mapping]] = ...) -> None: ...

class StartWorkflowsRequest(_message.Message):
    __slots__ = ("request_id", "recording_ids", "options")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDING_IDS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    recording_ids: _containers.RepeatedScalarFieldContainer[str]
    options: WorkflowOptions
    def __init__(self, request_id: _Optional[str] = ..., recording_ids: _Optional[_Iterable[str]] = ..., options: _Optional[_Union[WorkflowOptions, _Mapping]] = ...) -> None: ...

class StartWorkflowsResult(_message.Message):
    __slots__ = ("recording_id", "workflow", "error")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    workflow: Workflow
    error: WorkflowError
    def __init__(self, recording_id: _Optional[str] = ..., workflow: _Optional[_Union[Workflow, _Mapping]] = ..., error: _Optional[_Union[WorkflowError, _Mapping]] = ...) -> None: ...

class StartWorkflowsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[StartWorkflowsResult]
    def __init__(self, results: _Optional[_Iterable[_Union[StartWorkflowsResult, _Mapping]]] = ...) -> None: ...
