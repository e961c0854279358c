"""An index in the order of the console's list of families."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_families_created_at", "families", ["created_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_families_created_at", "families")
