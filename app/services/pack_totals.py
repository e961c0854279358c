"""The ledger of packs added up, by day and by family and year, so that reports need not read it.

Nobody who plans, sends or opens a pack knows of it. Triggers of the database write by how much a
sum changes, in the transaction of the change; a report adds these changes to the sums, and a job
puts them into the sums every minute. So a report is exact at every moment.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    Subquery,
    Table,
    case,
    cast,
    delete,
    except_,
    extract,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

from app.models import (
    CHANGED_FAMILY_PACKS,
    CHANGED_PACK_DAYS,
    Family,
    FamilyPacks,
    PackDay,
    PackPush,
)

TRIGGERS = frozenset(f"pack_pushes_change_totals_{row}" for row in ("new", "old", "other"))
ZONE = "Asia/Shanghai"
AHEAD = "+8 hours"
"""Of UTC, in SQLite's words: Shanghai has kept one time since long before this service."""


def _table(model: type[DeclarativeBase]) -> Table:
    table = model.__table__
    assert isinstance(table, Table), "every model is a table"
    return table


@dataclass(frozen=True, slots=True)
class _Sums:
    """A table of sums, the one of their changes, and which of the columns are the sums."""

    kept: Table
    changed: Table
    sums: tuple[str, ...]

    @property
    def keys(self) -> list[str]:
        return [column.name for column in self.kept.columns if column.name not in self.sums]

    def as_of_now(self, *conditions: tuple[str, Any]) -> Subquery:
        """Sums and changes, one below the other; a condition is a column and its value."""
        parts = []
        for table in (self.kept, self.changed):
            columns = [table.c[name] for name in (*self.keys, *self.sums)]
            wanted = [table.c[name] == value for name, value in conditions]
            parts.append(select(*columns).where(*wanted))
        return union_all(*parts).subquery()


_DAYS = _Sums(_table(PackDay), CHANGED_PACK_DAYS, ("pushes",))
_FAMILIES = _Sums(_table(FamilyPacks), CHANGED_FAMILY_PACKS, ("delivered", "opened"))


@dataclass(frozen=True, slots=True)
class Standing:
    """How many pushes of a version of a pack stand in one way."""

    pack_id: str
    version: int
    state: str
    reason: str
    """"" where there is none."""
    is_opened: bool
    rating: int
    """1, -1, or 0 where nobody said."""
    pushes: int


def find_standings(db: Session, *, first: date, last: date, pack_id: str | None) -> list[Standing]:
    """The pushes that fell due from a day to another, both included; of all packs or of one."""
    parts = [
        select(*each.c).where(
            each.c.day >= first,
            each.c.day <= last,
            true() if pack_id is None else each.c.pack_id == pack_id,
        )
        for each in (_DAYS.kept, _DAYS.changed)
    ]
    found = union_all(*parts).subquery().c
    stands = [found[name] for name in Standing.__slots__ if name != "pushes"]
    pushes = func.sum(found.pushes)
    statement = select(*stands, pushes).group_by(*stands).having(pushes != 0)
    rows: Sequence[Sequence[Any]] = db.execute(statement).all()
    return [Standing(*row) for row in rows]


def has_changes(db: Session, year: int) -> bool:
    """Whether packs of the year were sent or opened that are not in the families' sums yet."""
    changed = select(CHANGED_FAMILY_PACKS.c.year).where(CHANGED_FAMILY_PACKS.c.year == year)
    return db.execute(changed.limit(1)).first() is not None


def reach(year: int, families: ColumnElement[bool] | None, *, has_changes: bool = True) -> Subquery:
    """By family that was sent anything in a year: 1 as `delivered`, and 1 or 0 as `opened`.

    `families` is a condition on Family: of others nothing is read. None for everybody. Without
    changes the sums are read as they are, which spares adding twenty thousand rows up.
    """
    if has_changes:
        rows = _FAMILIES.as_of_now(("year", year)).c
        delivered: ColumnElement[int] = func.sum(rows.delivered)
        opened: ColumnElement[int] = func.sum(rows.opened)
    else:
        rows = _FAMILIES.kept.c
        delivered, opened = rows.delivered, rows.opened
    statement = select(
        rows.family_id,
        case((delivered > 0, 1), else_=0).label("delivered"),
        case((opened > 0, 1), else_=0).label("opened"),
    )
    if families is not None:
        statement = statement.where(rows.family_id.in_(select(Family.id).where(families)))
    if has_changes:
        return statement.group_by(rows.family_id).subquery()
    return statement.where(rows.year == year).subquery()


