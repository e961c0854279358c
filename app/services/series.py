"""Series of sessions: every so many weeks, leaving out holidays and closed days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

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
from app.services.publishing import SessionExtras, SessionRow, timing_of

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
    return _at(row, day, row.starts_at, code)


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
    later or earlier, the same new hour, deadlines, places, ages and words."""
    was_on = session.starts_at.astimezone(SHANGHAI).date()
    by = row.starts_at.astimezone(SHANGHAI).date() - was_on
    return [
        _at(row, one.starts_at.astimezone(SHANGHAI).date() + by, row.starts_at, one.code)
        for one in following
    ]


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
    # One order for every writer of several sessions, so that two of them cannot dead-lock.
    for one, new in sorted(changes, key=lambda change: change[0].code):
        publishing.change_session(
            db,
            one,
            new,
            actor=actor,
            now=now,
            extras=_extras_on(extras, row, new.starts_at.astimezone(SHANGHAI).date()),
            keeps_aged_out=keeps_aged_out,
        )
    return len(changes)


def _at(row: SessionRow, day: date, hour: datetime, code: str) -> SessionRow:
    local = hour.astimezone(SHANGHAI)
    timing = timing_of(row)
    in_shanghai = replace(timing, starts_at=local)
    moved = moved_to(in_shanghai, day, local.time())
    return replace(
        row,
        code=code,
        starts_at=moved.starts_at,
        ends_at=moved.ends_at,
        opens_at=moved.opens_at,
        closes_at=moved.closes_at,
        cancel_until=moved.cancel_until,
    )


def _extras_on(extras: SessionExtras, row: SessionRow, day: date) -> SessionExtras:
    """The township's days of grace keep their distance from the start, too."""
    until = extras.township_first_until
    if until is None:
        return extras
    by = day - row.starts_at.astimezone(SHANGHAI).date()
    return replace(extras, township_first_until=until + by)
