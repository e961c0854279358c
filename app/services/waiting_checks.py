"""What the doctor looks at in waiting lists: offers, their notices, and nobody passed over."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.models import AuditEntry, GuidanceSession, Notice, SignUp
from app.rules.sign_up import SessionState, SignUpState
from app.rules.waiting_list import CUT_OFF
from app.services.waiting_list import offer_until

JOB_LAG = timedelta(hours=12)
"""The job of every minute may be late: what is past its time is free all the same. Late by
half a day it is broken."""

NOTICE_OF_STEP: dict[str, str] = {
    SignUpState.OFFERED: "sign_up_offered",
    SignUpState.EXPIRED: "sign_up_offer_expired",
}
"""What the waiting list's own steps owe the family, once."""


def broken_offers(db: Session) -> list[str]:
    """Offers without a beginning or an end, or that outlive the cut-off of their session."""
    statement = (
        select(SignUp.id)
        .join(SignUp.session)
        .where(
            SignUp.state == SignUpState.OFFERED,
            or_(
                SignUp.offered_at.is_(None),
                SignUp.offer_expires_at.is_(None),
                SignUp.offer_expires_at <= SignUp.offered_at,
                SignUp.offer_expires_at > GuidanceSession.starts_at,
            ),
        )
        .order_by(SignUp.id)
    )
    return _named("sign_up", db.scalars(statement))


def timeless_waits(db: Session) -> list[str]:
    """Sign-ups that wait and do not say since when: their place in line would be a guess."""
    statement = select(SignUp.id).where(
        SignUp.state == SignUpState.WAITLISTED, SignUp.waitlisted_at.is_(None)
    )
    return _named("sign_up", db.scalars(statement.order_by(SignUp.id)))


def unreasoned_overrides(db: Session) -> list[str]:
    """Seats beyond the places that no audit row with a reason accounts for."""
    reasoned = select(AuditEntry.subject_id).where(
        AuditEntry.subject_type == "sign_up",
        AuditEntry.action == "override",
        AuditEntry.reason.is_not(None),
    )
    statement = select(SignUp.id).where(
        SignUp.is_override.is_(True), SignUp.id.not_in(reasoned.scalar_subquery())
    )
    return _named("sign_up", db.scalars(statement.order_by(SignUp.id)))


def untold_steps(db: Session) -> list[str]:
    """Offers made and run out without their one notice, and notices without their step."""
    steps = db.execute(
        select(AuditEntry.subject_id, AuditEntry.after).where(
            AuditEntry.subject_type == "sign_up", AuditEntry.after.in_(NOTICE_OF_STEP)
        )
    )
    owed = {(f"sign_up:{sign_up_id}", NOTICE_OF_STEP[to]) for sign_up_id, to in steps if to}
    told = db.execute(
        select(Notice.subject, Notice.kind, func.count())
        .where(Notice.kind.in_(NOTICE_OF_STEP.values()))
        .group_by(Notice.subject, Notice.kind)
    )
    counts = {(subject, kind): count for subject, kind, count in told}
    wrong = owed ^ counts.keys() | {step for step, count in counts.items() if count > 1}
    return [f"{subject}/{kind}" for subject, kind in sorted(wrong)]


def late_offers(db: Session, now: datetime) -> list[str]:
    """Offers whose time has been over for long, and which nobody has settled."""
    statement = select(SignUp.id).where(
        SignUp.state == SignUpState.OFFERED, SignUp.offer_expires_at < now - JOB_LAG
    )
    return _named("sign_up", db.scalars(statement.order_by(SignUp.id)))


def idle_seats(db: Session, now: datetime) -> list[str]:
    """Sessions with a free seat that for long could have been offered to somebody who waits."""
    before = now - JOB_LAG
    waited_for = (
        select(SignUp.session_id)
        .where(SignUp.state == SignUpState.WAITLISTED, SignUp.waitlisted_at < before)
        .scalar_subquery()
    )
    sessions = db.scalars(
        select(GuidanceSession)
        .where(
            GuidanceSession.state == SessionState.PUBLISHED,
            GuidanceSession.places_taken < GuidanceSession.places,
            GuidanceSession.starts_at > now + CUT_OFF,
            GuidanceSession.id.in_(waited_for),
        )
        .order_by(GuidanceSession.code)
    ).all()
    # At night, before a morning's session, no offer can be made: then a seat may stay free.
    idle = [each.code for each in sessions if offer_until(each, now) and offer_until(each, before)]
    return _named("session", idle)


def _named(kind: str, keys: Iterable[object]) -> list[str]:
    return [f"{kind}:{key}" for key in keys]
