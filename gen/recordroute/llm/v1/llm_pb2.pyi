import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from recordroute.common.v1 import minutes_pb2 as _minutes_pb2
from recordroute.common.v1 import model_pb2 as _model_pb2
from recordroute.common.v1 import transcript_pb2 as _transcript_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_SYSTEM: _ClassVar[Role]
    ROLE_USER: _ClassVar[Role]
    ROLE_ASSISTANT: _ClassVar[Role]
    ROLE_TOOL: _ClassVar[Role]

class FinishReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINISH_REASON_UNSPECIFIED: _ClassVar[FinishReason]
    FINISH_REASON_STOP: _ClassVar[FinishReason]
    FINISH_REASON_LENGTH: _ClassVar[FinishReason]
    FINISH_REASON_TOOL_CALLS: _ClassVar[FinishReason]

class CorrectionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CORRECTION_REASON_UNSPECIFIED: _ClassVar[CorrectionReason]
    CORRECTION_REASON_VOCABULARY: _ClassVar[CorrectionReason]
    CORRECTION_REASON_MODEL: _ClassVar[CorrectionReason]
ROLE_UNSPECIFIED: Role
ROLE_SYSTEM: Role
ROLE_USER: Role
ROLE_ASSISTANT: Role
ROLE_TOOL: Role
FINISH_REASON_UNSPECIFIED: FinishReason
FINISH_REASON_STOP: FinishReason
FINISH_REASON_LENGTH: FinishReason
FINISH_REASON_TOOL_CALLS: FinishReason
CORRECTION_REASON_UNSPECIFIED: CorrectionReason
CORRECTION_REASON_VOCABULARY: CorrectionReason
CORRECTION_REASON_MODEL: CorrectionReason

class ToolCall(_message.Message):
    __slots__ = ("id", "name", "arguments_json")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_JSON_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    arguments_json: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., arguments_json: _Optional[str] = ...) -> None: ...

class ChatMessage(_message.Message):
    __slots__ = ("role", "content", "tool_calls", "tool_call_id")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALLS_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_ID_FIELD_NUMBER: _ClassVar[int]
    role: Role
    content: str
    tool_calls: _containers.RepeatedCompositeFieldContainer[ToolCall]
    tool_call_id: str
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., content: _Optional[str] = ..., tool_calls: _Optional[_Iterable[_Union[ToolCall, _Mapping]]] = ..., tool_call_id: _Optional[str] = ...) -> None: ...

class Tool(_message.Message):
    __slots__ = ("name", "description", "parameters_json_schema")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    parameters_json_schema: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., parameters_json_schema: _Optional[str] = ...) -> None: ...

class ForgetAnswersRequest(_message.Message):
    __slots__ = ("owner",)
    OWNER_FIELD_NUMBER: _ClassVar[int]
    owner: str
    def __init__(self, owner: _Optional[str] = ...) -> None: ...

