"""Page tokens that only this service can make, and that hold for one request only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct

from recordroute_runtime.errors import InvalidInput

_OFFSET = struct.Struct("!I")
_SIGNATURE_BYTES = 16


class PageTokens:
    """Signs and reads tokens with a secret, which all replicas of a service share (BLAKE2b as a keyed hash, RFC
    7693)."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(secret, digest_size=32).digest()

    def make(self, offset: int, request: bytes) -> str:
        """Returns the token of the page that begins with result `offset` of the request."""
        data = _OFFSET.pack(offset)
        return base64.urlsafe_b64encode(data + self._sign(data, request)).decode().rstrip("=")

    def read(self, token: str, request: bytes) -> int:
        """Returns the offset; 0 for the empty token. Raises InvalidInput (PAGE_TOKEN_INVALID) for one that was not
        made here for this request."""
        if not token:
            return 0
        try:
            (offset,) = _OFFSET.unpack_from(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        except (binascii.Error, ValueError, struct.error):
            offset = None
        # Compared as written: base64 has several spellings of the same bytes.
        if offset is None or not hmac.compare_digest(token.encode(), self.make(offset, request).encode()):
            raise InvalidInput(
                "PAGE_TOKEN_INVALID", "page_token is not one that this service gave for this very request"
            )
        return int(offset)

    def _sign(self, data: bytes, request: bytes) -> bytes:
        return hashlib.blake2b(data + request, key=self._key, digest_size=_SIGNATURE_BYTES).digest()
