"""Labels, the bin, shares and the log of changes."""

from __future__ import annotations

import mimetypes

import sqlalchemy as sa
from alembic import op

# A version that changes these functions refreshes the columns that are made by them.
from recordroute_gateway.library.labels import search_text, title_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("recordings") as batch:
        for column in (
            sa.Column("made_title", sa.Text(), nullable=False, server_default=""),
            sa.Column("title_is_set", sa.Boolean(), nullable=False, server_default="0"),
            sa.Column("folder", sa.Text(), nullable=False, server_default=""),
            sa.Column("kind", sa.String(length=16), nullable=False, server_default="media"),
            sa.Column("media_type", sa.String(length=256), nullable=False, server_default=""),
            sa.Column("page_count", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("speakers", sa.JSON(), nullable=True),
            sa.Column("bookmarks", sa.JSON(), nullable=False, server_default="[]"),
            sa.Column("title_key", TEXT_KEY, nullable=False, server_default=""),
            sa.Column("search_text", sa.Text(), nullable=False, server_default=""),
            sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("purge_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        ):
            batch.add_column(column)
        batch.create_index(batch.f("ix_recordings_purge_at"), ["purge_at"])
    with op.batch_alter_table("artifacts") as batch:
        batch.add_column(sa.Column("stale", sa.Boolean(), nullable=False, server_default="0"))
    _label_old_recordings()

    op.create_table(
        "recording_tags",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("tag", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recordings.id"],
            name=op.f("fk_recording_tags_recording_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recording_id", "tag", name=op.f("pk_recording_tags")),
    )
    op.create_index(op.f("ix_recording_tags_tag"), "recording_tags", ["tag"])
    op.create_table(
        "shares",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("user", sa.String(length=256), nullable=False),
        sa.Column("access", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_shares_recording_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("recording_id", "user", name=op.f("pk_shares")),
    )
    op.create_index(op.f("ix_shares_user"), "shares", ["user"])
    op.create_table(
        "done_requests",
        sa.Column("user", sa.String(length=256), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user", "request_id", "recording_id", name=op.f("pk_done_requests")),
    )
    op.create_index(op.f("ix_done_requests_created_at"), "done_requests", ["created_at"])
    op.create_table(
        "index_tasks",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("owner", sa.String(length=256), nullable=False),
        sa.Column("token", sa.String(length=36), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_index_tasks")),
    )
    op.create_index(op.f("ix_index_tasks_not_before"), "index_tasks", ["not_before"])
    op.create_table(
        "answer_tasks",
        sa.Column("user", sa.String(length=256), nullable=False),
        sa.Column("token", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("user", name=op.f("pk_answer_tasks")),
    )
    op.create_table(
        "orphan_blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_orphan_blobs")),
    )
    op.create_table(
        "changes",
        sa.Column("user", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user", "kind", "id", name=op.f("pk_changes")),
    )
    op.create_index(op.f("ix_changes_sequence"), "changes", ["sequence"])
    op.create_index(op.f("ix_changes_time"), "changes", ["time"])
    op.create_index("ix_changes_user_sequence", "changes", ["user", "sequence"])
    clock = op.create_table(
        "change_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("trimmed_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_clock")),
    )
    op.bulk_insert(clock, [{"id": 1, "sequence": 0, "trimmed_sequence": 0}])


def _label_old_recordings() -> None:
    recordings = sa.table(
        "recordings",
        *(
            sa.column(name)
            for name in ("id", "title", "made_title", "file_name", "media_type", "title_key", "search_text")
        ),
    )
    connection = op.get_bind()
    query = sa.select(recordings.c.id, recordings.c.title, recordings.c.file_name)
    for row in connection.execute(query).all():
        connection.execute(
            recordings.update()
            .where(recordings.c.id == row.id)
            .values(
                made_title=row.title,
                media_type=mimetypes.guess_type(row.file_name)[0] or "",
                title_key=title_key(row.title),
                search_text=search_text(row.title, row.file_name, (), ()),
            )
        )


def downgrade() -> None:
    for table in (
        "change_clock",
        "changes",
        "orphan_blobs",
        "answer_tasks",
        "index_tasks",
        "done_requests",
        "shares",
        "recording_tags",
    ):
        op.drop_table(table)
    # Not in a batch, which makes the table anew on SQLite: to drop the old one deletes all that hangs on its rows.
    op.drop_column("artifacts", "stale")
    op.drop_index(op.f("ix_recordings_purge_at"), "recordings")
    for name in (
        "made_title",
        "title_is_set",
        "folder",
        "kind",
        "media_type",
        "page_count",
        "speakers",
        "bookmarks",
        "title_key",
        "search_text",
        "deleted_at",
        "purge_at",
        "version",
    ):
        op.drop_column("recordings", name)
