"""What a family may ask for: the visits that it is owed, and those that special needs give it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.errors import NoVisitClaim
from app.models import Child, Entitlement, Family, HomeVisit, SpecialNeed, VisitDue
from app.rules.age import age_months
from app.rules.visit_slots import HORIZON_DAYS
from app.rules.visiting import Kind, Purpose, VisitState, has_special_claim, special_window
from app.services import audit
from app.services.audit import Actor
from app.services.visit_dues import REFUSED, add_due, plan_child, plan_family

DEFAULT_VISITS_A_YEAR: Final = 1


def entitled(db: Session, year: int) -> int:
    """Home visits that a family is owed in a calendar year."""
    row = db.get(Entitlement, year)
    return row.home_visits if row else DEFAULT_VISITS_A_YEAR


def visits_made(db: Session, family_id: int, year: int) -> int:
    """Guidance visits that a family had in a Shanghai calendar year."""
    first = datetime(year, 1, 1, tzinfo=SHANGHAI)
    after = datetime(year + 1, 1, 1, tzinfo=SHANGHAI)
    return db.execute(
        select(func.count(HomeVisit.id)).where(
            HomeVisit.family_id == family_id,
            HomeVisit.kind == Kind.GUIDANCE,
            HomeVisit.state == VisitState.COMPLETED,
            HomeVisit.starts_at >= first,
            HomeVisit.starts_at < after,
        )
    ).scalar_one()


class SpecialAnswer(StrEnum):
    """What follows from a special need that was noted."""

    OWED = "owed"
    """A visit is owed."""
    VISITED = "visited"
    """The year's visits were made already."""
    EXPECTED = "expected"
    """The child is not born yet: a visit is owed from the birth on."""


def note_special_need(
    db: Session, *, child: Child, category: str, actor: Actor, now: datetime
) -> SpecialAnswer:
    """A child's family has special needs: it is owed a visit. The category may be empty.

    Raises NoVisitClaim from 36 months on: nothing follows from it, so nothing is kept.
    """
    today = now.astimezone(SHANGHAI).date()
    if child.birth_date is not None and not has_special_claim(child.birth_date, today):
        months = age_months(child.birth_date, today)
        raise NoVisitClaim("over_three", child.nickname, months)
    need = db.get(SpecialNeed, child.id)
    if need is None:
        need = SpecialNeed(child_id=child.id)
        db.add(need)
    need.category = category.strip()
    need.noted_by = actor.id if actor.type == "staff" else None
    need.noted_at, need.ended_at = now, None
    db.flush()
    audit.record(
        db,
        actor=actor,
        action="note_special_need",
        subject_type="child",
        subject_id=child.id,
        now=now,
    )
    if child.birth_date is None:
        return SpecialAnswer.EXPECTED
    still_open = select(VisitDue.id).where(
        VisitDue.child_id == child.id,
        VisitDue.purpose == Purpose.SPECIAL_NEEDS,
        VisitDue.closed_at.is_(None),
    )
    if db.scalar(still_open) is not None:
        return SpecialAnswer.OWED
    if not _may_claim_special(db, child, today):
        return SpecialAnswer.VISITED
    number = 1 + (
        db.scalar(
            select(func.max(VisitDue.number)).where(
                VisitDue.child_id == child.id, VisitDue.purpose == Purpose.SPECIAL_NEEDS
            )
        )
        or 0
    )
    add_due(db, child, Purpose.SPECIAL_NEEDS, number, special_window(today), False, now)
    return SpecialAnswer.OWED


def _may_claim_special(db: Session, child: Child, today: date) -> bool:
    if child.birth_date is None or not has_special_claim(child.birth_date, today):
        return False
    return visits_made(db, child.family_id, today.year) < entitled(db, today.year)


@dataclass(frozen=True, slots=True)
class Claim:
    """The visit that a family may ask for, and the last day on which it is in time."""

    child: Child
    purpose: Purpose
    opens_on: date
    """The first day on which it may be made."""
    due_on: date


