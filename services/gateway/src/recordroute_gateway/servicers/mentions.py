"""Which recordings a message of the contract speaks of: for the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from recordroute.gateway.v1 import library_pb2

from recordroute_gateway.identity.rules import PACKAGE

MAX_DEPTH = 3
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
RECORDING = library_pb2.Recording.DESCRIPTOR.full_name


def mentioned_recordings(message: Any) -> Iterator[str]:
    """Yields the ids of the recordings that a message names, in its fields or those of its parts."""
    for field, is_id in _fields(message.DESCRIPTOR, MAX_DEPTH):
        value = getattr(message, field.name)
        if field.is_repeated:
            values = value
        elif is_id or message.HasField(field.name):
            values = (value,)
        else:
            continue
        for each in values:
            if not is_id:
                yield from mentioned_recordings(each)
            elif UUID.fullmatch(each):
                yield each.lower()


@cache
def _fields(descriptor: Descriptor, depth: int) -> tuple[tuple[FieldDescriptor, bool], ...]:
    """Returns the fields that name recordings, and the parts that may; whether each is an id."""
    found = []
    for field in descriptor.fields:
        part = field.message_type
        of_recording = field.name == "id" and descriptor.full_name == RECORDING
        if of_recording or (part is None and field.name in ("recording_id", "recording_ids")):
            found.append((field, True))
        elif part is not None and part.full_name.startswith(PACKAGE) and depth and _fields(part, depth - 1):
            found.append((field, False))
    return tuple(found)
