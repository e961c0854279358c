"""What an operator did about a notice gone astray, whence a notice came, how jobs fail."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ASTRAY = sa.text("state IN ('failed', 'unknown') AND settled_at IS NULL")


def upgrade() -> None:
    op.add_column("notices", sa.Column("request_id", sa.String(length=16), nullable=True))
    op.add_column("notices", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_notices_astray",
        "notices",
        ["id"],
        sqlite_where=ASTRAY,
        postgresql_where=ASTRAY,
    )
    op.add_column(
        "job_runs", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("job_runs", sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job_runs", sa.Column("error", sa.String(length=80), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("job_runs") as job_runs:
        job_runs.drop_column("error")
        job_runs.drop_column("failed_at")
        job_runs.drop_column("failures")
    op.drop_index("ix_notices_astray", table_name="notices")
    with op.batch_alter_table("notices") as notices:
        notices.drop_column("settled_at")
        notices.drop_column("request_id")