class ForgetAnswersResponse(_message.Message):
    __slots__ = ("answer_count",)
    ANSWER_COUNT_FIELD_NUMBER: _ClassVar[int]
    answer_count: int
    def __init__(self, answer_count: _Optional[int] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("messages", "model", "owner", "max_tokens", "temperature", "stop", "json_schema", "tools", "use_cache")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    USE_CACHE_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[ChatMessage]
    model: str
    owner: str
    max_tokens: int
    temperature: float
    stop: _containers.RepeatedScalarFieldContainer[str]
    json_schema: str
    tools: _containers.RepeatedCompositeFieldContainer[Tool]
    use_cache: bool
    def __init__(self, messages: _Optional[_Iterable[_Union[ChatMessage, _Mapping]]] = ..., model: _Optional[str] = ..., owner: _Optional[str] = ..., max_tokens: _Optional[int] = ..., temperature: _Optional[float] = ..., stop: _Optional[_Iterable[str]] = ..., json_schema: _Optional[str] = ..., tools: _Optional[_Iterable[_Union[Tool, _Mapping]]] = ..., use_cache: _Optional[bool] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("prompt_tokens", "completion_tokens", "processing_time", "cost_micros", "cached")
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_TIME_FIELD_NUMBER: _ClassVar[int]
    COST_MICROS_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    prompt_tokens: int
    completion_tokens: int
    processing_time: _duration_pb2.Duration
    cost_micros: int
    cached: bool
    def __init__(self, prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., processing_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cost_micros: _Optional[int] = ..., cached: _Optional[bool] = ...) -> None: ...

class GenerateResult(_message.Message):
    __slots__ = ("finish_reason", "model", "usage")
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    finish_reason: FinishReason
    model: str
    usage: Usage
    def __init__(self, finish_reason: _Optional[_Union[FinishReason, str]] = ..., model: _Optional[str] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("delta", "tool_call", "result")
    DELTA_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    delta: str
    tool_call: ToolCall
    result: GenerateResult
    def __init__(self, delta: _Optional[str] = ..., tool_call: _Optional[_Union[ToolCall, _Mapping]] = ..., result: _Optional[_Union[GenerateResult, _Mapping]] = ...) -> None: ...

class SummarizeRequest(_message.Message):
    __slots__ = ("segments", "language", "model", "owner", "output_language", "template", "template_markdown")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_MARKDOWN_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Segment]
    language: str
    model: str
    owner: str
    output_language: str
    template: str
    template_markdown: str
    def __init__(self, segments: _Optional[_Iterable[_Union[_transcript_pb2.Segment, _Mapping]]] = ..., language: _Optional[str] = ..., model: _Optional[str] = ..., owner: _Optional[str] = ..., output_language: _Optional[str] = ..., template: _Optional[str] = ..., template_markdown: _Optional[str] = ...) -> None: ...

class SummarizeProgress(_message.Message):
    __slots__ = ("completed_steps", "total_steps")
    COMPLETED_STEPS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    completed_steps: int
    total_steps: int
    def __init__(self, completed_steps: _Optional[int] = ..., total_steps: _Optional[int] = ...) -> None: ...

class SummarizeDelta(_message.Message):
    __slots__ = ("chunk", "text")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    chunk: int
    text: str
    def __init__(self, chunk: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class SummarizeStats(_message.Message):
    __slots__ = ("prompt_tokens", "completion_tokens", "processing_time", "cost_micros")
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_TIME_FIELD_NUMBER: _ClassVar[int]
    COST_MICROS_FIELD_NUMBER: _ClassVar[int]
    prompt_tokens: int
    completion_tokens: int
    processing_time: _duration_pb2.Duration
    cost_micros: int
    def __init__(self, prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., processing_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cost_micros: _Optional[int] = ...) -> None: ...

class SummarizeResult(_message.Message):
    __slots__ = ("minutes", "stats")
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    minutes: _minutes_pb2.Minutes
    stats: SummarizeStats
    def __init__(self, minutes: _Optional[_Union[_minutes_pb2.Minutes, _Mapping]] = ..., stats: _Optional[_Union[SummarizeStats, _Mapping]] = ...) -> None: ...

class SummarizeResponse(_message.Message):
    __slots__ = ("progress", "delta", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: SummarizeProgress
    delta: SummarizeDelta
    result: SummarizeResult
    def __init__(self, progress: _Optional[_Union[SummarizeProgress, _Mapping]] = ..., delta: _Optional[_Union[SummarizeDelta, _Mapping]] = ..., result: _Optional[_Union[SummarizeResult, _Mapping]] = ...) -> None: ...

class TitleRequest(_message.Message):
    __slots__ = ("segments", "language", "model", "owner")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Segment]
    language: str
    model: str
    owner: str
    def __init__(self, segments: _Optional[_Iterable[_Union[_transcript_pb2.Segment, _Mapping]]] = ..., language: _Optional[str] = ..., model: _Optional[str] = ..., owner: _Optional[str] = ...) -> None: ...

class TitleResponse(_message.Message):
    __slots__ = ("title", "model")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    title: str
    model: str
    def __init__(self, title: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class CorrectRequest(_message.Message):
    __slots__ = ("segments", "vocabulary", "language", "model", "owner")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    VOCABULARY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[_transcript_pb2.Segment]
    vocabulary: _containers.RepeatedScalarFieldContainer[str]
    language: str
    model: str
    owner: str
    def __init__(self, segments: _Optional[_Iterable[_Union[_transcript_pb2.Segment, _Mapping]]] = ..., vocabulary: _Optional[_Iterable[str]] = ..., language: _Optional[str] = ..., model: _Optional[str] = ..., owner: _Optional[str] = ...) -> None: ...

class Correction(_message.Message):
    __slots__ = ("segment_index", "start", "end", "original", "replacement", "reason", "confidence")
    SEGMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_FIELD_NUMBER: _ClassVar[int]
    REPLACEMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    segment_index: int
    start: int
    end: int
    original: str
    replacement: str
    reason: CorrectionReason
    confidence: float
    def __init__(self, segment_index: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., original: _Optional[str] = ..., replacement: _Optional[str] = ..., reason: _Optional[_Union[CorrectionReason, str]] = ..., confidence: _Optional[float] = ...) -> None: ...

class CorrectResponse(_message.Message):
    __slots__ = ("correction", "progress", "usage")
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    correction: Correction
    progress: SummarizeProgress
    usage: Usage
    def __init__(self, correction: _Optional[_Union[Correction, _Mapping]] = ..., progress: _Optional[_Union[SummarizeProgress, _Mapping]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class SpeakerTurn(_message.Message):
    __slots__ = ("start", "speaker")
    START_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    start: int
    speaker: str
    def __init__(self, start: _Optional[int] = ..., speaker: _Optional[str] = ...) -> None: ...

class AnswerPassage(_message.Message):
    __slots__ = ("id", "text", "title", "speakers", "date", "turns")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    title: str
    speakers: _containers.RepeatedScalarFieldContainer[str]
    date: str
    turns: _containers.RepeatedCompositeFieldContainer[SpeakerTurn]
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ..., title: _Optional[str] = ..., speakers: _Optional[_Iterable[str]] = ..., date: _Optional[str] = ..., turns: _Optional[_Iterable[_Union[SpeakerTurn, _Mapping]]] = ...) -> None: ...

class Exchange(_message.Message):
    __slots__ = ("question", "answer")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    question: str
    answer: str
    def __init__(self, question: _Optional[str] = ..., answer: _Optional[str] = ...) -> None: ...

class AnswerRequest(_message.Message):
    __slots__ = ("question", "passages", "history", "language", "model", "owner", "rewrite_only")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    REWRITE_ONLY_FIELD_NUMBER: _ClassVar[int]
    question: str
    passages: _containers.RepeatedCompositeFieldContainer[AnswerPassage]
    history: _containers.RepeatedCompositeFieldContainer[Exchange]
    language: str
    model: str
    owner: str
    rewrite_only: bool
    def __init__(self, question: _Optional[str] = ..., passages: _Optional[_Iterable[_Union[AnswerPassage, _Mapping]]] = ..., history: _Optional[_Iterable[_Union[Exchange, _Mapping]]] = ..., language: _Optional[str] = ..., model: _Optional[str] = ..., owner: _Optional[str] = ..., rewrite_only: _Optional[bool] = ...) -> None: ...

class Citation(_message.Message):
    __slots__ = ("passage_id", "start", "end")
    PASSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    passage_id: str
    start: int
    end: int
    def __init__(self, passage_id: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class AnswerSentence(_message.Message):
    __slots__ = ("text", "citations")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CITATIONS_FIELD_NUMBER: _ClassVar[int]
    text: str
    citations: _containers.RepeatedCompositeFieldContainer[Citation]
    def __init__(self, text: _Optional[str] = ..., citations: _Optional[_Iterable[_Union[Citation, _Mapping]]] = ...) -> None: ...

class AnswerResult(_message.Message):
    __slots__ = ("found", "standalone_question", "unsupported", "model", "usage")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    STANDALONE_QUESTION_FIELD_NUMBER: _ClassVar[int]
    UNSUPPORTED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    found: bool
    standalone_question: str
    unsupported: _containers.RepeatedScalarFieldContainer[str]
    model: str
    usage: Usage
    def __init__(self, found: _Optional[bool] = ..., standalone_question: _Optional[str] = ..., unsupported: _Optional[_Iterable[str]] = ..., model: _Optional[str] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class AnswerResponse(_message.Message):
    __slots__ = ("delta", "sentence", "result")
    DELTA_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    delta: str
    sentence: AnswerSentence
    result: AnswerResult
    def __init__(self, delta: _Optional[str] = ..., sentence: _Optional[_Union[AnswerSentence, _Mapping]] = ..., result: _Optional[_Union[AnswerResult, _Mapping]] = ...) -> None: ...

class CountTokensRequest(_message.Message):
    __slots__ = ("texts", "model")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    model: str
    def __init__(self, texts: _Optional[_Iterable[str]] = ..., model: _Optional[str] = ...) -> None: ...

class CountTokensResponse(_message.Message):
    __slots__ = ("token_counts", "model", "context_tokens", "estimated")
    TOKEN_COUNTS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    token_counts: _containers.RepeatedScalarFieldContainer[int]
    model: str
    context_tokens: int
    estimated: bool
    def __init__(self, token_counts: _Optional[_Iterable[int]] = ..., model: _Optional[str] = ..., context_tokens: _Optional[int] = ..., estimated: _Optional[bool] = ...) -> None: ...

class GetUsageRequest(_message.Message):
    __slots__ = ("owner", "start")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    owner: str
    start: _timestamp_pb2.Timestamp
    def __init__(self, owner: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TaskUsage(_message.Message):
    __slots__ = ("task", "model", "request_count", "cached_count", "prompt_tokens", "completion_tokens", "processing_time", "cost_micros")
    TASK_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_COUNT_FIELD_NUMBER: _ClassVar[int]
    CACHED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PROCESSING_TIME_FIELD_NUMBER: _ClassVar[int]
    COST_MICROS_FIELD_NUMBER: _ClassVar[int]
    task: str
    model: str
    request_count: int
    cached_count: int
    prompt_tokens: int
    completion_tokens: int
    processing_time: _duration_pb2.Duration
    cost_micros: int
    def __init__(self, task: _Optional[str] = ..., model: _Optional[str] = ..., request_count: _Optional[int] = ..., cached_count: _Optional[int] = ..., prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., processing_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cost_micros: _Optional[int] = ...) -> None: ...

class Budget(_message.Message):
    __slots__ = ("kind", "limit", "used", "renews_at")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Budget.Kind]
        KIND_TOKENS: _ClassVar[Budget.Kind]
        KIND_COST_MICROS: _ClassVar[Budget.Kind]
    KIND_UNSPECIFIED: Budget.Kind
    KIND_TOKENS: Budget.Kind
    KIND_COST_MICROS: Budget.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    RENEWS_AT_FIELD_NUMBER: _ClassVar[int]
    kind: Budget.Kind
    limit: int
    used: int
    renews_at: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[_Union[Budget.Kind, str]] = ..., limit: _Optional[int] = ..., used: _Optional[int] = ..., renews_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetUsageResponse(_message.Message):
    __slots__ = ("usages", "budgets")
    USAGES_FIELD_NUMBER: _ClassVar[int]
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    usages: _containers.RepeatedCompositeFieldContainer[TaskUsage]
    budgets: _containers.RepeatedCompositeFieldContainer[Budget]
    def __init__(self, usages: _Optional[_Iterable[_Union[TaskUsage, _Mapping]]] = ..., budgets: _Optional[_Iterable[_Union[Budget, _Mapping]]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[_model_pb2.ModelInfo]
    def __init__(self, models: _Optional[_Iterable[_Union[_model_pb2.ModelInfo, _Mapping]]] = ...) -> None: ...

class ListTemplatesRequest(_message.Message):
    __slots__ = ("language",)
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    language: str
    def __init__(self, language: _Optional[str] = ...) -> None: ...

class MinutesTemplate(_message.Message):
    __slots__ = ("name", "title", "markdown")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    MARKDOWN_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    markdown: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., markdown: _Optional[str] = ...) -> None: ...

class ListTemplatesResponse(_message.Message):
    __slots__ = ("templates",)
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    templates: _containers.RepeatedCompositeFieldContainer[MinutesTemplate]
    def __init__(self, templates: _Optional[_Iterable[_Union[MinutesTemplate, _Mapping]]] = ...) -> None: ...

class CheckTemplateRequest(_message.Message):
    __slots__ = ("markdown",)
    MARKDOWN_FIELD_NUMBER: _ClassVar[int]
    markdown: str
    def __init__(self, markdown: _Optional[str] = ...) -> None: ...

class CheckTemplateResponse(_message.Message):
    __slots__ = ("title",)
    TITLE_FIELD_NUMBER: _ClassVar[int]
    title: str
    def __init__(self, title: _Optional[str] = ...) -> None: ...
