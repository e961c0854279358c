"""What the district offered in a year: sessions held by level and kind, areas, bare townships."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select, true
from sqlalchemy.orm import Session

from app.models import GuidanceSession, SignUp, Station, Township
from app.rules.sign_up import SessionState, SignUpState
from app.services.staff import StaffScope

HELD = (SessionState.PUBLISHED, SessionState.HELD)
STATION_KINDS = ("guidance_station", "district_centre", "development_base")
"""Where a township's families are guided; a bus stop or a clinic is no station of its own."""


@dataclass(frozen=True, slots=True)
class Held:
    """Sessions of one level and kind that are over and were not cancelled."""

    level: str
    kind: str
    sessions: int
    attendances: int
    """Children checked in."""


@dataclass(frozen=True, slots=True)
class Area:
    """One of the service's areas, with the sessions of the year that were about it."""

    topic: str
    sessions: int


def sessions_held(
    db: Session, *, start: datetime, end: datetime, now: datetime, scope: StaffScope | None
) -> tuple[Held, ...]:
    """By level and kind, the commonest first."""
    came = (
        select(SignUp.session_id, func.count(SignUp.id).label("children"))
        .where(SignUp.state == SignUpState.ATTENDED)
        .group_by(SignUp.session_id)
        .subquery()
    )
    count = func.count(GuidanceSession.id)
    rows = db.execute(
        select(
            GuidanceSession.level,
            GuidanceSession.kind,
            count,
            func.coalesce(func.sum(came.c.children), 0),
        )
        .join(GuidanceSession.station)
        .outerjoin(came, came.c.session_id == GuidanceSession.id)
        .where(
            true() if scope is None else scope.stations(),
            GuidanceSession.state.in_(HELD),
            GuidanceSession.starts_at >= start,
            GuidanceSession.starts_at < end,
            GuidanceSession.ends_at <= now,
        )
        .group_by(GuidanceSession.level, GuidanceSession.kind)
        .order_by(count.desc(), GuidanceSession.level, GuidanceSession.kind)
    )
    return tuple(
        Held(level, kind, sessions, int(children)) for level, kind, sessions, children in rows
    )


def areas(
    db: Session, *, start: datetime, end: datetime, now: datetime, scope: StaffScope | None
) -> tuple[Area, ...]:
    """The areas that sessions of the year were about, so far as their topic was said."""
    count = func.count(GuidanceSession.id)
    rows = db.execute(
        select(GuidanceSession.topic, count)
        .join(GuidanceSession.station)
        .where(
            true() if scope is None else scope.stations(),
            GuidanceSession.topic.is_not(None),
            GuidanceSession.state.in_(HELD),
            GuidanceSession.starts_at >= start,
            GuidanceSession.starts_at < end,
            GuidanceSession.ends_at <= now,
        )
        .group_by(GuidanceSession.topic)
        .order_by(count.desc(), GuidanceSession.topic)
    )
    return tuple(Area(str(topic), sessions) for topic, sessions in rows)


def bare_townships(db: Session) -> tuple[str, ...]:
    """Townships without an active station, in the official order."""
    has_station = exists().where(
        Station.township_id == Township.id, Station.is_active, Station.kind.in_(STATION_KINDS)
    )
    return tuple(db.scalars(select(Township.name).where(~has_station).order_by(Township.id)))
