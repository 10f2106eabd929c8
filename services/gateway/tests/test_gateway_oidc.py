"""Tokens of an identity provider: which count, which don't, and how its keys are fetched."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from recordroute_gateway.identity import jwks
from recordroute_gateway.identity.caller import Scope
from recordroute_gateway.identity.jwks import LIFETIME_SECONDS, REFRESH_SECONDS, KeySet
from recordroute_gateway.identity.oidc import OidcRules, OidcVerifier
from recordroute_runtime.errors import Unauthenticated, UpstreamUnavailable

AUDIENCE = "recordroute"


class Provider:
    """An identity provider on loopback: its discovery document, its keys, and how often they were asked for."""

    def __init__(self) -> None:
        self.rsa = {name: rsa.generate_private_key(65537, 2048) for name in ("old", "new")}
        self.p256 = ec.generate_private_key(ec.SECP256R1())
        self.p384 = ec.generate_private_key(ec.SECP384R1())
        self.keys: list[dict[str, Any]] = [self.jwk("old", self.rsa["old"])]
        self.fetched = 0
        self.is_away = False
        self.body: bytes | None = None
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                document = provider.answer(self.path)
                self.send_response(503 if document is None else 200)
                self.end_headers()
                self.wfile.write(document or b"")

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}/realm"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, path: str) -> bytes | None:
        if self.is_away:
            return None
        if path == "/realm/.well-known/openid-configuration":
            return json.dumps({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}).encode()
        self.fetched += 1
        return self.body if self.body is not None else json.dumps({"keys": self.keys}).encode()

    @staticmethod
    def jwk(key_id: str, key: Any, **values: Any) -> dict[str, Any]:
        algorithms: dict[type, Any] = {
            rsa.RSAPrivateKey: RSAAlgorithm,
            ec.EllipticCurvePrivateKey: ECAlgorithm,
            ed25519.Ed25519PrivateKey: OKPAlgorithm,
        }
        (algorithm,) = [found for kind, found in algorithms.items() if isinstance(key, kind)]
        return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": key_id, **values}

    def token(self, key: Any = None, algorithm: str = "RS256", kid: str | None = "old", **claims: Any) -> str:
        now = time.time()
        values = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "anna",
            "exp": now + 60,
            "iat": now,
            "name": "Anna",
            **claims,
        }
        values = {
            # From now on, not from when the tests were collected.
            name: now + value.total_seconds() if isinstance(value, timedelta) else value
            for name, value in values.items()
            if value is not None
        }
        return jwt.encode(
            values, key or self.rsa["old"], algorithm, headers={"kid": kid} if kid is not None else None
        )


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def provider_server() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()


@pytest.fixture
def provider(provider_server: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # It is not away where the machine is busy.
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 60.0)
    provider_server.keys = [provider_server.jwk("old", provider_server.rsa["old"])]
    provider_server.fetched, provider_server.is_away, provider_server.body = 0, False, None
    return provider_server


@pytest.fixture
def clock() -> Clock:
    return Clock()


def verifier(provider: Provider, clock: Clock, **values: Any) -> OidcVerifier:
    rules = OidcRules(provider.issuer, AUDIENCE, **values)
    return OidcVerifier(rules, KeySet(rules.issuer, rules.jwks_url, clock))


async def refused(checker: OidcVerifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await checker.authenticate(token)
    return caught.value.reason


async def test_token_names_its_user(provider: Provider, clock: Clock) -> None:
    caller = await verifier(provider, clock).authenticate(provider.token())
    assert (caller.user, caller.name, caller.scopes) == ("anna", "Anna", {Scope.READ, Scope.WRITE})
    assert not caller.is_operator
    by_mail = verifier(provider, clock, user_claim="email", jwks_url=f"{provider.issuer}/keys")
    assert (await by_mail.authenticate(provider.token(email="민지@example.org"))).user == "민지@example.org"


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "ES256", "ES384"])
async def test_algorithms_that_count(provider: Provider, clock: Clock, algorithm: str) -> None:
    key = {"ES256": provider.p256, "ES384": provider.p384}.get(algorithm, provider.rsa["old"])
    provider.keys = [provider.jwk("k", key, alg=algorithm, use="sig")]
    token = provider.token(key, algorithm, kid="k")
    assert (await verifier(provider, clock).authenticate(token)).user == "anna"


def unsigned(token: str, header: dict[str, Any]) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{encoded}.{token.split('.')[1]}."


async def test_algorithms_that_do_not_count(provider: Provider, clock: Clock) -> None:
    checker = verifier(provider, clock)
    good = provider.token()
    assert await refused(checker, unsigned(good, {"alg": "none", "kid": "old"})) == "TOKEN_INVALID"
    assert await refused(checker, unsigned(good, {"alg": "None", "kid": "old"})) == "TOKEN_INVALID"
    # The public key as the secret of an HMAC: whoever has it, which is everybody, could sign.
    pem = (
        provider.rsa["old"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    header, payload = ({"alg": "HS256", "typ": "JWT", "kid": "old"}, good.split(".")[1])
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    digest = hmac.new(pem, f"{head}.{payload}".encode(), hashlib.sha256).digest()
    forged = f"{head}.{payload}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
    assert await refused(checker, forged) == "TOKEN_INVALID"
    assert await refused(checker, provider.token(algorithm="PS256")) == "TOKEN_INVALID"
    # A key that says what it is for is used for nothing else.
    provider.keys = [
        provider.jwk("old", provider.rsa["old"], alg="RS512"),
        provider.jwk("ed", ed25519.Ed25519PrivateKey.generate()),
        provider.jwk("enc", provider.rsa["new"], use="enc"),
        provider.jwk("p521", ec.generate_private_key(ec.SECP521R1())),
        {"kty": "oct", "kid": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2Vj"},
        {"kty": "RSA", "kid": "broken", "n": "x"},
    ]
    checker = verifier(provider, clock)
    assert await refused(checker, good) == "TOKEN_INVALID"
    assert (await checker.authenticate(provider.token(algorithm="RS512"))).user == "anna"
    assert await refused(checker, provider.token(provider.rsa["new"], kid="enc")) == "TOKEN_INVALID"
    secret = "secretsecretsecretsecretsecretsec"
    assert await refused(checker, provider.token(secret, "HS256", kid="oct")) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": timedelta(seconds=-31)}, "TOKEN_EXPIRED"),
        ({"exp": None}, "TOKEN_INVALID"),
        ({"exp": "soon"}, "TOKEN_INVALID"),
        ({"nbf": timedelta(hours=1)}, "TOKEN_INVALID"),
        ({"iss": "http://127.0.0.1:1/other"}, "TOKEN_INVALID"),
        ({"iss": None}, "TOKEN_INVALID"),
        ({"aud": "another service"}, "TOKEN_INVALID"),
        ({"aud": None}, "TOKEN_INVALID"),
        ({"sub": None}, "TOKEN_INVALID"),
        ({"sub": ""}, "TOKEN_INVALID"),
        ({"sub": "local"}, "TOKEN_INVALID"),
        ({"sub": "a\nb"}, "TOKEN_INVALID"),
        ({"sub": "x" * 257}, "TOKEN_INVALID"),
    ],
)
async def test_claims_that_do_not_count(
    provider: Provider, clock: Clock, claims: dict[str, Any], reason: str
) -> None:
    assert await refused(verifier(provider, clock), provider.token(**claims)) == reason


async def test_claims_that_count(provider: Provider, clock: Clock) -> None:
    # The clocks of machines differ.
    checker = verifier(provider, clock, leeway_seconds=1000.0)
    late, early = {"exp": timedelta(seconds=-500)}, {"nbf": timedelta(seconds=500)}
    for claims in (late, {"aud": ["other", AUDIENCE]}, early):
        assert (await checker.authenticate(provider.token(**claims))).user == "anna"


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "é.é.é", "." * 20_000, "eyJhbGciOiJSUzI1NiIsImtpZCI6MX0.e30.x"]
)
async def test_what_is_no_token(provider: Provider, clock: Clock, token: str) -> None:
    assert await refused(verifier(provider, clock), token) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    ("claim", "claims", "scopes"),
    [
        ("scope", {"scope": "openid recordroute:read write"}, {Scope.READ, Scope.WRITE}),
        ("roles", {"roles": ["admin", "other", 3]}, {Scope.ADMIN}),
        ("realm_access.roles", {"realm_access": {"roles": ["read"]}}, {Scope.READ}),
        ("https://example.org/roles", {"https://example.org/roles": ["read"]}, {Scope.READ}),
        ("roles", {}, set()),
        ("roles", {"roles": {"read": True}}, set()),
    ],
)
async def test_scopes_stand_in_a_claim(
    provider: Provider, clock: Clock, claim: str, claims: dict[str, Any], scopes: set[Scope]
) -> None:
    checker = verifier(provider, clock, scopes_claim=claim)
    assert (await checker.authenticate(provider.token(**claims))).scopes == scopes


async def test_keys_rotate(provider: Provider, clock: Clock) -> None:
    checker = verifier(provider, clock)
    for _ in range(5):
        await checker.authenticate(provider.token())
    assert provider.fetched == 1
    provider.keys = [provider.jwk("new", provider.rsa["new"]), *provider.keys]
    clock.now += REFRESH_SECONDS + 1
    assert (await checker.authenticate(provider.token(provider.rsa["new"], kid="new"))).user == "anna"
    assert provider.fetched == 2
    # Strangers' key ids don't make it a burden for the provider.
    for number in range(20):
        assert await refused(checker, provider.token(kid=f"made up {number}")) == "TOKEN_INVALID"
    assert provider.fetched == 2
    clock.now += REFRESH_SECONDS + 1
    assert await refused(checker, provider.token(kid="made up")) == "TOKEN_INVALID"
    assert provider.fetched == 3
    # What the provider has withdrawn counts no more, at the latest after the set's lifetime.
    provider.keys = provider.keys[:1]
    clock.now += LIFETIME_SECONDS + 1
    assert await refused(checker, provider.token()) == "TOKEN_INVALID"


async def test_provider_that_is_away(provider: Provider, clock: Clock) -> None:
    provider.is_away = True
    checker = verifier(provider, clock)
    with pytest.raises(UpstreamUnavailable):
        await checker.authenticate(provider.token())
    provider.is_away = False
    clock.now += REFRESH_SECONDS + 1
    await checker.authenticate(provider.token())
    # The keys that are known go on counting.
    provider.is_away = True
    clock.now += LIFETIME_SECONDS + 1
    await checker.authenticate(provider.token())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": 3}', b"x" * (2 << 20), b"\xff\xfe\x00"]
)
async def test_provider_that_talks_nonsense(provider: Provider, clock: Clock, body: bytes) -> None:
    provider.body = body
    with pytest.raises(UpstreamUnavailable):
        await verifier(provider, clock).authenticate(provider.token())


async def test_token_without_key_id_needs_a_single_key(provider: Provider, clock: Clock) -> None:
    assert (await verifier(provider, clock).authenticate(provider.token(kid=None))).user == "anna"
    provider.keys.append(provider.jwk("new", provider.rsa["new"]))
    assert await refused(verifier(provider, clock), provider.token(kid=None)) == "TOKEN_INVALID"


def test_rules_that_protect_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="audience"):
        OidcRules("https://id.example.org", "")
    with pytest.raises(ValueError, match="https"):
        OidcRules("http://id.example.org", AUDIENCE)
    with pytest.raises(ValueError, match="https"):
        OidcRules("https://id.example.org", AUDIENCE, jwks_url="http://id.example.org/keys")
