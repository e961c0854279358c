"""Home visits: visitors, their leave, visits, what is owed, records and referrals."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OPEN = "kind = 'guidance' AND state IN ('requested','confirmed','en_route')"
HELD = "visitor_id IS NOT NULL AND state IN ('requested','confirmed','en_route','completed')"
WHOLE = (
    "(visitor_id IS NULL) = (starts_at IS NULL)"
    " AND (starts_at IS NULL) = (ends_at IS NULL)"
    " AND (starts_at IS NULL) = (busy_until IS NULL)"
)


def upgrade() -> None:
    op.create_table(
        "visitors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Integer(), nullable=False),
        sa.Column("weekdays", sa.String(length=13), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("visit_minutes", sa.Integer(), nullable=False),
        sa.Column("buffer_minutes", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.Column("photo_type", sa.String(length=20), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("buffer_minutes >= 0", name=op.f("ck_visitors_buffer_not_negative")),
        sa.CheckConstraint("visit_minutes > 0", name=op.f("ck_visitors_visit_takes_time")),
        sa.ForeignKeyConstraint(
            ["station_id"], ["stations.id"], name=op.f("fk_visitors_station_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitors")),
        sa.UniqueConstraint("code", name=op.f("uq_visitors_code")),
    )
    with op.batch_alter_table("visitors", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visitors_station_id"), ["station_id"], unique=False)

    op.create_table(
        "home_contacts",
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.id"], name=op.f("fk_home_contacts_family_id")
        ),
        sa.PrimaryKeyConstraint("family_id", name=op.f("pk_home_contacts")),
    )
    op.create_table(
        "visitor_leaves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visitor_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_visitor_leaves_ends_after_start")),
        sa.ForeignKeyConstraint(["set_by"], ["staff.id"], name=op.f("fk_visitor_leaves_set_by")),
        sa.ForeignKeyConstraint(
            ["visitor_id"], ["visitors.id"], name=op.f("fk_visitor_leaves_visitor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor_leaves")),
    )
    with op.batch_alter_table("visitor_leaves", schema=None) as batch_op:
        batch_op.create_index(
            "ix_visitor_leaves_visitor_id", ["visitor_id", "starts_at"], unique=False
        )

    op.create_table(
        "visitor_townships",
        sa.Column("visitor_id", sa.Integer(), nullable=False),
        sa.Column("township_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["township_id"], ["townships.id"], name=op.f("fk_visitor_townships_township_id")
        ),
        sa.ForeignKeyConstraint(
            ["visitor_id"], ["visitors.id"], name=op.f("fk_visitor_townships_visitor_id")
        ),
        sa.PrimaryKeyConstraint("visitor_id", "township_id", name=op.f("pk_visitor_townships")),
    )
    with op.batch_alter_table("visitor_townships", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_visitor_townships_township_id"), ["township_id"], unique=False
        )

    op.create_table(
        "home_visits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("visitor_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wished_on", sa.Date(), nullable=True),
        sa.Column("wished_half", sa.String(length=10), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("code_word", sa.Integer(), nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("en_route_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rating_words", sa.Text(), nullable=True),
        sa.CheckConstraint(
            WHOLE,
            name=op.f("ck_home_visits_slot_is_whole"),
        ),
        sa.CheckConstraint(
            "ends_at IS NULL OR (ends_at > starts_at AND busy_until >= ends_at)",
            name=op.f("ck_home_visits_slot_in_order"),
        ),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_home_visits_caregiver_id")
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["children.id"], name=op.f("fk_home_visits_child_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["staff.id"], name=op.f("fk_home_visits_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.id"], name=op.f("fk_home_visits_family_id")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["staff.id"], name=op.f("fk_home_visits_requested_by")
        ),
        sa.ForeignKeyConstraint(
            ["visitor_id"], ["visitors.id"], name=op.f("fk_home_visits_visitor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_home_visits")),
    )
    with op.batch_alter_table("home_visits", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_home_visits_caregiver_id"), ["caregiver_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_home_visits_child_id"), ["child_id"], unique=False)
        batch_op.create_index("ix_home_visits_family_id", ["family_id"], unique=False)
        batch_op.create_index(
            "ix_home_visits_requested",
            ["requested_at"],
            unique=False,
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        )
        batch_op.create_index("ix_home_visits_starts_at", ["starts_at"], unique=False)
        batch_op.create_index(
            "uq_home_visits_open",
            ["family_id"],
            unique=True,
            sqlite_where=sa.text(OPEN),
            postgresql_where=sa.text(OPEN),
        )
        batch_op.create_index(
            "uq_home_visits_slot",
            ["visitor_id", "starts_at"],
            unique=True,
            sqlite_where=sa.text(HELD),
            postgresql_where=sa.text(HELD),
        )

    op.create_table(
        "newborn_care",
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("discharged_on", sa.Date(), nullable=True),
        sa.Column("weight_grams", sa.Integer(), nullable=True),
        sa.Column("is_multiple", sa.Boolean(), nullable=False),
        sa.Column("factors", sa.Text(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["children.id"], name=op.f("fk_newborn_care_child_id")
        ),
        sa.PrimaryKeyConstraint("child_id", name=op.f("pk_newborn_care")),
    )
    op.create_table(
        "special_needs",
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("noted_by", sa.Integer(), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["children.id"], name=op.f("fk_special_needs_child_id")
        ),
        sa.ForeignKeyConstraint(["noted_by"], ["staff.id"], name=op.f("fk_special_needs_noted_by")),
        sa.PrimaryKeyConstraint("child_id", name=op.f("pk_special_needs")),
    )
    op.create_table(
        "referrals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("urgency", sa.String(length=6), nullable=False),
        sa.Column("signs", sa.Text(), nullable=False),
        sa.Column("referred_to", sa.Text(), nullable=False),
        sa.Column("check_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["child_id"], ["children.id"], name=op.f("fk_referrals_child_id")),
        sa.ForeignKeyConstraint(["done_by"], ["staff.id"], name=op.f("fk_referrals_done_by")),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["home_visits.id"], name=op.f("fk_referrals_visit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
    )
    with op.batch_alter_table("referrals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_referrals_child_id"), ["child_id"], unique=False)
        batch_op.create_index(
            "ix_referrals_open",
            ["check_on"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )
        batch_op.create_index("uq_referrals", ["visit_id", "child_id"], unique=True)

    op.create_table(
        "visit_dues",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("is_high_risk", sa.Boolean(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("owed_until", sa.Date(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_as", sa.String(length=12), nullable=True),
        sa.Column("unreachable_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["children.id"], name=op.f("fk_visit_dues_child_id")),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.id"], name=op.f("fk_visit_dues_family_id")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["home_visits.id"], name=op.f("fk_visit_dues_visit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_dues")),
    )
    with op.batch_alter_table("visit_dues", schema=None) as batch_op:
        batch_op.create_index("ix_visit_dues_family_id", ["family_id"], unique=False)
        batch_op.create_index(
            "ix_visit_dues_open",
            ["due_on", "family_id"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index("ix_visit_dues_owed_until", ["owed_until"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_dues_visit_id"), ["visit_id"], unique=False)
        batch_op.create_index("uq_visit_dues", ["child_id", "purpose", "number"], unique=True)

    op.create_table(
        "visit_proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("visitor_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("proposed_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["staff.id"], name=op.f("fk_visit_proposals_proposed_by")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["home_visits.id"], name=op.f("fk_visit_proposals_visit_id")
        ),
        sa.ForeignKeyConstraint(
            ["visitor_id"], ["visitors.id"], name=op.f("fk_visit_proposals_visitor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_proposals")),
    )
    with op.batch_alter_table("visit_proposals", schema=None) as batch_op:
        batch_op.create_index("ix_visit_proposals_visit_id", ["visit_id"], unique=False)
        batch_op.create_index(
            "uq_visit_proposals_open",
            ["visit_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.create_index(
            "uq_visit_proposals_slot",
            ["visitor_id", "starts_at"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "visit_reports",
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["home_visits.id"], name=op.f("fk_visit_reports_visit_id")
        ),
        sa.ForeignKeyConstraint(
            ["written_by"], ["staff.id"], name=op.f("fk_visit_reports_written_by")
        ),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_visit_reports")),
        sa.UniqueConstraint("key", name=op.f("uq_visit_reports_key")),
    )


def downgrade() -> None:
    op.drop_table("visit_reports")
    op.drop_table("visit_proposals")
    op.drop_table("visit_dues")
    op.drop_table("referrals")
    op.drop_table("special_needs")
    op.drop_table("newborn_care")
    op.drop_table("home_visits")
    op.drop_table("visitor_townships")
    op.drop_table("visitor_leaves")
    op.drop_table("home_contacts")
    op.drop_table("visitors")
