"""Guidance sessions and their sign-ups as the staff of a station see them.

Every query takes a StaffScope and shows nothing outside it. Lists take a limit and an
offset; ask for one row more than a page to learn whether there is a next one.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.errors import SessionUnknown
from app.models import Caregiver, Child, GuidanceSession, SignUp, Staff
from app.rules.age import age_months
from app.rules.sign_up import SignUpState
from app.services.staff import StaffScope

ROSTER_ORDER = (
    SignUpState.REQUESTED,
    SignUpState.CONFIRMED,
    SignUpState.ATTENDED,
    SignUpState.OFFERED,
    SignUpState.WAITLISTED,
    SignUpState.NO_SHOW,
    SignUpState.DECLINED,
    SignUpState.EXPIRED,
    SignUpState.CANCELLED,
)
DECISIONS = (SignUpState.CONFIRMED, SignUpState.DECLINED, SignUpState.CANCELLED)


@dataclass(frozen=True, slots=True)
class DeskSession:
    """A session as its station's staff see it."""

    id: int
    code: str
    title: str
    kind: str
    station: str
    starts_at: datetime
    ends_at: datetime
    state: str
    places: int
    places_taken: int
    min_months: int
    max_months: int
    waiting_for_decision: int
    """Requests that nobody has decided yet; their places are held."""


@dataclass(frozen=True, slots=True)
class RosterRow:
    nickname: str
    age_months: int | None
    """On the session's day; None where the child was not born by then."""
    relation: str | None
    """Of the caregiver who signed up."""
    state: SignUpState
    is_walk_in: bool
    reason: str | None
    requested_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    """Username; None where the rules or the family decided."""


@dataclass(frozen=True, slots=True)
class Roster:
    session: DeskSession
    rows: tuple[RosterRow, ...]


def _sessions(scope: StaffScope) -> Select[GuidanceSession, int]:
    waiting = (
        select(func.count(SignUp.id))
        .where(SignUp.session_id == GuidanceSession.id, SignUp.state == SignUpState.REQUESTED)
        .correlate(GuidanceSession)
        .scalar_subquery()
    )
    return (
        select(GuidanceSession, waiting)
        .join(GuidanceSession.station)
        .where(scope.stations())
        .options(contains_eager(GuidanceSession.station))
    )


def _desk_session(session: GuidanceSession, waiting: int) -> DeskSession:
    return DeskSession(
        id=session.id,
        code=session.code,
        title=session.title,
        kind=session.kind,
        station=session.station.name,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        state=session.state,
        places=session.places,
        places_taken=session.places_taken,
        min_months=session.min_months,
        max_months=session.max_months,
        waiting_for_decision=waiting,
    )


def coming_sessions(
    db: Session,
    scope: StaffScope,
    *,
    now: datetime,
    until: datetime | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[DeskSession]:
    """Sessions from today's first minute on, also those of today that are over; by time."""
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    statement = (
        _sessions(scope)
        .where(GuidanceSession.starts_at >= today)
        .order_by(GuidanceSession.starts_at, GuidanceSession.id)
        .limit(limit)
        .offset(offset)
    )
    if until is not None:
        statement = statement.where(GuidanceSession.starts_at < until)
    return [_desk_session(session, waiting) for session, waiting in db.execute(statement)]


def get_roster(db: Session, scope: StaffScope, code: str) -> Roster:
    """A session with all its sign-ups, open requests first, then who comes, then the rest.

    Raises SessionUnknown, also where the session is outside the scope.
    """
    found = db.execute(
        _sessions(scope).where(GuidanceSession.code == code.strip().upper())
    ).one_or_none()
    if found is None:
        raise SessionUnknown(code)
    session, waiting = found
    day = session.starts_at.astimezone(SHANGHAI).date()
    sign_ups = db.execute(
        select(SignUp, Child, Caregiver.relation, Staff.username)
        .join(Child, Child.id == SignUp.child_id)
        .join(Caregiver, Caregiver.id == SignUp.caregiver_id)
        .outerjoin(Staff, Staff.id == SignUp.decided_by)
        .where(SignUp.session_id == session.id)
        .order_by(SignUp.requested_at, SignUp.id)
    )
    rows = [
        RosterRow(
            nickname=child.nickname,
            age_months=(
                None
                if child.birth_date is None or child.birth_date > day
                else age_months(child.birth_date, day)
            ),
            relation=relation,
            state=SignUpState(sign_up.state),
            is_walk_in=sign_up.is_walk_in,
            reason=sign_up.reason,
            requested_at=sign_up.requested_at,
            decided_at=sign_up.decided_at,
            decided_by=username,
        )
        for sign_up, child, relation, username in sign_ups
    ]
    rows.sort(key=lambda row: ROSTER_ORDER.index(row.state))
    return Roster(session=_desk_session(session, waiting), rows=tuple(rows))


@dataclass(frozen=True, slots=True)
class SignUpStatus:
    """How a sign-up stands, and who made it so."""

    sign_up_id: int
    nickname: str
    code: str
    title: str
    state: str
    by: str | None
    """Username; None where the family or the rules decided."""
    at: datetime | None


def find_sign_up(db: Session, scope: StaffScope, sign_up_id: int) -> SignUpStatus | None:
    """One sign-up as it stands; None where there is none in scope."""
    rows = _statuses(db, _with_decider(scope).where(SignUp.id == sign_up_id))
    return rows[0] if rows else None


def decided_since(
    db: Session, scope: StaffScope, since: datetime, *, limit: int = 20
) -> list[SignUpStatus]:
    """What staff decided lately, the newest first: also what a colleague was faster at."""
    return _statuses(
        db,
        _with_decider(scope)
        .where(
            SignUp.decided_by.is_not(None),
            SignUp.decided_at >= since,
            SignUp.state.in_(DECISIONS),
        )
        .order_by(SignUp.decided_at.desc(), SignUp.id.desc())
        .limit(limit),
    )


def _with_decider(
    scope: StaffScope,
) -> Select[SignUp, Child, GuidanceSession, str | None]:
    return (
        select(SignUp, Child, GuidanceSession, Staff.username)
        .join(Child, Child.id == SignUp.child_id)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .outerjoin(Staff, Staff.id == SignUp.decided_by)
        .where(scope.stations())
    )


def _statuses(
    db: Session, statement: Select[SignUp, Child, GuidanceSession, str | None]
) -> list[SignUpStatus]:
    return [
        SignUpStatus(
            sign_up_id=sign_up.id,
            nickname=child.nickname,
            code=session.code,
            title=session.title,
            state=sign_up.state,
            by=username,
            at=sign_up.decided_at,
        )
        for sign_up, child, session, username in db.execute(statement)
    ]
