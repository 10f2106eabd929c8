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

class Profile(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_UNSPECIFIED: _ClassVar[Profile]
    PROFILE_FAST: _ClassVar[Profile]
    PROFILE_BALANCED: _ClassVar[Profile]
    PROFILE_ACCURATE: _ClassVar[Profile]

class ChannelMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANNEL_MODE_UNSPECIFIED: _ClassVar[ChannelMode]
    CHANNEL_MODE_MIXED: _ClassVar[ChannelMode]
    CHANNEL_MODE_SEPARATE: _ClassVar[ChannelMode]

class RemovalReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMOVAL_REASON_UNSPECIFIED: _ClassVar[RemovalReason]
    REMOVAL_REASON_NO_SPEECH: _ClassVar[RemovalReason]
    REMOVAL_REASON_UNINTELLIGIBLE: _ClassVar[RemovalReason]
    REMOVAL_REASON_LOOP: _ClassVar[RemovalReason]

class AudioEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIO_ENCODING_UNSPECIFIED: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_PCM_S16LE: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_PCM_F32LE: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_OPUS: _ClassVar[AudioEncoding]
PROFILE_UNSPECIFIED: Profile
PROFILE_FAST: Profile
PROFILE_BALANCED: Profile
PROFILE_ACCURATE: Profile
CHANNEL_MODE_UNSPECIFIED: ChannelMode
CHANNEL_MODE_MIXED: ChannelMode
CHANNEL_MODE_SEPARATE: ChannelMode
REMOVAL_REASON_UNSPECIFIED: RemovalReason
REMOVAL_REASON_NO_SPEECH: RemovalReason
REMOVAL_REASON_UNINTELLIGIBLE: RemovalReason
REMOVAL_REASON_LOOP: RemovalReason
AUDIO_ENCODING_UNSPECIFIED: AudioEncoding
AUDIO_ENCODING_PCM_S16LE: AudioEncoding
AUDIO_ENCODING_PCM_F32LE: AudioEncoding
AUDIO_ENCODING_OPUS: AudioEncoding

class KnownVoice(_message.Message):
    __slots__ = ("id", "embedding")
    ID_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    id: str
    embedding: bytes
    def __init__(self, id: _Optional[str] = ..., embedding: _Optional[bytes] = ...) -> None: ...

class DiarizationConfig(_message.Message):
    __slots__ = ("speaker_count", "known_voices", "return_voices")
    SPEAKER_COUNT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_VOICES_FIELD_NUMBER: _ClassVar[int]
    RETURN_VOICES_FIELD_NUMBER: _ClassVar[int]
    speaker_count: int
    known_voices: _containers.RepeatedCompositeFieldContainer[KnownVoice]
    return_voices: bool
    def __init__(self, speaker_count: _Optional[int] = ..., known_voices: _Optional[_Iterable[_Union[KnownVoice, _Mapping]]] = ..., return_voices: _Optional[bool] = ...) -> None: ...

class PostProcessing(_message.Message):
    __slots__ = ("silence_gate", "remove_loops", "merge_segments", "normalise_spacing")
    SILENCE_GATE_FIELD_NUMBER: _ClassVar[int]
    REMOVE_LOOPS_FIELD_NUMBER: _ClassVar[int]
    MERGE_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    NORMALISE_SPACING_FIELD_NUMBER: _ClassVar[int]
    silence_gate: bool
    remove_loops: bool
    merge_segments: bool
    normalise_spacing: bool
    def __init__(self, silence_gate: _Optional[bool] = ..., remove_loops: _Optional[bool] = ..., merge_segments: _Optional[bool] = ..., normalise_spacing: _Optional[bool] = ...) -> None: ...

class TranscribeConfig(_message.Message):
    __slots__ = ("language", "model", "beam_size", "word_timestamps", "profile", "detect_language_per_segment", "translate", "hotwords", "initial_prompt", "diarization", "channel_mode", "audio_stream", "post_processing")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    BEAM_SIZE_FIELD_NUMBER: _ClassVar[int]
    WORD_TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    DETECT_LANGUAGE_PER_SEGMENT_FIELD_NUMBER: _ClassVar[int]
    TRANSLATE_FIELD_NUMBER: _ClassVar[int]
    HOTWORDS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_PROMPT_FIELD_NUMBER: _ClassVar[int]
    DIARIZATION_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_MODE_FIELD_NUMBER: _ClassVar[int]
    AUDIO_STREAM_FIELD_NUMBER: _ClassVar[int]
    POST_PROCESSING_FIELD_NUMBER: _ClassVar[int]
    language: str
    model: str
    beam_size: int
    word_timestamps: bool
    profile: Profile
    detect_language_per_segment: bool
    translate: bool
    hotwords: _containers.RepeatedScalarFieldContainer[str]
    initial_prompt: str
    diarization: DiarizationConfig
    channel_mode: ChannelMode
    audio_stream: int
    post_processing: PostProcessing
    def __init__(self, language: _Optional[str] = ..., model: _Optional[str] = ..., beam_size: _Optional[int] = ..., word_timestamps: _Optional[bool] = ..., profile: _Optional[_Union[Profile, str]] = ..., detect_language_per_segment: _Optional[bool] = ..., translate: _Optional[bool] = ..., hotwords: _Optional[_Iterable[str]] = ..., initial_prompt: _Optional[str] = ..., diarization: _Optional[_Union[DiarizationConfig, _Mapping]] = ..., channel_mode: _Optional[_Union[ChannelMode, str]] = ..., audio_stream: _Optional[int] = ..., post_processing: _Optional[_Union[PostProcessing, _Mapping]] = ...) -> None: ...

class TranscribeRequest(_message.Message):
    __slots__ = ("config", "audio_chunk")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CHUNK_FIELD_NUMBER: _ClassVar[int]
    config: TranscribeConfig
    audio_chunk: bytes
    def __init__(self, config: _Optional[_Union[TranscribeConfig, _Mapping]] = ..., audio_chunk: _Optional[bytes] = ...) -> None: ...

class MediaInfo(_message.Message):
    __slots__ = ("container", "codec", "duration", "sample_rate_hertz", "channels")
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    CODEC_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HERTZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    container: str
    codec: str
    duration: _duration_pb2.Duration
    sample_rate_hertz: int
    channels: int
    def __init__(self, container: _Optional[str] = ..., codec: _Optional[str] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., sample_rate_hertz: _Optional[int] = ..., channels: _Optional[int] = ...) -> None: ...

class DetectedLanguage(_message.Message):
    __slots__ = ("language", "probability")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    language: str
    probability: float
    def __init__(self, language: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...

class TranscribeProgress(_message.Message):
    __slots__ = ("processed", "total")
    PROCESSED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    processed: _duration_pb2.Duration
    total: _duration_pb2.Duration
    def __init__(self, processed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class TranscribeStats(_message.Message):
    __slots__ = ("audio_duration", "speech_duration", "processing_time", "segment_count", "model", "warnings", "damages")
    AUDIO_DURATION_FIELD_NUMBER: _ClassVar[int]
    SPEECH_DURATION_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_TIME_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    DAMAGES_FIELD_NUMBER: _ClassVar[int]
    audio_duration: _duration_pb2.Duration
    speech_duration: _duration_pb2.Duration
    processing_time: _duration_pb2.Duration
    segment_count: int
    model: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    damages: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.MediaDamage]
    def __init__(self, audio_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., speech_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., processing_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., segment_count: _Optional[int] = ..., model: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., damages: _Optional[_Iterable[_Union[_transcript_pb2.MediaDamage, _Mapping]]] = ...) -> None: ...

class RemovedText(_message.Message):
    __slots__ = ("segment", "reason", "detail")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    segment: _transcript_pb2.Segment
    reason: RemovalReason
    detail: str
    def __init__(self, segment: _Optional[_Union[_transcript_pb2.Segment, _Mapping]] = ..., reason: _Optional[_Union[RemovalReason, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class Speaker(_message.Message):
    __slots__ = ("label", "voice_id", "voice_similarity", "speech_duration", "embedding")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    VOICE_ID_FIELD_NUMBER: _ClassVar[int]
    VOICE_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    SPEECH_DURATION_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    label: str
    voice_id: str
    voice_similarity: float
    speech_duration: _duration_pb2.Duration
    embedding: bytes
    def __init__(self, label: _Optional[str] = ..., voice_id: _Optional[str] = ..., voice_similarity: _Optional[float] = ..., speech_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., embedding: _Optional[bytes] = ...) -> None: ...

class Speakers(_message.Message):
    __slots__ = ("speakers",)
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    speakers: _containers.RepeatedCompositeFieldContainer[Speaker]
    def __init__(self, speakers: _Optional[_Iterable[_Union[Speaker, _Mapping]]] = ...) -> None: ...

class SpeakerTurn(_message.Message):
    __slots__ = ("speaker", "start", "end")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    speaker: str
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    def __init__(self, speaker: _Optional[str] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SpeakerTurns(_message.Message):
    __slots__ = ("turns",)
    TURNS_FIELD_NUMBER: _ClassVar[int]
    turns: _containers.RepeatedCompositeFieldContainer[SpeakerTurn]
    def __init__(self, turns: _Optional[_Iterable[_Union[SpeakerTurn, _Mapping]]] = ...) -> None: ...

class TranscribeResponse(_message.Message):
    __slots__ = ("media_info", "language", "progress", "segment", "stats", "removed", "speakers", "turns")
    MEDIA_INFO_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    media_info: MediaInfo
    language: DetectedLanguage
    progress: TranscribeProgress
    segment: _transcript_pb2.Segment
    stats: TranscribeStats
    removed: RemovedText
    speakers: Speakers
    turns: SpeakerTurns
    def __init__(self, media_info: _Optional[_Union[MediaInfo, _Mapping]] = ..., language: _Optional[_Union[DetectedLanguage, _Mapping]] = ..., progress: _Optional[_Union[TranscribeProgress, _Mapping]] = ..., segment: _Optional[_Union[_transcript_pb2.Segment, _Mapping]] = ..., stats: _Optional[_Union[TranscribeStats, _Mapping]] = ..., removed: _Optional[_Union[RemovedText, _Mapping]] = ..., speakers: _Optional[_Union[Speakers, _Mapping]] = ..., turns: _Optional[_Union[SpeakerTurns, _Mapping]] = ...) -> None: ...

class StreamingRecognizeConfig(_message.Message):
    __slots__ = ("encoding", "sample_rate_hertz", "channels", "language", "model", "interim_results", "word_timestamps", "endpoint_silence", "hotwords", "initial_prompt")
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HERTZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INTERIM_RESULTS_FIELD_NUMBER: _ClassVar[int]
    WORD_TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_SILENCE_FIELD_NUMBER: _ClassVar[int]
    HOTWORDS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_PROMPT_FIELD_NUMBER: _ClassVar[int]
    encoding: AudioEncoding
    sample_rate_hertz: int
    channels: int
    language: str
    model: str
    interim_results: bool
    word_timestamps: bool
    endpoint_silence: _duration_pb2.Duration
    hotwords: _containers.RepeatedScalarFieldContainer[str]
    initial_prompt: str
    def __init__(self, encoding: _Optional[_Union[AudioEncoding, str]] = ..., sample_rate_hertz: _Optional[int] = ..., channels: _Optional[int] = ..., language: _Optional[str] = ..., model: _Optional[str] = ..., interim_results: _Optional[bool] = ..., word_timestamps: _Optional[bool] = ..., endpoint_silence: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., hotwords: _Optional[_Iterable[str]] = ..., initial_prompt: _Optional[str] = ...) -> None: ...

class StreamingRecognizeRequest(_message.Message):
    __slots__ = ("config", "audio")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    config: StreamingRecognizeConfig
    audio: bytes
    def __init__(self, config: _Optional[_Union[StreamingRecognizeConfig, _Mapping]] = ..., audio: _Optional[bytes] = ...) -> None: ...

class RecognitionResult(_message.Message):
    __slots__ = ("utterance", "is_final", "start", "end", "stable_text", "unstable_text", "stability", "words", "language", "average_log_probability")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    STABLE_TEXT_FIELD_NUMBER: _ClassVar[int]
    UNSTABLE_TEXT_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_LOG_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    is_final: bool
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    stable_text: str
    unstable_text: str
    stability: float
    words: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Word]
    language: str
    average_log_probability: float
    def __init__(self, utterance: _Optional[int] = ..., is_final: _Optional[bool] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., stable_text: _Optional[str] = ..., unstable_text: _Optional[str] = ..., stability: _Optional[float] = ..., words: _Optional[_Iterable[_Union[_transcript_pb2.Word, _Mapping]]] = ..., language: _Optional[str] = ..., average_log_probability: _Optional[float] = ...) -> None: ...

class SpeechEvent(_message.Message):
    __slots__ = ("kind", "time")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[SpeechEvent.Kind]
        KIND_SPEECH_STARTED: _ClassVar[SpeechEvent.Kind]
        KIND_SPEECH_ENDED: _ClassVar[SpeechEvent.Kind]
    KIND_UNSPECIFIED: SpeechEvent.Kind
    KIND_SPEECH_STARTED: SpeechEvent.Kind
    KIND_SPEECH_ENDED: SpeechEvent.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    kind: SpeechEvent.Kind
    time: _duration_pb2.Duration
    def __init__(self, kind: _Optional[_Union[SpeechEvent.Kind, str]] = ..., time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamingStats(_message.Message):
    __slots__ = ("audio_duration", "speech_duration", "utterance_count", "model")
    AUDIO_DURATION_FIELD_NUMBER: _ClassVar[int]
    SPEECH_DURATION_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    audio_duration: _duration_pb2.Duration
    speech_duration: _duration_pb2.Duration
    utterance_count: int
    model: str
    def __init__(self, audio_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., speech_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., utterance_count: _Optional[int] = ..., model: _Optional[str] = ...) -> None: ...

class StreamingRecognizeResponse(_message.Message):
    __slots__ = ("result", "event", "language", "stats")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    result: RecognitionResult
    event: SpeechEvent
    language: DetectedLanguage
    stats: StreamingStats
    def __init__(self, result: _Optional[_Union[RecognitionResult, _Mapping]] = ..., event: _Optional[_Union[SpeechEvent, _Mapping]] = ..., language: _Optional[_Union[DetectedLanguage, _Mapping]] = ..., stats: _Optional[_Union[StreamingStats, _Mapping]] = ...) -> None: ...

class DetectLanguageConfig(_message.Message):
    __slots__ = ("model", "audio_stream")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    AUDIO_STREAM_FIELD_NUMBER: _ClassVar[int]
    model: str
    audio_stream: int
    def __init__(self, model: _Optional[str] = ..., audio_stream: _Optional[int] = ...) -> None: ...

class DetectLanguageRequest(_message.Message):
    __slots__ = ("config", "audio_chunk")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_CHUNK_FIELD_NUMBER: _ClassVar[int]
    config: DetectLanguageConfig
    audio_chunk: bytes
    def __init__(self, config: _Optional[_Union[DetectLanguageConfig, _Mapping]] = ..., audio_chunk: _Optional[bytes] = ...) -> None: ...

class DetectLanguageResponse(_message.Message):
    __slots__ = ("languages", "speech_duration")
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    SPEECH_DURATION_FIELD_NUMBER: _ClassVar[int]
    languages: _containers.RepeatedCompositeFieldContainer[DetectedLanguage]
    speech_duration: _duration_pb2.Duration
    def __init__(self, languages: _Optional[_Iterable[_Union[DetectedLanguage, _Mapping]]] = ..., speech_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[_model_pb2.ModelInfo]
    def __init__(self, models: _Optional[_Iterable[_Union[_model_pb2.ModelInfo, _Mapping]]] = ...) -> None: ...
