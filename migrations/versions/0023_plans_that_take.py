"""Year plans that sign up for what opens without asking first, where the family wants that."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("year_plans", sa.Column("takes_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("year_plans", "takes_since")
