"""Reminders of sessions: each at most once for a sign-up and the time it was announced for.

One session at a time, its row locked: so two runs at once, or a family that cancels meanwhile,
come one after the other. What a reminder was already written for is read from the outbox.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload

from app.models import AuditEntry, Child, GuidanceSession, Notice, SignUp
from app.models.notice_facts import SessionReminder, load_facts
from app.rules.reminders import LONGEST_LEAD, DueReminder, find_due, needs
from app.rules.sign_up import SessionState, SignUpState, can_cancel
from app.services import notices
from app.services.delivery import Reason
from app.services.notices import NoticeDraft
from app.services.seats import lock_session, terms_of


@dataclass(frozen=True, slots=True)
class _Place:
    """A sign-up of the session, in whatever state."""

    sign_up_id: int
    caregiver_id: int
    state: str
    told_at: datetime
    nickname: str


def find_near(db: Session, now: datetime) -> list[int]:
    """Sessions of which somebody may be due a reminder, the nearest first."""
    statement = (
        select(GuidanceSession.id)
        .where(
            GuidanceSession.state == SessionState.PUBLISHED,
            GuidanceSession.starts_at > now,
            # A moment is only ever moved later, into the morning.
            GuidanceSession.starts_at <= now + LONGEST_LEAD,
            exists().where(
                SignUp.session_id == GuidanceSession.id, SignUp.state == SignUpState.CONFIRMED
            ),
        )
        .order_by(GuidanceSession.starts_at, GuidanceSession.id)
    )
    return list(db.execute(statement).scalars())


def queue_due(db: Session, session_id: int, now: datetime) -> int:
    """Write the reminders that a session's confirmed families are due now; how many.

    One for each caregiver, with all the children that they signed up for it.
    """
    lock_session(db, session_id)
    session = db.execute(
        select(GuidanceSession)
        .options(joinedload(GuidanceSession.station))
        .where(GuidanceSession.id == session_id)
        .execution_options(populate_existing=True)
    ).scalar_one()
    due = find_due(session.starts_at, now)
    if due is None or session.state != SessionState.PUBLISHED:
        return 0
    places = _places(db, session)
    reminded = _reminded(db, session, due, places)
    by_caregiver: dict[int, list[_Place]] = defaultdict(list)
    for place in places:
        if (
            place.state == SignUpState.CONFIRMED
            and place.sign_up_id not in reminded
            and needs(due.reminder, session.starts_at, place.told_at)
        ):
            by_caregiver[place.caregiver_id].append(place)
    drafts = [_draft(session, due, of_one) for of_one in by_caregiver.values()]
    return notices.queue_all(db, drafts, now)


def _places(db: Session, session: GuidanceSession) -> list[_Place]:
    moved_at = _moved_at(db, session)
    rows = db.execute(
        select(SignUp, Child.nickname)
        .join(Child, Child.id == SignUp.child_id)
        .where(SignUp.session_id == session.id)
        .order_by(SignUp.id)
    )
    places = []
    for sign_up, nickname in rows:
        confirmed_at = sign_up.decided_at or sign_up.requested_at
        told_at = max(confirmed_at, moved_at) if moved_at else confirmed_at
        places.append(_Place(sign_up.id, sign_up.caregiver_id, sign_up.state, told_at, nickname))
    return places


def _moved_at(db: Session, session: GuidanceSession) -> datetime | None:
    """When everybody was last told another time or place."""
    if session.calendar_sequence == 0:
        return None
    return db.execute(
        select(func.max(AuditEntry.at, type_=AuditEntry.at.type)).where(
            AuditEntry.subject_type == "session",
            AuditEntry.subject_id == session.id,
            AuditEntry.action == "move",
        )
    ).scalar_one()


def _reminded(
    db: Session, session: GuidanceSession, due: DueReminder, places: list[_Place]
) -> frozenset[int]:
    """Sign-ups that a reminder of this kind, for the session as it is, was written for.

    One that was dropped because a sibling no longer comes does not count: who still comes
    is reminded by another.
    """
    if not places:
        return frozenset()
    rows = db.execute(
        select(Notice.facts, Notice.state, Notice.reason).where(
            # Also of those who cancelled: theirs may have named a sibling.
            Notice.subject.in_([_subject(place.sign_up_id) for place in places]),
            Notice.kind == due.reminder,
        )
    )
    reminded: set[int] = set()
    for stored, state, reason in rows:
        facts = load_facts(stored)
        if (
            isinstance(facts, SessionReminder)
            and facts.calendar_sequence == session.calendar_sequence
            and (state, reason) != ("skipped", Reason.SUPERSEDED)
        ):
            reminded.update(facts.sign_up_ids)
    return frozenset(reminded)


def _draft(session: GuidanceSession, due: DueReminder, places: list[_Place]) -> NoticeDraft:
    station = session.station
    ids = tuple(place.sign_up_id for place in places)
    return NoticeDraft(
        caregiver_id=places[0].caregiver_id,
        facts=SessionReminder(
            kind=due.reminder.value,
            sign_up_ids=ids,
            nicknames=tuple(place.nickname for place in places),
            calendar_sequence=session.calendar_sequence,
            can_cancel=can_cancel(terms_of(session), due.send_at),
            code=session.code,
            title=session.title,
            starts_at=session.starts_at,
            place=station.name,
            address=station.address,
            phone=station.phone,
        ),
        subject=_subject(ids[0]),
        dedupe_key=f"{due.reminder}:{session.calendar_sequence}:{'+'.join(map(str, ids))}",
        due_at=due.send_at,
        expires_at=due.until,
        can_wait=True,
    )


def _subject(sign_up_id: int) -> str:
    return f"sign_up:{sign_up_id}"
