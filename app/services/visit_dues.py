"""What each family is still owed: births as reported, and the visits that follow from them.

A row for each visit owed is kept up to date with what is known of the child; a visit that was
made closes it and opens the next one, where there is one. Twins have a row each and are
credited by the same visit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import (
    Child,
    Family,
    HomeVisit,
    NewbornCare,
    VisitDue,
)
from app.rows import NewRows
from app.rules.visiting import (
    HIGH_RISK_VISITS,
    TWIN_DAYS,
    Newborn,
    Purpose,
    RiskFactor,
    Window,
    again_window,
    check_birth,
    first_window,
    further_window,
    is_high_risk,
)
from app.services import audit
from app.services.audit import Actor

BATCH: Final = 200
REFUSED: Final = ("declined", "moved")
"""Closed by a family's word, or because it had moved away: a later wish opens it again."""
REPLANNED_DAYS: Final = 400
"""Older brothers and sisters are owed nothing that a birth date would change."""


@dataclass(frozen=True, slots=True)
class BirthReport:
    """What was said of a birth; None where it was not, and what is stored stays."""

    discharged: date | None = None
    weight_grams: int | None = None
    is_multiple: bool | None = None
    factors: frozenset[RiskFactor] | None = None


def newborn_of(child: Child, care: NewbornCare | None, siblings: Iterable[Child]) -> Newborn | None:
    """What the rules go by; None before birth.

    A brother or sister born with it makes it one of twins, whether anybody said so or not; also
    one that died.
    """
    if child.birth_date is None:
        return None
    return Newborn(
        born=child.birth_date,
        discharged=care.discharged_on if care else None,
        gestation_weeks=child.gestation_weeks,
        weight_grams=care.weight_grams if care else None,
        is_multiple=(care is not None and care.is_multiple) or _has_twin(child, siblings),
        factors=_factors(care),
    )


def find_newborn(db: Session, child: Child) -> Newborn | None:
    """What the rules go by, as stored; None before birth."""
    return newborn_of(child, db.get(NewbornCare, child.id), _children_of(db, child.family_id))


def _factors(care: NewbornCare | None) -> frozenset[RiskFactor]:
    return (
        frozenset(RiskFactor(each) for each in (care.factors or "").split())
        if care
        else (frozenset())
    )


def report_birth(
    db: Session, *, child: Child, report: BirthReport, actor: Actor, now: datetime
) -> Newborn:
    """Store what was said of a birth and plan the visits by it.

    The birth date itself and the weeks are the child's own and are stored before. Raises
    BirthReportUnlikely where discharge or weight cannot be.
    """
    care = db.get(NewbornCare, child.id)
    if care is None:
        care = NewbornCare(child_id=child.id, is_multiple=False)
        db.add(care)
    care.discharged_on = report.discharged or care.discharged_on
    care.weight_grams = report.weight_grams or care.weight_grams
    if report.is_multiple is not None:
        care.is_multiple = report.is_multiple
    if report.factors is not None:
        care.factors = " ".join(sorted(report.factors)) or None
    care.reported_at = now
    db.flush()
    newborn = newborn_of(child, care, _children_of(db, child.family_id))
    assert newborn is not None, "a birth is reported of a child that has a birth date"
    check_birth(newborn, now.astimezone(SHANGHAI).date())
    audit.record(
        db, actor=actor, action="report_birth", subject_type="child", subject_id=child.id, now=now
    )
    plan_child(db, child, now)
    return newborn


def _children_of(db: Session, family_id: int) -> Sequence[Child]:
    """Those whose data was erased have no birth date any more."""
    return db.scalars(
        select(Child).where(Child.family_id == family_id, Child.erased_at.is_(None))
    ).all()


def _has_twin(child: Child, siblings: Iterable[Child]) -> bool:
    return any(each.id != child.id for each in twins_of(siblings, child))


