"""What people allowed of subscription notices, as the platform's events say it.

An openid that is erased takes its consents along (services/registration.py, unfollow).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import Caregiver, SubscriptionConsent
from app.rules.asking import Held

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


def note_popup(
    db: Session,
    openid: str,
    answers: Sequence[Answer],
    now: datetime,
    *,
    lasting: Collection[str] = (),
) -> None:
    """A page asked, and the person answered: each yes allows one more message.

    Of the templates in `lasting` it allows them for good. Somebody unknown or erased, whose answer
    came late, leaves nothing here.
    """
    if not _is_known(db, openid):
        return
    for answer in answers:
        if answer.status == ACCEPTED:
            yes = (
                {"is_lasting": True}
                if answer.template_id in lasting
                else {"sends_left": SubscriptionConsent.sends_left + 1}
            )
            _put(db, openid, answer.template_id, now)
            _change(
                db,
                openid,
                answer.template_id,
                refused_at=None,
                asked_at=None,
                updated_at=now,
                **yes,
            )
        elif answer.status == REFUSED:
            _put(db, openid, answer.template_id, now)
            _change(db, openid, answer.template_id, refused_at=now, updated_at=now)


def note_change(db: Session, openid: str, answers: Sequence[Answer], now: datetime) -> None:
    """The person changed the account's settings on their phone: a no ends whatever was allowed.

    A yes there only lifts the no. It lets nothing through by itself: what may be sent comes from
    an answer to a page's question.
    """
    if not _is_known(db, openid):
        return
    for answer in answers:
        if answer.status == REFUSED:
            _put(db, openid, answer.template_id, now)
            _change(
                db,
                openid,
                answer.template_id,
                sends_left=0,
                is_lasting=False,
                refused_at=now,
                updated_at=now,
            )
        elif answer.status == ACCEPTED:
            _change(db, openid, answer.template_id, refused_at=None, updated_at=now)


def note_asked(db: Session, openid: str, template_id: str, now: datetime) -> None:
    """We asked in the chat: from now on it would be nagging for a while."""
    _put(db, openid, template_id, now)
    _change(db, openid, template_id, asked_at=now, updated_at=now)


def drop(db: Session, openid: str, template_id: str, now: datetime) -> None:
    """The platform knows of no consent (43101): spent or refused where we did not hear of it.

    At the next contact the person may be asked again.
    """
    _change(db, openid, template_id, sends_left=0, is_lasting=False, asked_at=None, updated_at=now)


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


def find_held(
    db: Session, openids: Iterable[str], template_ids: Iterable[str]
) -> Mapping[str, Mapping[str, Held]]:
    """What each person allowed of these templates: by openid, then by template."""
    templates = {one for one in template_ids if one}
    held: dict[str, dict[str, Held]] = defaultdict(dict)
    if not templates:
        return held
    rows = db.execute(
        select(
            SubscriptionConsent.openid,
            SubscriptionConsent.template_id,
            SubscriptionConsent.sends_left,
            SubscriptionConsent.is_lasting,
            SubscriptionConsent.refused_at,
            SubscriptionConsent.asked_at,
        ).where(
            SubscriptionConsent.openid.in_(set(openids)),
            SubscriptionConsent.template_id.in_(templates),
        )
    )
    for openid, template_id, sends_left, is_lasting, refused_at, asked_at in rows:
        held[openid][template_id] = Held(sends_left, is_lasting, refused_at, asked_at)
    return held


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one caregiver answered of one template."""

    openid: str
    relation: str | None
    template_id: str
    held: Held


def of_caregivers(db: Session, caregivers: ColumnElement[bool]) -> Sequence[Allowed]:
    """Of the caregivers that a condition names, in their order: for staff and operators to read."""
    rows = db.execute(
        select(SubscriptionConsent, Caregiver.relation)
        .join(Caregiver, Caregiver.openid == SubscriptionConsent.openid)
        .where(caregivers)
        .order_by(Caregiver.id, SubscriptionConsent.template_id)
    )
    return [
        Allowed(
            one.openid,
            relation,
            one.template_id,
            Held(one.sends_left, one.is_lasting, one.refused_at, one.asked_at),
        )
        for one, relation in rows
    ]


def strangers(db: Session) -> list[str]:
    """Templates and counts of consents that are nobody's, or of fewer than no messages.

    For the doctor; an openid stands in no report, so the template is named with the number.
    """
    known = select(Caregiver.id).where(Caregiver.openid == SubscriptionConsent.openid).exists()
    rows = db.execute(
        select(SubscriptionConsent.template_id, func.count())
        .where(~known | (SubscriptionConsent.sends_left < 0))
        .group_by(SubscriptionConsent.template_id)
        .order_by(SubscriptionConsent.template_id)
    )
    return [f"{template_id} x{number}" for template_id, number in rows]


def _is_known(db: Session, openid: str) -> bool:
    found = select(Caregiver.id).where(Caregiver.openid == openid)
    return db.execute(found).first() is not None


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
