"""Schema of uploads, of the watched folder and of waveforms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("owner", sa.String(256), nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("received", sa.LargeBinary, nullable=False),
        sa.Column("recording_id", sa.String(36), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        sa.UniqueConstraint("owner", "request_id", name="uq_uploads_owner"),
    )
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])
    op.create_table(
        "watched_files",
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("modified_ns", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("error_reason", sa.String(64), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_watched_files"),
    )
    op.create_table(
        "waveforms",
        sa.Column("recording_id", sa.String(36), nullable=False),
        sa.Column("peaks", sa.LargeBinary, nullable=False),
        sa.Column("duration_seconds", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("recording_id", name="pk_waveforms"),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name="fk_waveforms_recording_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    for table in ("waveforms", "watched_files", "uploads"):
        op.drop_table(table)
