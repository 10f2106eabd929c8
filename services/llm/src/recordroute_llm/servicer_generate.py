"""Chats and accounts to and from the contract's messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from recordroute.llm.v1 import llm_pb2
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.wire import to_duration, to_timestamp

from recordroute_llm.engine import Finish, Generation, Message, Priority, Prompt, Tool, ToolCall, Usage
from recordroute_llm.metering import next_month
from recordroute_llm.store import TaskUsage

DEFAULT_MAX_TOKENS = 512

_ROLES = {
    llm_pb2.ROLE_SYSTEM: "system",
    llm_pb2.ROLE_USER: "user",
    llm_pb2.ROLE_ASSISTANT: "assistant",
    llm_pb2.ROLE_TOOL: "tool",
}
_FINISHES = {
    Finish.STOP: llm_pb2.FINISH_REASON_STOP,
    Finish.LENGTH: llm_pb2.FINISH_REASON_LENGTH,
    Finish.TOOL_CALLS: llm_pb2.FINISH_REASON_TOOL_CALLS,
}
_BUDGETS = {"tokens": llm_pb2.Budget.KIND_TOKENS, "cost_micros": llm_pb2.Budget.KIND_COST_MICROS}


def prompt_of(request: llm_pb2.GenerateRequest) -> Prompt:
    """Returns the prompt. Raises InvalidInput (BAD_CHAT, UNSUPPORTED_SCHEMA)."""
    if request.json_schema and request.tools:
        raise InvalidInput("UNSUPPORTED_SCHEMA", "a schema and tools exclude each other")
    for place, message in enumerate(request.messages):
        _check(place, message)
    return Prompt(
        messages=tuple(
            Message(
                _ROLES[message.role],  # type: ignore[arg-type]
                message.content,
                tuple(ToolCall(call.id, call.name, call.arguments_json) for call in message.tool_calls),
                message.tool_call_id,
            )
            for message in request.messages
        ),
        max_tokens=request.max_tokens if request.HasField("max_tokens") else DEFAULT_MAX_TOKENS,
        temperature=request.temperature,
        stop=tuple(request.stop),
        json_schema=request.json_schema,
        tools=tuple(Tool(tool.name, tool.description, tool.parameters_json_schema) for tool in request.tools),
        priority=Priority.INTERACTIVE,
    )


def _check(place: int, message: llm_pb2.ChatMessage) -> None:
    wrong = ""
    if message.role == llm_pb2.ROLE_SYSTEM and place:
        wrong = "instructions come first"
    elif message.tool_calls and message.role != llm_pb2.ROLE_ASSISTANT:
        wrong = "only the assistant calls tools"
    elif bool(message.tool_call_id) != (message.role == llm_pb2.ROLE_TOOL):
        wrong = "a tool's turn, and no other, names the call that it answers"
    elif not message.content and not message.tool_calls:
        wrong = "it says nothing"
    if wrong:
        raise InvalidInput("BAD_CHAT", f"messages[{place}]: {wrong}", metadata={"message": str(place)})


def usage_message(usage: Usage, *, cached: bool) -> llm_pb2.Usage:
    """Returns the contract's form of what a generation cost."""
    return llm_pb2.Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        processing_time=to_duration(usage.seconds),
        cost_micros=usage.cost_micros,
        cached=cached,
    )


def generate_responses(part: str | Generation, model: str) -> Iterator[llm_pb2.GenerateResponse]:
    """Yields the messages for the next piece of text, or for the end."""
    if isinstance(part, str):
        yield llm_pb2.GenerateResponse(delta=part)
        return
    for call in part.tool_calls:
        yield llm_pb2.GenerateResponse(
            tool_call=llm_pb2.ToolCall(id=call.id, name=call.name, arguments_json=call.arguments)
        )
    yield llm_pb2.GenerateResponse(
        result=llm_pb2.GenerateResult(
            finish_reason=_FINISHES[part.finish],
            model=model,
            usage=usage_message(part.usage, cached=part.cached),
        )
    )


def usage_response(
    used: Mapping[tuple[str, str], TaskUsage], budgets: Sequence[tuple[str, int, int]]
) -> llm_pb2.GetUsageResponse:
    """Returns what an owner has used, and its budgets: kind, limit, used."""
    return llm_pb2.GetUsageResponse(
        usages=[
            llm_pb2.TaskUsage(
                task=task,
                model=model,
                request_count=usage.request_count,
                cached_count=usage.cached_count,
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                processing_time=to_duration(usage.milliseconds / 1000),
                cost_micros=usage.cost_micros,
            )
            for (task, model), usage in sorted(used.items())
        ],
        budgets=[
            llm_pb2.Budget(
                kind=_BUDGETS[kind], limit=limit, used=used_up, renews_at=to_timestamp(next_month())
            )
            for kind, limit, used_up in budgets
        ],
    )
