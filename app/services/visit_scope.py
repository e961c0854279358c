"""Which families' visits a staff member may see and change."""

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.errors import NotYours, VisitUnknown
from app.models import Family, HomeVisit, Staff, Township, Visitor
from app.services.staff import Role, StaffScope


def families_in(scope: StaffScope) -> ColumnElement[bool]:
    """A condition on Family: those in this staff member's care.

    A visitor sees no families as such: only the visits that are theirs.
    """
    return scope.families()


def own_visitor_id(scope: StaffScope) -> Select[int]:
    """The visitor that an account is: the one whose code is its user name."""
    return (
        select(Visitor.id)
        .join(Staff, Staff.username == func.lower(Visitor.code))
        .where(Staff.id == scope.staff_id, Staff.role == Role.VISITOR)
    )


def find_own_visitor(db: Session, scope: StaffScope) -> Visitor | None:
    """The visitor that this account is; None for everybody else."""
    return db.scalars(select(Visitor).where(Visitor.id.in_(own_visitor_id(scope)))).first()


def visits_in(scope: StaffScope) -> ColumnElement[bool]:
    """A condition on HomeVisit joined with Family: one's families' visits, and one's own."""
    if scope.role is Role.VISITOR:
        return HomeVisit.visitor_id.in_(own_visitor_id(scope))
    return or_(families_in(scope), false())


def check_visit(db: Session, scope: StaffScope, visit_id: int) -> None:
    """Raises VisitUnknown where there is no such visit, NotYours where it is none of theirs."""
    is_theirs = db.execute(
        select(visits_in(scope))
        .select_from(HomeVisit)
        .join(Family, Family.id == HomeVisit.family_id)
        .where(HomeVisit.id == visit_id)
    ).first()
    if is_theirs is None:
        raise VisitUnknown()
    if not is_theirs[0]:
        raise NotYours()


def check_family(db: Session, scope: StaffScope, family_id: int) -> Family:
    """The family, where it is in scope. Raises NotYours."""
    family = db.scalars(
        select(Family)
        .where(Family.id == family_id, families_in(scope))
        .options(joinedload(Family.township), joinedload(Family.station))
    ).one_or_none()
    if family is None:
        raise NotYours()
    return family


def in_township(name: str) -> ColumnElement[bool]:
    """A condition on Family: it lives there."""
    named = select(Township.id).where(Township.name == name).scalar_subquery()
    return Family.township_id == named


def sees_home(scope: StaffScope) -> bool:
    """Whether somebody may read where a family lives and the telephone that it gave for a visit:
    the visitor who goes there, and who arranges visits at its station and in its township, as the
    families are told when they are asked. District and auditor have no use for it."""
    return scope.role in (Role.VISITOR, Role.WORKER, Role.TOWNSHIP)


def needs_to_know(scope: StaffScope) -> bool:
    """Whether somebody may read what a family's special need is: its own station's worker, and
    the visitor who goes there. What they may see at all is checked before."""
    return scope.role in (Role.WORKER, Role.VISITOR)
