"""Enforces the rules that stand in the contract (protovalidate)."""

from __future__ import annotations

from typing import Any

import protovalidate
from google.protobuf.message import Message

from recordroute_runtime.errors import FieldViolations
from recordroute_runtime.interceptors.handlers import CallInterceptor


def _path(violation: protovalidate.Violation) -> str:
    text = ""
    for element in violation.proto.field.elements if violation.proto.field else ():
        text += f".{element.field_name}"
        if element.subscript is not None:
            text += f"[{element.subscript.value}]"
    return text.lstrip(".")


class ValidationInterceptor(CallInterceptor):
    """Refuses messages that break a rule, each message of a stream as it comes.

    What is no protobuf message was made, and checked, by a deserializer of the service's own.
    """

    def map_request(self, message: Any) -> Any:
        if not isinstance(message, Message):
            return message
        violations = protovalidate.collect_violations(message)
        if violations:
            raise FieldViolations([(_path(violation), violation.proto.message) for violation in violations])
        return message
