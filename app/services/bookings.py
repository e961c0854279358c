"""What a family has booked, and how its year stands: the queries that most turns ask."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, case, exists, func, literal_column, or_, select, true
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Child, Entitlement, Family, GuidanceSession, HomeVisit, SignUp, Station
from app.prepared import Loader, Prepared
from app.rules.no_show import MARKED_AFTER
from app.rules.sign_up import ACTIVE, SignUpState
from app.rules.visiting import OPEN, Kind
from app.services import waiting_list
from app.services.seats import SESSION_COLUMNS, is_in_state, put_session

DEFAULT_SESSIONS_A_YEAR = 6
DEFAULT_HOME_VISITS_A_YEAR = 1
"""The district's promise: at least 6 sessions and 1 visit a year for each family in need
(崇明区托育服务三年行动计划 2021—2023, 二(二)4)."""


@dataclass(frozen=True, slots=True)
class YearCount:
    year: int
    attended: int
    arranged: int
    target: int


_SIGN_UPS = Loader(SignUp)
_FIND_SIGN_UPS = Prepared(
    select(*_SIGN_UPS.columns, *SESSION_COLUMNS)
    .select_from(SignUp)
    .join(SignUp.session)
    .join(GuidanceSession.station)
    .where(
        SignUp.family_id == bindparam("family_id"),
        is_in_state(ACTIVE),
        GuidanceSession.ends_at > bindparam("after"),
    )
    .order_by(GuidanceSession.starts_at, SignUp.id)
)


def find_sign_ups(db: Session, family_id: int, *, after: datetime) -> list[tuple[SignUp, Child]]:
    """Active sign-ups of a family with sessions and stations, by time; those ending after."""
    db.flush()
    session_at = len(_SIGN_UPS)
    found: list[SignUp] = [
        _SIGN_UPS.put(db, row[:session_at], session=put_session(db, row[session_at:]))
        for row in _FIND_SIGN_UPS.all(db, family_id=family_id, after=after)
    ]
    # The family's children are loaded with its caregiver: this asks the session, not the database.
    return [(sign_up, db.get_one(Child, sign_up.child_id)) for sign_up in found]


@dataclass(frozen=True, slots=True)
class Booking:
    """One sign-up as its family looks at it."""

    code: str
    title: str
    starts_at: datetime
    station: str
    nickname: str
    state: str
    position: int | None
    """In the waiting list, from 1."""
    offer_until: datetime | None
    cancel_until: datetime
    phone: str
    """The station's."""


def _places_in_line(db: Session, session_ids: set[int]) -> dict[int, int]:
    places: dict[int, int] = {}
    for session_id in sorted(session_ids):
        places |= waiting_list.positions(db, db.get_one(GuidanceSession, session_id))
    return places


_BOOKED = [SignUpState.CONFIRMED, SignUpState.REQUESTED]
_SESSIONS_OF_YEAR = (
    # One row a session: siblings in it count once, and one who was there makes it attended.
    select(
        func.max(
            case(
                (is_in_state([SignUpState.ATTENDED]), literal_column("2")),
                else_=literal_column("1"),
            )
        ).label("rank")
    )
    .join(SignUp.session)
    .where(
        SignUp.family_id == bindparam("family_id"),
        GuidanceSession.starts_at >= bindparam("start"),
        GuidanceSession.starts_at < bindparam("end"),
        or_(
            is_in_state([SignUpState.ATTENDED]),
            and_(is_in_state(_BOOKED), GuidanceSession.starts_at > bindparam("since")),
        ),
    )
    .group_by(SignUp.session_id)
    .subquery()
)
_RANK = _SESSIONS_OF_YEAR.c.rank
_YEAR = select(
    func.count(_RANK).filter(literal_column("2") == _RANK).label("attended"),
    func.count(_RANK).filter(literal_column("1") == _RANK).label("arranged"),
    select(Entitlement.sessions)
    .where(Entitlement.year == bindparam("year"))
    .scalar_subquery()
    .label("target"),
)
_YEAR_COUNT = Prepared(_YEAR)


