"""Revisions of transcripts, vocabularies, templates of minutes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "transcript_revisions",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=256), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("reverted_to", sa.Integer(), nullable=True),
        sa.Column("changed_segments", sa.JSON(), nullable=False),
        sa.Column("replaced_counts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            name=op.f("fk_transcript_revisions_recording_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recording_id", "revision", name=op.f("pk_transcript_revisions")),
        sa.UniqueConstraint("recording_id", "request_id", name=op.f("uq_transcript_revisions_recording_id")),
    )
    op.create_index(op.f("ix_transcript_revisions_sha256"), "transcript_revisions", ["sha256"])
    op.create_table(
        "vocabulary_terms",
        sa.Column("owner", sa.String(length=256), nullable=False),
        sa.Column("text", sa.String(length=128), nullable=False),
        sa.Column("sort_key", TEXT_KEY, nullable=False),
        sa.Column("heard_as", sa.Text(), nullable=False),
        sa.Column("correction_count", sa.Integer(), nullable=False),
        sa.Column("learned", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "text", name=op.f("pk_vocabulary_terms")),
    )
    op.create_index(op.f("ix_vocabulary_terms_owner"), "vocabulary_terms", ["owner", "sort_key", "text"])
    op.create_table(
        "minutes_templates",
        sa.Column("owner", sa.String(length=256), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "name", name=op.f("pk_minutes_templates")),
    )


def downgrade() -> None:
    op.drop_table("minutes_templates")
    op.drop_table("vocabulary_terms")
    op.drop_table("transcript_revisions")
