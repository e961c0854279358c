"""What is stored about one session's sign-ups, as operators read it.

The field names are those of the published JSON: scripts hold on to them.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.rules.sign_up import SignUpState
from app.services import waiting_list
from app.services.rosters import sign_ups_of
from app.services.sessions import get_session


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One sign-up of a session."""

    sign_up: int
    family: int
    child: str
    openid: str | None
    """Of who signed up; None where they no longer follow."""
    state: str
    position: int | None
    """In the waiting list; None outside of it."""
    offer_expires_at: datetime | None
    """Of an offer that is open, or that no job has settled yet."""
    signed_up_at: datetime
    decided_at: datetime | None
    is_walk_in: bool
    is_override: bool
    """Seated by staff beyond the places."""


@dataclass(frozen=True, slots=True)
class Roster:
    session: str
    title: str
    station: str
    starts_at: datetime
    ends_at: datetime
    state: str
    places: int
    taken: int
    signups: tuple[RosterRow, ...]


def roster(db: Session, code: str) -> Roster:
    """Every sign-up of a session, in the order they came. Raises SessionUnknown."""
    session = get_session(db, code)
    rows = db.execute(sign_ups_of(session.id))
    places = waiting_list.positions(db, session)
    return Roster(
        session=session.code,
        title=session.title,
        station=session.station.code,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        state=session.state,
        places=session.places,
        taken=session.places_taken,
        signups=tuple(
            RosterRow(
                sign_up=found.id,
                family=found.family_id,
                child=child.nickname,
                openid=caregiver.openid,
                state=found.state,
                position=places.get(found.id),
                offer_expires_at=(
                    found.offer_expires_at if found.state == SignUpState.OFFERED else None
                ),
                signed_up_at=found.requested_at,
                decided_at=found.decided_at,
                is_walk_in=found.is_walk_in,
                is_override=found.is_override,
            )
            for found, child, caregiver, _ in rows
        ),
    )
