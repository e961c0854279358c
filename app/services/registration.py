"""Families, caregivers and children: following, registering, correcting, inviting."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, delete, exists, literal_column, select, update
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from app.clock import SHANGHAI
from app.errors import (
    AlreadyInFamily,
    BornInFuture,
    ChildAlreadyRegistered,
    ChildTooOld,
    ChildUnknown,
    DueDateOutOfRange,
    InvitationInvalid,
    NotRegistered,
    TooManyChildren,
    TownshipUnknown,
)
from app.models import (
    Caregiver,
    Child,
    Consent,
    Family,
    FamilyTerm,
    HelpThread,
    InboxEntry,
    Invitation,
    Learner,
    Notice,
    Station,
    SubscriptionConsent,
    Township,
)
from app.models.notice_facts import CaregiverJoined
from app.models.search import terms_of_child
from app.prepared import Loader, Prepared, Row, among
from app.rows import Change, NewRows
from app.rules.age import age_months
from app.services import audit, log_ins, notices, visit_dues, waiting_list
from app.services.handing_over import hand_over
from app.services.sign_up_reads import (
    STANDING_COLUMNS,
    FamilyStanding,
    note_standing,
    standing_of,
)

SERVICE_MONTHS = 36
"""The service is for children under three years."""
PREGNANCY_DAYS = 294
"""A due date further off than 42 weeks cannot be one."""
OVERDUE_DAYS = 21
"""A due date this long past is still taken: the birth may not be reported yet."""
CHILDREN_LIMIT = 8
INVITATION_DAYS = 3
INVITATION_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
INVITATION_LENGTH = 8


@dataclass(frozen=True, slots=True)
class ChildDraft:
    """What was said of a child; exactly one of birth_date and due_date is set."""

    nickname: str
    birth_date: date | None
    due_date: date | None
    sex: str | None
    gestation_weeks: int | None
    township: str | None
    """Official name; may be None where the family has one already."""


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """To which notice a guardian agreed, and how."""

    purpose: str
    version: str
    evidence: str


_CAREGIVERS, _FAMILIES, _CHILDREN = Loader(Caregiver), Loader(Family), Loader(Child)
_SEEN = (
    select(
        exists()
        .where(Notice.caregiver_id == Caregiver.id, Notice.state == literal_column("'waiting'"))
        .label("has_waiting"),
        select(HelpThread.id)
        .where(HelpThread.caregiver_id == Caregiver.id, HelpThread.closed_at.is_(None))
        .scalar_subquery()
        .label("open_thread_id"),
        *_CAREGIVERS.columns,
        *_FAMILIES.columns,
        *_CHILDREN.columns,
    )
    .select_from(Caregiver)
    .outerjoin(Caregiver.family)
    .outerjoin(Family.children)
    .order_by(Child.id)
)
# Every turn runs this one, or in a rush several turns the other.
_FIND_CAREGIVER = Prepared(_SEEN.where(Caregiver.openid == bindparam("openid")))
_FIND_CAREGIVERS = Prepared(
    lambda dialect: _SEEN.add_columns(*STANDING_COLUMNS).where(
        among(Caregiver.openid, "openids", dialect)
    ),
    only_reads=True,
)
_OPENID_AT = 2 + _CAREGIVERS.place_of("openid")


@dataclass(frozen=True, slots=True)
class CaregiverRead:
    """One caregiver with family and children, read and not yet in a session."""

    rows: list[Row]
    """One a child."""
    standing: FamilyStanding


def read_caregivers(db: Session, openids: Sequence[str]) -> dict[str, CaregiverRead]:
    """Several at once, for turns that are about to begin; nobody's whom we do not know."""
    own = -len(STANDING_COLUMNS)
    found: dict[str, CaregiverRead] = {}
    for row in _FIND_CAREGIVERS.all(db, openids=openids):
        openid = row[_OPENID_AT]
        if openid not in found:
            found[openid] = CaregiverRead([], standing_of(row[own:]))
        found[openid].rows.append(row[:own])
    return found


