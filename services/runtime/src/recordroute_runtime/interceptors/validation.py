"""Enforces the rules that stand in the contract (protovalidate)."""

from __future__ import annotations

from typing import Any

import protovalidate
from google.protobuf.message import Message

from recordroute_runtime.errors import FieldViolations, Violation
from recordroute_runtime.interceptors.handlers import CallInterceptor


def _path(violation: protovalidate.Violation) -> str:
    text = ""
    for element in violation.proto.field.elements if violation.proto.field else ():
        text += f".{element.field_name}"
        if element.subscript is not None:
            text += f"[{element.subscript.value}]"
    return text.lstrip(".")


def _violation(violation: protovalidate.Violation) -> Violation:
    value = violation.rule_value
    limit = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return Violation(_path(violation), violation.proto.message, violation.proto.rule_id, limit)


class ValidationInterceptor(CallInterceptor):
    """Refuses messages that break a rule, each message of a stream as it comes.

    What is no protobuf message was made, and checked, by a deserializer of the service's own.
    """

    def map_request(self, message: Any) -> Any:
        if not isinstance(message, Message):
            return message
        violations = protovalidate.collect_violations(message)
        if violations:
            raise FieldViolations(list(map(_violation, violations)))
        return message
