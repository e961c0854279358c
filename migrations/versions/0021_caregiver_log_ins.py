"""The devices on which caregivers are logged in, so that each can be ended by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "caregiver_log_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("device", sa.String(12), nullable=False),
        sa.Column("logged_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["caregiver_id"],
            ["caregivers.id"],
            name=op.f("fk_caregiver_log_ins_caregiver_id_caregivers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caregiver_log_ins")),
    )
    op.create_index("ix_caregiver_log_ins_caregiver_id", "caregiver_log_ins", ["caregiver_id"])
    op.create_index("ix_caregiver_log_ins_expires_at", "caregiver_log_ins", ["expires_at"])


def downgrade() -> None:
    op.drop_table("caregiver_log_ins")