def find_caregiver(db: Session, openid: str) -> Caregiver | None:
    """The caregiver with family and children, in one query.

    Township and station follow when they are asked for: most turns need neither.
    """
    db.flush()
    rows = _FIND_CAREGIVER.all(db, openid=openid)
    return _put_caregiver(db, rows) if rows else None


def put_caregiver(db: Session, read: CaregiverRead) -> Caregiver:
    """A caregiver that was read with others, in this session."""
    found = _put_caregiver(db, read.rows)
    if found.family_id is not None:
        note_standing(db, found.family_id, read.standing)
    return found


def _put_caregiver(db: Session, rows: Sequence[Row]) -> Caregiver:
    has_waiting, open_thread_id, *values = rows[0]
    family_at = len(_CAREGIVERS)
    children_at = family_at + len(_FAMILIES)
    children = [_CHILDREN.put(db, row[2 + children_at :]) for row in rows]
    family = _FAMILIES.put(
        db,
        values[family_at:children_at],
        children=[child for child in children if child is not None],
    )
    found: Caregiver = _CAREGIVERS.put(
        db,
        values[:family_at],
        family=family,
        has_waiting=has_waiting,
        open_thread_id=open_thread_id,
    )
    return found


def get_family(caregiver: Caregiver) -> Family:
    """The caregiver's family. Raises NotRegistered."""
    if caregiver.family is None or not caregiver.family.children:
        raise NotRegistered()
    return caregiver.family


def child_named(family: Family, said: str) -> Child:
    """The family's child by its nickname, in any case. Raises ChildUnknown."""
    for child in family.children:
        if child.nickname.lower() == said.lower():
            return child
    raise ChildUnknown(said, tuple(child.nickname for child in family.children))


_NEW_CAREGIVERS = NewRows(Caregiver)
_NOBODY_YET = {"family": None, "scanned_station": None, "has_waiting": None, "open_thread_id": None}
"""What a caregiver has who was not known before."""


def follow(db: Session, openid: str, now: datetime, station_code: str | None = None) -> Caregiver:
    """The caregiver who follows or writes; made where new, the scanned station kept."""
    caregiver = find_caregiver(db, openid)
    if caregiver is None:
        caregiver = _NEW_CAREGIVERS.add(
            db, _NOBODY_YET, openid=openid, is_following=True, followed_at=now, created_at=now
        )
    elif not caregiver.is_following:
        caregiver.is_following = True
        caregiver.followed_at = now
        caregiver.unfollowed_at = None
    if station_code:
        bind_station(db, caregiver, station_code)
    db.flush()
    return caregiver


def bind_station(db: Session, caregiver: Caregiver, station_code: str) -> Station | None:
    """Keep the station whose code was scanned; None where no such station is active."""
    station = db.execute(
        select(Station).where(Station.code == station_code, Station.is_active)
    ).scalar_one_or_none()
    if station is None:
        return None
    caregiver.scanned_station = station
    family = caregiver.family
    if family is not None and family.station_id is None:
        family.station = station
    return station


def mark_not_following(db: Session, openid: str) -> None:
    """Send nothing more to this openid until it is heard from again; the link stays."""
    db.execute(update(Caregiver).where(Caregiver.openid == openid).values(is_following=False))


