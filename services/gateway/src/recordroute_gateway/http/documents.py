"""Messages of the contract as JSON for scripts, as `recordroute --json` writes them, and the schema of that JSON.

Field names are the contract's, and every field is always there. Durations are seconds as numbers, timestamps RFC 3339
strings in UTC, enums their short names in lower case ("running"); what is not set is null.
"""

from __future__ import annotations

import base64
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

DURATION, TIMESTAMP = "google.protobuf.Duration", "google.protobuf.Timestamp"
# A field of protobuf is sent as nothing where it has its default, and read as the default where nothing came.
_NUMBERS: dict[int, dict[str, Any]] = {
    FieldDescriptor.CPPTYPE_INT32: {"type": "integer"},
    FieldDescriptor.CPPTYPE_INT64: {"type": "integer"},
    FieldDescriptor.CPPTYPE_UINT32: {"type": "integer", "minimum": 0},
    FieldDescriptor.CPPTYPE_UINT64: {"type": "integer", "minimum": 0},
    FieldDescriptor.CPPTYPE_FLOAT: {"type": "number"},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
}


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
    return round(value, 6) if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT else value


def _prefix(field: FieldDescriptor) -> str:
    assert field.enum_type is not None
    return field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")


def _enum(field: FieldDescriptor, number: int) -> str | None:
    assert field.enum_type is not None
    values = field.enum_type.values_by_number
    if number == 0:
        return None
    return values[number].name.removeprefix(_prefix(field)).lower() if number in values else str(number)


def schemas(*messages: Descriptor) -> dict[str, Any]:
    """Returns the JSON Schemas of messages, and of those inside them, by name."""
    found: dict[str, Any] = {}
    waiting = list(messages)
    while waiting:
        message = waiting.pop()
        if message.name in found:
            continue
        found[message.name] = {
            "type": "object",
            "title": message.name,
            "required": [field.name for field in message.fields],
            "properties": {field.name: _schema(field) for field in message.fields},
        }
        waiting += [
            field.message_type
            for field in message.fields
            if field.message_type is not None and field.message_type.full_name not in (DURATION, TIMESTAMP)
        ]
    return found


def _schema(field: FieldDescriptor) -> dict[str, Any]:
    single = _single(field)
    if field.is_repeated:
        return {"type": "array", "items": single}
    if field.has_presence or field.enum_type is not None:
        return {"anyOf": [single, {"type": "null"}]}
    return single


def _single(field: FieldDescriptor) -> dict[str, Any]:
    if field.message_type is not None:
        match field.message_type.full_name:
            case "google.protobuf.Duration":
                return {"type": "number", "description": "Seconds."}
            case "google.protobuf.Timestamp":
                return {"type": "string", "format": "date-time"}
        return {"$ref": f"#/components/schemas/{field.message_type.name}"}
    if field.enum_type is not None:
        prefix = _prefix(field)
        names = [value.name.removeprefix(prefix).lower() for value in field.enum_type.values if value.number]
        return {"type": "string", "enum": names}
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return {"type": "string"}
    return dict(_NUMBERS[field.cpp_type])
