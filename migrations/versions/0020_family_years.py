"""A row a family and year for the coverage report, and triggers that say which are out of date."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# What counts in a row of each table, and what of it the report looks at. Whoever changes anything
# else of a row, or a row that does not count, changes no number.
WATCHED = {
    "sign_ups": (
        "{0}.state IN ('attended', 'requested', 'confirmed')",
        ("state", "session_id", "family_id"),
        ("{0}.state = 'attended'", "{0}.state IN ('attended', 'requested', 'confirmed')",
         "{0}.session_id", "{0}.family_id"),
    ),
    "children": (
        "{0}.birth_date IS NOT NULL",
        ("birth_date", "family_id"),
        ("{0}.birth_date", "{0}.family_id"),
    ),
    "pack_pushes": (
        "{0}.state = 'sent'",
        ("state", "sent_at", "opened_at", "family_id"),
        ("{0}.state", "{0}.sent_at", "{0}.opened_at IS NULL", "{0}.family_id"),
    ),
    "visit_dues": (
        "{0}.closed_as = 'visited'",
        ("closed_as", "visit_id", "purpose", "child_id", "family_id"),
        ("{0}.closed_as", "{0}.visit_id", "{0}.purpose", "{0}.child_id", "{0}.family_id"),
    ),
    "home_visits": (
        "{0}.state = 'completed'",
        ("state", "kind", "family_id"),
        ("{0}.state", "{0}.kind", "{0}.family_id"),
    ),
}  # fmt: skip
MOVED = "guidance_sessions_move_families"
INSERT = "INSERT INTO changed_families (family_id)"
INSERT_MOVED = (
    "INSERT INTO changed_families (family_id)"
    " SELECT family_id FROM sign_ups WHERE session_id = NEW.id;"
)
FUNCTIONS = (
    f"""
    CREATE FUNCTION note_changed_family() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'DELETE' THEN {INSERT} VALUES (NEW.family_id); END IF;
        IF TG_OP <> 'INSERT' THEN
            IF TG_OP = 'DELETE' OR OLD.family_id <> NEW.family_id THEN
                {INSERT} VALUES (OLD.family_id);
            END IF;
        END IF;
        RETURN NULL;
    END $$
    """,
    f"""
    CREATE FUNCTION note_families_of_moved_session() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        {INSERT_MOVED}
        RETURN NULL;
    END $$
    """,
)


def _names(table: str) -> list[str]:
    return [f"{table}_change_families_{how}" for how in ("new", "old", "other")]


def _triggers(is_sqlite: bool) -> list[str]:
    made = []
    for table, (counts, columns, looked_at) in WATCHED.items():
        new, old = counts.format("NEW"), counts.format("OLD")
        differs = "IS NOT" if is_sqlite else "IS DISTINCT FROM"
        before = ", ".join(each.format("OLD") for each in looked_at)
        after = ", ".join(each.format("NEW") for each in looked_at)
        changed = f"(({old}) OR ({new})) AND ({before}) {differs} ({after})"
        inserted, deleted, updated = _names(table)
        added, gone = (f"{INSERT} VALUES ({row}.family_id);" for row in ("NEW", "OLD"))
        for name, event, when, body in (
            (inserted, "INSERT", new, added),
            (deleted, "DELETE", old, gone),
            (
                updated,
                f"UPDATE OF {', '.join(columns)}",
                changed,
                f"{added} {INSERT} SELECT OLD.family_id WHERE OLD.family_id <> NEW.family_id;",
            ),
        ):
            does = f"BEGIN {body} END" if is_sqlite else "EXECUTE FUNCTION note_changed_family()"
            made.append(
                f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW WHEN ({when}) {does}"
            )
    does = (
        f"BEGIN {INSERT_MOVED} END"
        if is_sqlite
        else "EXECUTE FUNCTION note_families_of_moved_session()"
    )
    made.append(
        f"CREATE TRIGGER {MOVED} AFTER UPDATE OF starts_at ON guidance_sessions"
        f" FOR EACH ROW WHEN (OLD.starts_at <> NEW.starts_at) {does}"
    )
    return made


def upgrade() -> None:
    op.create_table(
        "family_years",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("family_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attended", sa.Integer(), nullable=False),
        sa.Column("secured", sa.Integer(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("youngest", sa.Date(), nullable=False),
        sa.Column("newborns", sa.Integer(), nullable=False),
        sa.Column("newborns_visited", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", "family_id", name=op.f("pk_family_years")),
    )
    op.create_index("ix_family_years_family_id", "family_years", ["family_id"])
    op.create_table(
        "counted_years",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_counted_years")),
    )
    op.create_table("changed_families", sa.Column("family_id", sa.Integer(), nullable=False))
    op.create_index("ix_changed_families_family_id", "changed_families", ["family_id"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        op.create_index("ix_pack_pushes_due_at", "pack_pushes", ["due_at"], postgresql_using="brin")
    for function in () if is_sqlite else FUNCTIONS:
        op.execute(function)
    for trigger in _triggers(is_sqlite):
        op.execute(trigger)


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    names = [(name, table) for table in WATCHED for name in _names(table)]
    for name, table in (*names, (MOVED, "guidance_sessions")):
        op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP TRIGGER {name} ON {table}")
    if not is_sqlite:
        op.drop_index("ix_pack_pushes_due_at", "pack_pushes")
        op.execute("DROP FUNCTION note_changed_family()")
        op.execute("DROP FUNCTION note_families_of_moved_session()")
    op.drop_table("changed_families")
    op.drop_table("counted_years")
    op.drop_table("family_years")
