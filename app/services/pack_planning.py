"""Planning: who is due which pack, written to the ledger; and what goes out now, to the outbox.

Every step is a few statements for everybody in a range, safe to run twice and in any order: the
ledger's unique key says "already". The job calls them one after the other, each batch in a
transaction of its own (scheduler/queue_packs.py). What the statements choose is said for one
child in rules/pack_choice.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, func, select, text, update
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Caregiver, CataloguedPack, Child, PackPush, PushPreference
from app.models.family import MOVED
from app.rules.pack_choice import (
    A_WEEK,
    BAND_DAYS,
    CATCH_UP,
    OPENS_AT,
    PACKS_A_WEEK,
    opening,
    window_weeks,
)
from app.rules.quiet_hours import first_loud
from app.services import pack_catalogue, pack_sql
from app.services.notices import PACK
from app.services.pack_sql import Dialected
from content.packs import Pack

CHILDREN_A_BATCH = 2_000
FAMILIES_A_BATCH = 5_000

FOR_A_CITY = ("work_mem = '64MB'", "enable_mergejoin = off")
"""How PostgreSQL finds what opens on a day: a city's fits into its memory, and more goes by its
disk; children are matched with windows as they are read, not sorted by birth date first."""

LONGEST_GAP = timedelta(days=366)
"""What opened longer ago, while nothing ran, is not even recorded as missed."""

WAS_NOT_TIME = ("window_closed", "too_late", "birth_date_changed")
"""Reasons that another birth date makes void."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How far a pass has come, and what this part of it wrote."""

    upto: int
    """The highest id in it: the next batch begins behind it."""
    count: int


@dataclass(frozen=True, slots=True)
class Opened:
    """What the openings of a pass came to."""

    pushes: int = 0
    """New rows of the ledger."""
    messages: int = 0
    """Of them, in the outbox already."""


def plan_openings(db: Session, packs: Iterable[Pack], now: datetime) -> Opened:
    """Rows for every window that opened since the last time.

    Reads the library's packs into the catalogue first. Two planners at once wait for each other.
    On PostgreSQL most of what may leave at once is queued here already, and the rest by
    `queue_due`, which is all the same to whoever looks: on SQLite it is all of it.
    """
    pack_catalogue.sync(db, packs, now)
    today = _today(now)
    before = today - CATCH_UP
    days = _days_to_plan(db, before, today)
    if not days:
        return Opened()
    opened = _write_openings(db, days, before=before, now=now)
    db.execute(
        update(CataloguedPack)
        .where(func.coalesce(CataloguedPack.planned_until, date.min) < today)
        .values(planned_until=today)
        .execution_options(synchronize_session=False)
    )
    return opened


def _write_openings(db: Session, days: list[date], *, before: date, now: datetime) -> Opened:
    listed, names = pack_sql.days_named(len(days))
    values: dict[str, Any] = {
        "before": before,
        "now": now,
        **dict(zip(names, days, strict=True)),
    }
    said = _said(db)
    if not said.is_postgresql:
        return Opened(_run(db, pack_sql.OPENED, parts={"days": listed}, **values))
    values |= {
        "late": now - CATCH_UP,
        "week_ago": now - A_WEEK,
        "cap": PACKS_A_WEEK,
        "priority": PACK,
        "send": first_loud(now.astimezone(SHANGHAI)),
    }
    for setting in FOR_A_CITY:
        db.execute(text(f"SET LOCAL {setting}"))
    pushes, messages = db.execute(said(pack_sql.OPENED_AT_ONCE, days=listed), values).one()
    return Opened(pushes, messages)


def _days_to_plan(db: Session, before: date, today: date) -> list[date]:
    """The days whose openings are not in the ledger yet, for one pack at least."""
    planned = func.coalesce(CataloguedPack.planned_until, before)
    first = db.scalars(select(planned).order_by(planned).limit(1)).first()
    if first is None:
        return []
    first = max(first, today - LONGEST_GAP)
    return [first + timedelta(days=number) for number in range(1, (today - first).days + 1)]


def plan_new_children(db: Session, *, after: int, now: datetime) -> Batch | None:
    """The band of children whose packs were never planned; None where there are no more."""
    upto = _last_of(
        db,
        select(Child.id)
        .where(Child.id > after, Child.packs_from.is_(None), Child.birth_date.is_not(None))
        .order_by(Child.id)
        .limit(CHILDREN_A_BATCH),
    )
    if upto is None:
        return None
    count = _plan_band(db, pack_sql.CHILDREN, "welcome", after, upto, now)
    db.execute(
        update(Child)
        .where(
            Child.id > after,
            Child.id <= upto,
            Child.packs_from.is_(None),
            Child.birth_date.is_not(None),
        )
        .values(
            packs_from=now,
            packs_born=Child.birth_date,
            packs_weeks=func.coalesce(Child.gestation_weeks, 40),
        )
        .execution_options(synchronize_session=False)
    )
    _run(db, pack_sql.TWINS, now=now, after=after, upto=upto)
    return Batch(upto, count)


