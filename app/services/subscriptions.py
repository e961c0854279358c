"""What people allowed of subscription notices, as the platform's events say it.

An openid that is erased takes its consents along (services/registration.py, unfollow).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import SubscriptionConsent

ACCEPTED, REFUSED = "accept", "reject"
"""What the platform's events say; anything else changes nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of one template."""

    template_id: str
    status: str


def read_answers(status: str) -> list[Answer]:
    """Of "template:accept,template:reject", as an Inbound of a consent event bears it."""
    answers = []
    for part in status.split(","):
        template_id, _, said = part.rpartition(":")
        if template_id:
            answers.append(Answer(template_id, said))
    return answers


def note_popup(db: Session, openid: str, answers: Sequence[Answer], now: datetime) -> None:
    """A page asked, and the person answered: each yes allows one more message."""
    for answer in answers:
        if answer.status == ACCEPTED:
            _put(db, openid, answer.template_id, now)
            _change(
                db,
                openid,
                answer.template_id,
                sends_left=SubscriptionConsent.sends_left + 1,
                refused_at=None,
                asked_at=now,
                updated_at=now,
            )
        elif answer.status == REFUSED:
            _put(db, openid, answer.template_id, now)
            _change(db, openid, answer.template_id, refused_at=now, asked_at=now, updated_at=now)


def note_change(db: Session, openid: str, answers: Sequence[Answer], now: datetime) -> None:
    """The person changed the account's settings on their phone: that holds from now on."""
    for answer in answers:
        if answer.status not in (ACCEPTED, REFUSED):
            continue
        _put(db, openid, answer.template_id, now)
        if answer.status == ACCEPTED:
            _change(
                db, openid, answer.template_id, is_lasting=True, refused_at=None, updated_at=now
            )
        else:
            drop(db, openid, answer.template_id, now)


def drop(db: Session, openid: str, template_id: str, now: datetime) -> None:
    """There is no consent left: refused, or spent where we did not know (43101)."""
    _change(db, openid, template_id, sends_left=0, is_lasting=False, refused_at=now, updated_at=now)


def spend(db: Session, openid: str, template_id: str, now: datetime) -> None:
    """One message went, or may have gone."""
    db.execute(
        update(SubscriptionConsent)
        .where(
            SubscriptionConsent.openid == openid,
            SubscriptionConsent.template_id == template_id,
            SubscriptionConsent.sends_left > 0,
            SubscriptionConsent.is_lasting.is_(False),
        )
        .values(sends_left=SubscriptionConsent.sends_left - 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )


def find_open(
    db: Session, openids: Iterable[str], template_ids: Iterable[str]
) -> frozenset[tuple[str, str]]:
    """The pairs of openid and template through which something may be sent."""
    templates = [one for one in template_ids if one]
    if not templates:
        return frozenset()
    rows = db.execute(
        select(SubscriptionConsent.openid, SubscriptionConsent.template_id).where(
            SubscriptionConsent.openid.in_(set(openids)),
            SubscriptionConsent.template_id.in_(templates),
            (SubscriptionConsent.sends_left > 0) | SubscriptionConsent.is_lasting,
        )
    )
    return frozenset((openid, template_id) for openid, template_id in rows)


def _put(db: Session, openid: str, template_id: str, now: datetime) -> None:
    insert = (postgresql if db.get_bind().dialect.name == "postgresql" else sqlite).insert
    db.execute(
        insert(SubscriptionConsent)
        .values(
            openid=openid,
            template_id=template_id,
            sends_left=0,
            is_lasting=False,
            updated_at=now,
        )
        .on_conflict_do_nothing()
    )


def _change(db: Session, openid: str, template_id: str, **values: object) -> None:
    db.execute(
        update(SubscriptionConsent)
        .where(SubscriptionConsent.openid == openid, SubscriptionConsent.template_id == template_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
