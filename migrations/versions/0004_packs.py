"""Packs by age: catalogue, windows, the ledger of pushes, choices and subscription consents."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
MOVED = "birth_date <> packs_born OR COALESCE(gestation_weeks, 40) <> packs_weeks"


def upgrade() -> None:
    op.create_table(
        "pack_catalogue",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column("from_days", sa.Integer(), nullable=False),
        sa.Column("until_days", sa.Integer(), nullable=False),
        sa.Column("is_corrected", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("blocked_by", sa.String(length=24), nullable=True),
        sa.Column("planned_until", sa.Date(), nullable=True),
        sa.Column("synced_at", INSTANT, nullable=False),
        sa.Column("switched_off_at", INSTANT, nullable=True),
        sa.Column("switched_off_by", sa.Integer(), nullable=True),
        sa.Column("switched_off_why", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(
            ["switched_off_by"], ["staff.id"], name=op.f("fk_pack_catalogue_switched_off_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_catalogue")),
    )
    op.create_table(
        "pack_windows",
        sa.Column("pack_id", sa.String(length=32), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("closes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pack_id"], ["pack_catalogue.id"], name=op.f("fk_pack_windows_pack_id")
        ),
        sa.PrimaryKeyConstraint("pack_id", "weeks", name=op.f("pk_pack_windows")),
    )
    op.create_table(
        "pack_pushes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("pack_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("because", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=True),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("closes_at", INSTANT, nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("replans", sa.Integer(), nullable=False),
        sa.Column("queued_at", INSTANT, nullable=True),
        sa.Column("lead_id", BIG, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("opened_at", INSTANT, nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rated_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["children.id"], name=op.f("fk_pack_pushes_child_id")
        ),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_pack_pushes_caregiver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_pushes")),
    )
    op.create_index(
        "uq_pack_pushes", "pack_pushes", ["child_id", "pack_id", "caregiver_id"], unique=True
    )
    for name, columns, where in (
        ("ix_pack_pushes_planned", ["family_id", "due_at"], "state = 'planned'"),
        (
            "ix_pack_pushes_family_id_queued_at",
            ["family_id", "queued_at"],
            "queued_at IS NOT NULL",
        ),
        ("ix_pack_pushes_lead_id", ["lead_id"], "lead_id IS NOT NULL"),
    ):
        op.create_index(
            name,
            "pack_pushes",
            columns,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_table(
        "push_preferences",
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("per_week", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_push_preferences_caregiver_id")
        ),
        sa.PrimaryKeyConstraint("caregiver_id", name=op.f("pk_push_preferences")),
    )
    op.create_table(
        "muted_topics",
        sa.Column("caregiver_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_muted_topics_caregiver_id")
        ),
        sa.PrimaryKeyConstraint("caregiver_id", "topic", name=op.f("pk_muted_topics")),
    )
    op.create_table(
        "subscription_consents",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("template_id", sa.String(length=64), nullable=False),
        sa.Column("sends_left", sa.Integer(), nullable=False),
        sa.Column("is_lasting", sa.Boolean(), nullable=False),
        sa.Column("refused_at", INSTANT, nullable=True),
        sa.Column("asked_at", INSTANT, nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("openid", "template_id", name=op.f("pk_subscription_consents")),
    )
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stopped_at", INSTANT, nullable=True))
    with op.batch_alter_table("caregivers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("packs_from", INSTANT, nullable=True))
    with op.batch_alter_table("children", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lost_at", INSTANT, nullable=True))
        batch_op.add_column(sa.Column("packs_from", INSTANT, nullable=True))
        batch_op.add_column(sa.Column("packs_born", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("packs_weeks", sa.Integer(), nullable=True))
    for name, table, where in (
        ("ix_caregivers_unplanned", "caregivers", "packs_from IS NULL AND family_id IS NOT NULL"),
        ("ix_children_unplanned", "children", "packs_from IS NULL AND birth_date IS NOT NULL"),
        ("ix_children_moved", "children", MOVED),
    ):
        op.create_index(
            name, table, ["id"], sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )


def downgrade() -> None:
    op.drop_index("ix_children_moved", table_name="children")
    op.drop_index("ix_children_unplanned", table_name="children")
    op.drop_index("ix_caregivers_unplanned", table_name="caregivers")
    with op.batch_alter_table("children", schema=None) as batch_op:
        for name in ("packs_weeks", "packs_born", "packs_from", "lost_at"):
            batch_op.drop_column(name)
    with op.batch_alter_table("caregivers", schema=None) as batch_op:
        batch_op.drop_column("packs_from")
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.drop_column("stopped_at")
    for table in (
        "subscription_consents",
        "muted_topics",
        "push_preferences",
        "pack_pushes",
        "pack_windows",
        "pack_catalogue",
    ):
        op.drop_table(table)
