"""Settings of the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode
from recordroute_runtime.addresses import is_local
from recordroute_runtime.settings import CommonSettings, ServerSettings
from recordroute_runtime.tokens import MIN_TOKEN_LENGTH


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


# A list that environment variables write with commas.
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class GatewaySettings(ServerSettings, section="gateway"):
    """What the gateway reads."""

    listen: str = Field("127.0.0.1:7100", description="Address to serve on: `host:port`, or `unix:/path`.")
    local_listen: str = Field(
        "",
        pattern="^(unix:.+)?$",
        description="Second address, `unix:/path`, without TLS: for processes of this machine that may open it.",
    )
    http_listen: str = Field(
        "",
        pattern=r"^(.*:[0-9]{1,5})?$",
        description="Address of HTTP (browsers, REST, the OpenAI-compatible API): `host:port`; empty serves none.",
    )
    http_allowed_hosts: Names = Field(
        (),
        description="Names, beside those of this machine, that HTTP requests may call this server by; commas between "
        "them. Others are refused: a page elsewhere could have its own name lead here (DNS rebinding).",
    )
    http_allowed_origins: Names = Field(
        (),
        description="Origins of pages served elsewhere, for instance `https://app.example.org`, that may call this "
        "server; commas between them. Pages of this machine always may.",
    )
    stt_target: str = Field("127.0.0.1:7101", description="gRPC target of the stt service.")
    llm_target: str = Field("127.0.0.1:7102", description="gRPC target of the llm service.")
    vector_target: str = Field("127.0.0.1:7103", description="gRPC target of the vector service.")
    database_url: str = Field(
        "",
        description="PostgreSQL, `postgresql://user:password@host/database`; empty: SQLite in the data folder.",
    )
    blobs_url: str = Field(
        "",
        description="Where files are kept, `s3://bucket/prefix`; empty: the data folder. The credentials are those "
        "of the AWS_* variables.",
    )
    executor_id: str = Field(
        "gateway",
        min_length=1,
        description="Name of this replica: it takes up again, after a restart, the workflows that it was working on.",
    )
    transcribe_at_once: int = Field(
        2, ge=1, description="Recordings that one replica has transcribed at once."
    )
    summarise_at_once: int = Field(
        2, ge=1, description="Recordings that one replica has minutes made of at once."
    )
    embed_at_once: int = Field(2, ge=1, description="Recordings that one replica has embedded at once.")
    index_at_once: int = Field(4, ge=1, description="Recordings that one replica has indexed at once.")
    max_upload_bytes: int = Field(16 * 2**30, ge=1, description="Largest file that is taken in.")
    upload_expiry_seconds: float = Field(
        7 * 24 * 3600.0,
        gt=0,
        description="How long an upload in chunks is kept after its last chunk before it is thrown away.",
    )
    max_open_uploads: int = Field(100, ge=1, description="Uploads in chunks that one user has open at once.")
    models_command: str = Field(
        "",
        description="Command line of the model manager, `recordroute models`, on the machine of the services: models "
        "can be installed and removed by it. Empty: whoever runs the services does that. `recordroute up` sets it.",
    )
    watch_folder: Path | None = Field(
        None,
        description="Folder whose audio, video, PDF, text and Markdown files are taken in, once each, also those that "
        "come later. They belong to the user `local`.",
    )
    watch_folder_poll_seconds: float = Field(
        2.0, gt=0, description="How often the watched folder is looked at."
    )
    watch_folder_settle_seconds: float = Field(
        5.0,
        ge=0,
        description="How long a file of the watched folder has to stay as it is before it counts as finished.",
    )
    bin_retention_days: float = Field(
        30.0,
        ge=0,
        le=36_500,
        description="Days that a deleted recording stays in the bin before it is purged, with everything made of it.",
    )
    sweep_seconds: float = Field(
        60.0, gt=0, description="How often the gateway looks for recordings whose time in the bin is over."
    )
    live_idle_seconds: float = Field(
        60.0,
        gt=0,
        description="How long a live session without audio stays open, for its client to come back, before it becomes "
        "a recording.",
    )
    live_max_seconds: float = Field(6 * 3600.0, gt=0, description="How long a live session goes on at most.")
    live_sessions_per_user: int = Field(4, ge=1, description="Live sessions that one user has open at once.")
    live_sessions: int = Field(100, ge=1, description="Live sessions that are open at once on one replica.")
    remember_voices: bool = Field(
        False,
        description="Whether the voices of speakers are kept, can be remembered under a name, and are recognised in "
        "new recordings. A voice identifies a person: switch it on only where everybody who is recorded consents.",
    )
    webhook_private_addresses: bool = Field(
        False,
        description="Whether webhooks may lead to addresses that are not on the public internet: users reach what this "
        "machine reaches then.",
    )
    upstream_patience_seconds: float = Field(
        604_800.0,
        ge=0,
        description="How long a stage waits for a service that does not answer before the workflow fails. Other "
        "stages and other recordings go on meanwhile.",
    )
    auth: Literal["required", "none"] = Field(
        "required",
        description="`none` takes everybody for the operator: for development, on addresses that only this machine "
        "reaches.",
    )
    token: SecretStr = Field(
        SecretStr(""),
        description="Token of the operator, at least 32 characters; empty: the one in the file `token` of the data "
        "folder, which is made where there is none.",
    )
    oidc_issuer: str = Field(
        "", description="Issuer of the identity provider whose tokens count; empty: there is none."
    )
    oidc_audience: str = Field("", description="What has to stand in the tokens' `aud`.")
    oidc_jwks_url: str = Field(
        "", description="Where the provider's keys are; empty: its discovery document tells."
    )
    oidc_user_claim: str = Field("sub", min_length=1, description="Claim that has the user's id.")
    oidc_scopes_claim: str = Field(
        "",
        description="Claim that lists what the user may do: `read`, `write`, `admin`, also with `recordroute:` before "
        "them; a path like `realm_access.roles` is followed. Empty: everybody reads and writes.",
    )
    oidc_leeway_seconds: float = Field(
        30.0, ge=0, le=300, description="How far the provider's clock may be from this one."
    )
    tls_ended_by_proxy: bool = Field(
        False,
        description="Whether a proxy in front ends TLS, on a network that nobody else is on: an address that others "
        "reach is refused without TLS otherwise.",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        description="Proxies in front that add to `x-forwarded-for`: the audit log then has the addresses of those "
        "who call them.",
    )
    calls_per_second: float = Field(
        100.0,
        ge=0,
        description="Calls a second that a user may make in the long run, of each replica; 0: any.",
    )
    calls_burst: int = Field(1000, ge=1, description="Calls that a user may make at once after a pause.")
    concurrent_calls: int = Field(
        256, ge=0, description="Calls of one user that run at once, streams not counted; 0: any number."
    )
    concurrent_streams: int = Field(
        1024, ge=0, description="Streams of one user that run at once; 0: any number."
    )
    max_storage_bytes_per_user: int = Field(
        0, ge=0, description="Bytes that the files of one user may take; 0: any number."
    )

    @model_validator(mode="after")
    def _is_safe_to_serve(self) -> Self:
        token = self.token.get_secret_value()
        if token and (len(token) < MIN_TOKEN_LENGTH or not token.isascii() or " " in token):
            raise ValueError(
                f"RECORDROUTE_GATEWAY_TOKEN has to be {MIN_TOKEN_LENGTH} characters or more, ASCII without spaces"
            )
        if self.oidc_issuer and not self.oidc_audience:
            raise ValueError(
                "RECORDROUTE_GATEWAY_OIDC_ISSUER needs RECORDROUTE_GATEWAY_OIDC_AUDIENCE: tokens that the provider "
                "made for other services must not count here"
            )
        for address in filter(None, (self.listen, self.http_listen)):
            self._check_reach(address)
        return self

    def _check_reach(self, address: str) -> None:
        if is_local(address):
            return
        if self.auth == "none":
            raise ValueError(
                f"others than this machine reach {address}: RECORDROUTE_GATEWAY_AUTH=none would let all of them read "
                "and delete every recording"
            )
        if self.tls_cert is None and not self.tls_ended_by_proxy:
            raise ValueError(
                f"others than this machine reach {address}: without TLS they could read the tokens and recordings that "
                "go over the network; set RECORDROUTE_GATEWAY_TLS_CERT and RECORDROUTE_GATEWAY_TLS_KEY, or "
                "RECORDROUTE_GATEWAY_TLS_ENDED_BY_PROXY=1 where a proxy in front does it"
            )


def live_dir(common: CommonSettings) -> Path:
    """Returns the folder of the audio of live sessions that are not recordings yet."""
    return common.data_dir / "live"


def sqlite_path(common: CommonSettings, name: str) -> Path:
    """Returns the path of one of the gateway's SQLite files."""
    return common.data_dir / f"{name}.sqlite"