def plan_new_caregivers(db: Session, *, after: int, now: datetime) -> Batch | None:
    """The band of the children of caregivers who came later; None where there are no more."""
    upto = _last_of(
        db,
        select(Caregiver.id)
        .where(
            Caregiver.id > after, Caregiver.packs_from.is_(None), Caregiver.family_id.is_not(None)
        )
        .order_by(Caregiver.id)
        .limit(CHILDREN_A_BATCH),
    )
    if upto is None:
        return None
    count = _plan_band(db, pack_sql.CAREGIVERS, "welcome", after, upto, now)
    db.execute(
        update(Caregiver)
        .where(
            Caregiver.id > after,
            Caregiver.id <= upto,
            Caregiver.packs_from.is_(None),
            Caregiver.family_id.is_not(None),
        )
        .values(packs_from=now)
        .execution_options(synchronize_session=False)
    )
    return Batch(upto, count)


def replan_moved(db: Session, *, after: int, now: datetime) -> Batch | None:
    """Children whose dates were corrected: what was not sent moves along; None at the end.

    What was sent, or is on its way, keeps its row: it is never sent again.
    """
    moved = db.scalars(
        select(Child)
        .where(Child.id > after, text(MOVED), Child.birth_date.is_not(None))
        .order_by(Child.id)
        .limit(CHILDREN_A_BATCH // 10)
        .with_for_update()
    ).all()
    if not moved:
        return None
    count = 0
    for child in moved:
        count += _move(db, child, now)
        child.packs_born = child.birth_date
        child.packs_weeks = 40 if child.gestation_weeks is None else child.gestation_weeks
        db.flush()
        count += _plan_band(db, pack_sql.ONE_CHILD, "moved", child.id - 1, child.id, now)
    return Batch(moved[-1].id, count)


def _move(db: Session, child: Child, now: datetime) -> int:
    assert child.birth_date is not None
    windows = pack_catalogue.windows_for(db, window_weeks(child.gestation_weeks))
    count = 0
    for push in db.scalars(select(PackPush).where(PackPush.child_id == child.id)):
        window = windows.get(push.pack_id)
        is_open_question = push.state == "planned" or (
            push.state == "skipped" and push.reason in WAS_NOT_TIME
        )
        if window is None or not is_open_question:
            continue
        opens_at = opening(child.birth_date, window.opens, SHANGHAI)
        push.closes_at = opening(child.birth_date, window.closes, SHANGHAI)
        count += 1
        if push.closes_at <= now:
            push.state, push.reason = "skipped", "window_closed"
        elif opens_at > now or (push.state == "skipped" and now - opens_at < CATCH_UP):
            push.state, push.reason, push.due_at = "planned", None, opens_at
            push.replans, push.lead_id = push.replans + 1, None
    return count


def find_next_families(db: Session, *, after: int, now: datetime) -> int | None:
    """The end of the next range of families that have something due; None where none has."""
    upto = db.execute(
        _said(db)(pack_sql.NEXT_FAMILIES),
        {"now": now, "after": after, "families": FAMILIES_A_BATCH},
    ).scalar_one()
    return None if upto is None else int(upto)


def queue_due(db: Session, *, after: int, upto: int, now: datetime) -> int:
    """Settle what is due in a range of families; how many messages that makes.

    Ledger and outbox commit together. Two planners at once come one after the other.
    """
    _take_turn(db)
    within: dict[str, Any] = {"now": now, "after": after, "upto": upto}
    _run(db, pack_sql.SKIP, late=now - CATCH_UP, **within)
    chosen = _run(db, pack_sql.CHOOSE, week_ago=now - A_WEEK, cap=PACKS_A_WEEK, **within)
    _run(db, pack_sql.PUT_OFF, tomorrow=_next_opening(now), **within)
    if not chosen:
        return 0
    send = first_loud(now.astimezone(SHANGHAI))
    return _run(db, pack_sql.NOTICES, priority=PACK, send=send, **within)


def end_pauses(db: Session, now: datetime) -> int:
    """Pushes go on for those whose pause had an end; how many caregivers those are."""
    over = select(PushPreference.caregiver_id).where(PushPreference.paused_until <= _today(now))
    ended = db.execute(
        update(Caregiver)
        .where(Caregiver.pushes == "paused", Caregiver.id.in_(over))
        .values(pushes="on")
        .execution_options(synchronize_session=False)
    )
    db.execute(
        update(PushPreference)
        .where(PushPreference.paused_until <= _today(now))
        .values(paused_until=None)
        .execution_options(synchronize_session=False)
    )
    return _rows(ended)


def _plan_band(db: Session, who: str, because: str, after: int, upto: int, now: datetime) -> int:
    return _run(
        db,
        pack_sql.BAND,
        parts={"who": who},
        because=because,
        after=after,
        upto=upto,
        today=_today(now),
        due=now,
        now=now,
        band=BAND_DAYS,
    )


def _take_turn(db: Session) -> None:
    """Wait for another planner: two that counted a week at once would fill it twice."""
    db.execute(select(CataloguedPack.id).order_by(CataloguedPack.id).limit(1).with_for_update())


def _next_opening(now: datetime) -> datetime:
    tomorrow = _today(now) + timedelta(days=1)
    return datetime.combine(tomorrow, OPENS_AT, SHANGHAI)


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()


def _said(db: Session) -> Dialected:
    return Dialected(db.get_bind().dialect.name == "postgresql")


def _run(
    db: Session, statement: str, *, parts: dict[str, str] | None = None, **values: object
) -> int:
    return _rows(db.execute(_said(db)(statement, **(parts or {})), values))


def _rows(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0


def _last_of(db: Session, ids: Any) -> int | None:
    found = db.scalars(ids).all()
    return found[-1] if found else None
