"""Batches, what stages wait for and what they took, webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WAITING = ("waiting_reason", sa.String(length=64)), ("waiting_message", sa.Text())


def upgrade() -> None:
    with op.batch_alter_table("workflows") as batch:
        batch.add_column(sa.Column("batch_id", sa.String(length=36), nullable=False, server_default=""))
        batch.create_index("ix_workflows_batch_id", ["batch_id"])
    with op.batch_alter_table("workflow_stages") as batch:
        batch.add_column(sa.Column("running_since", sa.DateTime(timezone=True)))
        for name, kind in WAITING:
            batch.add_column(sa.Column(name, kind))
    with op.batch_alter_table("workflow_events") as batch:
        for name, kind in WAITING:
            batch.add_column(sa.Column(name, kind))
    op.create_table(
        "stage_timings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=512), nullable=False),
        sa.Column("ratio", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_timings")),
    )
    op.create_index(op.f("ix_stage_timings_stage"), "stage_timings", ["stage", "kind"])
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner", sa.String(length=256), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True)),
        sa.Column("last_status", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("owner", "request_id", name=op.f("uq_webhooks_owner")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("webhook_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.id"],
            name=op.f("fk_webhook_deliveries_webhook_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    for column in ("webhook_id", "not_before"):
        op.create_index(op.f(f"ix_webhook_deliveries_{column}"), "webhook_deliveries", [column])


def downgrade() -> None:
    for table in ("webhook_deliveries", "webhooks", "stage_timings"):
        op.drop_table(table)
    with op.batch_alter_table("workflow_events") as batch:
        for name, _ in WAITING:
            batch.drop_column(name)
    with op.batch_alter_table("workflow_stages") as batch:
        for name in ("running_since", *(name for name, _ in WAITING)):
            batch.drop_column(name)
    with op.batch_alter_table("workflows") as batch:
        batch.drop_index("ix_workflows_batch_id")
        batch.drop_column("batch_id")