def _of_year(now: datetime) -> dict[str, object]:
    """The parameters of _YEAR but the family."""
    year = now.astimezone(SHANGHAI).year
    return {
        "year": year,
        "start": datetime(year, 1, 1, tzinfo=SHANGHAI),
        "end": datetime(year + 1, 1, 1, tzinfo=SHANGHAI),
        "since": now - MARKED_AFTER,
    }


def _counted(now: datetime, attended: int, arranged: int, target: int | None) -> YearCount:
    return YearCount(
        year=now.astimezone(SHANGHAI).year,
        attended=attended,
        arranged=arranged,
        target=target or DEFAULT_SESSIONS_A_YEAR,
    )


def year_count(db: Session, family_id: int, now: datetime) -> YearCount:
    """Attended and still arranged sessions of the Shanghai calendar year, and the target.

    Distinct sessions of the family: siblings in one session count once. A booked one that
    is over counts as arranged while its paper sheet may still be entered.
    """
    db.flush()
    counted = _YEAR_COUNT.first(db, family_id=family_id, **_of_year(now))
    assert counted is not None, "counts are one row"
    return _counted(now, *counted)


@dataclass(frozen=True, slots=True)
class Standing:
    """What 我的预约 tells of a family."""

    bookings: list[Booking]
    """Active sign-ups that are not over, by time."""
    year: YearCount
    has_visit: bool
    """Whether a home visit is asked for or arranged."""


_ACTIVE_BOOKINGS = (
    select(
        GuidanceSession.code,
        GuidanceSession.title,
        GuidanceSession.starts_at,
        Station.name,
        SignUp.child_id,
        SignUp.state,
        SignUp.offer_expires_at,
        GuidanceSession.cancel_until,
        Station.phone,
        SignUp.id,
        SignUp.session_id,
    )
    .select_from(SignUp)
    .join(SignUp.session)
    .join(GuidanceSession.station)
    .where(
        SignUp.family_id == bindparam("family_id"),
        is_in_state(ACTIVE),
        GuidanceSession.ends_at > bindparam("after"),
    )
    .subquery()
)
_COUNTED = _YEAR.subquery()
_HAS_VISIT = exists().where(
    HomeVisit.family_id == bindparam("family_id"),
    HomeVisit.kind == literal_column(f"'{Kind.GUIDANCE}'"),
    HomeVisit.state.in_([literal_column(f"'{state}'") for state in sorted(OPEN)]),
)
# One statement for the turn that is asked most: each costs more on the way than in the database.
_FIND_STANDING = Prepared(
    select(*_COUNTED.c, _HAS_VISIT, *_ACTIVE_BOOKINGS.c)
    .select_from(_COUNTED)
    .outerjoin(_ACTIVE_BOOKINGS, true())
    .order_by(_ACTIVE_BOOKINGS.c.starts_at, _ACTIVE_BOOKINGS.c.id)
)


def find_standing(db: Session, family: Family, now: datetime) -> Standing:
    """What the family has booked, how its year stands, and whether a visit is under way."""
    db.flush()
    found = _FIND_STANDING.all(db, family_id=family.id, after=now, **_of_year(now))
    counts, has_visit = found[0][:3], bool(found[0][3])
    nicknames = {child.id: child.nickname for child in family.children}
    rows = [row[4:] for row in found if row[4] is not None]
    places = _places_in_line(db, {row[-1] for row in rows if row[5] == SignUpState.WAITLISTED})
    bookings = [
        Booking(
            code=code,
            title=title,
            starts_at=starts_at,
            station=station,
            nickname=nicknames[child_id],
            state=state,
            position=places.get(row_id),
            offer_until=offer_until,
            cancel_until=cancel_until,
            phone=phone or "",
        )
        for (code, title, starts_at, station, child_id, state, *more) in rows
        for offer_until, cancel_until, phone, row_id, _ in [more]
    ]
    return Standing(bookings, _counted(now, *counts), has_visit)


def find_target(db: Session, year: int) -> int | None:
    """The year's entitlement to sessions, where the district has set one."""
    db.flush()
    row = _TARGET.first(db, year=year)
    return row[0] if row else None


_TARGET = Prepared(select(Entitlement.sessions).where(Entitlement.year == bindparam("year")))
