"""One visit, and one family that is owed one, as the console shows them; who could go when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.models import (
    Child,
    Family,
    HomeContact,
    HomeVisit,
    NewbornCare,
    Referral,
    SpecialNeed,
    Staff,
    VisitDue,
)
from app.rules.visit_record import VisitRecord
from app.rules.visit_slots import Slot
from app.rules.visiting import Kind, VisitState, risk_factors
from app.services import visit_diaries, visit_lists
from app.services.staff import StaffScope
from app.services.visit_day import read_record
from app.services.visit_dues import newborn_of
from app.services.visit_lists import ProposedTime
from app.services.visit_scope import check_family, check_visit, needs_to_know, sees_home


@dataclass(frozen=True, slots=True)
class ChildDetails:
    child_id: int
    nickname: str
    born: date | None
    discharged: date | None
    weight_grams: int | None
    gestation_weeks: int | None
    risks: tuple[str, ...]
    special_need: str | None
    """The category; "" where there is one that this person need not know; None where none is."""
    is_lost: bool
    """The child died: nothing is asked, or written down, of it any more."""


@dataclass(frozen=True, slots=True)
class FamilyDetails:
    family_id: int
    township: str
    station: str | None
    children: tuple[ChildDetails, ...]
    due_on: date | None
    address: str | None
    phone: str | None
    is_stopped: bool
    """A loss was told: nobody goes there before a person has spoken with the family."""
    medical_on: date | None
    """When the health centre made its own visit, as far as it was noted."""


@dataclass(frozen=True, slots=True)
class VisitDetails:
    visit_id: int
    family_id: int
    state: str
    purpose: str
    nickname: str
    starts_at: datetime | None
    ends_at: datetime | None
    visitor: str | None
    visitor_id: int | None
    visitor_phone: str | None
    wished_on: date | None
    wished_half: str | None
    note: str | None
    code_word: int
    reason: str | None
    requested_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    is_escalated: bool
    en_route_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    rating: int | None
    rating_words: str | None
    proposal: ProposedTime | None
    family: FamilyDetails
    record: VisitRecord | None
    referrals: tuple[Referral, ...]


def read(db: Session, scope: StaffScope, visit_id: int) -> VisitDetails:
    """All of one visit. Raises VisitUnknown, NotYours.

    Where to go and whom to call are shown while the visit is to be made, and not after.
    """
    check_visit(db, scope, visit_id)
    visit, decided_by = db.execute(
        select(HomeVisit, Staff.username)
        .outerjoin(Staff, Staff.id == HomeVisit.decided_by)
        .where(HomeVisit.id == visit_id)
        .options(
            joinedload(HomeVisit.visitor),
            joinedload(HomeVisit.child).joinedload(Child.family).joinedload(Family.township),
            joinedload(HomeVisit.child).joinedload(Child.family).joinedload(Family.station),
        )
    ).one()
    is_open = visit.state in (VisitState.REQUESTED, VisitState.CONFIRMED, VisitState.EN_ROUTE)
    return VisitDetails(
        visit_id=visit.id,
        family_id=visit.family_id,
        state=visit.state,
        purpose=visit.purpose,
        nickname=visit.child.nickname,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        visitor=visit.visitor.name if visit.visitor else None,
        visitor_id=visit.visitor_id,
        visitor_phone=visit.visitor.phone if visit.visitor else None,
        wished_on=visit.wished_on,
        wished_half=visit.wished_half,
        note=visit.note,
        code_word=visit.code_word,
        reason=visit.reason,
        requested_at=visit.requested_at,
        decided_at=visit.decided_at,
        decided_by=decided_by,
        is_escalated=visit.escalated_at is not None,
        en_route_at=visit.en_route_at,
        arrived_at=visit.arrived_at,
        completed_at=visit.completed_at,
        rating=visit.rating,
        rating_words=visit.rating_words,
        proposal=visit_lists.proposals_of(db, [visit.id]).get(visit.id),
        family=_family(db, scope, visit.child.family, shows_contact=is_open),
        record=read_record(db, visit.id),
        referrals=tuple(db.scalars(select(Referral).where(Referral.visit_id == visit.id))),
    )


def read_family(db: Session, scope: StaffScope, family_id: int) -> FamilyDetails:
    """A family that is owed a visit. Raises NotYours."""
    family = check_family(db, scope, family_id)
    return _family(db, scope, family, shows_contact=True)


def _family(
    db: Session, scope: StaffScope, family: Family, *, shows_contact: bool
) -> FamilyDetails:
    children = db.execute(
        select(Child, NewbornCare, SpecialNeed)
        .outerjoin(NewbornCare, NewbornCare.child_id == Child.id)
        .outerjoin(SpecialNeed, SpecialNeed.child_id == Child.id)
        .where(Child.family_id == family.id, Child.erased_at.is_(None))
        .order_by(Child.id)
    ).all()
    due_on = (
        select(func.min(VisitDue.due_on, type_=VisitDue.due_on.type))
        .where(VisitDue.family_id == family.id, VisitDue.closed_at.is_(None))
        .scalar_subquery()
    )
    medical_on = (
        select(func.max(HomeVisit.wished_on, type_=HomeVisit.wished_on.type))
        .where(HomeVisit.family_id == family.id, HomeVisit.kind == Kind.MEDICAL)
        .scalar_subquery()
    )
    due, medical, address, phone = db.execute(
        select(due_on, medical_on, HomeContact.address, HomeContact.phone)
        .select_from(Family)
        .outerjoin(HomeContact, HomeContact.family_id == Family.id)
        .where(Family.id == family.id)
    ).one()
    return FamilyDetails(
        family_id=family.id,
        township=family.township.name,
        station=family.station.name if family.station else None,
        children=tuple(
            _child(scope, *each, siblings=[child for child, _, _ in children]) for each in children
        ),
        due_on=due,
        address=address if shows_contact and sees_home(scope) else None,
        phone=((phone if sees_home(scope) else None) or family.phone) if shows_contact else None,
        is_stopped=family.stopped_at is not None,
        medical_on=medical,
    )


def _child(
    scope: StaffScope,
    child: Child,
    care: NewbornCare | None,
    need: SpecialNeed | None,
    *,
    siblings: Sequence[Child],
) -> ChildDetails:
    newborn = newborn_of(child, care, siblings)
    category = None
    if need is not None and need.ended_at is None:
        category = need.category if needs_to_know(scope) else ""
    return ChildDetails(
        child_id=child.id,
        nickname=child.nickname,
        born=child.birth_date,
        discharged=care.discharged_on if care else None,
        weight_grams=care.weight_grams if care else None,
        gestation_weeks=child.gestation_weeks,
        risks=tuple(sorted(risk_factors(newborn))) if newborn else (),
        special_need=category,
        is_lost=child.lost_at is not None,
    )


@dataclass(frozen=True, slots=True)
class VisitorChoice:
    """A visitor with the slots of a day that are free."""

    visitor_id: int
    name: str
    code: str
    is_suggested: bool
    came_last_time: bool
    visits_that_day: int
    slots: tuple[Slot, ...]


def choices(
    db: Session, family_id: int, day: date, now: datetime, *, leaving_out: int | None = None
) -> Sequence[VisitorChoice]:
    """Who covers the family's township and works that day, in the order of suggestion."""
    family = db.get(Family, family_id)
    if family is None:
        return ()
    visitors = db.scalars(visit_diaries.covering(family.township_id)).all()
    if not visitors:
        return ()
    found = visit_diaries.find_available(
        db, visitors, day, 1, now, leaving_out=leaving_out, lead=timedelta()
    )
    by_id = {visitor.id: visitor for visitor in visitors}
    last = visit_diaries.came_last(db, family_id)
    order = visit_diaries.ranked_after(db, list(by_id), last=last, day=day)
    # The visit that is to be moved does not count: it makes room where it goes away.
    loads = {diary.visitor_id: len(diary.busy) for diary in found.diaries}
    suggested = next(
        (each for each in order if any(slot.visitor_id == each for slot in found.slots)), None
    )
    return [
        VisitorChoice(
            visitor_id=each,
            name=by_id[each].name,
            code=by_id[each].code,
            is_suggested=each == suggested,
            came_last_time=each == last,
            visits_that_day=loads[each],
            slots=tuple(slot for slot in found.slots if slot.visitor_id == each),
        )
        for each in order
    ]
