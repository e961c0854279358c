"""Signing a child up for the sessions of its year: for all of them, or for none."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import (
    AgeOutsideSession,
    AlreadySignedUp,
    SessionCancelled,
    SessionFull,
    SessionUnknown,
    SignUpClosed,
    SignUpDelayed,
    SignUpNotOpenYet,
    TownshipFirst,
)
from app.models import Caregiver, Child, GuidanceSession, SignUp
from app.prepared import Prepared, among
from app.rules.sign_up import SignUpState
from app.services import sessions
from app.services.audit import Actor


class _SeatLost(Exception):
    """A seat was proposed, and only the waiting list is left."""


LOST = (
    _SeatLost,
    AgeOutsideSession,
    AlreadySignedUp,
    SessionCancelled,
    SessionFull,
    SessionUnknown,
    SignUpClosed,
    SignUpDelayed,
    SignUpNotOpenYet,
    TownshipFirst,
)
"""What may have happened to a session between the proposal and the family's yes."""


@dataclass(slots=True)
class SigningUp:
    """A child is signed up for several sessions: all of them, or none."""

    caregiver: Caregiver
    child: Child
    may_wait: frozenset[int]
    """Sessions of which a place in the waiting list is enough."""
    actor: Actor | None = None
    """Who acts for the caregiver; None: the caregiver does."""
    made: list[SignUp] = field(default_factory=list)
    last: str = ""
    """The code of the session that was tried last: where it failed, the one that is lost."""

    def sign_up_for_all(self, db: Session, session_ids: Collection[int], now: datetime) -> bool:
        """False, and nothing written, where one of them is lost."""
        codes = _codes(db, session_ids)
        try:
            with db.begin_nested():
                # In one order, so that two families with the same wishes do not block each other.
                for session_id in sorted(set(session_ids)):
                    self.last = codes.get(session_id, str(session_id))
                    signed_up = sessions.sign_up(
                        db,
                        caregiver=self.caregiver,
                        child=self.child,
                        code=self.last,
                        now=now,
                        actor=self.actor,
                    )
                    self.made.append(signed_up)
                    waits = signed_up.state == SignUpState.WAITLISTED
                    if waits and session_id not in self.may_wait:
                        raise _SeatLost
        except LOST:
            self.forget(db)
            return False
        return True

    def forget(self, db: Session) -> None:
        """The rows are rolled back: gone, and SQLite gives the same numbers again."""
        for signed_up in self.made:
            if signed_up in db:
                db.expunge(signed_up)
        self.made.clear()


_CODES = Prepared(
    lambda dialect: select(GuidanceSession.id, GuidanceSession.code).where(
        among(GuidanceSession.id, "ids", dialect)
    ),
    only_reads=True,
)


def _codes(db: Session, session_ids: Collection[int]) -> dict[int, str]:
    if not session_ids:
        return {}
    db.flush()
    return dict(_CODES.all(db, ids=list(session_ids)))
