"""Guidance sessions and their sign-ups as the staff of a station see them.

Every query takes a StaffScope and shows nothing outside it. Lists take a limit and an
offset; ask for one row more than a page to learn whether there is a next one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.errors import SessionUnknown
from app.models import Caregiver, Child, Family, GuidanceSession, SignUp, Staff, Station, Township
from app.rules.age import age_months
from app.rules.search_terms import terms_of_name, terms_of_query
from app.rules.session_life import Stage, stage_of
from app.rules.sign_up import SessionState, SignUpState
from app.services import waiting_list
from app.services.families import matching
from app.services.seats import terms_of
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
    level: str
    stage: Stage
    """At the moment that the list was asked for."""
    is_in_series: bool
    cancelled_reason: str | None
    waiting_for_decision: int
    """Requests that nobody has decided yet; their places are held."""


@dataclass(frozen=True, slots=True)
class RosterRow:
    sign_up_id: int
    family_id: int
    nickname: str
    age_months: int | None
    """On the session's day; None where the child was not born by then."""
    relation: str | None
    """Of the caregiver who signed up."""
    state: SignUpState
    is_walk_in: bool
    is_override: bool
    """Seated by staff beyond the places."""
    position: int | None
    """In the waiting list; None outside of it."""
    offer_expires_at: datetime | None
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


def _desk_session(session: GuidanceSession, waiting: int, now: datetime) -> DeskSession:
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
        level=session.level,
        stage=stage_of(terms_of(session), session.ends_at, now),
        is_in_series=session.series_id is not None,
        cancelled_reason=session.cancelled_reason,
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
    return [_desk_session(session, waiting, now) for session, waiting in db.execute(statement)]


class Show(StrEnum):
    """Which sessions a list holds."""

    COMING = "coming"
    """From today's first minute on, also those of today that are over."""
    PAST = "past"
    DRAFTS = "drafts"
    CANCELLED = "cancelled"


def list_sessions(
    db: Session,
    scope: StaffScope,
    show: Show,
    *,
    now: datetime,
    text: str = "",
    limit: int = 50,
    offset: int = 0,
) -> list[DeskSession]:
    """Sessions of one kind: what comes and drafts by time, what is past or cancelled backwards.

    `text` is part of a code, of a title or a station in characters or pinyin; or a family's
    name, nickname or telephone, for the sessions that it signed up for.
    """
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    is_coming, starts = GuidanceSession.starts_at >= today, GuidanceSession.starts_at
    match show:
        case Show.COMING:
            wanted = and_(is_coming, GuidanceSession.state != SessionState.DRAFT)
        case Show.PAST:
            wanted = and_(
                ~is_coming,
                GuidanceSession.state.in_((SessionState.PUBLISHED, SessionState.HELD)),
            )
        case Show.DRAFTS:
            wanted = GuidanceSession.state == SessionState.DRAFT
        case Show.CANCELLED:
            wanted = GuidanceSession.state == SessionState.CANCELLED
    if text:
        wanted = and_(wanted, _found_by(db, text))
    is_backwards = show in (Show.PAST, Show.CANCELLED)
    statement = (
        _sessions(scope)
        .where(wanted)
        .order_by(starts.desc() if is_backwards else starts, GuidanceSession.id)
        .limit(limit)
        .offset(offset)
    )
    return [_desk_session(session, waiting, now) for session, waiting in db.execute(statement)]


def _found_by(db: Session, text: str) -> ColumnElement[bool]:
    """Titles and stations are few: how they sound is looked at here, not in the database."""
    part = f"%{text.replace('%', '').replace('_', '')}%"
    conditions = [
        GuidanceSession.code.ilike(part),
        GuidanceSession.title.ilike(part),
        Station.name.ilike(part),
    ]
    terms = set(terms_of_query(text) or ())
    if terms and all(term.startswith("sound:") for term in terms):
        titles = db.scalars(select(GuidanceSession.title).distinct())
        conditions.append(
            GuidanceSession.title.in_([name for name in titles if terms <= terms_of_name(name)])
        )
        stations = db.execute(select(Station.id, Station.name))
        conditions.append(
            Station.id.in_([key for key, name in stations if terms <= terms_of_name(name)])
        )
    families = select(SignUp.session_id).join(Family, Family.id == SignUp.family_id)
    conditions.append(GuidanceSession.id.in_(families.where(matching(text))))
    return or_(*conditions)


def get_in_scope(db: Session, scope: StaffScope, code: str) -> GuidanceSession:
    """The session itself. Raises SessionUnknown, also where it is outside the scope."""
    found = db.execute(
        _sessions(scope).where(GuidanceSession.code == code.strip().upper())
    ).one_or_none()
    if found is None:
        raise SessionUnknown(code)
    session, _ = found
    return session


def stations_in(db: Session, scope: StaffScope) -> list[Station]:
    """The active stations that this staff member may put sessions at, by name."""
    return list(
        db.scalars(
            select(Station).where(scope.stations(), Station.is_active).order_by(Station.name)
        )
    )


def township_names(db: Session) -> list[str]:
    """In the official order."""
    return list(db.scalars(select(Township.name).order_by(Township.id)))


def sign_ups_of(session_id: int) -> Select[SignUp, Child, Caregiver, str | None]:
    """A session's sign-ups in the order they came, each with the child, the caregiver who
    signed up, and the username of whoever decided."""
    return (
        select(SignUp, Child, Caregiver, Staff.username)
        .join(Child, Child.id == SignUp.child_id)
        .join(Caregiver, Caregiver.id == SignUp.caregiver_id)
        .outerjoin(Staff, Staff.id == SignUp.decided_by)
        .where(SignUp.session_id == session_id)
        .order_by(SignUp.requested_at, SignUp.id)
    )


def get_roster(db: Session, scope: StaffScope, code: str, now: datetime) -> Roster:
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
    sign_ups = db.execute(sign_ups_of(session.id)).all()
    is_waited_for = any(found.state == SignUpState.WAITLISTED for found, _, _, _ in sign_ups)
    positions = waiting_list.positions(db, session) if is_waited_for else {}
    rows = [
        RosterRow(
            sign_up_id=sign_up.id,
            family_id=sign_up.family_id,
            nickname=child.nickname,
            age_months=(
                None
                if child.birth_date is None or child.birth_date > day
                else age_months(child.birth_date, day)
            ),
            relation=caregiver.relation,
            state=SignUpState(sign_up.state),
            is_walk_in=sign_up.is_walk_in,
            is_override=sign_up.is_override,
            position=positions.get(sign_up.id),
            offer_expires_at=sign_up.offer_expires_at,
            reason=sign_up.reason,
            requested_at=sign_up.requested_at,
            decided_at=sign_up.decided_at,
            decided_by=username,
        )
        for sign_up, child, caregiver, username in sign_ups
    ]
    rows.sort(key=lambda row: (ROSTER_ORDER.index(row.state), row.position or 0))
    return Roster(session=_desk_session(session, waiting, now), rows=tuple(rows))


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
