"""The gateway's tables. Times are UTC; `sequence` numbers a workflow's events without gaps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A time with a zone, kept in UTC: SQLite drops the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value  # type: ignore[no-any-return]
        return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]


recordings = Table(
    "recordings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(256), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("title", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("duration_seconds", Float),
    Column("language", String(16), nullable=False, default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    UniqueConstraint("owner", "request_id"),
    Index(None, "owner", "created_at", "id"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("recording_id", ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    # Empty for the index, which lives in the vector service.
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("model", String(128), nullable=False),
    # The workflow that made it: how a step knows that it has been done already. Empty for the media.
    Column("workflow_id", String(36), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "sha256"),
)

# Kept only where the operator allows voices: what a voice is remembered from. `embedding` is little-endian float32.
recording_voices = Table(
    "recording_voices",
    metadata,
    Column("recording_id", ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True),
    Column("speaker", String(256), primary_key=True),
    Column("embedding", LargeBinary, nullable=False),
)

voices = Table(
    "voices",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(256), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("name", String(256), nullable=False),
    Column("embedding", LargeBinary, nullable=False),
    Column("recording_id", ForeignKey("recordings.id", ondelete="SET NULL"), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("owner", "request_id"),
    UniqueConstraint("owner", "name", name="uq_voices_owner_name"),
)

workflows = Table(
    "workflows",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("recording_id", ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("owner", String(256), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("retry_request_id", String(36), nullable=False),
    Column("state", String(16), nullable=False),
    # Counts the tries: 1, and one more for each retry.
    Column("attempt", Integer, nullable=False),
    Column("options", JSON, nullable=False),
    Column("error_reason", String(64)),
    Column("error_message", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("last_sequence", BigInteger, nullable=False),
    UniqueConstraint("owner", "request_id"),
    Index(None, "owner", "created_at", "id"),
)

workflow_stages = Table(
    "workflow_stages",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("stage", String(16), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("percent", Float, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
)

workflow_events = Table(
    "workflow_events",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("time", UtcDateTime, nullable=False),
    # Empty: the workflow as a whole.
    Column("stage", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("percent", Float, nullable=False),
    Column("error_reason", String(64)),
    Column("error_message", Text),
)