def plan_child(db: Session, child: Child, now: datetime) -> None:
    """Bring a child's owed visits up to date with what is known now; twice does nothing more.

    What was visited stays as it is, whatever is corrected afterwards. Who was born with it, or
    was taken to be until now, is planned anew along with it.
    """
    # Read as stored: many callers come straight from a change of the child.
    db.flush()
    siblings = _children_of(db, child.family_id)
    _plan(db, child, siblings, now)
    since = now.astimezone(SHANGHAI).date() - timedelta(days=REPLANNED_DAYS)
    for each in siblings:
        if each.id != child.id and each.birth_date is not None and each.birth_date >= since:
            _plan(db, each, siblings, now)


def _plan(db: Session, child: Child, siblings: Sequence[Child], now: datetime) -> None:
    newborn = newborn_of(child, db.get(NewbornCare, child.id), siblings)
    rows = {
        (row.purpose, row.number): row
        for row in db.scalars(select(VisitDue).where(VisitDue.child_id == child.id))
    }
    first = rows.get((Purpose.NEWBORN, 1))
    if newborn is None or child.lost_at is not None:
        if first is not None and first.closed_at is None:
            _end(first, now)
        return
    window = first_window(newborn)
    if first is None:
        if window.owed_until >= now.astimezone(SHANGHAI).date():
            add_due(db, child, Purpose.NEWBORN, 1, window, is_high_risk(newborn), now)
        return
    if first.closed_at is None:
        _set(first, window, is_high_risk(newborn))
        return
    if first.closed_as == "ended" and window.owed_until >= now.astimezone(SHANGHAI).date():
        first.closed_at, first.closed_as = None, None
        _set(first, window, is_high_risk(newborn))
        return
    _plan_further(db, child, newborn, rows, now)


def _plan_further(
    db: Session,
    child: Child,
    newborn: Newborn,
    rows: dict[tuple[str, int], VisitDue],
    now: datetime,
) -> None:
    """The next visit of a newborn at high risk, once the one before was made."""
    before = rows[(Purpose.NEWBORN, 1)]
    for number in range(2, HIGH_RISK_VISITS + 1):
        row = rows.get((Purpose.HIGH_RISK, number))
        visited_on = _visited_on(db, before)
        window = further_window(newborn, number, visited_on) if visited_on else None
        if row is None:
            if window is not None:
                add_due(db, child, Purpose.HIGH_RISK, number, window, True, now)
            return
        if row.closed_at is None:
            if window is None:
                _end(row, now)
            else:
                _set(row, window, True)
            return
        before = row


def _visited_on(db: Session, due: VisitDue) -> date | None:
    visit = db.get(HomeVisit, due.visit_id) if due.visit_id else None
    if visit is None or visit.starts_at is None:
        return None
    return visit.starts_at.astimezone(SHANGHAI).date()


_NEW = NewRows(VisitDue)


def add_due(
    db: Session,
    child: Child,
    purpose: Purpose,
    number: int,
    window: Window,
    high_risk: bool,
    now: datetime,
) -> VisitDue:
    """A visit that is owed from now on, the child's so-and-so-many-th of its purpose."""
    db.flush()
    return _NEW.add(
        db,
        child_id=child.id,
        family_id=child.family_id,
        purpose=purpose,
        number=number,
        is_high_risk=high_risk,
        opens_on=window.opens_on,
        due_on=window.due_on,
        owed_until=window.owed_until,
        created_at=now,
    )


def _set(row: VisitDue, window: Window, high_risk: bool) -> None:
    row.opens_on, row.due_on, row.owed_until = window.opens_on, window.due_on, window.owed_until
    row.is_high_risk = high_risk


def _end(row: VisitDue, now: datetime) -> None:
    row.closed_at, row.closed_as = now, "ended"


def plan_new_child(db: Session, child: Child, siblings: Sequence[Child], now: datetime) -> None:
    """Plan the first visit of a child that was just registered, and of which no more is known;
    the family's other children are `siblings`."""
    if child.birth_date is None:
        return
    if _has_twin(child, siblings):
        plan_child(db, child, now)
        return
    newborn = newborn_of(child, None, ())
    assert newborn is not None, "born"
    window = first_window(newborn)
    if window.owed_until >= now.astimezone(SHANGHAI).date():
        add_due(db, child, Purpose.NEWBORN, 1, window, is_high_risk(newborn), now)


