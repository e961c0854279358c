"""The packs of the library as rows that SQL can join, and whether each is pushed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import CataloguedPack, PackWindow, Staff
from app.models.notice_facts import PackDue, dump_facts
from app.rules.age import TERM_WEEKS
from app.rules.pack_choice import EARLIEST_WEEKS, TERM, Window, window_of
from app.services import audit
from content.packs import PUSHED_STATUSES, Pack

WITHDRAWN = "withdrawn"
"""It is in no file any more."""
SWITCHED_OFF = "switched_off"
PAST_REVIEW = "past_review"
ENCRYPT_ANEW_AFTER = timedelta(hours=20)
"""So that the copies in the outbox bear the newest key within a day of its coming."""


def sync(db: Session, packs: Iterable[Pack], now: datetime) -> int:
    """Bring the rows in line with the library; how many of its packs are pushed now.

    Call it once before planning: what is read here is what the planner goes by.
    """
    today = now.astimezone(SHANGHAI).date()
    # Locked: two planners at once come one after the other.
    rows = {
        row.id: row
        for row in db.scalars(select(CataloguedPack).order_by(CataloguedPack.id).with_for_update())
    }
    pushed = 0
    seen = set()
    for pack in packs:
        seen.add(pack.id)
        row = rows.get(pack.id)
        if row is None:
            row = CataloguedPack(id=pack.id)
            db.add(row)
        _write(db, row, pack, today, now)
        pushed += row.blocked_by is None
    for gone in rows.keys() - seen:
        rows[gone].blocked_by = WITHDRAWN
    db.flush()
    return pushed


@dataclass(frozen=True, slots=True)
class Switch:
    """When staff took a pack out of use, who, and why."""

    at: datetime
    by: str | None
    why: str


def find_switch(db: Session, pack_id: str) -> Switch | None:
    """None where the pack is in use."""
    row = db.execute(
        select(CataloguedPack, Staff.username)
        .outerjoin(Staff, Staff.id == CataloguedPack.switched_off_by)
        .where(CataloguedPack.id == pack_id, CataloguedPack.switched_off_at.is_not(None))
    ).one_or_none()
    if row is None or row[0].switched_off_at is None:
        return None
    return Switch(row[0].switched_off_at, row[1], row[0].switched_off_why or "")


def switched_off(db: Session) -> frozenset[str]:
    """The packs that staff took out of use."""
    return frozenset(
        db.scalars(select(CataloguedPack.id).where(CataloguedPack.switched_off_at.is_not(None)))
    )


def switch_off(db: Session, pack: Pack, *, staff_id: int, why: str, now: datetime) -> None:
    """Neither pushed nor shown from now on; what lies in the outbox is checked before it leaves."""
    row = _row(db, pack, now)
    if row.switched_off_at is not None:
        return
    row.switched_off_at, row.switched_off_by, row.switched_off_why = now, staff_id, why
    row.blocked_by = SWITCHED_OFF
    _record(db, "switch_off_pack", pack.id, staff_id, why, now)


def switch_on(db: Session, pack: Pack, *, staff_id: int, now: datetime) -> None:
    """In use again: windows that open from now on are sent, those missed meanwhile are not."""
    row = _row(db, pack, now)
    if row.switched_off_at is None:
        return
    row.switched_off_at = row.switched_off_by = row.switched_off_why = None
    row.blocked_by = blocked_by(pack, now.astimezone(SHANGHAI).date(), is_switched_off=False)
    _record(db, "switch_on_pack", pack.id, staff_id, "", now)


def _row(db: Session, pack: Pack, now: datetime) -> CataloguedPack:
    """The pack's row, locked; made where the planner has not seen the pack yet."""
    find = select(CataloguedPack).where(CataloguedPack.id == pack.id).with_for_update()
    row = db.scalars(find).one_or_none()
    if row is None:
        row = CataloguedPack(id=pack.id)
        db.add(row)
        _write(db, row, pack, now.astimezone(SHANGHAI).date(), now)
        db.flush()
    return row


def _record(db: Session, action: str, pack_id: str, staff_id: int, why: str, now: datetime) -> None:
    audit.record(
        db,
        actor=audit.Actor("staff", staff_id),
        action=action,
        subject_type="pack",
        subject_id=0,
        now=now,
        after=pack_id,
        reason=why or None,
    )


def is_switched_off(db: Session, pack_id: str) -> bool:
    """Whether staff took a pack out of use: it is neither pushed nor shown."""
    found = select(CataloguedPack.id).where(
        CataloguedPack.id == pack_id, CataloguedPack.switched_off_at.is_not(None)
    )
    return db.execute(found).first() is not None


def windows_for(db: Session, weeks: int) -> dict[str, Window]:
    """Every pack's window for a child of so many `window_weeks`, by pack."""
    rows = db.scalars(select(PackWindow).where(PackWindow.weeks.in_((weeks, TERM))))
    windows: dict[str, Window] = {}
    for row in rows:
        if row.weeks == weeks or row.pack_id not in windows:
            windows[row.pack_id] = Window(row.opens, row.closes)
    return windows


def _write(db: Session, row: CataloguedPack, pack: Pack, today: date, now: datetime) -> None:
    windows = (pack.from_days, pack.until_days, pack.uses_corrected_age)
    windows_moved = (row.from_days, row.until_days, row.is_corrected) != windows
    row.version, row.title, row.topic = pack.version, pack.title, pack.topic
    row.audience, row.from_days, row.until_days = pack.audience, pack.from_days, pack.until_days
    row.is_corrected = pack.uses_corrected_age
    facts = dump_facts(
        PackDue(
            pack=pack.id,
            version=pack.version,
            title=pack.title,
            message=pack.message,
            from_days=pack.from_days,
            until_days=pack.until_days,
        )
    )
    if row.facts != facts or now - row.synced_at >= ENCRYPT_ANEW_AFTER:
        row.facts = facts
        row.synced_at = now
    row.blocked_by = blocked_by(pack, today, is_switched_off=row.switched_off_at is not None)
    if windows_moved:
        db.flush()
        _write_windows(db, pack)


def blocked_by(pack: Pack, today: date, *, is_switched_off: bool) -> str | None:
    """Why a pack is not pushed on a day; None where it is."""
    if is_switched_off:
        return SWITCHED_OFF
    if pack.status not in PUSHED_STATUSES:
        return pack.status
    return None if pack.is_pushed(today) else PAST_REVIEW


def _write_windows(db: Session, pack: Pack) -> None:
    db.execute(delete(PackWindow).where(PackWindow.pack_id == pack.id))
    weeks: Sequence[int] = (TERM,)
    if pack.uses_corrected_age:
        weeks = (*range(EARLIEST_WEEKS, TERM_WEEKS), TERM)
    for each in weeks:
        window = window_of(pack, each)
        if window is not None:
            row = PackWindow(pack_id=pack.id, weeks=each, opens=window.opens, closes=window.closes)
            db.add(row)
    db.flush()
