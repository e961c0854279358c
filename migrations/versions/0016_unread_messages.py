"""Messages that were not understood, without who wrote them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UNLABELLED = sa.text("label IS NULL")


def upgrade() -> None:
    op.create_table(
        "unread_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("guesses", sa.String(length=100), nullable=False),
        sa.Column("chosen", sa.String(length=24), nullable=True),
        sa.Column("label", sa.String(length=24), nullable=True),
        sa.Column("labelled_by", sa.Integer(), nullable=True),
        sa.Column("labelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Integer(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["labelled_by"], ["staff.id"], name=op.f("fk_unread_messages_labelled_by")
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["staff.id"], name=op.f("fk_unread_messages_reviewed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unread_messages")),
    )
    with op.batch_alter_table("unread_messages", schema=None) as batch_op:
        batch_op.create_index("ix_unread_messages_met_at", ["met_at"], unique=False)
        batch_op.create_index(
            "ix_unread_messages_unlabelled",
            ["met_at"],
            unique=False,
            sqlite_where=UNLABELLED,
            postgresql_where=UNLABELLED,
        )


def downgrade() -> None:
    op.drop_table("unread_messages")
