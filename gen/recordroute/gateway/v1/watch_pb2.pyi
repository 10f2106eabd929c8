import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recordroute.gateway.v1 import library_pb2 as _library_pb2
from recordroute.gateway.v1 import workflow_pb2 as _workflow_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchLibraryRequest(_message.Message):
    __slots__ = ("after_sequence",)
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    def __init__(self, after_sequence: _Optional[int] = ...) -> None: ...

class RecordingRemoved(_message.Message):
    __slots__ = ("recording_id",)
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    def __init__(self, recording_id: _Optional[str] = ...) -> None: ...

class LibraryReset(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchLibraryResponse(_message.Message):
    __slots__ = ("sequence", "time", "recording", "recording_removed", "workflow", "reset")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    RECORDING_REMOVED_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    time: _timestamp_pb2.Timestamp
    recording: _library_pb2.Recording
    recording_removed: RecordingRemoved
    workflow: _workflow_pb2.Workflow
    reset: LibraryReset
    def __init__(self, sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recording: _Optional[_Union[_library_pb2.Recording, _Mapping]] = ..., recording_removed: _Optional[_Union[RecordingRemoved, _Mapping]] = ..., workflow: _Optional[_Union[_workflow_pb2.Workflow, _Mapping]] = ..., reset: _Optional[_Union[LibraryReset, _Mapping]] = ...) -> None: ...
