import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelTask(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_TASK_UNSPECIFIED: _ClassVar[ModelTask]
    MODEL_TASK_STT: _ClassVar[ModelTask]
    MODEL_TASK_LLM: _ClassVar[ModelTask]
    MODEL_TASK_EMBEDDING: _ClassVar[ModelTask]
    MODEL_TASK_RERANK: _ClassVar[ModelTask]
    MODEL_TASK_OTHER: _ClassVar[ModelTask]

class ModelState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_STATE_UNSPECIFIED: _ClassVar[ModelState]
    MODEL_STATE_NOT_INSTALLED: _ClassVar[ModelState]
    MODEL_STATE_PULLING: _ClassVar[ModelState]
    MODEL_STATE_INSTALLED: _ClassVar[ModelState]
    MODEL_STATE_BROKEN: _ClassVar[ModelState]
    MODEL_STATE_OUTDATED: _ClassVar[ModelState]

class ModelSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_SOURCE_UNSPECIFIED: _ClassVar[ModelSource]
    MODEL_SOURCE_PACKAGES: _ClassVar[ModelSource]
    MODEL_SOURCE_HUB: _ClassVar[ModelSource]
    MODEL_SOURCE_SERVER: _ClassVar[ModelSource]
    MODEL_SOURCE_LOCAL: _ClassVar[ModelSource]

class PullPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PULL_PHASE_UNSPECIFIED: _ClassVar[PullPhase]
    PULL_PHASE_WAITING: _ClassVar[PullPhase]
    PULL_PHASE_DOWNLOADING: _ClassVar[PullPhase]
    PULL_PHASE_CONVERTING: _ClassVar[PullPhase]
    PULL_PHASE_VERIFYING: _ClassVar[PullPhase]
    PULL_PHASE_DONE: _ClassVar[PullPhase]
    PULL_PHASE_FAILED: _ClassVar[PullPhase]
MODEL_TASK_UNSPECIFIED: ModelTask
MODEL_TASK_STT: ModelTask
MODEL_TASK_LLM: ModelTask
MODEL_TASK_EMBEDDING: ModelTask
MODEL_TASK_RERANK: ModelTask
MODEL_TASK_OTHER: ModelTask
MODEL_STATE_UNSPECIFIED: ModelState
MODEL_STATE_NOT_INSTALLED: ModelState
MODEL_STATE_PULLING: ModelState
MODEL_STATE_INSTALLED: ModelState
MODEL_STATE_BROKEN: ModelState
MODEL_STATE_OUTDATED: ModelState
MODEL_SOURCE_UNSPECIFIED: ModelSource
MODEL_SOURCE_PACKAGES: ModelSource
MODEL_SOURCE_HUB: ModelSource
MODEL_SOURCE_SERVER: ModelSource
MODEL_SOURCE_LOCAL: ModelSource
PULL_PHASE_UNSPECIFIED: PullPhase
PULL_PHASE_WAITING: PullPhase
PULL_PHASE_DOWNLOADING: PullPhase
PULL_PHASE_CONVERTING: PullPhase
PULL_PHASE_VERIFYING: PullPhase
PULL_PHASE_DONE: PullPhase
PULL_PHASE_FAILED: PullPhase

class PullFailure(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ModelPull(_message.Message):
    __slots__ = ("phase", "done_bytes", "total_bytes", "started_at", "failure", "notice")
    PHASE_FIELD_NUMBER: _ClassVar[int]
    DONE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    phase: PullPhase
    done_bytes: int
    total_bytes: int
    started_at: _timestamp_pb2.Timestamp
    failure: PullFailure
    notice: str
    def __init__(self, phase: _Optional[_Union[PullPhase, str]] = ..., done_bytes: _Optional[int] = ..., total_bytes: _Optional[int] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., failure: _Optional[_Union[PullFailure, _Mapping]] = ..., notice: _Optional[str] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("id", "task", "description", "languages", "license", "source", "state", "download_bytes", "size_bytes", "problems", "pull", "is_recommended", "service", "is_current", "is_service_default", "is_loaded", "pull_refusal", "remove_refusal", "use_refusal")
    ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DOWNLOAD_BYTES_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    PULL_FIELD_NUMBER: _ClassVar[int]
    IS_RECOMMENDED_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    IS_CURRENT_FIELD_NUMBER: _ClassVar[int]
    IS_SERVICE_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    IS_LOADED_FIELD_NUMBER: _ClassVar[int]
    PULL_REFUSAL_FIELD_NUMBER: _ClassVar[int]
    REMOVE_REFUSAL_FIELD_NUMBER: _ClassVar[int]
    USE_REFUSAL_FIELD_NUMBER: _ClassVar[int]
    id: str
    task: ModelTask
    description: str
    languages: _containers.RepeatedScalarFieldContainer[str]
    license: str
    source: ModelSource
    state: ModelState
    download_bytes: int
    size_bytes: int
    problems: _containers.RepeatedScalarFieldContainer[str]
    pull: ModelPull
    is_recommended: bool
    service: str
    is_current: bool
    is_service_default: bool
    is_loaded: bool
    pull_refusal: str
    remove_refusal: str
    use_refusal: str
    def __init__(self, id: _Optional[str] = ..., task: _Optional[_Union[ModelTask, str]] = ..., description: _Optional[str] = ..., languages: _Optional[_Iterable[str]] = ..., license: _Optional[str] = ..., source: _Optional[_Union[ModelSource, str]] = ..., state: _Optional[_Union[ModelState, str]] = ..., download_bytes: _Optional[int] = ..., size_bytes: _Optional[int] = ..., problems: _Optional[_Iterable[str]] = ..., pull: _Optional[_Union[ModelPull, _Mapping]] = ..., is_recommended: _Optional[bool] = ..., service: _Optional[str] = ..., is_current: _Optional[bool] = ..., is_service_default: _Optional[bool] = ..., is_loaded: _Optional[bool] = ..., pull_refusal: _Optional[str] = ..., remove_refusal: _Optional[str] = ..., use_refusal: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "manage_refusal", "free_bytes", "unavailable_services")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    MANAGE_REFUSAL_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_SERVICES_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    manage_refusal: str
    free_bytes: int
    unavailable_services: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., manage_refusal: _Optional[str] = ..., free_bytes: _Optional[int] = ..., unavailable_services: _Optional[_Iterable[str]] = ...) -> None: ...

class PullModelRequest(_message.Message):
    __slots__ = ("request_id", "model_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    model_id: str
    def __init__(self, request_id: _Optional[str] = ..., model_id: _Optional[str] = ...) -> None: ...

class PullModelResponse(_message.Message):
    __slots__ = ("pull",)
    PULL_FIELD_NUMBER: _ClassVar[int]
    pull: ModelPull
    def __init__(self, pull: _Optional[_Union[ModelPull, _Mapping]] = ...) -> None: ...

class CancelPullRequest(_message.Message):
    __slots__ = ("request_id", "model_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    model_id: str
    def __init__(self, request_id: _Optional[str] = ..., model_id: _Optional[str] = ...) -> None: ...

class CancelPullResponse(_message.Message):
    __slots__ = ("cancelled",)
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    cancelled: bool
    def __init__(self, cancelled: _Optional[bool] = ...) -> None: ...

class RemoveModelRequest(_message.Message):
    __slots__ = ("request_id", "model_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    model_id: str
    def __init__(self, request_id: _Optional[str] = ..., model_id: _Optional[str] = ...) -> None: ...

class RemoveModelResponse(_message.Message):
    __slots__ = ("freed_bytes",)
    FREED_BYTES_FIELD_NUMBER: _ClassVar[int]
    freed_bytes: int
    def __init__(self, freed_bytes: _Optional[int] = ...) -> None: ...

class UseModelRequest(_message.Message):
    __slots__ = ("request_id", "task", "model_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    task: ModelTask
    model_id: str
    def __init__(self, request_id: _Optional[str] = ..., task: _Optional[_Union[ModelTask, str]] = ..., model_id: _Optional[str] = ...) -> None: ...

class UseModelResponse(_message.Message):
    __slots__ = ("model_id",)
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    model_id: str
    def __init__(self, model_id: _Optional[str] = ...) -> None: ...
