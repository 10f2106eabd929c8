"""Chats in the form of the OpenAI API, which llama.cpp and the servers share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from recordroute_runtime.errors import InvalidInput, ProcessingFailed

from recordroute_llm.engine import Message, Prompt, ToolCall


def chat_request(prompt: Prompt) -> dict[str, Any]:
    """Returns the body of a chat completion. Raises InvalidInput (UNSUPPORTED_SCHEMA) where a schema is no JSON."""
    request: dict[str, Any] = {
        "messages": [_message(message) for message in prompt.messages],
        "max_tokens": prompt.max_tokens,
        "temperature": prompt.temperature,
    }
    if prompt.stop:
        request["stop"] = list(prompt.stop)
    if prompt.json_schema:
        request["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": _schema(prompt.json_schema)},
        }
    if prompt.tools:
        request["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": _schema(tool.parameters),
                },
            }
            for tool in prompt.tools
        ]
    return request


def _message(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        body["tool_call_id"] = message.tool_call_id
    return body


def _schema(text: str) -> dict[str, Any]:
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise InvalidInput("UNSUPPORTED_SCHEMA", f"the schema is no JSON: {error}") from error
    if not isinstance(schema, dict):
        raise InvalidInput("UNSUPPORTED_SCHEMA", "the schema is no JSON object")
    return schema


def checked_tool_calls(calls: Iterable[ToolCall]) -> tuple[ToolCall, ...]:
    """Returns the calls. Raises ProcessingFailed where the arguments of one are no JSON object."""
    checked = tuple(calls)
    for call in checked:
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            raise ProcessingFailed(
                "GENERATION_FAILED",
                f"the model called tool {call.name} with arguments that are no JSON object",
                metadata={"tool": call.name},
            )
    return checked
