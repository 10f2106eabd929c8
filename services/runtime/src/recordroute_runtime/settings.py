"""Settings: environment variables RECORDROUTE_*, then a TOML file, then defaults.

Each service has one class of settings with a `section`: field `model` of section `stt` is the variable
RECORDROUTE_STT_MODEL, or `model` below `[stt]` in the file that RECORDROUTE_CONFIG names. Fields of the common
section have no section in their name: RECORDROUTE_DATA_DIR, or `data_dir` at the top of the file.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

import platformdirs
from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

CONFIG_VARIABLE = "RECORDROUTE_CONFIG"


class SettingsError(Exception):
    """Settings that can't be used; the message names each variable and what is wrong with it."""


class _TomlSection(PydanticBaseSettingsSource):
    """One section of the TOML file."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError("values are read all at once")

    def __call__(self) -> dict[str, Any]:
        path = os.environ.get(CONFIG_VARIABLE)
        if not path:
            return {}
        try:
            values = tomllib.loads(Path(path).read_text())
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{CONFIG_VARIABLE}={path} can't be read: {error}") from error
        section = getattr(self.settings_cls, "section", "")
        values = values.get(section, {}) if section else values
        return {name: value for name, value in values.items() if name in self.settings_cls.model_fields}


class SectionSettings(BaseSettings):
    """Base of every class of settings; a subclass sets `section` by `settings_for`."""

    section: ClassVar[str] = ""
    model_config = SettingsConfigDict(env_prefix="RECORDROUTE_", extra="ignore", frozen=True)

    def __init_subclass__(cls, *, section: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.section = section
        prefix = f"RECORDROUTE_{section.upper()}_" if section else "RECORDROUTE_"
        cls.model_config = SettingsConfigDict(**{**cls.model_config, "env_prefix": prefix})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _TomlSection(settings_cls)


class CommonSettings(SectionSettings):
    """What every process reads."""

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("recordroute") / "data",
        description="Folder of the library, the index and the workflow state.",
    )
    models_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("recordroute") / "models",
        description="Folder of the installed models.",
    )
    offline: bool = Field(False, description="Never fetch a model; a missing one is an error.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )
    log_format: Literal["auto", "human", "json"] = Field(
        "auto", description="`auto` is human on a terminal and JSON elsewhere."
    )
    peer_tls_ca: Path | None = Field(
        None,
        description="PEM file of the authorities that sign the other services' certificates: with it every call to "
        "another service goes over TLS, but for those over unix sockets.",
    )
    peer_tls_cert: Path | None = Field(
        None, description="PEM file of the certificate that this process shows to other services (mTLS)."
    )
    peer_tls_key: Path | None = Field(None, description="PEM file of that certificate's key.")

    @model_validator(mode="after")
    def _peer_tls_is_whole(self) -> Self:
        if (self.peer_tls_cert is None) != (self.peer_tls_key is None):
            raise ValueError("RECORDROUTE_PEER_TLS_CERT and RECORDROUTE_PEER_TLS_KEY belong together")
        if self.peer_tls_cert is not None and self.peer_tls_ca is None:
            raise ValueError("RECORDROUTE_PEER_TLS_CERT needs RECORDROUTE_PEER_TLS_CA")
        return self


class ServerSettings(SectionSettings):
    """What every gRPC server reads, in its own section."""

    listen: str = Field(description="Address to serve on: `host:port`, or `unix:/path`.")
    reflection: bool = Field(False, description="Serve gRPC reflection.")
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of Prometheus metrics; 0 serves none.")
    metrics_host: str = Field("127.0.0.1", description="Address of Prometheus metrics.")
    drain_delay_seconds: float = Field(
        0.0, ge=0, description="Wait between NOT_SERVING and stopping, for load balancers to notice."
    )
    drain_grace_seconds: float = Field(
        10.0, ge=0, description="Time that running calls get to end when stopping."
    )
    max_connection_age_seconds: int = Field(
        0, ge=0, description="Close connections after this time so that clients spread anew; 0 never."
    )
    tls_cert: Path | None = Field(
        None,
        description="PEM file of the server's certificate with those that lead to its authority; unset: no TLS. It is "
        "read again when it changes.",
    )
    tls_key: Path | None = Field(None, description="PEM file of that certificate's key.")
    tls_ca: Path | None = Field(
        None,
        description="PEM file of authorities: clients must show a certificate that one of them has signed (mTLS).",
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        prefix = self.model_config.get("env_prefix", "")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError(f"{prefix}TLS_CERT and {prefix}TLS_KEY belong together")
        if self.tls_ca is not None and self.tls_cert is None:
            raise ValueError(f"{prefix}TLS_CA needs {prefix}TLS_CERT")
        return self


Settings = TypeVar("Settings", bound=SectionSettings)


def load_settings(cls: type[Settings]) -> Settings:
    """Reads settings. Raises SettingsError with one line a problem."""
    try:
        return cls()
    except ValidationError as error:
        prefix = cls.model_config.get("env_prefix", "")
        raise SettingsError("; ".join(_problem(prefix, problem) for problem in error.errors())) from error


def _problem(prefix: str, problem: ErrorDetails) -> str:
    if not problem["loc"]:
        # About several settings at once: the message names them.
        return problem["msg"].removeprefix("Value error, ")
    return f"{prefix}{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
