"""Families found by keyed terms, an audit log that cannot be edited, a second factor."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEPT_YEARS = 3
FROZEN = "at, actor_type, actor_id, action, subject_type, subject_id, before, after"
"""All of a row but its encrypted reason, which a new DATA_KEY has to write anew."""

SQLITE_TRIGGERS = (
    f"""
    CREATE TRIGGER audit_log_is_never_changed BEFORE UPDATE OF {FROZEN} ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END
    """,
    f"""
    CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log
    WHEN OLD.at > datetime('now', '-{KEPT_YEARS} years')
    BEGIN SELECT RAISE(ABORT, 'the audit log is kept'); END
    """,
)
POSTGRESQL_TRIGGERS = (
    """
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit log is never changed'; END $$
    """,
    f"""
    CREATE TRIGGER audit_log_is_never_changed BEFORE UPDATE OF {FROZEN} ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()
    """,
    f"""
    CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log
    FOR EACH ROW WHEN (OLD.at > now() - interval '{KEPT_YEARS} years')
    EXECUTE FUNCTION refuse_audit_change()
    """,
)


def upgrade() -> None:
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contact_name", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("phone", sa.Text(), nullable=True))
    op.create_table(
        "family_terms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Integer(), nullable=True),
        sa.Column("term", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"],
            ["children.id"],
            name=op.f("fk_family_terms_child_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["family_id"],
            ["families.id"],
            name=op.f("fk_family_terms_family_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_terms")),
    )
    with op.batch_alter_table("family_terms", schema=None) as batch_op:
        batch_op.create_index("ix_family_terms_term", ["term", "family_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_family_terms_child_id"), ["child_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_family_terms_family_id"), ["family_id"], unique=False)
    op.create_table(
        "audited_families",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["audit_log.id"],
            name=op.f("fk_audited_families_entry_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry_id", "family_id", name=op.f("pk_audited_families")),
    )
    with op.batch_alter_table("audited_families", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_audited_families_family_id"), ["family_id"], unique=False
        )
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.add_column(sa.Column("totp_secret", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("totp_last_step", sa.Integer(), nullable=True))
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_recovery_codes_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint(
            "staff_id", "code_hash", name=op.f("uq_recovery_codes_staff_id_code_hash")
        ),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for trigger in SQLITE_TRIGGERS if is_sqlite else POSTGRESQL_TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name in ("audit_log_is_never_changed", "audit_log_is_kept"):
        op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP TRIGGER {name} ON audit_log")
    if not is_sqlite:
        op.execute("DROP FUNCTION refuse_audit_change()")
    op.drop_table("recovery_codes")
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_column("totp_last_step")
        batch_op.drop_column("totp_confirmed_at")
        batch_op.drop_column("totp_secret")
    op.drop_table("audited_families")
    op.drop_table("family_terms")
    with op.batch_alter_table("families", schema=None) as batch_op:
        batch_op.drop_column("phone")
        batch_op.drop_column("contact_name")
