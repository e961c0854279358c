"""A family's rights over its data: consents and their history, withdrawing, leaving, erasing.

Erasing takes away names, dates, words and the WeChat identity. What the public service must
keep to account for its work (that a session was attended, in which township) stays without
them: rows with numbers and states, and nobody behind them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from app.db import EncryptedText
from app.errors import CaregiverUnknown, ChildUnknown, LastCaregiver, NotGuardian
from app.models import (
    Caregiver,
    Child,
    Consent,
    Family,
    FamilyTerm,
    FollowUp,
    HelpThread,
    InboxEntry,
    Invitation,
    Notice,
    SubscriptionConsent,
    ThreadMessage,
)
from app.models.notice_facts import ERASED_FACTS
from app.services import (
    audit,
    coverage_kept,
    growth,
    holdings,
    log_ins,
    pack_shelves,
    threads,
    visit_privacy,
    waiting_list,
)
from app.services.audit import Actor
from app.services.giving_back import give_back
from app.services.handing_over import hand_over
from app.services.registration import get_family

CHILD_DATA = "child_data"
"""The consent without which nothing of a child may be kept."""
KEPT_WORDS = frozenset({("consents", "evidence")})
"""How a guardian agreed is kept as long as it may be asked for: it names nobody."""
ERASED_NAME = "已注销"
SEARCH_KEYS = ("_hash", "_digest")
"""Endings of columns by which an encrypted word can be found again."""


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One consent as it was given, and what became of it."""

    child_id: int | None
    nickname: str
    purpose: str
    version: str
    given_at: datetime
    given_by: str | None
    """The relation of who agreed; None where it was never said."""
    is_own: bool
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took away."""

    children: int
    cancelled: int
    """Sign-ups still to come that were given back."""


def is_guardian(db: Session, caregiver: Caregiver) -> bool:
    """Whether this caregiver may decide over the children's data.

    Whoever agreed may withdraw; where nobody who agreed can be reached any more, whoever is
    left may.
    """
    if caregiver.family_id is None:
        return False
    agreed = select(Caregiver.id).where(
        Caregiver.family_id == caregiver.family_id,
        or_(Caregiver.openid.is_not(None), Caregiver.mini_openid.is_not(None)),
        Caregiver.id.in_(
            select(Consent.caregiver_id).where(
                Consent.purpose == CHILD_DATA, Consent.withdrawn_at.is_(None)
            )
        ),
    )
    guardians = set(db.execute(agreed).scalars())
    return not guardians or caregiver.id in guardians


def consent_history(db: Session, caregiver: Caregiver) -> list[ConsentLine]:
    """All consents of the family, the latest first. Raises NotRegistered."""
    family = get_family(caregiver)
    rows = db.execute(
        select(Consent, Caregiver.relation, Child.nickname)
        .join(Caregiver, Caregiver.id == Consent.caregiver_id)
        .outerjoin(Child, Child.id == Consent.child_id)
        .where(Caregiver.family_id == family.id)
        .order_by(Consent.given_at.desc(), Consent.id.desc())
    )
    return [
        ConsentLine(
            child_id=consent.child_id,
            nickname=nickname or "",
            purpose=consent.purpose,
            version=consent.version,
            given_at=consent.given_at,
            given_by=relation,
            is_own=consent.caregiver_id == caregiver.id,
            withdrawn_at=consent.withdrawn_at,
        )
        for consent, relation, nickname in rows
    ]


def withdraw(db: Session, *, caregiver: Caregiver, child: Child, now: datetime) -> Erased:
    """Take back the consent to a child's data: what was kept on the ground of it is erased.

    Raises NotGuardian, ChildUnknown.
    """
    family = _guarded_family(db, caregiver)
    if child.family_id != family.id or child.erased_at is not None:
        raise ChildUnknown(child.nickname, tuple(each.nickname for each in family.children))
    cancelled = give_back(db, family.id, {child.id}, Actor("caregiver", caregiver.id), now)
    visit_privacy.forget(db, caregiver=caregiver, children={child.id}, now=now)
    _scrub(db, holdings.find_own_rows(db, family.id, children=[child.id]))
    _scrub_mentions(db, family.id, child.nickname)
    _forget_children(db, [child], now)
    coverage_kept.forget(db, family.id)
    _record(db, caregiver, "withdraw_consent", "child", child.id, now)
    db.flush()
    db.execute(delete(FamilyTerm).where(FamilyTerm.child_id == child.id))
    db.expire(family, ["children"])
    return Erased(children=1, cancelled=cancelled)


def erase_family(db: Session, *, caregiver: Caregiver, now: datetime) -> Erased:
    """Everything personal of the family is gone, and its caregivers belong to none.

    Raises NotRegistered, NotGuardian.
    """
    family = _guarded_family(db, caregiver)
    children = _children(db, family.id)
    own = {child.id for child in children}
    cancelled = give_back(db, family.id, own, Actor("caregiver", caregiver.id), now)
    waiting_list.leave_all(db, family.id, Actor("caregiver", caregiver.id), now)
    visit_privacy.forget(db, caregiver=caregiver, children=own, now=now)
    visit_privacy.forget_address(db, family.id)
    _empty(db, family, children, now)
    _record(db, caregiver, "erase", "family", family.id, now)
    _unlink(db, caregiver, now)
    db.flush()
    return Erased(children=len(children), cancelled=cancelled)


def retire_family(db: Session, *, family: Family, actor: Actor, now: datetime) -> None:
    """The same without anybody's asking: the youngest child has long been three.

    The caregivers stay followers of the account, of no family. The family's row is locked.
    """
    children = _children(db, family.id)
    own = {child.id for child in children}
    give_back(db, family.id, own, actor, now)
    waiting_list.leave_all(db, family.id, actor, now)
    visit_privacy.end(db, children=own, now=now)
    visit_privacy.forget_address(db, family.id)
    _empty(db, family, children, now)
    audit.record(
        db, actor=actor, action="retire", subject_type="family", subject_id=family.id, now=now
    )
    db.flush()


def _empty(db: Session, family: Family, children: Sequence[Child], now: datetime) -> None:
    """No word of the family is left, and nobody belongs to it."""
    members = _members(db, family.id)
    _silence(db, [member.id for member in members])
    threads.forget(db, [member.id for member in members], now)
    pack_shelves.forget(db, [member.id for member in members])
    _scrub(db, holdings.find_own_rows(db, family.id))
    _forget_children(db, children, now)
    coverage_kept.forget(db, family.id)
    db.execute(delete(Invitation).where(Invitation.family_id == family.id))
    for member in members:
        member.family = None
        member.relation = None
    family.station = None
    family.erased_at = now
    db.flush()
    # By name and telephone nobody is found any more.
    db.execute(delete(FamilyTerm).where(FamilyTerm.family_id == family.id))


def leave_family(db: Session, *, caregiver: Caregiver, now: datetime) -> None:
    """This caregiver is no longer of the family; who stays hears of what it had booked.

    Raises NotRegistered, LastCaregiver where nobody would be left.
    """
    family = get_family(caregiver)
    _take_out(db, family, caregiver, caregiver, now)


def remove_caregiver(
    db: Session, *, caregiver: Caregiver, other_id: int, now: datetime
) -> Caregiver:
    """Another caregiver is no longer of the family. Raises CaregiverUnknown, NotGuardian."""
    family = _guarded_family(db, caregiver)
    other = db.get(Caregiver, other_id)
    if other is None or other.family_id != family.id:
        raise CaregiverUnknown(other_id)
    _take_out(db, family, other, caregiver, now)
    return other


def _take_out(
    db: Session, family: Family, leaving: Caregiver, acting: Caregiver, now: datetime
) -> None:
    # Locked, so that two who leave at once do not leave the children to nobody.
    db.execute(select(Family.id).where(Family.id == family.id).with_for_update())
    staying = [each for each in _members(db, family.id) if each.id != leaving.id]
    if not any(each.openid or each.mini_openid for each in staying):
        raise LastCaregiver()
    db.execute(delete(Invitation).where(Invitation.created_by == leaving.id))
    pack_shelves.forget(db, [leaving.id])
    hand_over(db, family_id=family.id, leaving_id=leaving.id)
    leaving.family = None
    leaving.relation = None
    _record(db, acting, "leave_family", "caregiver", leaving.id, now)
    db.flush()
    db.expire(family, ["caregivers"])


def _guarded_family(db: Session, caregiver: Caregiver) -> Family:
    family = get_family(caregiver)
    if not is_guardian(db, caregiver):
        raise NotGuardian()
    db.execute(select(Family.id).where(Family.id == family.id).with_for_update())
    return family


def _children(db: Session, family_id: int) -> list[Child]:
    return list(
        db.execute(
            select(Child).where(Child.family_id == family_id, Child.erased_at.is_(None))
        ).scalars()
    )


def _members(db: Session, family_id: int) -> list[Caregiver]:
    return list(
        db.execute(
            select(Caregiver).where(Caregiver.family_id == family_id).order_by(Caregiver.id)
        ).scalars()
    )


def _forget_children(db: Session, children: Sequence[Child], now: datetime) -> None:
    for child in children:
        child.nickname = ERASED_NAME
        child.birth_date = child.due_date = None
        child.sex = child.gestation_weeks = None
        child.erased_at = child.updated_at = now
    growth.forget(db, children=[child.id for child in children])
    db.execute(
        update(Consent)
        .where(
            Consent.child_id.in_([child.id for child in children]), Consent.withdrawn_at.is_(None)
        )
        .values(withdrawn_at=now)
    )


def _silence(db: Session, caregiver_ids: Sequence[int]) -> None:
    """What was still to be sent is not sent, and what was sent is not remembered."""
    db.execute(
        update(Notice)
        .where(Notice.caregiver_id.in_(caregiver_ids), Notice.state.in_(("queued", "waiting")))
        .values(state="skipped", reason="erased")
    )
    db.execute(
        update(Notice)
        .where(Notice.caregiver_id.in_(caregiver_ids))
        .values(facts=ERASED_FACTS.model_dump_json(), text=None)
    )


def _scrub(db: Session, rows: Sequence[holdings.OwnRows]) -> None:
    """Empty every encrypted word, and every key by which one could be found again."""
    for own in rows:
        values: dict[str, str | None] = {}
        for column in own.table.c:
            if (own.table.name, column.name) in KEPT_WORDS or own.table.name == "notices":
                continue
            is_key = column.name.endswith(SEARCH_KEYS) and column.nullable
            if isinstance(column.type, EncryptedText) or is_key:
                values[column.name] = None if column.nullable else ""
        if values:
            db.execute(update(own.table).where(own.condition).values(values))
    # What was read before is not what is stored now.
    db.expire_all()


def _scrub_mentions(db: Session, family_id: int, nickname: str) -> None:
    """Empty what was written of a child elsewhere: notices to the family, words to the station."""
    members = [member.id for member in _members(db, family_id)]
    for notice in db.scalars(select(Notice).where(Notice.caregiver_id.in_(members))):
        if nickname in f"{notice.facts} {notice.text}":
            notice.facts, notice.text = ERASED_FACTS.model_dump_json(), None
            if notice.state in ("queued", "waiting"):
                notice.state, notice.reason = "skipped", "erased"
    for follow_up in db.scalars(select(FollowUp).where(FollowUp.caregiver_id.in_(members))):
        if nickname in follow_up.detail:
            follow_up.detail = ""
    for said in db.scalars(
        select(ThreadMessage)
        .join(HelpThread, HelpThread.id == ThreadMessage.thread_id)
        .where(HelpThread.caregiver_id.in_(members))
    ):
        if nickname in said.text:
            said.text = ""


def _unlink(db: Session, caregiver: Caregiver, now: datetime) -> None:
    """The WeChat identity is gone, as after leaving the account; who writes again is new."""
    db.execute(
        update(InboxEntry)
        .where(InboxEntry.openid == caregiver.openid)
        .values(openid="", reply=None)
    )
    db.execute(delete(SubscriptionConsent).where(SubscriptionConsent.openid == caregiver.openid))
    caregiver.openid = caregiver.unionid = caregiver.mini_openid = None
    log_ins.end_all(db, caregiver.id, now)
    caregiver.is_following = False
    caregiver.unfollowed_at = now
    caregiver.scanned_station = None


def _record(
    db: Session, caregiver: Caregiver, action: str, subject: str, subject_id: int, now: datetime
) -> None:
    audit.record(
        db,
        actor=Actor("caregiver", caregiver.id),
        action=action,
        subject_type=subject,
        subject_id=subject_id,
        now=now,
    )