def unfollow(db: Session, openid: str, now: datetime) -> None:
    """Unlink and erase the WeChat identity, as the platform asks; bookings stay.

    Somebody else of the family hears of them from now on; where nobody else can be reached, it
    leaves the waiting lists.
    """
    caregiver = find_caregiver(db, openid)
    if caregiver is not None:
        caregiver.openid = caregiver.unionid = None
        caregiver.is_following = False
        caregiver.unfollowed_at = now
        log_ins.end_all(db, caregiver.id, now, ways=("pages",))
        audit.record(
            db,
            actor=audit.Actor("caregiver", caregiver.id),
            action="unfollow",
            subject_type="caregiver",
            subject_id=caregiver.id,
            now=now,
        )
        db.flush()
        family_id = caregiver.family_id
        if family_id is not None and _is_reachable(db, family_id):
            hand_over(db, family_id=family_id, leaving_id=caregiver.id)
        elif family_id is not None:
            actor = audit.Actor("caregiver", caregiver.id)
            waiting_list.leave_all(db, family_id, actor, now)
    db.execute(update(InboxEntry).where(InboxEntry.openid == openid).values(openid=""))
    db.execute(delete(SubscriptionConsent).where(SubscriptionConsent.openid == openid))


def _is_reachable(db: Session, family_id: int) -> bool:
    """Whether anybody of the family still has a WeChat identity here."""
    found = select(Caregiver.id).where(
        Caregiver.family_id == family_id, Caregiver.openid.is_not(None)
    )
    return db.execute(found.limit(1)).first() is not None


_TOWNSHIPS, _STATIONS = Loader(Township), Loader(Station)
_GET_TOWNSHIP = Prepared(select(*_TOWNSHIPS.columns).where(Township.name == bindparam("name")))
_GUIDANCE_STATION = Prepared(
    select(*_STATIONS.columns)
    .where(
        Station.township_id == bindparam("township_id"),
        Station.kind == literal_column("'guidance_station'"),
        Station.is_active,
    )
    .order_by(Station.code)
    .limit(1)
)
_LEARNS = Prepared(select(Learner.id).where(Learner.caregiver_id == bindparam("caregiver_id")))


def get_township(db: Session, name: str) -> Township:
    """Raises TownshipUnknown."""
    row = _GET_TOWNSHIP.first(db, name=name)
    if row is None:
        raise TownshipUnknown(name)
    township: Township = _TOWNSHIPS.put(db, row)
    return township


def check_child(draft: ChildDraft, today: date) -> None:
    """Raises BornInFuture, ChildTooOld or DueDateOutOfRange."""
    if draft.birth_date is not None:
        if draft.birth_date > today:
            raise BornInFuture(draft.birth_date, today)
        months = age_months(draft.birth_date, today)
        if months >= SERVICE_MONTHS:
            raise ChildTooOld(draft.birth_date, months)
    elif draft.due_date is not None:
        ahead = draft.due_date - today
        if not timedelta(days=-OVERDUE_DAYS) <= ahead <= timedelta(days=PREGNANCY_DAYS):
            raise DueDateOutOfRange(draft.due_date, today)


def register_child(
    db: Session, *, caregiver: Caregiver, draft: ChildDraft, consent: ConsentGiven, now: datetime
) -> Child:
    """A new child of the caregiver's family; the family is made with its first child.

    Raises BornInFuture, ChildTooOld, DueDateOutOfRange, ChildAlreadyRegistered,
    TooManyChildren, TownshipUnknown.
    """
    check_child(draft, now.astimezone(SHANGHAI).date())
    family = caregiver.family
    children: list[Child] = []
    if family is None:
        # Nobody else sees it yet: there is nothing to lock, and no child.
        family = _new_family(db, caregiver, draft, now)
    else:
        if draft.township and draft.township != family.township.name:
            set_township(db, caregiver=caregiver, name=draft.township, now=now)
        # Locked, so that both parents registering the same child at once do not make two.
        db.execute(select(Family.id).where(Family.id == family.id).with_for_update())
        kept = select(Child).where(Child.family_id == family.id, Child.erased_at.is_(None))
        children = list(db.execute(kept).scalars())
    if any(child.nickname == draft.nickname for child in children):
        raise ChildAlreadyRegistered(draft.nickname)
    if len(children) >= CHILDREN_LIMIT:
        raise TooManyChildren(CHILDREN_LIMIT)
    child = _add_child(db, family, draft, now)
    _NEW_CONSENTS.write(
        db,
        caregiver_id=caregiver.id,
        child_id=child.id,
        purpose=consent.purpose,
        version=consent.version,
        given_at=now,
        evidence=consent.evidence,
    )
    _record(db, caregiver, "register", child, now)
    visit_dues.plan_new_child(db, child, children, now)
    return child


