"""Puts identity together as the settings say."""

from __future__ import annotations

from recordroute_runtime.settings import CommonSettings, SettingsError
from recordroute_runtime.tokens import TOKEN_FILE, TokenUnusable, ensure_token

from recordroute_gateway.identity.authenticator import Authenticator
from recordroute_gateway.identity.jwks import KeySet
from recordroute_gateway.identity.keys import KeyStore
from recordroute_gateway.identity.limits import CallLimits
from recordroute_gateway.identity.oidc import OidcRules, OidcVerifier
from recordroute_gateway.settings import GatewaySettings


def make_authenticator(settings: GatewaySettings, common: CommonSettings, keys: KeyStore) -> Authenticator:
    """Makes what knows callers by their tokens. Raises SettingsError."""
    if settings.auth == "none":
        return Authenticator(keys, is_open=True)
    try:
        token = settings.token.get_secret_value() or ensure_token(common.data_dir / TOKEN_FILE)
    except TokenUnusable as error:
        raise SettingsError(str(error)) from error
    return Authenticator(keys, token=token, oidc=_verifier(settings))


def _verifier(settings: GatewaySettings) -> OidcVerifier | None:
    if not settings.oidc_issuer:
        return None
    try:
        rules = OidcRules(
            issuer=settings.oidc_issuer,
            audience=settings.oidc_audience,
            jwks_url=settings.oidc_jwks_url,
            user_claim=settings.oidc_user_claim,
            scopes_claim=settings.oidc_scopes_claim,
            leeway_seconds=settings.oidc_leeway_seconds,
        )
    except ValueError as error:
        raise SettingsError(f"identity provider: {error}") from error
    return OidcVerifier(rules, KeySet(rules.issuer, rules.jwks_url))


def make_limits(settings: GatewaySettings) -> CallLimits:
    """Makes what bounds each user's calls."""
    return CallLimits(
        rate=settings.calls_per_second,
        burst=settings.calls_burst,
        unary_calls=settings.concurrent_calls,
        streams=settings.concurrent_streams,
    )