def bring_up_to_date(db: Session) -> int:
    """Put the changes into the sums; how many there were."""
    return _settle(db, _DAYS) + _settle(db, _FAMILIES)


def _settle(db: Session, sums: _Sums) -> int:
    # Deleted first: what is written in between stays for the next time. Two at once each take rows
    # of their own.
    gone = db.execute(delete(sums.changed).returning(*sums.changed.c)).mappings().all()
    keys = sums.keys
    found: dict[tuple[Any, ...], Counter[str]] = {}
    for row in gone:
        found.setdefault(tuple(row[name] for name in keys), Counter()).update(
            {name: row[name] for name in sums.sums}
        )
    wanted = [
        {**dict(zip(keys, key, strict=True)), **{name: counts[name] for name in sums.sums}}
        # In order: two that settle at once do not wait for each other crosswise.
        for key, counts in sorted(found.items())
        if any(counts[name] for name in sums.sums)
    ]
    if wanted:
        adding = (postgresql if db.get_bind().dialect.name == "postgresql" else sqlite).insert
        statement = adding(sums.kept)
        db.execute(
            statement.on_conflict_do_update(
                index_elements=keys,
                set_={name: sums.kept.c[name] + statement.excluded[name] for name in sums.sums},
            ),
            wanted,
        )
        db.execute(delete(sums.kept).where(*(sums.kept.c[name] == 0 for name in sums.sums)))
    return len(gone)


def recount(db: Session) -> None:
    """All sums anew, from the ledger; whoever writes to it waits meanwhile."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("LOCK TABLE pack_pushes IN SHARE MODE"))
    for sums, counted in _counted(db):
        db.execute(delete(sums.changed))
        db.execute(delete(sums.kept))
        db.execute(insert(sums.kept).from_select([*sums.keys, *sums.sums], counted))


def _counted(db: Session) -> tuple[tuple[_Sums, Select[Any]], ...]:
    """What the sums must be, counted from the ledger."""
    due, sent = PackPush.due_at, PackPush.sent_at
    if db.get_bind().dialect.name == "postgresql":
        day: ColumnElement[Any] = cast(func.timezone(ZONE, due), Date)
        year: ColumnElement[Any] = cast(extract("year", func.timezone(ZONE, sent)), Integer)
    else:
        # Without its fraction: the last microseconds would be rounded up into the next day.
        day = func.date(func.substr(due, 1, 19), AHEAD)
        year = cast(func.strftime("%Y", func.substr(sent, 1, 19), AHEAD), Integer)
    stands = (
        PackPush.pack_id,
        day,
        PackPush.version,
        PackPush.state,
        func.coalesce(PackPush.reason, ""),
        PackPush.opened_at.is_not(None),
        func.coalesce(PackPush.rating, 0),
    )
    by_day = select(*stands, func.count()).group_by(*_places(stands))
    by_family = (
        select(year, PackPush.family_id, func.count(), func.count(PackPush.opened_at))
        .where(PackPush.state == "sent", sent.is_not(None))
        .group_by(*_places((year, PackPush.family_id)))
    )
    return (_DAYS, by_day), (_FAMILIES, by_family)


def _places(columns: Sequence[object]) -> list[ColumnElement[Any]]:
    """The first columns by their number: PostgreSQL takes two parameters for two values."""
    return [literal_column(str(number)) for number in range(1, len(columns) + 1)]


def wrong_totals(db: Session) -> list[str]:
    """Sums that, with their changes, are not what counting gives."""
    found: set[str] = set()
    for sums, counted in _counted(db):
        rows = sums.as_of_now().c
        keys = [rows[name] for name in sums.keys]
        added = [func.sum(rows[name]) for name in sums.sums]
        kept = select(*keys, *added).group_by(*keys).having(or_(*(each != 0 for each in added)))
        for one, other in ((kept, counted), (counted, kept)):
            for row in db.execute(except_(one, other)):
                found.add(f"{sums.kept.name}:{row[0]}:{row[1]}")
    return sorted(found)
