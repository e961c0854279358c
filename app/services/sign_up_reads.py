"""What has to be known when a family asks for seats, in as few statements as it takes.

In a rush nearly everybody is refused. All that a refusal needs comes at once; what it needs of
the families is read for several together, and what it needs of the session once for all that ask
at the same moment.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, bindparam, case, cast, exists, select
from sqlalchemy.orm import Session

from app.errors import SessionUnknown
from app.late_transaction import TurnSession
from app.models import Family, GuidanceSession, SignUp
from app.prepared import Joined, Prepared, Row
from app.rules.sign_up import ACTIVE, SignUpState
from app.services.seats import (
    LOOK_AT,
    LOOK_AT_FAMILY,
    SESSION_COLUMNS,
    Look,
    is_in_state,
    put_session,
    seen_of,
)

_KNOWN = "family_standing"
"""A session's note of what was read of its family."""

_MISSED = is_in_state([SignUpState.NO_SHOW])
STANDING_COLUMNS = (
    exists().where(SignUp.family_id == Family.id, _MISSED).label("has_missed"),
    select(Joined(cast(SignUp.session_id, Text)))
    .where(SignUp.family_id == Family.id, is_in_state(ACTIVE))
    .correlate(Family)
    .scalar_subquery()
    .label("active"),
)
"""What FamilyStanding needs of a statement that reads families."""


@dataclass(frozen=True, slots=True)
class FamilyStanding:
    """A family's sign-ups, as far as its next one asks for them."""

    has_missed: bool
    """Whether it was ever marked as having missed a session."""
    active: tuple[int, ...]
    """The session of each of its children's active sign-ups."""


def standing_of(row: Row) -> FamilyStanding:
    """Of a row of STANDING_COLUMNS."""
    has_missed, active = row
    return FamilyStanding(bool(has_missed), tuple(map(int, active.split())) if active else ())


def note_standing(db: Session, family_id: int, standing: FamilyStanding) -> None:
    """It was read a moment ago, since this turn had come."""
    db.info[_KNOWN] = (family_id, standing)


def _find_standing(db: Session, family: Family) -> FamilyStanding | None:
    """What was noted, while nothing in the turn has changed it."""
    family_id, standing = db.info.get(_KNOWN, (None, None))
    if family_id != family.id or not isinstance(db, TurnSession) or db.late.has_begun:
        return None
    assert isinstance(standing, FamilyStanding)
    return standing


@dataclass(frozen=True, slots=True)
class Asked:
    """A session as it stands for a family that asks for seats in it."""

    session: GuidanceSession
    has_missed: bool
    """Whether the family was ever marked as having missed one."""
    seen: Look | None
    """The session's queue; None where the seats seem to be free."""


_BY_CODE = GuidanceSession.code == bindparam("code")
_IS_FULL = GuidanceSession.places_taken + bindparam("wanted") > GuidanceSession.places
_GET_FOR_SIGN_UP = Prepared(
    select(
        *SESSION_COLUMNS,
        exists().where(SignUp.family_id == bindparam("family_id"), _MISSED),
        # Whoever may have a seat is not asked for it.
        *(case((_IS_FULL, column)) for column in (*LOOK_AT, LOOK_AT_FAMILY)),
    )
    .select_from(GuidanceSession)
    .join(GuidanceSession.station)
    .where(_BY_CODE)
)
_GET_FOR_ALL = Prepared(
    select(*SESSION_COLUMNS, *LOOK_AT)
    .select_from(GuidanceSession)
    .join(GuidanceSession.station)
    .where(_BY_CODE)
)


def get_for_sign_up(db: Session, code: str, family: Family, wanted: int, now: datetime) -> Asked:
    """The session by its code, and what a refusal needs to know. Raises SessionUnknown."""
    db.flush()
    standing = _find_standing(db, family)
    if standing is not None and isinstance(db, TurnSession):
        return _shared(db, code, standing, wanted, now)
    row = _GET_FOR_SIGN_UP.first(db, code=code.upper(), family_id=family.id, wanted=wanted, now=now)
    if row is None:
        raise SessionUnknown(code)
    session, (has_missed, *seen) = _session_and_rest(db, row)
    is_full = seen[0] is not None
    return Asked(session, bool(has_missed), seen_of(session, seen) if is_full else None)


def _shared(
    db: TurnSession, code: str, standing: FamilyStanding, wanted: int, now: datetime
) -> Asked:
    asked = code.upper()
    row = db.share(("sign_up", asked), lambda: _GET_FOR_ALL.first(db, code=asked, now=now))
    if row is None:
        raise SessionUnknown(code)
    session, seen = _session_and_rest(db, row)
    free = seen[0]
    if free >= wanted:
        return Asked(session, standing.has_missed, None)
    look = seen_of(session, (*seen, standing.active.count(session.id)))
    return Asked(session, standing.has_missed, look)


def _session_and_rest(db: Session, row: Row) -> tuple[GuidanceSession, Row]:
    columns = len(SESSION_COLUMNS)
    return put_session(db, row[:columns]), row[columns:]
