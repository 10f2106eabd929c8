"""The gateway's tables. Times are UTC; `sequence` numbers a workflow's events without gaps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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


# PostgreSQL sorts by the server's language otherwise, SQLite by code points: a key is made to be sorted as it is.
SortKey = Text().with_variant(Text(collation="C"), "postgresql")
# Marks columns that name blobs: a blob goes when no row names it any more. Their tables have a `recording_id`.
BLOB = {"blob": True}


def blob_columns() -> list[Column[str]]:
    """Returns every column that names blobs."""
    return [
        column for table in metadata.tables.values() for column in table.columns if column.info.get("blob")
    ]


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
    # The language model's title, kept for the day when a person gives the title back to it. Empty: none was made.
    Column("made_title", Text, nullable=False, default=""),
    Column("title_is_set", Boolean, nullable=False, default=False),
    Column("folder", Text, nullable=False, default=""),
    Column("kind", String(16), nullable=False, default="media"),
    Column("media_type", String(256), nullable=False, default=""),
    Column("page_count", Integer, nullable=False, default=0),
    # Those of the transcript. Null: it has not been looked at since it was made by an earlier version.
    Column("speakers", JSON(none_as_null=True)),
    Column("bookmarks", JSON, nullable=False, default=list),
    # Made from the other columns and the tags, to be sorted and searched by: see library/labels.py.
    Column("title_key", SortKey, nullable=False, default=""),
    Column("search_text", Text, nullable=False, default=""),
    Column("deleted_at", UtcDateTime),
    Column("purge_at", UtcDateTime, index=True),
    # Counts the changes of what people can change.
    Column("version", Integer, nullable=False, default=1),
    UniqueConstraint("owner", "request_id"),
    Index(None, "owner", "created_at", "id"),
)

recording_tags = Table(
    "recording_tags",
    metadata,
    Column("recording_id", ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", String(256), primary_key=True),
    Index(None, "tag"),
)

shares = Table(
    "shares",
    metadata,
    Column("recording_id", ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True),
    Column("user", String(256), primary_key=True),
    Column("access", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "user"),
)

# Changes that were asked for under a request id: the same request again changes nothing.
done_requests = Table(
    "done_requests",
    metadata,
    Column("user", String(256), primary_key=True),
    Column("request_id", String(36), primary_key=True),
    Column("recording_id", String(36), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

# Recordings whose place in the search index is not known to be what the library says. They may be gone: no foreign key.
index_tasks = Table(
    "index_tasks",
    metadata,
    Column("recording_id", String(36), primary_key=True),
    Column("owner", String(256), nullable=False),
    # Names the state of the library that asked for it.
    Column("token", String(36), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", UtcDateTime, nullable=False, index=True),
)

# Users whose cached answers may rest on purged recordings.
answer_tasks = Table(
    "answer_tasks",
    metadata,
    Column("user", String(256), primary_key=True),
    Column("token", String(36), nullable=False),
)

# Blobs that lost a row that named them, and may have to go.
orphan_blobs = Table("orphan_blobs", metadata, Column("sha256", String(64), primary_key=True))

# The last change of each thing that a user sees, with the number that it got: `change_clock` counts them.
changes = Table(
    "changes",
    metadata,
    Column("user", String(256), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("sequence", BigInteger, nullable=False, index=True),
    Column("removed", Boolean, nullable=False),
    Column("time", UtcDateTime, nullable=False, index=True),
    Index("ix_changes_user_sequence", "user", "sequence"),
)

# One row. Its lock, held to the end of a transaction, makes numbers appear in their order.
change_clock = Table(
    "change_clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    # Changes up to this number may be missing from `changes`.
    Column("trimmed_sequence", BigInteger, nullable=False),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("recording_id", ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    # Empty for the index, which lives in the vector service.
    Column("sha256", String(64), nullable=False, info=BLOB),
    Column("size_bytes", BigInteger, nullable=False),
    Column("model", String(128), nullable=False),
    # The workflow that made it: how a step knows that it has been done already. Empty for the media.
    Column("workflow_id", String(36), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # What it was made from has changed since.
    Column("stale", Boolean, nullable=False, default=False),
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
    Column("error_metadata", JSON),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("last_sequence", BigInteger, nullable=False),
    # The request that started it with others; empty where it was started alone.
    Column("batch_id", String(36), nullable=False, default="", index=True),
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
    # When the try began that runs now: what its time is counted from.
    Column("running_since", UtcDateTime),
    Column("waiting_reason", String(64)),
    Column("waiting_message", Text),
    Column("waiting_metadata", JSON),
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
    Column("error_metadata", JSON),
    Column("waiting_reason", String(64)),
    Column("waiting_message", Text),
    Column("waiting_metadata", JSON),
)

# What stages took: `ratio` is seconds of work by seconds of recording.
stage_timings = Table(
    "stage_timings",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("stage", String(16), nullable=False),
    Column("kind", String(512), nullable=False),
    Column("ratio", Float, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "stage", "kind"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(256), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("url", Text, nullable=False),
    Column("events", JSON, nullable=False),
    # Requests are signed with it, so it is kept as it is.
    Column("secret", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_attempt_at", UtcDateTime),
    Column("last_status", Integer, nullable=False, default=0),
    Column("last_error", Text, nullable=False, default=""),
    Column("last_reason", String(64), nullable=False, default=""),
    UniqueConstraint("owner", "request_id"),
)

# Requests that have not been taken yet.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    # Sent along: a receiver that gets a request twice knows it by this.
    Column("id", String(36), primary_key=True),
    Column("webhook_id", ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", UtcDateTime, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

# Keys of programs. Of the secret, which is random, only its hash is kept.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user", String(256), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("name", String(256), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    # The key that it was made with: it ends with that one. Empty where it was none.
    Column("parent_id", String(64), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    # To the minute.
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    UniqueConstraint("user", "request_id"),
)

# Who did what. Triggers refuse to change or delete rows; recordings may be gone: no foreign key.
audit_events = Table(
    "audit_events",
    metadata,
    # Only INTEGER gets numbers by itself in SQLite.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("time", UtcDateTime, nullable=False),
    Column("user", String(256), nullable=False),
    # Whose recording it is; the user where there is none.
    Column("owner", String(256), nullable=False),
    Column("api_key_id", String(64), nullable=False),
    Column("action", String(128), nullable=False),
    Column("recording_id", String(36), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("peer", String(256), nullable=False),
    Index("ix_audit_events_user_id", "user", "id"),
    Index("ix_audit_events_owner_id", "owner", "id"),
    Index("ix_audit_events_recording_id_id", "recording_id", "id"),
)

# The states of a transcript that was edited; one that never was has none here. The last is that of the artifact, unless
# the recogniser has made another since: see library/revisions.py.
transcript_revisions = Table(
    "transcript_revisions",
    metadata,
    Column("recording_id", ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False, index=True, info=BLOB),
    Column("size_bytes", BigInteger, nullable=False),
    # Empty: the recogniser made it.
    Column("author", String(256), nullable=False),
    # Null: the recogniser made it.
    Column("request_id", String(36)),
    Column("summary", Text, nullable=False),
    Column("reverted_to", Integer),
    # What the answer to a repeated request is made of.
    Column("changed_segments", JSON, nullable=False),
    Column("replaced_counts", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("recording_id", "request_id"),
)

vocabulary_terms = Table(
    "vocabulary_terms",
    metadata,
    Column("owner", String(256), primary_key=True),
    Column("text", String(128), primary_key=True),
    Column("sort_key", SortKey, nullable=False),
    # JSON list, the last one last.
    Column("heard_as", Text, nullable=False),
    Column("correction_count", Integer, nullable=False),
    # From corrections only.
    Column("learned", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "owner", "sort_key", "text"),
)

minutes_templates = Table(
    "minutes_templates",
    metadata,
    Column("owner", String(256), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("title", Text, nullable=False),
    Column("markdown", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

live_sessions = Table(
    "live_sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(256), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("state", String(16), nullable=False),
    Column("config", JSON, nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # When it took no more audio.
    Column("ended_at", UtcDateTime),
    # Empty: its client ended it.
    Column("end_reason", String(16), nullable=False),
    # Right once it has ended.
    Column("next_sequence", BigInteger, nullable=False),
    Column("audio_seconds", Float, nullable=False),
    # Empty: none, or not yet.
    Column("recording_id", String(36), nullable=False),
    Column("workflow_id", String(36), nullable=False),
    UniqueConstraint("owner", "request_id"),
    Index(None, "state", "ended_at"),
)

live_bookmarks = Table(
    "live_bookmarks",
    metadata,
    Column("session_id", ForeignKey("live_sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("request_id", String(36), primary_key=True),
    Column("position", Float, nullable=False),
    Column("label", Text, nullable=False),
)

# Uploads in chunks, until they expire: those that are complete answer to clients that ask again.
uploads = Table(
    "uploads",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(256), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # What the client said of the file.
    Column("config", JSON, nullable=False),
    # What has come: see library/ranges.py.
    Column("received", LargeBinary, nullable=False),
    # What it became. Empty: it is not complete. The recording may be gone: no foreign key.
    Column("recording_id", String(36), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("owner", "request_id"),
)

# Files of the watched folder that were dealt with: as they were then.
watched_files = Table(
    "watched_files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    # Empty: it was not read to its end.
    Column("sha256", String(64), nullable=False),
    # Empty: it was taken in, or was there already.
    Column("error_reason", String(64), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

# Models that were chosen for the whole installation. No row: the service of the task decides.
model_choices = Table(
    "model_choices",
    metadata,
    Column("task", String(16), primary_key=True),
    Column("model", String(128), nullable=False),
    Column("chosen_at", UtcDateTime, nullable=False),
)

# How loud recordings are over their length, one byte a stretch.
waveforms = Table(
    "waveforms",
    metadata,
    Column("recording_id", ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True),
    Column("peaks", LargeBinary, nullable=False),
    Column("duration_seconds", Float, nullable=False),
)
