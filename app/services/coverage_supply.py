"""What the district offered in a year: sessions held by level and kind, areas, bare townships."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, true
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


@dataclass(frozen=True, slots=True)
class Offered:
    held: tuple[Held, ...]
    """By level and kind, the commonest first."""
    areas: tuple[Area, ...]
    """The areas that sessions were about, so far as their topic was said."""


def offered(
    db: Session, *, start: datetime, end: datetime, now: datetime, scope: StaffScope | None
) -> Offered:
    """The sessions between two instants that are over. One query."""
    came = (
        select(SignUp.session_id, func.count(SignUp.id).label("children"))
        .where(SignUp.state == SignUpState.ATTENDED)
        .group_by(SignUp.session_id)
        .subquery()
    )
    keys = (GuidanceSession.level, GuidanceSession.kind, GuidanceSession.topic)
    rows = db.execute(
        select(*keys, func.count(GuidanceSession.id), func.coalesce(func.sum(came.c.children), 0))
        .join(GuidanceSession.station)
        .outerjoin(came, came.c.session_id == GuidanceSession.id)
        .where(
            true() if scope is None else scope.stations(),
            GuidanceSession.state.in_(HELD),
            GuidanceSession.starts_at >= start,
            GuidanceSession.starts_at < end,
            GuidanceSession.ends_at <= now,
        )
        .group_by(*keys)
    )
    held: dict[tuple[str, str], tuple[int, int]] = {}
    topics: dict[str, int] = {}
    for level, kind, topic, sessions, children in rows:
        before = held.get((level, kind), (0, 0))
        held[level, kind] = (before[0] + sessions, before[1] + int(children))
        if topic is not None:
            topics[topic] = topics.get(topic, 0) + sessions
    return Offered(
        held=tuple(
            Held(level, kind, sessions, children)
            for (level, kind), (sessions, children) in sorted(
                held.items(), key=lambda each: (-each[1][0], each[0])
            )
        ),
        areas=tuple(
            Area(topic, sessions)
            for topic, sessions in sorted(topics.items(), key=lambda each: (-each[1], each[0]))
        ),
    )


def bare_townships(
    townships: Sequence[Township], stations: Iterable[Station | None]
) -> tuple[str, ...]:
    """Townships without an active station, in the order given."""
    served = {
        station.township_id
        for station in stations
        if station is not None and station.is_active and station.kind in STATION_KINDS
    }
    return tuple(township.name for township in townships if township.id not in served)
