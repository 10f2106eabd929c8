import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recordroute.gateway.v1 import workflow_pb2 as _workflow_pb2
from recordroute.stt.v1 import stt_pb2 as _stt_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LiveConfig(_message.Message):
    __slots__ = ("request_id", "encoding", "sample_rate_hertz", "channels", "title", "folder", "tags", "options", "interim_results", "skip_workflow")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HERTZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    INTERIM_RESULTS_FIELD_NUMBER: _ClassVar[int]
    SKIP_WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    encoding: _stt_pb2.AudioEncoding
    sample_rate_hertz: int
    channels: int
    title: str
    folder: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    options: _workflow_pb2.WorkflowOptions
    interim_results: bool
    skip_workflow: bool
    def __init__(self, request_id: _Optional[str] = ..., encoding: _Optional[_Union[_stt_pb2.AudioEncoding, str]] = ..., sample_rate_hertz: _Optional[int] = ..., channels: _Optional[int] = ..., title: _Optional[str] = ..., folder: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., options: _Optional[_Union[_workflow_pb2.WorkflowOptions, _Mapping]] = ..., interim_results: _Optional[bool] = ..., skip_workflow: _Optional[bool] = ...) -> None: ...

class LiveResume(_message.Message):
    __slots__ = ("session_id", "after_sequence", "watch_only")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    WATCH_ONLY_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    after_sequence: int
    watch_only: bool
    def __init__(self, session_id: _Optional[str] = ..., after_sequence: _Optional[int] = ..., watch_only: _Optional[bool] = ...) -> None: ...

class LiveAudio(_message.Message):
    __slots__ = ("sequence", "audio", "end_of_audio")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    END_OF_AUDIO_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    audio: bytes
    end_of_audio: bool
    def __init__(self, sequence: _Optional[int] = ..., audio: _Optional[bytes] = ..., end_of_audio: _Optional[bool] = ...) -> None: ...

class StreamingTranscribeRequest(_message.Message):
    __slots__ = ("config", "resume", "audio")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    config: LiveConfig
    resume: LiveResume
    audio: LiveAudio
    def __init__(self, config: _Optional[_Union[LiveConfig, _Mapping]] = ..., resume: _Optional[_Union[LiveResume, _Mapping]] = ..., audio: _Optional[_Union[LiveAudio, _Mapping]] = ...) -> None: ...

class LiveSession(_message.Message):
    __slots__ = ("id", "title", "created_at", "next_audio_sequence", "audio_duration", "config")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_AUDIO_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AUDIO_DURATION_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    created_at: _timestamp_pb2.Timestamp
    next_audio_sequence: int
    audio_duration: _duration_pb2.Duration
    config: LiveConfig
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_audio_sequence: _Optional[int] = ..., audio_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., config: _Optional[_Union[LiveConfig, _Mapping]] = ...) -> None: ...

class LiveCaption(_message.Message):
    __slots__ = ("result", "speaker")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    result: _stt_pb2.RecognitionResult
    speaker: str
    def __init__(self, result: _Optional[_Union[_stt_pb2.RecognitionResult, _Mapping]] = ..., speaker: _Optional[str] = ...) -> None: ...

class LiveEnded(_message.Message):
    __slots__ = ("recording_id", "workflow_id", "reason", "next_audio_sequence")
    RECORDING_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    NEXT_AUDIO_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    recording_id: str
    workflow_id: str
    reason: str
    next_audio_sequence: int
    def __init__(self, recording_id: _Optional[str] = ..., workflow_id: _Optional[str] = ..., reason: _Optional[str] = ..., next_audio_sequence: _Optional[int] = ...) -> None: ...

class LiveWarning(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class LiveEvent(_message.Message):
    __slots__ = ("sequence", "opened", "caption", "speech", "language", "saved_audio_sequence", "warning", "ended")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    SPEECH_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SAVED_AUDIO_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    opened: LiveSession
    caption: LiveCaption
    speech: _stt_pb2.SpeechEvent
    language: _stt_pb2.DetectedLanguage
    saved_audio_sequence: int
    warning: LiveWarning
    ended: LiveEnded
    def __init__(self, sequence: _Optional[int] = ..., opened: _Optional[_Union[LiveSession, _Mapping]] = ..., caption: _Optional[_Union[LiveCaption, _Mapping]] = ..., speech: _Optional[_Union[_stt_pb2.SpeechEvent, _Mapping]] = ..., language: _Optional[_Union[_stt_pb2.DetectedLanguage, _Mapping]] = ..., saved_audio_sequence: _Optional[int] = ..., warning: _Optional[_Union[LiveWarning, _Mapping]] = ..., ended: _Optional[_Union[LiveEnded, _Mapping]] = ...) -> None: ...

class StreamingTranscribeResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: LiveEvent
    def __init__(self, event: _Optional[_Union[LiveEvent, _Mapping]] = ...) -> None: ...

class OpenLiveSessionRequest(_message.Message):
    __slots__ = ("config", "resume")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    config: LiveConfig
    resume: LiveResume
    def __init__(self, config: _Optional[_Union[LiveConfig, _Mapping]] = ..., resume: _Optional[_Union[LiveResume, _Mapping]] = ...) -> None: ...

class OpenLiveSessionResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: LiveEvent
    def __init__(self, event: _Optional[_Union[LiveEvent, _Mapping]] = ...) -> None: ...

class PushLiveAudioRequest(_message.Message):
    __slots__ = ("session_id", "audio")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    audio: LiveAudio
    def __init__(self, session_id: _Optional[str] = ..., audio: _Optional[_Union[LiveAudio, _Mapping]] = ...) -> None: ...

class PushLiveAudioResponse(_message.Message):
    __slots__ = ("next_audio_sequence", "buffered", "saved_audio_sequence")
    NEXT_AUDIO_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    BUFFERED_FIELD_NUMBER: _ClassVar[int]
    SAVED_AUDIO_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    next_audio_sequence: int
    buffered: _duration_pb2.Duration
    saved_audio_sequence: int
    def __init__(self, next_audio_sequence: _Optional[int] = ..., buffered: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., saved_audio_sequence: _Optional[int] = ...) -> None: ...

class AddLiveBookmarkRequest(_message.Message):
    __slots__ = ("request_id", "session_id", "label", "position")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    session_id: str
    label: str
    position: _duration_pb2.Duration
    def __init__(self, request_id: _Optional[str] = ..., session_id: _Optional[str] = ..., label: _Optional[str] = ..., position: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class AddLiveBookmarkResponse(_message.Message):
    __slots__ = ("position",)
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: _duration_pb2.Duration
    def __init__(self, position: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ListLiveSessionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListLiveSessionsResponse(_message.Message):
    __slots__ = ("sessions",)
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[LiveSession]
    def __init__(self, sessions: _Optional[_Iterable[_Union[LiveSession, _Mapping]]] = ...) -> None: ...
