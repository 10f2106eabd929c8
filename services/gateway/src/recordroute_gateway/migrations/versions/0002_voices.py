"""Remembered voices, and the voices of recordings that they are remembered from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recording_voices",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("speaker", sa.String(length=256), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            name=op.f("fk_recording_voices_recording_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recording_id", "speaker", name=op.f("pk_recording_voices")),
    )
    op.create_table(
        "voices",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner", sa.String(length=256), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_voices_recording_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voices")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_voices_owner_name")),
        sa.UniqueConstraint("owner", "request_id", name=op.f("uq_voices_owner")),
    )
    with op.batch_alter_table("voices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voices_recording_id"), ["recording_id"], unique=False)


def downgrade() -> None:
    op.drop_table("voices")
    op.drop_table("recording_voices")
