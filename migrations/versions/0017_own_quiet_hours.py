"""A night of a caregiver's own, in which what can wait does."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("push_preferences", sa.Column("quiet_from", sa.Integer(), nullable=True))
    op.add_column("push_preferences", sa.Column("quiet_until", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("push_preferences", "quiet_until")
    op.drop_column("push_preferences", "quiet_from")
