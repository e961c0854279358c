"""A family's year of sessions, one after the other: what was attended, and what is to come."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.models import Child, GuidanceSession, SignUp
from app.rules.sign_up import ACTIVE, SignUpState
from app.services.year_supply import year_bounds

RANK = (
    SignUpState.ATTENDED,
    SignUpState.CONFIRMED,
    SignUpState.REQUESTED,
    SignUpState.OFFERED,
    SignUpState.WAITLISTED,
)
"""Where siblings differ in one session, the family sees the surest."""


@dataclass(frozen=True, slots=True)
class YearSession:
    """One session of the year, siblings together."""

    code: str
    title: str
    starts_at: datetime
    station: str
    state: SignUpState
    nicknames: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        return self.state is SignUpState.ATTENDED


def load_year(db: Session, family_id: int, now: datetime) -> list[YearSession]:
    """Attended sessions of this Shanghai year and those still to come, by time."""
    start, end = year_bounds(now.astimezone(SHANGHAI).year)
    rows = db.execute(
        select(SignUp, Child.nickname)
        .join(Child, Child.id == SignUp.child_id)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .options(contains_eager(SignUp.session).contains_eager(GuidanceSession.station))
        .where(
            SignUp.family_id == family_id,
            SignUp.state.in_(ACTIVE),
            GuidanceSession.starts_at >= start,
            GuidanceSession.starts_at < end,
            or_(SignUp.state == SignUpState.ATTENDED, GuidanceSession.starts_at > now),
        )
        .order_by(GuidanceSession.starts_at, SignUp.id)
    )
    found: dict[int, list[tuple[SignUp, str]]] = {}
    for sign_up, nickname in rows:
        found.setdefault(sign_up.session_id, []).append((sign_up, nickname))
    return [_together(each) for each in found.values()]


def _together(siblings: list[tuple[SignUp, str]]) -> YearSession:
    states = {SignUpState(sign_up.state) for sign_up, _ in siblings}
    session = siblings[0][0].session
    return YearSession(
        code=session.code,
        title=session.title,
        starts_at=session.starts_at,
        station=session.station.name,
        state=next(state for state in RANK if state in states),
        nicknames=tuple(nickname for _, nickname in siblings),
    )
