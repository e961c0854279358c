"""Erased families, people known by two apps, answers that are given again."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_api_answers_caregiver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_answers")),
    )
    with op.batch_alter_table("api_answers", schema=None) as batch_op:
        batch_op.create_index("ix_api_answers_created_at", ["created_at"], unique=False)
        batch_op.create_index(
            "uq_api_answers_caregiver_id_key", ["caregiver_id", "key"], unique=True
        )
    with op.batch_alter_table("caregivers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unionid", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("mini_openid", sa.String(length=64), nullable=True))
        batch_op.create_unique_constraint(op.f("uq_caregivers_unionid"), ["unionid"])
        batch_op.create_unique_constraint(op.f("uq_caregivers_mini_openid"), ["mini_openid"])
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("children", schema=None) as batch_op:
        batch_op.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("children", schema=None) as batch_op:
        batch_op.drop_column("erased_at")
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.drop_column("erased_at")
    with op.batch_alter_table("caregivers", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_caregivers_mini_openid"), type_="unique")
        batch_op.drop_constraint(op.f("uq_caregivers_unionid"), type_="unique")
        batch_op.drop_column("mini_openid")
        batch_op.drop_column("unionid")
    with op.batch_alter_table("api_answers", schema=None) as batch_op:
        batch_op.drop_index("uq_api_answers_caregiver_id_key")
        batch_op.drop_index("ix_api_answers_created_at")
    op.drop_table("api_answers")
