"""The public keys that an identity provider signs its tokens with, fetched when they are needed.

Keys rotate: a token with an unknown key id makes the set be fetched anew, but not more often than every
`REFRESH_SECONDS`, whatever tokens strangers make up. https://www.rfc-editor.org/rfc/rfc7517
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.exceptions import PyJWTError
from recordroute_runtime.errors import UpstreamUnavailable

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 30.0
LIFETIME_SECONDS = 3600.0
FETCH_SECONDS = 10.0
MAX_DOCUMENT_BYTES = 1 << 20
MIN_RSA_BITS = 2048
RSA_ALGORITHMS = ("RS256", "RS384", "RS512")
CURVE_ALGORITHMS = {"secp256r1": ("ES256",), "secp384r1": ("ES384",)}

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True)
class SigningKey:
    """A key, its id (empty: it has none), and what it may have signed with."""

    id: str
    key: PublicKey
    algorithms: tuple[str, ...]


def read_key(value: Any) -> SigningKey | None:
    """Reads a JSON Web Key; returns None for what signs no tokens here: other types, other uses, too short."""
    if not isinstance(value, dict) or value.get("kty") not in ("RSA", "EC"):
        return None
    if value.get("use", "sig") != "sig" or "verify" not in value.get("key_ops", ["verify"]):
        return None
    try:
        key = jwt.PyJWK(value).key
    except (PyJWTError, TypeError, ValueError):
        return None
    algorithms: tuple[str, ...] = ()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        algorithms = RSA_ALGORITHMS
    elif isinstance(key, ec.EllipticCurvePublicKey):
        algorithms = CURVE_ALGORITHMS.get(key.curve.name, ())
    named = value.get("alg")
    algorithms = tuple(name for name in algorithms if named in (None, name))
    return SigningKey(str(value.get("kid", "")), key, algorithms) if algorithms else None


class KeySet:
    """The keys of one identity provider. `url` empty: the one that its discovery document names."""

    def __init__(self, issuer: str, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._url = url
        self._clock = clock
        self._keys: list[SigningKey] = []
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> SigningKey | None:
        """Returns the key with an id, or, for an empty id, the only key there is.

        Raises UpstreamUnavailable where there are no keys yet and none can be had.
        """
        if self._is_old():
            await self._refresh()
        found = self._known(key_id)
        if found is None:
            await self._refresh()
            found = self._known(key_id)
        if not self._keys:
            raise UpstreamUnavailable("identity")
        return found

    def _known(self, key_id: str) -> SigningKey | None:
        if not key_id:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.id == key_id), None)

    def _is_old(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > LIFETIME_SECONDS

    async def _refresh(self) -> None:
        async with self._lock:
            if self._tried_at is not None and self._clock() - self._tried_at < REFRESH_SECONDS:
                return
            self._tried_at = self._clock()
            try:
                keys = await self._fetch()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                # Those that are known go on counting: a provider that is away for a while locks nobody out.
                log.warning("identity provider", issuer=self._issuer, error=str(error))
                return
            self._keys, self._fetched_at = keys, self._clock()

    async def _fetch(self) -> list[SigningKey]:
        async with httpx.AsyncClient(timeout=FETCH_SECONDS) as client:
            url = self._url
            if not url:
                document = await _get_json(
                    client, self._issuer.rstrip("/") + "/.well-known/openid-configuration"
                )
                if document.get("issuer") != self._issuer or not isinstance(document.get("jwks_uri"), str):
                    raise ValueError("its discovery document names another issuer, or no keys")
                url = document["jwks_uri"]
                require_safe(url)
            keys = (await _get_json(client, url)).get("keys")
        if not isinstance(keys, list):
            raise ValueError("its key set is none")
        readable = [key for key in map(read_key, keys) if key is not None]
        if not readable:
            raise ValueError("its key set has no RSA or EC key that signs")
        return readable


async def _get_json(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    body = bytearray()
    async with client.stream("GET", url, headers={"accept": "application/json"}) as response:
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_DOCUMENT_BYTES:
                raise ValueError(f"{url} is longer than {MAX_DOCUMENT_BYTES} bytes")
        document = httpx.Response(200, content=bytes(body)).json()
    if not isinstance(document, dict):
        raise ValueError(f"{url} is no JSON object")
    return document


def require_safe(url: str) -> None:
    """Raises ValueError for a URL that keys must not come from: whoever is on the way could put in others."""
    parsed = httpx.URL(url)
    if parsed.scheme != "https" and parsed.host not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError(f"{url} has to begin with https://")
