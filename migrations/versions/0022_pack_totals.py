"""The ledger of packs added up by day and by family, and triggers that note what changes of it."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NAMED_BEFORE = [f"pack_pushes_change_families_{row}" for row in ("new", "old", "other")]
DAY = ("pack_id", "day", "version", "state", "reason", "is_opened", "rating", "pushes")
FAMILY = ("year", "family_id", "delivered", "opened")
# A push that fell due, as it stands; and a push that was sent, for its family and year. {n} is 1
# where it comes, -1 where it goes. Days and years are Shanghai's, eight
# hours ahead; SQLite would round the last microseconds of a day up into the next.
POSTGRESQL = (
    "{0}.pack_id, CAST({0}.due_at AT TIME ZONE 'Asia/Shanghai' AS date), {0}.version, {0}.state,"
    " coalesce({0}.reason, ''), {0}.opened_at IS NOT NULL, coalesce({0}.rating, 0), {n}",
    "CAST(extract(year FROM {0}.sent_at AT TIME ZONE 'Asia/Shanghai') AS integer), {0}.family_id,"
    " {n}, CASE WHEN {0}.opened_at IS NULL THEN 0 ELSE {n} END",
)
SQLITE = (
    "{0}.pack_id, date(substr({0}.due_at, 1, 19), '+8 hours'), {0}.version, {0}.state,"
    " coalesce({0}.reason, ''), {0}.opened_at IS NOT NULL, coalesce({0}.rating, 0), {n}",
    "CAST(strftime('%Y', substr({0}.sent_at, 1, 19), '+8 hours') AS INTEGER), {0}.family_id,"
    " {n}, CASE WHEN {0}.opened_at IS NULL THEN 0 ELSE {n} END",
)
IS_SENT = "{0}.state = 'sent' AND {0}.sent_at IS NOT NULL"
LOOKED_AT = (
    *("pack_id", "due_at", "version", "state", "reason", "opened_at", "rating", "sent_at"),
    "family_id",
)
ADDED_UP = {
    "pack_days": (DAY, "1, 2, 3, 4, 5, 6, 7", "sum(pushes)"),
    "family_packs": (FAMILY, "1, 2", "sum(delivered), sum(opened)"),
}


def _noted(rows: str, n: str, words: tuple[str, str]) -> tuple[str, str]:
    """What rows of the ledger come to: by day, and by family."""
    day, family = (each.format("p", n=n) for each in words)
    return (
        " ".join(("SELECT", day, "FROM", rows, "p")),
        " ".join(("SELECT", family, "FROM", rows, "p WHERE", IS_SENT.format("p"))),
    )


def _insert(table: str, rows: str) -> str:
    """Rows added up, but for those that come to nothing."""
    columns, keys, sums = ADDED_UP[table]
    names = ", ".join(columns)
    key_names = ", ".join(columns[: len(keys.split(","))])
    some = " OR ".join(f"{each} <> 0" for each in sums.split(", "))
    into = f"INSERT INTO {{0}}{table} ({names}) WITH noted ({names}) AS ({rows}) SELECT"
    return f"{into} {key_names}, {sums} FROM noted GROUP BY {keys} HAVING {some}"


def _postgresql_function() -> str:
    bodies = []
    for event, parts in (
        ("INSERT", (("new_rows", "1"),)),
        ("DELETE", (("old_rows", "-1"),)),
        ("UPDATE", (("old_rows", "-1"), ("new_rows", "1"))),
    ):
        noted = [_noted(rows, n, POSTGRESQL) for rows, n in parts]
        does = "; ".join(
            _insert(table, " UNION ALL ".join(each[at] for each in noted)).format("changed_")
            for at, table in enumerate(ADDED_UP)
        )
        bodies.append(f"IF TG_OP = '{event}' THEN {does}; END IF;")
    return (
        "CREATE FUNCTION note_changed_packs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        + " ".join(bodies)
        + " RETURN NULL; END $$"
    )


def _postgresql_triggers() -> list[str]:
    # Once a statement: planning a day writes thousands of rows that come to a few dozen sums.
    return [
        f"CREATE TRIGGER pack_pushes_change_totals_{name} AFTER {event} ON pack_pushes"
        f" REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION note_changed_packs()"
        for name, event, tables in (
            ("new", "INSERT", "NEW TABLE AS new_rows"),
            ("old", "DELETE", "OLD TABLE AS old_rows"),
            ("other", "UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        )
    ]


def _sqlite_triggers() -> list[str]:
    def notes(row: str, n: str) -> str:
        day, family = (each.format(row, n=n) for each in SQLITE)
        return (
            f"INSERT INTO changed_pack_days ({', '.join(DAY)}) SELECT {day};"
            f" INSERT INTO changed_family_packs ({', '.join(FAMILY)})"
            f" SELECT {family} WHERE {IS_SENT.format(row)};"
        )

    before, after = (", ".join(f"{row}.{each}" for each in LOOKED_AT) for row in ("OLD", "NEW"))
    come, gone = notes("NEW", "1"), notes("OLD", "-1")
    return [
        f"CREATE TRIGGER pack_pushes_change_totals_{name} AFTER {event} ON pack_pushes"
        f" FOR EACH ROW {when} BEGIN {does} END"
        for name, event, when, does in (
            ("new", "INSERT", "", come),
            ("old", "DELETE", "", gone),
            (
                "other",
                f"UPDATE OF {', '.join(LOOKED_AT)}",
                f"WHEN ({before}) IS NOT ({after})",
                f"{gone} {come}",
            ),
        )
    ]


def _totals(prefix: str, *keys: sa.Constraint) -> None:
    op.create_table(
        f"{prefix}pack_days",
        sa.Column("pack_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=False),
        sa.Column("is_opened", sa.Boolean(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("pushes", sa.Integer(), nullable=False),
        *keys[:1],
    )
    op.create_table(
        f"{prefix}family_packs",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        *keys[1:],
    )


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name in NAMED_BEFORE:
        op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP TRIGGER {name} ON pack_pushes")
    op.drop_column("family_years", "delivered")
    op.drop_column("family_years", "opened")
    _totals(
        "",
        sa.PrimaryKeyConstraint(*DAY[:-1], name=op.f("pk_pack_days")),
        sa.PrimaryKeyConstraint(*FAMILY[:2], name=op.f("pk_family_packs")),
    )
    op.create_index("ix_pack_days_day", "pack_days", ["day"])
    op.create_index("ix_family_packs_family_id", "family_packs", ["family_id"])
    _totals("changed_")
    # The triggers first: on PostgreSQL nobody writes a push any more until all of this is done.
    if not is_sqlite:
        op.execute(_postgresql_function())
    for trigger in _sqlite_triggers() if is_sqlite else _postgresql_triggers():
        op.execute(trigger)
    noted = _noted("pack_pushes", "1", SQLITE if is_sqlite else POSTGRESQL)
    for table, rows in zip(ADDED_UP, noted, strict=True):
        op.execute(_insert(table, rows).format(""))


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    on = "" if is_sqlite else " ON pack_pushes"
    for name in ("new", "old", "other"):
        op.execute(f"DROP TRIGGER pack_pushes_change_totals_{name}{on}")
    if not is_sqlite:
        op.execute("DROP FUNCTION note_changed_packs()")
    for table in (*ADDED_UP, *(f"changed_{table}" for table in ADDED_UP)):
        op.drop_table(table)
    # The years are counted anew, with the two numbers, by the next run of the job.
    op.execute("DELETE FROM counted_years")
    op.execute("DELETE FROM family_years")
    for name in ("delivered", "opened"):
        op.add_column(
            "family_years", sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        )
    for trigger in _triggers_before(is_sqlite):
        op.execute(trigger)


def _triggers_before(is_sqlite: bool) -> list[str]:
    """As revision 0020 made them: a pack sent or opened names its family."""
    names = "INSERT INTO changed_families (family_id)"
    new, old = "NEW.state = 'sent'", "OLD.state = 'sent'"
    differs = "IS NOT" if is_sqlite else "IS DISTINCT FROM"
    before, after = (
        f"({row}.state, {row}.sent_at, {row}.opened_at IS NULL, {row}.family_id)"
        for row in ("OLD", "NEW")
    )
    added, gone = (f"{names} VALUES ({row}.family_id);" for row in ("NEW", "OLD"))
    made = []
    for name, event, when, body in (
        (NAMED_BEFORE[0], "INSERT", new, added),
        (NAMED_BEFORE[1], "DELETE", old, gone),
        (
            NAMED_BEFORE[2],
            "UPDATE OF state, sent_at, opened_at, family_id",
            f"(({old}) OR ({new})) AND {before} {differs} {after}",
            f"{added} {names} SELECT OLD.family_id WHERE OLD.family_id <> NEW.family_id;",
        ),
    ):
        does = f"BEGIN {body} END" if is_sqlite else "EXECUTE FUNCTION note_changed_family()"
        made.append(
            f"CREATE TRIGGER {name} AFTER {event} ON pack_pushes FOR EACH ROW WHEN ({when}) {does}"
        )
    return made
