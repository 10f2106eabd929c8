"""Messages of the contract as JSON for scripts.

Field names are the contract's, and every field is always there. Durations are seconds as numbers, timestamps RFC 3339
strings in UTC, enums their short names in lower case ("running"), bytes base64; what is not set is null.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The command line prints its help without loading protobuf.
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

# Number of descriptor.proto's TYPE_FLOAT.
FLOAT = 2
DURATION, TIMESTAMP = "google.protobuf.Duration", "google.protobuf.Timestamp"


def document(message: Message) -> dict[str, Any]:
    """Returns a message as a dictionary that JSON can hold."""
    fields: Any = message.DESCRIPTOR.fields
    return {field.name: _field(message, field) for field in fields}


def _field(message: Message, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if field.is_repeated:
        return [_value(field, item) for item in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _value(field, value)


def _value(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        if field.message_type.full_name == DURATION:
            return value.ToNanoseconds() / 1e9
        if field.message_type.full_name == TIMESTAMP:
            return value.ToJsonString()
        return document(value)
    if field.enum_type is not None:
        return _enum(field, value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    # A float has no more digits than these; as a double it would show more.
    return round(value, 6) if field.type == FLOAT else value


def enum_name(message: Message, field_name: str) -> str:
    """Returns the short name of an enum's value as `document` has it; empty if not set."""
    field: Any = message.DESCRIPTOR.fields_by_name[field_name]
    return _enum(field, getattr(message, field_name)) or ""


def enum_prefix(field: FieldDescriptor) -> str:
    """Returns what the names of an enum's values begin with."""
    assert field.enum_type is not None
    return field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")


def _enum(field: FieldDescriptor, number: int) -> str | None:
    assert field.enum_type is not None
    values = field.enum_type.values_by_number
    if number == 0:
        return None
    return values[number].name.removeprefix(enum_prefix(field)).lower() if number in values else str(number)
