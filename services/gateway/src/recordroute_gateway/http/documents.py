"""The JSON Schemas of the documents that messages of the contract become."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from recordroute_runtime.documents import DURATION, TIMESTAMP, enum_prefix

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
        prefix = enum_prefix(field)
        names = [value.name.removeprefix(prefix).lower() for value in field.enum_type.values if value.number]
        return {"type": "string", "enum": names}
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return {"type": "string"}
    return dict(_NUMBERS[field.cpp_type])
