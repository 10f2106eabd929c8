"""Between HTTP headers and gRPC metadata.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md has the rules.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from urllib.parse import quote_from_bytes, unquote_to_bytes

from recordroute_runtime.errors import InvalidInput

Metadata = tuple[tuple[str, str | bytes], ...]

# What belongs to the connection, to the body's form, or to the browser and this server alone.
_NOT_FORWARDED = frozenset(
    (
        "accept", "accept-charset", "accept-encoding", "accept-language", "access-control-request-headers",
        "access-control-request-method", "connection", "content-encoding", "content-length", "content-type", "cookie",
        "expect", "host", "http2-settings", "keep-alive", "origin", "priority", "referer", "te", "trailer",
        "transfer-encoding", "upgrade", "upgrade-insecure-requests", "user-agent", "x-grpc-web",
    )
)  # fmt: skip
_NOT_FORWARDED_PREFIXES = (":", "grpc-", "proxy-", "sec-")
_NAME = re.compile(r"[a-z0-9_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNIT_SECONDS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
# Printable ASCII but the percent sign goes over the wire as it is.
_UNESCAPED = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


def encode_binary(value: bytes) -> str:
    """Returns the wire form of a `-bin` value: base64 without padding, as gRPC servers send it."""
    return base64.b64encode(value).decode("ascii").rstrip("=")


def decode_binary(text: str) -> bytes:
    """Reads base64 with padding or without. Raises InvalidInput (METADATA)."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("METADATA", "a binary header is not base64") from error


def request_metadata(headers: Iterable[tuple[bytes, bytes]]) -> Metadata:
    """Returns the metadata that the headers of a call carry. Raises InvalidInput (METADATA)."""
    metadata: list[tuple[str, str | bytes]] = []
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        if name in _NOT_FORWARDED or name.startswith(_NOT_FORWARDED_PREFIXES):
            continue
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise InvalidInput("METADATA", "metadata must be printable ASCII")
        if name.endswith("-bin"):
            metadata.extend((name, decode_binary(part.strip())) for part in value.split(","))
        else:
            metadata.append((name, value))
    return tuple(metadata)


def response_pairs(metadata: Iterable[tuple[str, str | bytes]] | None) -> list[tuple[str, str]]:
    """Returns a call's metadata in its wire form, names as they are."""
    return [
        (name, encode_binary(value) if isinstance(value, bytes) else value) for name, value in metadata or ()
    ]


def encode_message(message: str) -> str:
    """Returns the wire form of a status message: percent-encoded UTF-8."""
    return quote_from_bytes(message.encode(), safe=_UNESCAPED)


def decode_message(text: str) -> str:
    """Reads the wire form of a status message."""
    return unquote_to_bytes(text).decode(errors="replace")


def parse_timeout(text: str | None) -> float | None:
    """Returns the seconds of a `grpc-timeout` header. Raises InvalidInput (TIMEOUT)."""
    if text is None:
        return None
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        raise InvalidInput("TIMEOUT", "grpc-timeout must be up to eight digits and one of H, M, S, m, u, n")
    return int(match[1]) * _UNIT_SECONDS[match[2]]
