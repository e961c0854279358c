"""What families are told when a session is moved or cancelled, and what is then untrue."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast, literal, select
from sqlalchemy.orm import Session

from app.models import Child, GuidanceSession, Notice, SignUp
from app.models.notice_facts import (
    AgedOut,
    SessionChanged,
    SignUpCancelledByStaff,
    SignUpOffered,
    dump_facts,
    load_facts,
)
from app.rules.age import age_months
from app.rules.sign_up import SignUpState, can_cancel
from app.services import notices
from app.services.seats import held_on, terms_of
from app.services.sign_up_notices import tell, told

SUPERSEDED = "superseded"
VOIDED_KINDS = ("session_changed", "reminder_24h", "reminder_2h", "waiting_ended")
"""Of these an unsent one says an old time."""
RENEWED_KINDS = ("sign_up_confirmed", "sign_up_offered", "sign_up_offer_expired")
"""Of these an unsent one is wanted still, with the new time."""
UNSENT = ("queued", "waiting")
AGE = "age"
"""The reason kept with a sign-up that a change took away: too young or too old by then."""


@dataclass(frozen=True, slots=True)
class Announced:
    """When and where a family believes a session to be."""

    at: datetime
    ends_at: datetime
    place: str


def announced(session: GuidanceSession) -> Announced:
    """As the session stands now."""
    return Announced(session.starts_at, session.ends_at, session.station.name)


def void_notices(db: Session, session_id: int, was: Announced) -> dict[int, Announced]:
    """Skip what is queued about a session and says an old time.

    Gives, by sign-up, what the family knows of, where the news of an earlier move had not left
    yet: the next one tells of both, and a move back needs none.
    """
    known: dict[int, Announced] = {}
    for notice in _unsent(db, session_id, VOIDED_KINDS):
        notice.state, notice.reason = "skipped", SUPERSEDED
        facts = load_facts(notice.facts)
        if isinstance(facts, SessionChanged):
            lead = int(notice.subject.partition(":")[2])
            before = Announced(
                facts.was_at, facts.was_ends_at or was.ends_at, facts.was_place or was.place
            )
            known |= dict.fromkeys((lead, *facts.sign_up_ids), before)
    db.flush()
    return known


def _unsent(db: Session, session_id: int, kinds: Sequence[str]) -> Sequence[Notice]:
    subjects = select(literal("sign_up:") + cast(SignUp.id, String)).where(
        SignUp.session_id == session_id
    )
    statement = select(Notice).where(
        Notice.subject.in_(subjects), Notice.kind.in_(kinds), Notice.state.in_(UNSENT)
    )
    # Locked: what a deliverer claims meanwhile is on its way as it was, and no longer unsent.
    return db.scalars(statement.with_for_update()).all()


def renew_notices(
    db: Session,
    session: GuidanceSession,
    concerned: Sequence[SignUp],
    known: Mapping[int, Announced],
) -> frozenset[int]:
    """What was written of a session before its move and has not left, says the new time.

    Gives the sign-ups whose offer tells of the move itself, since it waited for the morning.
    `known` is, by sign-up, what the family knows of.
    """
    open_offers = {each.id: ends for each in concerned if (ends := open_until(each))}
    telling: set[int] = set()
    for notice in _unsent(db, session.id, RENEWED_KINDS):
        facts = load_facts(notice.facts)
        now_true: dict[str, object] = {
            "starts_at": session.starts_at,
            "place": session.station.name,
            "address": session.station.address,
            "phone": session.station.phone,
        }
        sign_up_id = int(notice.subject.partition(":")[2])
        if isinstance(facts, SignUpOffered) and sign_up_id in open_offers:
            until = open_offers[sign_up_id]
            now_true |= {"was_at": facts.was_at or known[sign_up_id].at, "until": until}
            notice.expires_at = until
            telling.add(sign_up_id)
        notice.facts = dump_facts(facts.model_copy(update=now_true))
    db.flush()
    return frozenset(telling)


def tell_moved(
    db: Session,
    concerned: Iterable[tuple[SignUp, Child]],
    known: Mapping[int, Announced],
    now: datetime,
) -> None:
    """The new time and place, once for each move; siblings, who stand alike, in one message."""
    stand = by_caregiver(
        concerned,
        apart=lambda each: (
            each.state == SignUpState.WAITLISTED,
            open_until(each),
            known[each.id],
        ),
    )
    for siblings in stand:
        _tell_siblings(db, siblings, was=known[siblings[0][0].id], now=now)


def _tell_siblings(
    db: Session, concerned: Sequence[tuple[SignUp, Child]], *, was: Announced, now: datetime
) -> None:
    sign_up, child = concerned[0]
    session = sign_up.session
    facts = SessionChanged(
        **told(sign_up, child) | {"nickname": _names(concerned)},
        was_at=was.at,
        was_ends_at=was.ends_at,
        was_place=was.place if was.place != session.station.name else "",
        ends_at=session.ends_at,
        is_waiting=sign_up.state == SignUpState.WAITLISTED,
        offer_until=open_until(sign_up),
        can_cancel=can_cancel(terms_of(session), now),
        sign_up_ids=tuple(each.id for each, _ in concerned),
    )
    notices.queue(
        db,
        caregiver_id=sign_up.caregiver_id,
        facts=facts,
        subject=f"sign_up:{sign_up.id}",
        dedupe_key=f"{facts.kind}:{sign_up.id}:{session.calendar_sequence}",
        now=now,
        expires_at=session.ends_at,
    )


def tell_cancelled(
    db: Session, concerned: Sequence[tuple[SignUp, Child]], reason: str, now: datetime
) -> None:
    """The whole session does not take place, and why; siblings in one message."""
    sign_up, child = concerned[0]
    facts = SignUpCancelledByStaff(
        **told(sign_up, child) | {"nickname": _names(concerned)},
        reason=reason,
        sign_up_ids=tuple(each.id for each, _ in concerned),
    )
    tell(db, facts, sign_up, now)


def open_until(sign_up: SignUp) -> datetime | None:
    """The end of the offer of a sign-up that has one to answer."""
    return sign_up.offer_expires_at if sign_up.state == SignUpState.OFFERED else None


def by_caregiver(
    rows: Iterable[tuple[SignUp, Child]], *, apart: Callable[[SignUp], object] = lambda _: None
) -> list[list[tuple[SignUp, Child]]]:
    """Sign-ups that one message can be for: of one caregiver, and alike in what is `apart`."""
    groups: dict[tuple[int, object], list[tuple[SignUp, Child]]] = {}
    for sign_up, child in rows:
        groups.setdefault((sign_up.caregiver_id, apart(sign_up)), []).append((sign_up, child))
    return list(groups.values())


def _names(concerned: Sequence[tuple[SignUp, Child]]) -> str:
    return "、".join(child.nickname for _, child in concerned)


def tell_aged_out(
    db: Session, sign_up: SignUp, child: Child, *, was_at: datetime, now: datetime
) -> None:
    """One message for both: the session has changed, and is not for this child's age any more."""
    session, born = sign_up.session, child.birth_date
    day = held_on(session)
    aged_out = AgedOut(
        was_at=was_at,
        age_months=None if born is None or born > day else age_months(born, day),
        min_months=session.min_months,
        max_months=session.max_months,
    )
    facts = SignUpCancelledByStaff(**told(sign_up, child), reason=AGE, aged_out=aged_out)
    tell(db, facts, sign_up, now)
