"""Turns messages of the contract into JSON for scripts.

Field names are the contract's, and every field is always there. Durations are seconds as numbers, timestamps
RFC 3339 strings in UTC, enums their short names in lower case ("running"); what is not set is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.message import Message

# Number of descriptor.proto's TYPE_FLOAT.
FLOAT = 2


def document(message: Message) -> dict[str, Any]:
    """Returns a message as a dictionary."""
    return {field.name: _field(message, field) for field in message.DESCRIPTOR.fields}


def enum_name(message: Message, field_name: str) -> str:
    """Returns the short name of an enum's value: WORKFLOW_STATE_RUNNING is "running"; empty if not set."""
    field = message.DESCRIPTOR.fields_by_name[field_name]
    return _enum(field, getattr(message, field_name)) or ""


def _field(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.is_repeated:
        return [_value(field, item) for item in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _value(field, value)


def _value(field: Any, value: Any) -> Any:
    if field.message_type is not None:
        if field.message_type.full_name == "google.protobuf.Duration":
            return value.ToNanoseconds() / 1e9
        if field.message_type.full_name == "google.protobuf.Timestamp":
            return value.ToJsonString()
        return document(value)
    if field.enum_type is not None:
        return _enum(field, value)
    # A float has no more digits than these; as a double it would show more.
    return round(value, 6) if field.type == FLOAT else value


def _enum(field: Any, number: int) -> str | None:
    values = field.enum_type.values_by_number
    if number == 0:
        return None
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    return values[number].name.removeprefix(prefix).lower() if number in values else str(number)