_NEW_FAMILIES, _NEW_CHILDREN = NewRows(Family), NewRows(Child)
_NEW_CONSENTS, _NEW_TERMS = NewRows(Consent), NewRows(FamilyTerm)
_BELONG_TO = Change(Caregiver, "family_id")


def _add_child(db: Session, family: Family, draft: ChildDraft, now: datetime) -> Child:
    """The child, last in its family, with the terms by which staff find it."""
    db.flush()
    child = _NEW_CHILDREN.add(
        db,
        {"family": family},
        family_id=family.id,
        nickname=draft.nickname,
        birth_date=draft.birth_date,
        due_date=draft.due_date,
        sex=draft.sex,
        gestation_weeks=draft.gestation_weeks,
        created_at=now,
        updated_at=now,
    )
    for term in sorted(terms_of_child(child)):
        _NEW_TERMS.write(db, family_id=family.id, child_id=child.id, term=term)
    if "children" in vars(family):  # where they are not loaded, the child comes with the others
        set_committed_value(family, "children", [*family.children, child])
    return child


def _new_family(db: Session, caregiver: Caregiver, draft: ChildDraft, now: datetime) -> Family:
    township = get_township(db, draft.township or "")
    scanned = caregiver.scanned_station
    if scanned is not None and scanned.township_id == township.id:
        station: Station | None = scanned
    else:
        station = _guidance_station(db, township.id) or scanned
    # Without a name or a telephone it has no terms yet by which it would be found.
    family = _NEW_FAMILIES.add(
        db,
        {"township": township, "station": station, "children": [], "caregivers": [caregiver]},
        township_id=township.id,
        station_id=station.id if station else None,
        created_at=now,
    )
    _BELONG_TO.put(db, caregiver, family_id=family.id)
    set_committed_value(caregiver, "family", family)
    _take_course_along(db, caregiver, family)
    return family


def _take_course_along(db: Session, caregiver: Caregiver, family: Family) -> None:
    """Who learns and comes from another family goes on in this one."""
    if _LEARNS.first(db, caregiver_id=caregiver.id) is None:
        return
    db.execute(
        update(Learner).where(Learner.caregiver_id == caregiver.id).values(family_id=family.id)
    )


def set_relation(db: Session, caregiver: Caregiver, relation: str) -> None:
    """What the caregiver is to the children, also where the person learns in the course."""
    caregiver.relation = relation
    db.execute(
        update(Learner).where(Learner.caregiver_id == caregiver.id).values(relation=relation)
    )


def _guidance_station(db: Session, township_id: int) -> Station | None:
    db.flush()
    row = _GUIDANCE_STATION.first(db, township_id=township_id)
    return _STATIONS.put(db, row) if row else None


def _record(db: Session, caregiver: Caregiver, action: str, child: Child, now: datetime) -> None:
    audit.record(
        db,
        actor=audit.Actor("caregiver", caregiver.id),
        action=action,
        subject_type="child",
        subject_id=child.id,
        now=now,
    )