def plan_missing(db: Session, *, after: int, now: datetime) -> int | None:
    """Plan a batch of children of whom nothing was planned yet, by id; the last one's id.

    None where there are no more. Those whose year is over by far are passed over.
    """
    today = now.astimezone(SHANGHAI).date()
    planned = exists().where(VisitDue.child_id == Child.id)
    children = db.scalars(
        select(Child)
        .where(
            Child.id > after,
            Child.birth_date >= date(today.year - 1, 11, 1),
            Child.birth_date <= today,
            ~planned,
        )
        .order_by(Child.id)
        .limit(BATCH)
    ).all()
    for child in children:
        plan_child(db, child, now)
    return children[-1].id if children else None


def plan_family(db: Session, family: Family, now: datetime) -> None:
    """Plan the family's children whom nobody has planned yet: those of before this topic."""
    known = set(
        db.scalars(select(VisitDue.child_id).where(VisitDue.family_id == family.id).distinct())
    )
    for child in family.children:
        if child.birth_date is not None and child.id not in known:
            plan_child(db, child, now)


def credit(db: Session, visit: HomeVisit, visited_on: date, now: datetime) -> None:
    """Close what a completed visit made good: the earliest owed one of each child of the family.

    Opens what follows from it for newborns at high risk.
    """
    dues = db.scalars(
        select(VisitDue)
        .where(
            VisitDue.family_id == visit.family_id,
            VisitDue.closed_at.is_(None),
            or_(VisitDue.opens_on <= visited_on, VisitDue.purpose == Purpose.NEWBORN),
        )
        .order_by(VisitDue.child_id, VisitDue.due_on, VisitDue.id)
        .with_for_update()
    ).all()
    credited: set[int] = set()
    for due in dues:
        if due.child_id in credited:
            continue
        credited.add(due.child_id)
        due.visit_id, due.closed_at, due.closed_as = visit.id, now, "visited"
        due.unreachable_at = None
    db.flush()
    for child_id in sorted(credited):
        child = db.get(Child, child_id)
        if child is not None:
            plan_child(db, child, now)


def owe_again(db: Session, child: Child, on: date, now: datetime) -> None:
    """The visitor found that another visit is needed by a day."""
    number = 1 + (
        db.scalar(
            select(func.max(VisitDue.number)).where(
                VisitDue.child_id == child.id, VisitDue.purpose == Purpose.AGAIN
            )
        )
        or 0
    )
    window = again_window(now.astimezone(SHANGHAI).date(), on)
    add_due(db, child, Purpose.AGAIN, number, window, False, now)


def note_try(db: Session, *, family_id: int, outcome: str, actor: Actor, now: datetime) -> None:
    """A call or a ring at the door: no_answer, reached, declined (wants none) or moved (away).

    The last two close what the family is owed, until it wishes a visit after all:
    visit_claims.want_again.
    """
    dues = db.scalars(
        select(VisitDue)
        .where(VisitDue.family_id == family_id, VisitDue.closed_at.is_(None))
        .with_for_update()
    ).all()
    for due in dues:
        due.tried += 1
        due.tried_at = now
        if outcome == "no_answer":
            due.unreachable_at = due.unreachable_at or now
        else:
            due.unreachable_at = None
        if outcome in REFUSED:
            due.closed_at, due.closed_as = now, outcome
    audit.record(
        db,
        actor=actor,
        action="try_visit",
        subject_type="family",
        subject_id=family_id,
        now=now,
        after=outcome,
    )


def expected_overdue(today: date) -> tuple[date, date]:
    """Due dates between which a birth should have been reported by now."""
    return today - timedelta(days=90), today - timedelta(days=3)


def twins_of(children: Iterable[Child], child: Child) -> list[Child]:
    """The child and those of the family born with it."""
    born = child.birth_date
    if born is None:
        return [child]
    return [
        each
        for each in children
        if each.birth_date and abs((each.birth_date - born).days) <= TWIN_DAYS
    ]
