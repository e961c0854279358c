"""Series of sessions: every so many weeks, leaving out holidays and closed days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.errors import NoDaysInSeries, SessionCodeTaken
from app.models import GuidanceSession, SessionSeries
from app.rules.calendar_days import Day
from app.rules.session_life import EDITABLE, moved_to, series_days
from app.rules.sign_up import SessionState
from app.services import audit, calendar_days, publishing
from app.services.audit import Actor
from app.services.publishing import SessionExtras, SessionRow, row_of, timing_of

ABOUT = (
    *("title", "kind", "level", "station_code", "places", "min_months", "max_months"),
    *("confirm_mode", "waiting_list"),
)
"""The fields of a row that are no time."""
MOMENTS = ("ends_at", "opens_at", "closes_at", "cancel_until")
MAX_SESSIONS = 60
"""A year of weekly sessions, and some; more is a slip of the hand."""


@dataclass(frozen=True, slots=True)
class SeriesRule:
    """Every second Saturday, say: from first_on, up to and including until."""

    code: str
    every_weeks: int
    first_on: date
    until: date


@dataclass(frozen=True, slots=True)
class PlannedDay:
    day: Day
    code: str | None
    """The session's; None for a day that is left out."""


def plan(db: Session, rule: SeriesRule) -> list[PlannedDay]:
    """Every day of the series, with its session's code or left out.

    Raises NoDaysInSeries where none is left, or more than MAX_SESSIONS.
    """
    days = list(series_days(rule.first_on, rule.every_weeks, rule.until))
    if len(days) > 2 * MAX_SESSIONS:
        raise NoDaysInSeries(len(days), MAX_SESSIONS)
    known = calendar_days.get_days(db, days)
    planned: list[PlannedDay] = []
    number = 0
    for day in days:
        if not known[day].is_skipped:
            number += 1
        code = None if known[day].is_skipped else f"{rule.code.upper()}-{number:02}"
        planned.append(PlannedDay(known[day], code))
    if not 1 <= number <= MAX_SESSIONS:
        raise NoDaysInSeries(number, MAX_SESSIONS)
    return planned


def create(
    db: Session,
    rule: SeriesRule,
    row: SessionRow,
    *,
    extras: SessionExtras,
    state: SessionState,
    actor: Actor,
    now: datetime,
) -> list[GuidanceSession]:
    """The sessions of a series, each like `row`, which is the one of the first day.

    Raises NoDaysInSeries, SessionCodeTaken, StationUnknown; nothing is kept then.
    """
    planned = plan(db, rule)
    series = SessionSeries(
        code=rule.code.upper(),
        every_weeks=rule.every_weeks,
        first_on=rule.first_on,
        until=rule.until,
        created_at=now,
    )
    try:
        with db.begin_nested():
            db.add(series)
            db.flush()
    except IntegrityError:
        raise SessionCodeTaken(rule.code.upper()) from None
    audit.record(
        db,
        actor=actor,
        action="create_series",
        subject_type="series",
        subject_id=series.id,
        now=now,
        after=series.code,
    )
    return [
        publishing.create_session(
            db,
            on_day(row, one.day.day, code=one.code),
            actor=actor,
            now=now,
            extras=_extras_on(extras, row, one.day.day),
            state=state,
            series_id=series.id,
        )
        for one in planned
        if one.code is not None
    ]


def on_day(row: SessionRow, day: date, *, code: str) -> SessionRow:
    """The same session on another day, at the same hour; its deadlines move along."""
    return _at(row, day, _clock(row.starts_at), code)


def find_following(db: Session, session: GuidanceSession) -> list[GuidanceSession]:
    """The later sessions of the same series that can still be changed, by code."""
    if session.series_id is None:
        return []
    return list(
        db.scalars(
            select(GuidanceSession)
            .join(GuidanceSession.station)
            .options(contains_eager(GuidanceSession.station))
            .where(
                GuidanceSession.series_id == session.series_id,
                GuidanceSession.starts_at > session.starts_at,
                GuidanceSession.state.in_(EDITABLE),
            )
            .order_by(GuidanceSession.code)
        )
    )


