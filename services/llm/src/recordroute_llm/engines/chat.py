"""Chats in the form of the OpenAI API, which llama.cpp and the servers share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from recordroute_runtime.errors import ProcessingFailed

from recordroute_llm.engine import Message, Prompt, ToolCall
from recordroute_llm.engines.schemas import misfit, read_schema


def chat_request(prompt: Prompt) -> dict[str, Any]:
    """Returns the body of a chat completion. Raises InvalidInput (UNSUPPORTED_SCHEMA)."""
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
            "json_schema": {"name": "answer", "strict": True, "schema": read_schema(prompt.json_schema)},
        }
    if prompt.tools:
        request["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": read_schema(tool.parameters),
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


def check_answer(prompt: Prompt, text: str) -> None:
    """Raises ProcessingFailed where a finished answer does not fit the prompt's schema: a grammar says less than a
    schema, and servers don't all keep to theirs."""
    if not prompt.json_schema:
        return
    try:
        why = misfit(read_schema(prompt.json_schema), json.loads(text))
    except ValueError as error:
        why = f"it is no JSON: {error}"
    if why:
        raise ProcessingFailed("GENERATION_FAILED", f"the answer does not fit the schema: {why}"[:500])


def checked_tool_calls(prompt: Prompt, calls: Iterable[ToolCall]) -> tuple[ToolCall, ...]:
    """Returns the calls. Raises ProcessingFailed where one names a tool that there is not, or its arguments are no JSON
    object or don't fit the tool's schema."""
    parameters = {tool.name: tool.parameters for tool in prompt.tools}
    checked = tuple(calls)
    for call in checked:
        why = _malformed(call, parameters)
        if why:
            raise ProcessingFailed(
                "GENERATION_FAILED",
                f"the model called tool {call.name} {why}"[:500],
                metadata={"tool": call.name},
            )
    return checked


def _malformed(call: ToolCall, parameters: dict[str, str]) -> str:
    if call.name not in parameters:
        return "which it was not offered"
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        return "with arguments that are no JSON object"
    why = misfit(read_schema(parameters[call.name]), arguments)
    return f"with arguments that don't fit: {why}" if why else ""