def find_claim(
    db: Session, family: Family, on: date, now: datetime, *, or_later: bool = False
) -> Claim:
    """What a family may have a visit for on a day, or soon after it. Raises NoVisitClaim with the
    reason.

    Who wanted none, or had moved away, may change their mind: whoever takes the claim up calls
    want_again.
    """
    plan_family(db, family, now)
    living = {child.id: child for child in living_children(family)}
    opens_by = on + timedelta(days=HORIZON_DAYS) if or_later else on
    due = db.scalars(
        select(VisitDue)
        .where(
            VisitDue.child_id.in_(living),
            or_(VisitDue.closed_at.is_(None), VisitDue.closed_as.in_(REFUSED)),
            VisitDue.owed_until >= on,
            or_(VisitDue.opens_on <= opens_by, VisitDue.purpose == Purpose.NEWBORN),
        )
        .order_by(VisitDue.closed_at.is_not(None), VisitDue.due_on, VisitDue.id)
        .limit(1)
    ).first()
    if due is not None:
        # A newborn may be visited in any case, also before the discharge that was told.
        opens_on = on if due.purpose == Purpose.NEWBORN else max(on, due.opens_on)
        return Claim(living[due.child_id], Purpose(due.purpose), opens_on, due.due_on)
    for child in _with_special_needs(db, family):
        if _may_claim_special(db, child, on):
            return Claim(child, Purpose.SPECIAL_NEEDS, on, special_window(on).due_on)
    raise _no_claim(db, family, on)


def living_children(family: Family) -> list[Child]:
    """The family's children without those that died."""
    return [child for child in family.children if child.lost_at is None]


def want_again(db: Session, family: Family, actor: Actor, now: datetime) -> None:
    """Owe again what was closed by a family's word, as far as it is in its time: it asks anew."""
    today = now.astimezone(SHANGHAI).date()
    living = {child.id: child for child in living_children(family)}
    dues = db.scalars(
        select(VisitDue)
        .where(
            VisitDue.child_id.in_(living),
            VisitDue.closed_as.in_(REFUSED),
            VisitDue.owed_until >= today,
        )
        .order_by(VisitDue.id)
        .with_for_update()
    ).all()
    if not dues:
        return
    for due in dues:
        due.closed_at, due.closed_as, due.escalated_at = None, None, None
    # What was corrected meanwhile moves their days.
    for child_id in sorted({due.child_id for due in dues}):
        plan_child(db, living[child_id], now)
    audit.record(
        db,
        actor=actor,
        action="want_visit",
        subject_type="family",
        subject_id=family.id,
        now=now,
    )


def _with_special_needs(db: Session, family: Family) -> list[Child]:
    living = living_children(family)
    noted = set(
        db.scalars(
            select(SpecialNeed.child_id).where(
                SpecialNeed.child_id.in_([child.id for child in living]),
                SpecialNeed.ended_at.is_(None),
            )
        )
    )
    return [child for child in living if child.id in noted]


def _no_claim(db: Session, family: Family, on: date) -> NoVisitClaim:
    living = living_children(family)
    born = [child for child in living if child.birth_date is not None]
    expected = [child for child in living if child.birth_date is None]
    if not born:
        if expected:
            return NoVisitClaim("expected", expected[0].nickname)
        return NoVisitClaim("lost" if family.children else "none")
    youngest = max(born, key=lambda child: child.birth_date or date.min)
    assert youngest.birth_date is not None, "chosen among the born"
    months = age_months(youngest.birth_date, max(on, youngest.birth_date))
    opens_on = _opens_later(db, born, on)
    if opens_on is not None:
        return NoVisitClaim("not_yet", youngest.nickname, months, opens_on=opens_on)
    last = db.execute(
        select(func.max(HomeVisit.starts_at, type_=HomeVisit.starts_at.type)).where(
            HomeVisit.family_id == family.id,
            HomeVisit.kind == Kind.GUIDANCE,
            HomeVisit.state == VisitState.COMPLETED,
        )
    ).scalar_one()
    if last is not None and last.astimezone(SHANGHAI).year == on.year:
        day = last.astimezone(SHANGHAI).date()
        return NoVisitClaim("visited", youngest.nickname, months, day)
    if expected:
        return NoVisitClaim("expected", expected[0].nickname)
    return NoVisitClaim("too_old", youngest.nickname, months)


def _opens_later(db: Session, children: list[Child], on: date) -> date | None:
    """From when on a further visit is owed; None where none is."""
    return db.scalar(
        select(func.min(VisitDue.opens_on, type_=VisitDue.opens_on.type)).where(
            VisitDue.child_id.in_([child.id for child in children]),
            VisitDue.closed_at.is_(None),
            VisitDue.opens_on > on,
        )
    )
