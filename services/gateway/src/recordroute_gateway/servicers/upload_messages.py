"""Reads the messages of an uploading stream without a copy of the bytes that they carry.

A parsed message copies them, and each look at its field does so again: for an upload that is as much work as to hash
it. A message that holds nothing but a chunk is its tag, its length, and the bytes to the end
(https://protobuf.dev/programming-guides/encoding/); every other one is parsed as ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from recordroute.gateway.v1 import upload_pb2

_TAG = bytes((upload_pb2.UploadRecordingRequest.CHUNK_FIELD_NUMBER << 3 | 2,))
_LONGEST_LENGTH = 5
# The contract's: what is larger is parsed, and then refused by its rules.
MOST_CHUNK_BYTES = 3 << 20


@dataclass(frozen=True)
class ChunkMessage:
    """An UploadRecordingRequest with a chunk that keeps the contract's rules: a view of what was received."""

    DESCRIPTOR: ClassVar[Any] = upload_pb2.UploadRecordingRequest.DESCRIPTOR

    chunk: memoryview

    def WhichOneof(self, _: str) -> str:
        return "chunk"


def read_upload_message(data: bytes) -> upload_pb2.UploadRecordingRequest | ChunkMessage:
    """Deserializes an UploadRecordingRequest. Raises DecodeError."""
    if data[:1] == _TAG:
        length = 0
        for place, byte in enumerate(data[1 : 1 + _LONGEST_LENGTH]):
            length |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                start = place + 2
                if length == len(data) - start <= MOST_CHUNK_BYTES:
                    return ChunkMessage(memoryview(data)[start:])
                break
    return upload_pb2.UploadRecordingRequest.FromString(data)
