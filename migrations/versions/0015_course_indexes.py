"""Indexes that hold what the course's lists ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_learners_moved_at", "learners", ["moved_at", "id"])
    op.drop_index("ix_quiz_attempts_first", "quiz_attempts")
    op.create_index(
        "ix_quiz_attempts_first",
        "quiz_attempts",
        ["lesson", "quiz", "answers", "is_first"],
        sqlite_where=sa.text("is_first = 1"),
        postgresql_where=sa.text("is_first"),
    )


def downgrade() -> None:
    op.drop_index("ix_quiz_attempts_first", "quiz_attempts")
    op.create_index(
        "ix_quiz_attempts_first",
        "quiz_attempts",
        ["lesson", "quiz"],
        sqlite_where=sa.text("is_first"),
        postgresql_where=sa.text("is_first"),
    )
    op.drop_index("ix_learners_moved_at", "learners")
