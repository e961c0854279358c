"""Indexes for what the console's pages count and list in a large district."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SENT = sa.text("state = 'sent'")
DECIDED = sa.text("decided_by IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_pack_pushes_sent",
        "pack_pushes",
        ["family_id", "sent_at", "opened_at"],
        sqlite_where=SENT,
        postgresql_where=SENT,
    )
    op.create_index(
        "ix_sign_ups_decided",
        "sign_ups",
        ["decided_at"],
        sqlite_where=DECIDED,
        postgresql_where=DECIDED,
    )


def downgrade() -> None:
    op.drop_index("ix_sign_ups_decided", table_name="sign_ups")
    op.drop_index("ix_pack_pushes_sent", table_name="pack_pushes")
