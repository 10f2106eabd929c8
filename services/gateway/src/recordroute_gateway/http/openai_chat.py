"""OpenAI's /v1/chat/completions, by the language model service.

https://platform.openai.com/docs/api-reference/chat
Hints on sampling that the service does not have (top_p, penalties, seed) are taken and left aside; what would change
the form of the answer (n, logprobs, audio) is refused.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from recordroute.llm.v1 import llm_pb2
from starlette.responses import JSONResponse, Response

from recordroute_gateway.http.backend import (
    Backend,
    BackendOf,
    OpenedStream,
    WriterActs,
    opened,
    while_connected,
)
from recordroute_gateway.http.models import model_id
from recordroute_gateway.http.problems import Refusal
from recordroute_gateway.http.streams import EventResponse
from recordroute_gateway.models.records import Task

router = APIRouter(tags=["openai"], max_body_size=16 << 20)
FINISH = {
    llm_pb2.FINISH_REASON_STOP: "stop",
    llm_pb2.FINISH_REASON_LENGTH: "length",
    llm_pb2.FINISH_REASON_TOOL_CALLS: "tool_calls",
}
ANY_OBJECT = '{"type":"object"}'


class TextPart(BaseModel):
    type: Literal["text"]
    text: str


class Function(BaseModel):
    name: str
    arguments: str = "{}"


class Call(BaseModel):
    id: str
    type: Literal["function"] = "function"
    function: Function


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None

    def message(self) -> llm_pb2.ChatMessage:
        content = self.content or ""
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        role = "system" if self.role == "developer" else self.role
        return llm_pb2.ChatMessage(
            role=f"ROLE_{role.upper()}",
            content=text,
            tool_calls=[
                llm_pb2.ToolCall(id=call.id, name=call.function.name, arguments_json=call.function.arguments)
                for call in self.tool_calls or ()
            ],
            tool_call_id=self.tool_call_id or "",
        )


class ToolFunction(BaseModel):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(BaseModel):
    type: Literal["function"]
    function: ToolFunction

    def message(self) -> llm_pb2.Tool:
        return llm_pb2.Tool(
            name=self.function.name,
            description=self.function.description or "",
            parameters_json_schema=json.dumps(self.function.parameters or {"type": "object"}),
        )


class JsonSchema(BaseModel):
    name: str
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class TextFormat(BaseModel):
    type: Literal["text"]


class JsonObjectFormat(BaseModel):
    type: Literal["json_object"]


class JsonSchemaFormat(BaseModel):
    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = Annotated[TextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")]


class StreamOptions(BaseModel):
    include_usage: bool | None = None


class ChatRequest(BaseModel):
    model: str
    messages: list[Message] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    stop: str | list[str] | None = None
    response_format: ResponseFormat | None = None
    tools: list[Tool] | None = None
    tool_choice: Any = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None

    def message(self, owner: str) -> llm_pb2.GenerateRequest:
        self._refuse_unknown()
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        tools = [] if self.tool_choice == "none" else [tool.message() for tool in self.tools or ()]
        return llm_pb2.GenerateRequest(
            messages=[message.message() for message in self.messages],
            model=model_id(self.model),
            owner=owner,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            temperature=self.temperature,
            stop=stop,
            json_schema=self._json_schema(),
            tools=tools,
        )

    def _json_schema(self) -> str:
        match self.response_format:
            case JsonSchemaFormat(json_schema=JsonSchema(schema_=dict() as schema)):
                return json.dumps(schema)
            case JsonSchemaFormat() | JsonObjectFormat():
                return ANY_OBJECT
            case _:
                return ""

    def _refuse_unknown(self) -> None:
        refused = {
            "n": self.n not in (None, 1),
            "logprobs": bool(self.logprobs),
            "modalities": self.modalities not in (None, ["text"]),
            "tool_choice": self.tool_choice not in (None, "none", "auto"),
        }
        for field, is_refused in refused.items():
            if is_refused:
                raise Refusal(
                    400, "UNSUPPORTED_PARAMETER", f"this server has no such choice of {field}", field=field
                )


def _usage(usage: llm_pb2.Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _call(call: llm_pb2.ToolCall) -> dict[str, Any]:
    return {
        "id": call.id or f"call_{uuid.uuid4().hex}",
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments_json},
    }


class _Completion:
    """What every part of one answer repeats."""

    def __init__(self, model: str) -> None:
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._model = model

    def body(self, kind: str, choices: list[dict[str, Any]], model: str = "") -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": model or self._model,
            "choices": choices,
        }

    def chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self.body("chat.completion.chunk", [choice])


async def _open(backend: Backend, chat: ChatRequest, owner: str) -> OpenedStream[llm_pb2.GenerateResponse]:
    message = chat.message(owner)
    message.model = await backend.model_for(Task.LLM, message.model)
    return await opened(backend.llm.Generate(message), llm_pb2.GenerateResponse)


async def _whole(backend: Backend, chat: ChatRequest, owner: str) -> dict[str, Any]:
    stream = await _open(backend, chat, owner)
    text, calls, result = "", [], llm_pb2.GenerateResult()
    try:
        async for response in stream:
            match response.WhichOneof("payload"):
                case "delta":
                    text += response.delta
                case "tool_call":
                    calls.append(_call(response.tool_call))
                case "result":
                    result = response.result
    finally:
        stream.close()
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text or (None if calls else ""),
        "refusal": None,
    }
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[result.finish_reason]}
    completion = _Completion(chat.model).body("chat.completion", [choice], result.model)
    return {**completion, "usage": _usage(result.usage)}


async def _events(
    stream: OpenedStream[llm_pb2.GenerateResponse], chat: ChatRequest
) -> AsyncIterator[dict[str, Any] | str]:
    completion, calls = _Completion(chat.model), 0
    yield completion.chunk({"role": "assistant", "content": ""})
    async for response in stream:
        match response.WhichOneof("payload"):
            case "delta":
                yield completion.chunk({"content": response.delta})
            case "tool_call":
                yield completion.chunk({"tool_calls": [{"index": calls, **_call(response.tool_call)}]})
                calls += 1
            case "result":
                yield completion.chunk({}, FINISH[response.result.finish_reason])
                if chat.stream_options is not None and chat.stream_options.include_usage:
                    body = completion.body("chat.completion.chunk", [], response.result.model)
                    yield {**body, "usage": _usage(response.result.usage)}
    yield "[DONE]"


@router.post("/v1/chat/completions", operation_id="chat_completions", response_class=Response)
async def chat_completions(
    request: Request, chat: ChatRequest, backend: BackendOf, owner: WriterActs
) -> Response:
    """Answer a chat, as OpenAI's API does."""
    if not chat.stream:
        return JSONResponse(await while_connected(request, _whole(backend, chat, owner)))
    stream = await while_connected(request, _open(backend, chat, owner))
    return EventResponse(_events(stream, chat), path=request.url.path, end_call=stream.close)
