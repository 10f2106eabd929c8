"""Why something failed or waits, in values as well as in words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

METADATA = {
    "workflows": ("error_metadata",),
    "workflow_stages": ("waiting_metadata",),
    "workflow_events": ("error_metadata", "waiting_metadata"),
}


def upgrade() -> None:
    for table, columns in METADATA.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.add_column(sa.Column(column, sa.JSON()))
    with op.batch_alter_table("webhooks") as batch:
        batch.add_column(sa.Column("last_reason", sa.String(length=64), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("webhooks") as batch:
        batch.drop_column("last_reason")
    for table, columns in METADATA.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
