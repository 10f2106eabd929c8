"""Makes messages of any type of the contract: some that break its rules, some that keep them and name real things."""

from __future__ import annotations

import random
import struct
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from buf.validate import validate_pb2
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

MAX_DEPTH = 5
TEXTS = (
    "",
    " ",
    "a",
    "meeting",
    "work/2026",
    "안녕하세요",
    "👩‍👩‍👧‍👦",
    "\u202eabc\u0000\u0007",
    "../../etc/passwd",
    "%s%n{}${jndi:x}",
    "'; DROP TABLE recordings; --",
    "<script>alert(1)</script>",
    "en",
    "ko",
    "x" * 300,
    "가" * 3000,
    "\r\nSet-Cookie: a=b",
)
NUMBERS = (
    0,
    1,
    2,
    3,
    7,
    100,
    1000,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**64 - 1,
    -1,
    -(2**31),
    -(2**63),
)
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e30, -1e30, float("inf"), float("-inf"), float("nan"), 5e-324)
SIGNED = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SINT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}


class MessageMaker:
    """Makes messages from a random generator. `known` has, by the name of a field, values that mean something."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        self._known = known

    def make(self, kind: Descriptor, chosen: random.Random) -> Message:
        """Returns a message; about half of them are meant to keep the rules."""
        return self._message(kind, chosen, keeps_rules=chosen.random() < 0.5, depth=0)

    def mutated(self, message: Message, chosen: random.Random) -> bytes:
        """Returns the message's bytes with a few of them changed, cut or repeated."""
        data = bytearray(message.SerializeToString())
        for _ in range(chosen.randint(1, 4)):
            place = chosen.randrange(len(data) + 1)
            match chosen.randrange(4):
                case 0:
                    data[place:place] = chosen.randbytes(chosen.randint(1, 8))
                case 1:
                    del data[place : place + chosen.randint(1, 8)]
                case 2 if data:
                    data[place % len(data)] ^= 1 << chosen.randrange(8)
                case _:
                    data += data[:place]
        return bytes(data[: 1 << 16])

    def _message(self, kind: Descriptor, chosen: random.Random, *, keeps_rules: bool, depth: int) -> Message:
        message = GetMessageClass(kind)()
        self._fill(message, chosen, keeps_rules=keeps_rules, depth=depth)
        return message

    def _fill(self, message: Message, chosen: random.Random, *, keeps_rules: bool, depth: int) -> None:
        match message:
            case timestamp_pb2.Timestamp():
                message.seconds = chosen.choice((0, 1_700_000_000, -62135596800, 253402300799, 2**62))
                message.nanos = chosen.choice((0, 1, 999_999_999, -1, 2**31 - 1)) * (not keeps_rules)
                return
            case duration_pb2.Duration():
                message.seconds = chosen.choice((0, 1, 5, 3600, -1, 315576000000, -(2**62)))
                message.nanos = chosen.choice((0, 500_000_000, -1, 2**31 - 1)) * (not keeps_rules)
                return
            case field_mask_pb2.FieldMask():
                names = ("title", "tags", "folder", "recorded_at", "bookmarks", "id", "owner", "a.b.c", "")
                message.paths.extend(chosen.choices(names, k=chosen.randint(0, 3)))
                return
        kind: Any = message.DESCRIPTOR
        for oneof in kind.oneofs:
            # Optional fields are oneofs of one.
            if len(oneof.fields) > 1 and chosen.random() < (0.98 if keeps_rules else 0.8):
                self._set(message, chosen.choice(oneof.fields), chosen, keeps_rules=keeps_rules, depth=depth)
        for field in kind.fields:
            if field.containing_oneof is not None and len(field.containing_oneof.fields) > 1:
                continue
            wanted = 1.0 if keeps_rules and _is_required(field) else 0.5
            if chosen.random() < wanted:
                self._set(message, field, chosen, keeps_rules=keeps_rules, depth=depth)

    def _set(
        self, message: Any, field: FieldDescriptor, chosen: random.Random, *, keeps_rules: bool, depth: int
    ) -> None:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return
        if field.is_repeated:
            least = 1 if keeps_rules and _rules(field).repeated.min_items else 0
            for _ in range(max(least, chosen.choice((0, 1, 1, 2, 3)))):
                if field.message_type is not None:
                    if depth < MAX_DEPTH:
                        child = getattr(message, field.name).add()
                        self._fill(child, chosen, keeps_rules=keeps_rules, depth=depth + 1)
                else:
                    value = self._scalar(field, _rules(field).repeated.items, chosen, keeps_rules)
                    getattr(message, field.name).append(value)
        elif field.message_type is not None:
            if depth < MAX_DEPTH:
                child = getattr(message, field.name)
                child.SetInParent()
                self._fill(child, chosen, keeps_rules=keeps_rules, depth=depth + 1)
        else:
            setattr(message, field.name, self._scalar(field, _rules(field), chosen, keeps_rules))

    def _scalar(
        self,
        field: FieldDescriptor,
        rules: validate_pb2.FieldRules,
        chosen: random.Random,
        keeps_rules: bool,
    ) -> Any:
        match field.type:
            case FieldDescriptor.TYPE_STRING:
                return self._text(field, rules.string, chosen, keeps_rules)
            case FieldDescriptor.TYPE_BYTES:
                return chosen.randbytes(chosen.choice((0, 1, 2, 3200, 70_000)))
            case FieldDescriptor.TYPE_BOOL:
                return keeps_rules if rules.bool.HasField("const") else chosen.random() < 0.5
            case FieldDescriptor.TYPE_ENUM:
                return _enum(field.enum_type, chosen, keeps_rules)
            case FieldDescriptor.TYPE_FLOAT | FieldDescriptor.TYPE_DOUBLE:
                value = chosen.choice(FLOATS)
                # What a float can't hold is its infinity.
                return struct.unpack("f", struct.pack("f", value))[0] if abs(value) < 1e38 else value
        low, high = SIGNED[field.type]
        if keeps_rules and field.name in ("page_size", "limit", "segment_index", "start", "end", "revision"):
            return chosen.choice((0, 1, 2, 10))
        if keeps_rules and field.name == "sample_rate_hertz":
            return chosen.choice((8000, 16000, 48000))
        return min(max(chosen.choice(NUMBERS), low), high)

    def _text(
        self,
        field: FieldDescriptor,
        rules: validate_pb2.StringRules,
        chosen: random.Random,
        keeps_rules: bool,
    ) -> str:
        known = self._known.get(field.name) or self._known.get(field.name.removesuffix("s"))
        if known and chosen.random() < (0.8 if keeps_rules else 0.3):
            return chosen.choice(known)
        if not keeps_rules:
            return chosen.choice(TEXTS)
        if rules.uuid:
            return str(uuid.UUID(int=chosen.getrandbits(128), version=4))
        if rules.pattern == "^[0-9a-f]{64}$":
            return chosen.randbytes(32).hex()
        if "a-z]{2,3}" in rules.pattern:
            return chosen.choice(("en", "ko", "de"))
        if rules.pattern:
            return chosen.choice(("", "a", "meeting", "work/2026"))
        return chosen.choice(TEXTS) or "x"


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return rules


def _is_required(field: FieldDescriptor) -> bool:
    rules = _rules(field)
    return bool(
        rules.required
        or rules.string.uuid
        or rules.string.min_len
        or rules.string.pattern == "^[0-9a-f]{64}$"
        or rules.repeated.min_items
        or rules.enum.not_in
        or getattr(rules.enum, "in")
        or rules.bool.HasField("const")
        or field.name in ("sample_rate_hertz", "revision", "position", "url", "etag")
    )


def _enum(kind: EnumDescriptor, chosen: random.Random, keeps_rules: bool) -> int:
    numbers = [value.number for value in kind.values]
    if keeps_rules:
        return int(chosen.choice(numbers[1:] or numbers))
    return int(chosen.choice([*numbers, 99, 2**31 - 1, -1]))
