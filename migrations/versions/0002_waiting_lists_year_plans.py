"""Waiting lists with offers, series of sessions, set calendar days, year plans."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "session_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("every_weeks", sa.Integer(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_series")),
        sa.UniqueConstraint("code", name=op.f("uq_session_series_code")),
    )
    op.create_table(
        "calendar_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=80), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["staff.id"], name=op.f("fk_calendar_days_set_by")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_days")),
    )
    op.create_table(
        "year_plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_year_plans_caregiver_id")
        ),
        sa.ForeignKeyConstraint(["child_id"], ["children.id"], name=op.f("fk_year_plans_child_id")),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.id"], name=op.f("fk_year_plans_family_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_plans")),
    )
    with op.batch_alter_table("year_plans", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_year_plans_child_id"), ["child_id"], unique=False)
        batch_op.create_index("uq_year_plans_family_id_year", ["family_id", "year"], unique=True)

    op.create_table(
        "plan_proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year_plan_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["guidance_sessions.id"], name=op.f("fk_plan_proposals_session_id")
        ),
        sa.ForeignKeyConstraint(
            ["year_plan_id"], ["year_plans.id"], name=op.f("fk_plan_proposals_year_plan_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_proposals")),
    )
    with op.batch_alter_table("plan_proposals", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_plan_proposals_session_id"), ["session_id"], unique=False
        )
        batch_op.create_index("uq_plan_proposals", ["year_plan_id", "session_id"], unique=True)

    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("no_shows_waived_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("nudged_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("guidance_sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("topic", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("series_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("township_first_until", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("offer_hours", sa.Integer(), nullable=False, server_default="6")
        )
        batch_op.add_column(sa.Column("cancelled_reason", sa.String(length=200), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_guidance_sessions_series_id"), ["series_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_guidance_sessions_series_id"), "session_series", ["series_id"], ["id"]
        )

    with op.batch_alter_table("sign_ups", schema=None) as batch_op:
        batch_op.add_column(sa.Column("waitlisted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("offer_expires_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("is_override", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("year_plan_id", sa.Integer(), nullable=True))
        batch_op.create_index(
            "ix_sign_ups_offered",
            ["offer_expires_at"],
            unique=False,
            sqlite_where=sa.text("state = 'offered'"),
            postgresql_where=sa.text("state = 'offered'"),
        )
        batch_op.create_index(
            batch_op.f("ix_sign_ups_year_plan_id"), ["year_plan_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_sign_ups_year_plan_id"), "year_plans", ["year_plan_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("sign_ups", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_sign_ups_year_plan_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_sign_ups_year_plan_id"))
        batch_op.drop_index(
            "ix_sign_ups_offered",
            sqlite_where=sa.text("state = 'offered'"),
            postgresql_where=sa.text("state = 'offered'"),
        )
        batch_op.drop_column("year_plan_id")
        batch_op.drop_column("is_override")
        batch_op.drop_column("offer_expires_at")
        batch_op.drop_column("offered_at")
        batch_op.drop_column("waitlisted_at")

    with op.batch_alter_table("guidance_sessions", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_guidance_sessions_series_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_guidance_sessions_series_id"))
        batch_op.drop_column("cancelled_reason")
        batch_op.drop_column("offer_hours")
        batch_op.drop_column("township_first_until")
        batch_op.drop_column("series_id")
        batch_op.drop_column("topic")

    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.drop_column("nudged_at")
        batch_op.drop_column("no_shows_waived_at")

    with op.batch_alter_table("plan_proposals", schema=None) as batch_op:
        batch_op.drop_index("uq_plan_proposals")
        batch_op.drop_index(batch_op.f("ix_plan_proposals_session_id"))

    op.drop_table("plan_proposals")
    with op.batch_alter_table("year_plans", schema=None) as batch_op:
        batch_op.drop_index("uq_year_plans_family_id_year")
        batch_op.drop_index(batch_op.f("ix_year_plans_child_id"))

    op.drop_table("year_plans")
    op.drop_table("calendar_days")
    op.drop_table("session_series")
