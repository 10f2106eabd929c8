"""From a bearer token to a caller."""

from __future__ import annotations

import hmac

from recordroute_runtime.errors import Unauthenticated

from recordroute_gateway.identity.caller import LOCAL_USER, Caller, Scope
from recordroute_gateway.identity.keys import PREFIX, KeyStore
from recordroute_gateway.identity.oidc import OidcVerifier

OPERATOR = Caller(LOCAL_USER, frozenset(Scope), is_operator=True)


class Authenticator:
    """Knows the system's own token, API keys, and the tokens of an identity provider where there is one.

    `is_open`: whoever comes is the operator. For development, on addresses that only this machine reaches.
    """

    def __init__(
        self, keys: KeyStore, *, token: str = "", oidc: OidcVerifier | None = None, is_open: bool = False
    ) -> None:
        self._keys = keys
        self._token = token.encode()
        self._oidc = oidc
        self._is_open = is_open

    async def authenticate(self, authorization: str | None) -> Caller:
        """Returns who calls with this `authorization` metadata (None: there is none). Raises Unauthenticated."""
        if self._is_open:
            return OPERATOR
        if authorization is None:
            raise Unauthenticated("TOKEN_MISSING", "a token is needed: authorization: Bearer TOKEN")
        scheme, _, token = authorization.strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("TOKEN_INVALID", "authorization has to be: Bearer TOKEN")
        if self._token and hmac.compare_digest(token.encode(errors="replace"), self._token):
            return OPERATOR
        if token.startswith(PREFIX):
            return await self._keys.authenticate(token)
        if self._oidc is not None:
            return await self._oidc.authenticate(token)
        raise Unauthenticated("TOKEN_INVALID", "the token is not one that counts here")
