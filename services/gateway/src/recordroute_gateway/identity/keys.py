"""API keys: made, listed, revoked, and found again by their secrets.

A secret is the key's id and 256 random bits. Nobody can guess or enumerate those, so a plain SHA-256 of the secret is
enough to keep; the slow hashes of passwords would only slow every call.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recordroute_runtime.errors import Conflict, NotFound, QuotaExceeded, Unauthenticated
from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from recordroute_gateway.database import Database
from recordroute_gateway.identity.caller import Caller, Scope
from recordroute_gateway.tables import api_keys

PREFIX = "rrk_"
ID_BYTES = 8
SECRET_BYTES = 32
MAX_KEYS = 100
# How long a replica may not know that another one has revoked a key.
CACHE_SECONDS = 2.0
MAX_CACHED = 10_000


@dataclass(frozen=True)
class ApiKey:
    id: str
    user: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class KeyStore:
    """The API keys of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # By id, the hash of the secret and the key, and until when that is believed without looking.
        self._cache: OrderedDict[str, tuple[str, ApiKey, float]] = OrderedDict()
        self._revocations = 0
        self._noted: dict[str, datetime] = {}

    async def create(
        self,
        maker: Caller,
        user: str,
        request_id: str,
        name: str,
        scopes: Collection[Scope],
        expires_at: datetime | None,
    ) -> tuple[ApiKey, str]:
        """Makes a key of `user` and returns it with its secret, which is not kept.

        A key that is made with another key never outlives that one. Raises QuotaExceeded (TOO_MANY_KEYS) and Conflict
        (API_KEY_EXISTS) for a request that was served before.
        """
        key_id = PREFIX + secrets.token_hex(ID_BYTES)
        secret = f"{key_id}.{secrets.token_urlsafe(SECRET_BYTES)}"
        now = datetime.now(UTC)
        try:
            async with self._database.write() as connection:
                alive = (
                    select(func.count())
                    .select_from(api_keys)
                    .where(
                        api_keys.c.user == user,
                        api_keys.c.revoked_at.is_(None),
                        or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
                    )
                )
                if (await connection.execute(alive)).scalar_one() >= MAX_KEYS:
                    raise QuotaExceeded(
                        "TOO_MANY_KEYS", f"there are {MAX_KEYS} API keys; revoke those that nobody uses"
                    )
                if maker.api_key_id:
                    query = select(api_keys.c.expires_at).where(api_keys.c.id == maker.api_key_id)
                    ends = (await connection.execute(query)).scalar_one()
                    expires_at = min(filter(None, (expires_at, ends)), default=None)
                await connection.execute(
                    insert(api_keys).values(
                        id=key_id,
                        user=user,
                        request_id=request_id,
                        name=name,
                        scopes=sorted(scope.value for scope in scopes),
                        secret_sha256=_hash(secret),
                        parent_id=maker.api_key_id,
                        created_at=now,
                        expires_at=expires_at,
                    )
                )
        except IntegrityError as error:
            raise Conflict(
                "API_KEY_EXISTS",
                "this request has made an API key before, whose secret can't be told again; revoke it and make another",
            ) from error
        return ApiKey(key_id, user, name, frozenset(scopes), now, expires_at), secret

    async def list(self, user: str | None) -> list[ApiKey]:
        """Returns the keys of a user (None: of all), newest first."""
        query = select(api_keys).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        if user is not None:
            query = query.where(api_keys.c.user == user)
        async with self._database.read() as connection:
            return [_key(row) for row in (await connection.execute(query)).mappings()]

    async def revoke(self, user: str | None, key_id: str) -> None:
        """Makes a key of a user (None: of anybody) useless, and those that were made with it.

        Raises NotFound (API_KEY_NOT_FOUND).
        """
        query = select(api_keys.c.id).where(api_keys.c.id == key_id)
        if user is not None:
            query = query.where(api_keys.c.user == user)
        revoked: list[str] = []
        async with self._database.write() as connection:
            ids: Sequence[str] = (await connection.execute(query)).scalars().all()
            if not ids:
                raise NotFound("API_KEY_NOT_FOUND", f"there is no API key {key_id}")
            while ids:
                revoked.extend(ids)
                await connection.execute(
                    update(api_keys)
                    .where(api_keys.c.id.in_(ids), api_keys.c.revoked_at.is_(None))
                    .values(revoked_at=datetime.now(UTC))
                )
                made = select(api_keys.c.id).where(api_keys.c.parent_id.in_(ids))
                ids = (await connection.execute(made)).scalars().all()
        self._revocations += 1
        for each in revoked:
            self._cache.pop(each, None)

    async def authenticate(self, secret: str) -> Caller:
        """Returns who calls with a secret. Raises Unauthenticated."""
        known = await self._find(secret.partition(".")[0])
        if known is None or not hmac.compare_digest(known[0], _hash(secret)):
            raise Unauthenticated("TOKEN_INVALID", "there is no such API key")
        key, now = known[1], datetime.now(UTC)
        if key.revoked_at is not None:
            raise Unauthenticated("TOKEN_REVOKED", f"the API key {key.id} was revoked")
        if key.expires_at is not None and key.expires_at <= now:
            raise Unauthenticated("TOKEN_EXPIRED", f"the API key {key.id} has expired")
        await self._note_use(key, now)
        return Caller(key.user, key.scopes, name=key.name, api_key_id=key.id)

    async def _find(self, key_id: str) -> tuple[str, ApiKey] | None:
        cached = self._cache.get(key_id)
        if cached is not None and time.monotonic() < cached[2]:
            return cached[:2]
        until, revocations = time.monotonic() + CACHE_SECONDS, self._revocations
        async with self._database.read() as connection:
            query = select(api_keys).where(api_keys.c.id == key_id)
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        secret_sha256, key = row["secret_sha256"], _key(row)
        if revocations == self._revocations:
            # Otherwise it may be what the row said before.
            self._cache[key_id] = (secret_sha256, key, until)
            if len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)
        return secret_sha256, key

    async def _note_use(self, key: ApiKey, now: datetime) -> None:
        minute = now.replace(second=0, microsecond=0)
        known = self._noted.get(key.id, key.last_used_at)
        if known is not None and known >= minute:
            return
        self._noted[key.id] = minute
        async with self._database.write() as connection:
            unnoted = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < minute)
            await connection.execute(
                update(api_keys).where(api_keys.c.id == key.id, unnoted).values(last_used_at=minute)
            )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Any) -> ApiKey:
    return ApiKey(
        id=row["id"],
        user=row["user"],
        name=row["name"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )
