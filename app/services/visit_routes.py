"""A visitor's way through a day: whom to see when, where, and whom to call."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_, select, true
from sqlalchemy.orm import Session, aliased

from app.clock import SHANGHAI
from app.models import Child, Family, HomeContact, HomeVisit, Township, VisitDue
from app.rules.visiting import VisitState
from app.services.staff import Role, StaffScope
from app.services.visit_diaries import midnight
from app.services.visit_dues import twins_of
from app.services.visit_reports import special_needs_of
from app.services.visit_scope import families_in, needs_to_know, own_visitor_id, sees_home

ON_THE_ROUTE: Final = (
    VisitState.CONFIRMED,
    VisitState.EN_ROUTE,
    VisitState.COMPLETED,
    VisitState.MISSED,
)


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit of a visitor's day, with what is needed at the door."""

    visit_id: int
    family_id: int
    starts_at: datetime
    ends_at: datetime
    state: str
    purpose: str
    nicknames: tuple[str, ...]
    child_ids: tuple[int, ...]
    born: date | None
    township: str
    address: str | None
    phone: str | None
    code_word: int
    note: str | None
    arrived_at: datetime | None
    is_high_risk: bool
    has_special_need: bool
    special_needs: tuple[str, ...]
    """What they are: for who needs to know, while the visit is to be made; else empty."""
    is_stopped: bool
    """A loss was told: nobody goes there before the station has spoken with the family."""


def read_route(db: Session, scope: StaffScope, visitor_id: int, day: date) -> list[Stop]:
    """A visitor's visits of a day in the order of their times; where to and whom to call are
    shown for those that are still to be made.

    A visit called off because of a loss stays there, so that nobody goes by an older list.
    """
    own = true() if scope.role is Role.VISITOR else families_in(scope)
    since, until = midnight(day), midnight(day + timedelta(days=1))
    rows = db.execute(
        select(HomeVisit, Child, Township.name, HomeContact, Family.phone, Family.stopped_at)
        .join(Child, Child.id == HomeVisit.child_id)
        .join(Family, Family.id == HomeVisit.family_id)
        .join(Township, Township.id == Family.township_id)
        .outerjoin(HomeContact, HomeContact.family_id == HomeVisit.family_id)
        .where(
            HomeVisit.visitor_id == visitor_id,
            or_(
                HomeVisit.state.in_(ON_THE_ROUTE),
                and_(HomeVisit.state == VisitState.CANCELLED, _is_in_mourning()),
            ),
            HomeVisit.starts_at >= since,
            HomeVisit.starts_at < until,
            own,
        )
        .order_by(HomeVisit.starts_at, HomeVisit.id)
    ).all()
    families = [visit.family_id for visit, *_ in rows]
    siblings: dict[int, list[Child]] = defaultdict(list)
    living = select(Child).where(
        Child.family_id.in_(families), Child.lost_at.is_(None), Child.erased_at.is_(None)
    )
    for child in db.scalars(living.order_by(Child.id)):
        siblings[child.family_id].append(child)
    at_risk = set(
        db.scalars(
            select(VisitDue.family_id).where(
                VisitDue.family_id.in_(families),
                VisitDue.is_high_risk,
                VisitDue.closed_at.is_(None),
            )
        )
    )
    needs = special_needs_of(db, [child.id for each in siblings.values() for child in each])
    knows, shows_home = needs_to_know(scope), sees_home(scope)
    return [
        _stop(
            visit,
            child,
            township,
            contact if shows_home else None,
            siblings[visit.family_id],
            at_risk,
            needs,
            knows,
            phone,
            is_stopped=stopped_at is not None or visit.state == VisitState.CANCELLED,
        )
        for visit, child, township, contact, phone, stopped_at in rows
    ]


def _is_in_mourning() -> ColumnElement[bool]:
    """A condition on HomeVisit joined with Family: a loss was told since it was asked for."""
    lost = aliased(Child)
    return or_(
        Family.stopped_at.is_not(None),
        exists().where(
            lost.family_id == HomeVisit.family_id, lost.lost_at >= HomeVisit.requested_at
        ),
    )


def _stop(
    visit: HomeVisit,
    child: Child,
    township: str,
    contact: HomeContact | None,
    siblings: list[Child],
    at_risk: set[int],
    needs: Mapping[int, str],
    knows: bool,
    family_phone: str | None,
    *,
    is_stopped: bool,
) -> Stop:
    is_open = visit.state in (VisitState.CONFIRMED, VisitState.EN_ROUTE) and not is_stopped
    seen = twins_of(siblings, child) or [child]
    theirs = [needs[each.id] for each in siblings if each.id in needs]
    assert visit.starts_at is not None, "selected by its time"
    assert visit.ends_at is not None, "the slot is whole"
    return Stop(
        visit_id=visit.id,
        family_id=visit.family_id,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        state=visit.state,
        purpose=visit.purpose,
        nicknames=tuple(each.nickname for each in seen),
        child_ids=tuple(each.id for each in seen),
        born=child.birth_date,
        township=township,
        address=contact.address if contact and is_open else None,
        phone=((contact.phone if contact else None) or family_phone) if is_open else None,
        code_word=visit.code_word,
        note=visit.note if is_open else None,
        arrived_at=visit.arrived_at,
        is_high_risk=visit.family_id in at_risk,
        has_special_need=bool(theirs),
        special_needs=tuple(each for each in theirs if each) if is_open and knows else (),
        is_stopped=is_stopped,
    )


def find_stop(db: Session, scope: StaffScope, visit_id: int) -> Stop | None:
    """One visit as its visitor sees it; None where it is not theirs, or has no time."""
    visit = db.get(HomeVisit, visit_id)
    if visit is None or visit.visitor_id is None or visit.starts_at is None:
        return None
    day = visit.starts_at.astimezone(SHANGHAI).date()
    if scope.role is Role.VISITOR and db.scalar(own_visitor_id(scope)) != visit.visitor_id:
        return None
    stops = read_route(db, scope, visit.visitor_id, day)
    return next((stop for stop in stops if stop.visit_id == visit_id), None)