def rows_following(
    session: GuidanceSession, row: SessionRow, following: Sequence[GuidanceSession]
) -> list[SessionRow]:
    """What the change of one session means for each that follows: the same number of days
    later or earlier, and whatever else was changed: hour, deadlines, places, ages, words.

    What was not changed stays as each of them has it: one may have been set apart by hand.
    """
    was = row_of(session)
    by = _day(row.starts_at) - _day(was.starts_at)
    changed: dict[str, Any] = {
        name: getattr(row, name) for name in ABOUT if getattr(row, name) != getattr(was, name)
    }
    is_other_hour = _clock(row.starts_at) != _clock(was.starts_at)
    rows = []
    for one in following:
        own = row_of(one)
        hour = _clock(row.starts_at if is_other_hour else own.starts_at)
        moved = _at(own, _day(own.starts_at) + by, hour, one.code)
        for name in MOMENTS:
            if _lead(row, name) != _lead(was, name):
                changed[name] = moved.starts_at + _lead(row, name)
        if row.opens_at == was.opens_at and "opens_at" in changed:
            # What has opened stays open, however far its session is moved.
            changed["opens_at"] = own.opens_at
        rows.append(replace(moved, **changed))
    return rows


def _day(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def _clock(at: datetime) -> time:
    return at.astimezone(SHANGHAI).time()


def _lead(row: SessionRow, moment: str) -> timedelta:
    """How far a moment is from the start."""
    at: datetime = getattr(row, moment)
    return at - row.starts_at


def change_following(
    db: Session,
    session: GuidanceSession,
    row: SessionRow,
    *,
    extras: SessionExtras,
    keeps_aged_out: bool,
    actor: Actor,
    now: datetime,
) -> int:
    """Change this session and all that follow in its series; how many those are.

    Raises as publishing.change_session does.
    """
    following = find_following(db, session)
    changes = [
        (session, row),
        *zip(following, rows_following(session, row, following), strict=True),
    ]
    was = SessionExtras(session.topic, session.township_first_until, session.offer_hours)
    # Read before anything is changed, as the rows are.
    more = {one.id: _extras_of(one, new, extras, was, by_row=row) for one, new in changes}
    # One order for every writer of several sessions, so that two of them cannot dead-lock.
    for one, new in sorted(changes, key=lambda change: change[0].code):
        publishing.change_session(
            db,
            one,
            new,
            actor=actor,
            now=now,
            extras=more[one.id],
            keeps_aged_out=keeps_aged_out,
        )
    return len(changes)


def _at(row: SessionRow, day: date, hour: time, code: str) -> SessionRow:
    """The session on another day at another hour; its deadlines move along."""
    timing = timing_of(row)
    in_shanghai = replace(timing, starts_at=timing.starts_at.astimezone(SHANGHAI))
    moved = moved_to(in_shanghai, day, hour)
    return replace(
        row,
        code=code,
        starts_at=moved.starts_at,
        ends_at=moved.ends_at,
        opens_at=moved.opens_at,
        closes_at=moved.closes_at,
        cancel_until=moved.cancel_until,
    )


def _extras_of(
    one: GuidanceSession,
    new: SessionRow,
    extras: SessionExtras,
    was: SessionExtras,
    *,
    by_row: SessionRow,
) -> SessionExtras:
    """The extras that were changed, on this session's day; the others as it has them."""
    until = one.township_first_until
    if extras.township_first_until != was.township_first_until:
        until = _extras_on(extras, by_row, _day(new.starts_at)).township_first_until
    return SessionExtras(
        topic=extras.topic if extras.topic != was.topic else one.topic,
        township_first_until=until,
        offer_hours=extras.offer_hours
        if extras.offer_hours != was.offer_hours
        else one.offer_hours,
    )


def _extras_on(extras: SessionExtras, row: SessionRow, day: date) -> SessionExtras:
    """The township's days of grace keep their distance from the start, too."""
    until = extras.township_first_until
    if until is None:
        return extras
    by = day - row.starts_at.astimezone(SHANGHAI).date()
    return replace(extras, township_first_until=until + by)
