"""Callers by the tokens of an OpenID Connect provider (JSON Web Tokens).

https://openid.net/specs/openid-connect-core-1_0.html, and https://www.rfc-editor.org/rfc/rfc8725 for what to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import ExpiredSignatureError, PyJWTError
from recordroute_runtime.errors import Unauthenticated

from recordroute_gateway.identity.caller import LOCAL_USER, Caller, Scope
from recordroute_gateway.identity.jwks import KeySet, require_safe

MAX_USER_BYTES = 256
MAX_TOKEN_BYTES = 16 << 10
SCOPE_PREFIX = "recordroute:"


@dataclass(frozen=True)
class OidcRules:
    """What a token must say. `scopes_claim` empty: everybody reads and writes."""

    issuer: str
    audience: str
    jwks_url: str = ""
    user_claim: str = "sub"
    scopes_claim: str = ""
    leeway_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Raises ValueError for rules that protect nothing."""
        if not self.audience:
            raise ValueError("an audience is needed: tokens for other services must not count here")
        require_safe(self.jwks_url or self.issuer)


class OidcVerifier:
    """Checks tokens against the rules and the provider's keys."""

    def __init__(self, rules: OidcRules, keys: KeySet) -> None:
        self._rules = rules
        self._keys = keys

    async def authenticate(self, token: str) -> Caller:
        """Returns who a token speaks for. Raises Unauthenticated, and UpstreamUnavailable without the keys."""
        rules = self._rules
        if len(token) > MAX_TOKEN_BYTES:
            raise _invalid()
        try:
            key_id = jwt.get_unverified_header(token).get("kid", "")
        except PyJWTError as error:
            raise _invalid() from error
        key = await self._keys.find(key_id)
        if key is None:
            raise _invalid()
        try:
            claims = jwt.decode(
                token,
                key.key,
                # Those of the key, never those that the token names.
                algorithms=list(key.algorithms),
                audience=rules.audience,
                issuer=rules.issuer,
                leeway=rules.leeway_seconds,
                options={"require": ["exp", "iss", "aud"]},
            )
        except ExpiredSignatureError as error:
            raise Unauthenticated("TOKEN_EXPIRED", "the token has expired; sign in again") from error
        except (PyJWTError, ValueError, TypeError) as error:
            raise _invalid() from error
        return Caller(self._user(claims), self._scopes(claims), name=_text(claims.get("name")))

    def _user(self, claims: Mapping[str, Any]) -> str:
        user = claims.get(self._rules.user_claim)
        usable = isinstance(user, str) and user.isprintable() and user.strip() == user
        if not usable or not user or len(str(user).encode(errors="replace")) > MAX_USER_BYTES:
            raise Unauthenticated("TOKEN_INVALID", f"the token's {self._rules.user_claim} names no user")
        if user == LOCAL_USER:
            # Whose recordings are the operator's, of the time before there were accounts.
            raise Unauthenticated("TOKEN_INVALID", f"{LOCAL_USER} is no user that can sign in")
        return str(user)

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[Scope]:
        if not self._rules.scopes_claim:
            return frozenset((Scope.READ, Scope.WRITE))
        named = _claim(claims, self._rules.scopes_claim)
        words = named.split() if isinstance(named, str) else named if isinstance(named, list) else []
        plain = {word.removeprefix(SCOPE_PREFIX) for word in words if isinstance(word, str)}
        return frozenset(scope for scope in Scope if scope.value in plain)


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """Returns a claim by its name, or by a path with dots (Keycloak's `realm_access.roles`)."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    return value[:MAX_USER_BYTES] if isinstance(value, str) and value.isprintable() else ""


def _invalid() -> Unauthenticated:
    return Unauthenticated("TOKEN_INVALID", "the token is not one that counts here")
