"""Packs that a caregiver wants to find again."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_packs",
        sa.Column("caregiver_id", sa.Integer(), sa.ForeignKey("caregivers.id"), nullable=False),
        sa.Column("pack_id", sa.String(32), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caregiver_id", "pack_id"),
    )


def downgrade() -> None:
    op.drop_table("saved_packs")