def correct_child(
    db: Session,
    *,
    caregiver: Caregiver,
    child: Child,
    now: datetime,
    nickname: str | None = None,
    birth_date: date | None = None,
    due_date: date | None = None,
    sex: str | None = None,
    gestation_weeks: int | None = None,
) -> None:
    """Change what was entered; what is None stays. A birth date replaces the due date.

    Raises BornInFuture, ChildTooOld, DueDateOutOfRange, ChildAlreadyRegistered.
    """
    family = get_family(caregiver)
    draft = ChildDraft(
        nickname=nickname or child.nickname,
        birth_date=birth_date,
        due_date=due_date,
        sex=sex,
        gestation_weeks=gestation_weeks,
        township=None,
    )
    check_child(draft, now.astimezone(SHANGHAI).date())
    if any(other.nickname == nickname and other.id != child.id for other in family.children):
        raise ChildAlreadyRegistered(draft.nickname)
    child.nickname = draft.nickname
    if birth_date is not None:
        child.birth_date, child.due_date = birth_date, None
    elif due_date is not None:
        child.birth_date, child.due_date = None, due_date
    child.sex = sex or child.sex
    child.gestation_weeks = gestation_weeks or child.gestation_weeks
    child.updated_at = now
    _record(db, caregiver, "correct", child, now)
    visit_dues.plan_child(db, child, now)


def set_township(db: Session, *, caregiver: Caregiver, name: str, now: datetime) -> None:
    """Move the family to another township and its station. Raises TownshipUnknown."""
    family = caregiver.family
    if family is None:
        raise NotRegistered()
    family.township = get_township(db, name)
    family.station = _guidance_station(db, family.township.id) or family.station
    audit.record(
        db,
        actor=audit.Actor("caregiver", caregiver.id),
        action="set_township",
        subject_type="family",
        subject_id=family.id,
        now=now,
        after=name,
    )


_ANSWER = Change(Family, "need", "need_answered_at")


def set_need(db: Session, *, caregiver: Caregiver, need: bool, now: datetime) -> None:
    """Store whether the family wants guidance, with the date of the answer."""
    family = get_family(caregiver)
    _ANSWER.put(db, family, need=need, need_answered_at=now)
    audit.record(
        db,
        actor=audit.Actor("caregiver", caregiver.id),
        action="set_need",
        subject_type="family",
        subject_id=family.id,
        now=now,
        after="yes" if need else "no",
    )


def invite(db: Session, *, caregiver: Caregiver, now: datetime) -> Invitation:
    """A fresh code by which one more caregiver joins; earlier unused ones of theirs end."""
    family = get_family(caregiver)
    db.execute(
        delete(Invitation).where(
            Invitation.created_by == caregiver.id, Invitation.used_at.is_(None)
        )
    )
    invitation = Invitation(
        family_id=family.id,
        code="".join(secrets.choice(INVITATION_ALPHABET) for _ in range(INVITATION_LENGTH)),
        created_by=caregiver.id,
        created_at=now,
        expires_at=now + timedelta(days=INVITATION_DAYS),
    )
    db.add(invitation)
    db.flush()
    return invitation


def join(db: Session, *, caregiver: Caregiver, code: str, now: datetime) -> Family:
    """The caregiver becomes one of the family that the code is for; the inviter is told.

    Raises InvitationInvalid, or AlreadyInFamily where the caregiver has a family.
    """
    invitation = db.execute(
        select(Invitation).where(Invitation.code == code.upper()).with_for_update()
    ).scalar_one_or_none()
    if invitation is not None and caregiver.family_id == invitation.family_id:
        raise AlreadyInFamily(same_family=True)
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= now:
        raise InvitationInvalid()
    if caregiver.family_id is not None:
        raise AlreadyInFamily(same_family=False)
    family = db.execute(
        select(Family)
        .where(Family.id == invitation.family_id)
        .options(joinedload(Family.township), selectinload(Family.children))
    ).scalar_one()
    caregiver.family = family
    _take_course_along(db, caregiver, family)
    invitation.used_at = now
    invitation.used_by = caregiver.id
    notices.queue(
        db,
        caregiver_id=invitation.created_by,
        facts=CaregiverJoined(relation=caregiver.relation),
        subject=f"family:{family.id}",
        dedupe_key=f"caregiver_joined:{invitation.id}",
        now=now,
    )
    audit.record(
        db,
        actor=audit.Actor("caregiver", caregiver.id),
        action="join",
        subject_type="family",
        subject_id=family.id,
        now=now,
    )
    return family
