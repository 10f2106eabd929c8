"""Settings of the gateway."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from recordroute_runtime.settings import CommonSettings, ServerSettings


class GatewaySettings(ServerSettings, section="gateway"):
    """What the gateway reads."""

    listen: str = Field("127.0.0.1:7100", description="Address to serve on: `host:port`, or `unix:/path`.")
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
    concurrent_workflows: int = Field(2, ge=1, description="Workflows that one replica works on at once.")
    max_upload_bytes: int = Field(16 * 2**30, ge=1, description="Largest file that is taken in.")
    remember_voices: bool = Field(
        False,
        description="Whether the voices of speakers are kept, can be remembered under a name, and are recognised in "
        "new recordings. A voice identifies a person: switch it on only where everybody who is recorded consents.",
    )
    upstream_patience_seconds: float = Field(
        600.0,
        ge=0,
        description="How long a stage waits for a service that does not answer before the workflow fails.",
    )


def sqlite_path(common: CommonSettings, name: str) -> Path:
    """Returns the path of one of the gateway's SQLite files."""
    return common.data_dir / f"{name}.sqlite"
