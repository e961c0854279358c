"""Requests for places that wait for staff: a list, the oldest first, with what helps to decide."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.models import Child, Family, GuidanceSession, SignUp, Staff, Station, Township
from app.rules.age import age_months
from app.rules.sign_up import SignUpState
from app.services.decisions import in_scope
from app.services.families import matching
from app.services.seats import held_on
from app.services.staff import scope_of


@dataclass(frozen=True, slots=True)
class PendingSignUp:
    """A request that waits for a decision, with what the teacher wants to see beside it."""

    sign_up_id: int
    nickname: str
    age_months: int | None
    """On the session's day; None where the child was not born by then."""
    sex: str | None
    code: str
    title: str
    starts_at: datetime
    station: str
    township: str
    """The family's township."""
    requested_at: datetime
    places: int
    places_taken: int
    attended_this_year: int
    """Distinct sessions that the family attended in the session's calendar year."""
    missed_this_year: int
    """Sessions of that year that it had a place in and did not come to."""
    family_id: int
    is_own: bool
    """The family belongs to the staff member's care: its page can be opened."""
    session_id: int


def _pending(staff: Staff) -> Select[SignUp, Child, Township]:
    return (
        select(SignUp, Child, Township)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .join(Child, Child.id == SignUp.child_id)
        .join(Family, Family.id == SignUp.family_id)
        .join(Township, Township.id == Family.township_id)
        .where(SignUp.state == SignUpState.REQUESTED, in_scope(staff))
    )


def count_pending(db: Session, staff: Staff) -> int:
    """How many requests wait for this staff member."""
    statement = _pending(staff).with_only_columns(func.count(SignUp.id))
    return db.execute(statement).scalar_one()


@dataclass(frozen=True, slots=True)
class PendingQuery:
    """Which requests staff look for; a part that is empty asks for nothing."""

    text: str = ""
    """A child's or a family's name, pinyin or telephone, or a session's code."""
    station: str = ""
    """A station's code."""
    before: datetime | None = None
    """Asked for before then: those that have waited long."""
    starts_before: datetime | None = None


EVERY_REQUEST: Final = PendingQuery()


def _wanted(query: PendingQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.text:
        is_code = GuidanceSession.code == query.text.upper()
        conditions.append(or_(matching(query.text), is_code))
    if query.station:
        conditions.append(Station.code == query.station)
    if query.before is not None:
        conditions.append(SignUp.requested_at < query.before)
    if query.starts_before is not None:
        conditions.append(GuidanceSession.starts_at < query.starts_before)
    return conditions


def pending(
    db: Session,
    staff: Staff,
    *,
    limit: int = 50,
    offset: int = 0,
    query: PendingQuery = EVERY_REQUEST,
) -> list[PendingSignUp]:
    """Requests that wait, the oldest first."""
    rows = list(
        db.execute(
            _pending(staff)
            .where(*_wanted(query))
            .add_columns(scope_of(staff).families().label("is_own"))
            .options(contains_eager(SignUp.session).contains_eager(GuidanceSession.station))
            .order_by(SignUp.requested_at, SignUp.id)
            .limit(limit)
            .offset(offset)
        )
    )
    families = [(found.family_id, found.session) for found, _, _, _ in rows]
    attended = _counted(db, families, SignUpState.ATTENDED)
    missed = _counted(db, families, SignUpState.NO_SHOW)
    return [
        PendingSignUp(
            sign_up_id=found.id,
            nickname=child.nickname,
            age_months=_age_on(child, found.session),
            sex=child.sex,
            code=found.session.code,
            title=found.session.title,
            starts_at=found.session.starts_at,
            station=found.session.station.name,
            township=township.name,
            requested_at=found.requested_at,
            places=found.session.places,
            places_taken=found.session.places_taken,
            attended_this_year=attended.get((found.family_id, held_on(found.session).year), 0),
            missed_this_year=missed.get((found.family_id, held_on(found.session).year), 0),
            family_id=found.family_id,
            is_own=is_own,
            session_id=found.session_id,
        )
        for found, child, township, is_own in rows
    ]


def _age_on(child: Child, session: GuidanceSession) -> int | None:
    day = held_on(session)
    born = child.birth_date
    return None if born is None or born > day else age_months(born, day)


def _counted(
    db: Session, families: list[tuple[int, GuidanceSession]], state: SignUpState
) -> dict[tuple[int, int], int]:
    """Distinct sessions in a state by (family, calendar year), in one query."""
    if not families:
        return {}
    years = {held_on(session).year for _, session in families}
    start = datetime(min(years), 1, 1, tzinfo=SHANGHAI)
    end = datetime(max(years) + 1, 1, 1, tzinfo=SHANGHAI)
    rows = db.execute(
        select(SignUp.family_id, SignUp.session_id, GuidanceSession.starts_at)
        .join(SignUp.session)
        .where(
            SignUp.family_id.in_({family_id for family_id, _ in families}),
            SignUp.state == state,
            GuidanceSession.starts_at >= start,
            GuidanceSession.starts_at < end,
        )
        .distinct()
    )
    counts: dict[tuple[int, int], int] = {}
    for family_id, _, starts_at in rows:
        key = (family_id, starts_at.astimezone(SHANGHAI).year)
        counts[key] = counts.get(key, 0) + 1
    return counts
