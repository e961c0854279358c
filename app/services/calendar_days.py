"""The calendar as the district sees it: the published one, and the days that staff have set."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CalendarDay
from app.rules.calendar_days import Day, SetKind, published_day, set_day
from app.services import audit
from app.services.audit import Actor


def get_days(db: Session, days: Iterable[date]) -> dict[date, Day]:
    """Each of these days, as staff have set it or as it was published."""
    wanted = set(days)
    overrides = {
        row.day: row for row in db.scalars(select(CalendarDay).where(CalendarDay.day.in_(wanted)))
    }
    return {
        day: _as_set(overrides[day]) if day in overrides else published_day(day) for day in wanted
    }


def get_day(db: Session, day: date) -> Day:
    """One day, as staff have set it or as it was published."""
    return get_days(db, [day])[day]


def list_set_days(db: Session, since: date) -> list[Day]:
    """The days that staff have set, from that one on."""
    rows = db.scalars(select(CalendarDay).where(CalendarDay.day >= since).order_by(CalendarDay.day))
    return [_as_set(row) for row in rows]


def put_day(
    db: Session, day: date, kind: SetKind, note: str, *, staff_id: int, now: datetime
) -> None:
    """Set a day, whatever the published calendar says. Sessions already there stay."""
    row = db.get(CalendarDay, day, with_for_update=True)
    before = row.kind if row else None
    if row is None:
        row = CalendarDay(day=day)
        db.add(row)
    row.kind, row.note, row.set_by, row.set_at = kind, note.strip(), staff_id, now
    _record(db, "set_day", day, staff_id, now, before=before, after=kind)
    db.flush()


def clear_day(db: Session, day: date, *, staff_id: int, now: datetime) -> bool:
    """Leave a day to the published calendar again; False where nobody had set it."""
    row = db.get(CalendarDay, day, with_for_update=True)
    if row is None:
        return False
    _record(db, "clear_day", day, staff_id, now, before=row.kind, after=None)
    db.delete(row)
    db.flush()
    return True


def _as_set(row: CalendarDay) -> Day:
    return set_day(row.day, SetKind(row.kind), row.note)


def _record(
    db: Session,
    action: str,
    day: date,
    staff_id: int,
    now: datetime,
    *,
    before: str | None,
    after: str | None,
) -> None:
    audit.record(
        db,
        actor=Actor("staff", staff_id),
        action=action,
        subject_type="calendar_day",
        # A day has no number of its own: 20261001.
        subject_id=int(f"{day:%Y%m%d}"),
        now=now,
        before=before,
        after=after,
    )
