"""What the settings make of identity, and which settings are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recordroute_gateway.database import Database, library_url
from recordroute_gateway.identity.authenticator import OPERATOR
from recordroute_gateway.identity.keys import KeyStore
from recordroute_gateway.identity.setup import make_authenticator, make_limits
from recordroute_gateway.settings import GatewaySettings
from recordroute_runtime.errors import Unauthenticated, UpstreamUnavailable
from recordroute_runtime.settings import CommonSettings, SettingsError, load_settings

TOKEN = "a-token-of-more-than-thirty-two-characters"
PUBLIC = {"RECORDROUTE_GATEWAY_LISTEN": "0.0.0.0:7100"}
TLS = {"RECORDROUTE_GATEWAY_TLS_CERT": "/c", "RECORDROUTE_GATEWAY_TLS_KEY": "/k"}
PROXY = {"RECORDROUTE_GATEWAY_TLS_ENDED_BY_PROXY": "1"}
NO_AUTH = {"RECORDROUTE_GATEWAY_AUTH": "none"}


def load(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> GatewaySettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(GatewaySettings)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (PUBLIC, "without TLS"),
        ({"RECORDROUTE_GATEWAY_LISTEN": "[::]:7100"}, "without TLS"),
        ({"RECORDROUTE_GATEWAY_LISTEN": "10.0.0.5:7100"}, "without TLS"),
        ({"RECORDROUTE_GATEWAY_HTTP_LISTEN": "0.0.0.0:7180"}, "without TLS"),
        ({"RECORDROUTE_GATEWAY_HTTP_LISTEN": ":7180"}, "without TLS"),
        (PUBLIC | TLS | NO_AUTH, "RECORDROUTE_GATEWAY_AUTH=none"),
        (PUBLIC | PROXY | NO_AUTH, "RECORDROUTE_GATEWAY_AUTH=none"),
        ({"RECORDROUTE_GATEWAY_TLS_CERT": "/c"}, "belong together"),
        ({"RECORDROUTE_GATEWAY_TLS_CA": "/c"}, "needs RECORDROUTE_GATEWAY_TLS_CERT"),
        ({"RECORDROUTE_GATEWAY_TOKEN": "short"}, "32 characters"),
        ({"RECORDROUTE_GATEWAY_TOKEN": "x y" * 20}, "32 characters"),
        ({"RECORDROUTE_GATEWAY_OIDC_ISSUER": "https://id.example.org"}, "OIDC_AUDIENCE"),
        ({"RECORDROUTE_GATEWAY_LOCAL_LISTEN": "0.0.0.0:1"}, "RECORDROUTE_GATEWAY_LOCAL_LISTEN"),
    ],
)
def test_what_would_let_others_in_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, environment)
    assert message in str(caught.value)
    assert "short" not in str(caught.value)


@pytest.mark.parametrize("environment", [{}, PUBLIC | TLS, PUBLIC | PROXY, NO_AUTH])
def test_what_is_safe_is_taken(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    assert load(monkeypatch, environment).listen


def test_token_stands_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert TOKEN not in repr(load(monkeypatch, {"RECORDROUTE_GATEWAY_TOKEN": TOKEN}))


def authenticator(folder: Path, **values: Any) -> Any:
    settings, common = GatewaySettings(**values), CommonSettings(data_dir=folder)
    return make_authenticator(settings, common, KeyStore(Database(library_url(settings, common))))


async def test_token_is_the_one_that_is_set_or_that_of_the_data_folder(tmp_path: Path) -> None:
    made = authenticator(tmp_path)
    token = (tmp_path / "token").read_text().strip()
    assert await made.authenticate(f"Bearer {token}") is OPERATOR
    assert await made.authenticate(f"bearer  {token} ") is OPERATOR
    # Another replica on the same folder knows the same token.
    assert await authenticator(tmp_path).authenticate(f"Bearer {token}") is OPERATOR
    configured = authenticator(tmp_path, token=TOKEN)
    assert await configured.authenticate(f"Bearer {TOKEN}") is OPERATOR
    for wrong in (f"Bearer {token}", None, "", "Bearer", "Bearer é", f"Token {TOKEN}", f"Bearer {TOKEN} x"):
        with pytest.raises(Unauthenticated):
            await configured.authenticate(wrong)


async def test_open_system_makes_no_token(tmp_path: Path) -> None:
    assert await authenticator(tmp_path, auth="none").authenticate(None) is OPERATOR
    assert list(tmp_path.iterdir()) == []


def test_token_that_others_may_read_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        authenticator(tmp_path)


async def test_other_tokens_are_the_identity_provider_s(tmp_path: Path) -> None:
    made = authenticator(
        tmp_path,
        oidc_issuer="http://127.0.0.1:9/realm",
        oidc_audience="a",
        oidc_jwks_url="http://127.0.0.1:9/k",
    )
    with pytest.raises(Unauthenticated):
        await made.authenticate("Bearer no.token.atall")
    signed = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.c2ln"
    with pytest.raises(UpstreamUnavailable):
        await made.authenticate(f"Bearer {signed}")
    with pytest.raises(SettingsError, match="https"):
        authenticator(tmp_path, oidc_issuer="http://id.example.org", oidc_audience="a")


def test_limits_are_those_of_the_settings() -> None:
    # None comes back while the test runs.
    limits = make_limits(GatewaySettings(calls_per_second=0.001, calls_burst=2, concurrent_streams=3))
    for _ in range(2):
        limits.take("anna")
    with pytest.raises(Exception, match=r"more than 0\.001 calls a second"):
        limits.take("anna")
