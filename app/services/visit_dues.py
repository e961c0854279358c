"""What each family is still owed: births as reported, special needs, and the visits due.

A row for each visit owed is kept up to date with what is known of the child; a visit that was
made closes it and opens the next one, where there is one. Twins have a row each and are
credited by the same visit.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.errors import NoVisitClaim
from app.models import (
    Child,
    Consent,
    Entitlement,
    Family,
    HomeContact,
    HomeVisit,
    NewbornCare,
    SpecialNeed,
    VisitDue,
)
from app.rules.age import age_months
from app.rules.visiting import (
    HIGH_RISK_VISITS,
    TWIN_DAYS,
    Kind,
    Newborn,
    Purpose,
    RiskFactor,
    VisitState,
    Window,
    check_birth,
    first_window,
    further_window,
    has_special_claim,
    is_high_risk,
    special_window,
)
from app.services import audit
from app.services.audit import Actor

DEFAULT_VISITS_A_YEAR: Final = 1
BATCH: Final = 200
REFUSED: Final = ("declined", "moved")
"""Closed by a family's word, or because it had moved away: a later wish opens it again."""
CONTACT_PURPOSE: Final = "home_visit_contact"
CONTACT_VERSION: Final = "2026-11"
"""Raised with every change of the question that the family answers."""


@dataclass(frozen=True, slots=True)
class BirthReport:
    """What was said of a birth; None where it was not, and what is stored stays."""

    discharged: date | None = None
    weight_grams: int | None = None
    is_multiple: bool | None = None
    factors: frozenset[RiskFactor] | None = None


def newborn_of(child: Child, care: NewbornCare | None) -> Newborn | None:
    """What the rules go by; None before birth."""
    if child.birth_date is None:
        return None
    return Newborn(
        born=child.birth_date,
        discharged=care.discharged_on if care else None,
        gestation_weeks=child.gestation_weeks,
        weight_grams=care.weight_grams if care else None,
        is_multiple=care.is_multiple if care else False,
        factors=_factors(care),
    )


def find_newborn(db: Session, child: Child) -> Newborn | None:
    """What the rules go by, as stored; None before birth."""
    return newborn_of(child, db.get(NewbornCare, child.id))


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
    newborn = newborn_of(child, care)
    assert newborn is not None, "a birth is reported of a child that has a birth date"
    check_birth(newborn, now.astimezone(SHANGHAI).date())
    db.flush()
    audit.record(
        db, actor=actor, action="report_birth", subject_type="child", subject_id=child.id, now=now
    )
    plan_child(db, child, now)
    return newborn


def note_special_need(
    db: Session, *, child: Child, category: str, actor: Actor, now: datetime
) -> None:
    """A child's family has special needs: it is owed a visit. The category may be empty."""
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
    today = now.astimezone(SHANGHAI).date()
    still_open = select(VisitDue.id).where(
        VisitDue.child_id == child.id,
        VisitDue.purpose == Purpose.SPECIAL_NEEDS,
        VisitDue.closed_at.is_(None),
    )
    if db.scalar(still_open) is not None or not _may_claim_special(db, child, today):
        return
    number = 1 + (
        db.scalar(
            select(func.max(VisitDue.number)).where(
                VisitDue.child_id == child.id, VisitDue.purpose == Purpose.SPECIAL_NEEDS
            )
        )
        or 0
    )
    _add(db, child, Purpose.SPECIAL_NEEDS, number, special_window(today), False, now)


def _may_claim_special(db: Session, child: Child, today: date) -> bool:
    if child.birth_date is None or not has_special_claim(child.birth_date, today):
        return False
    return visits_made(db, child.family_id, today.year) < entitled(db, today.year)


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


def plan_child(db: Session, child: Child, now: datetime) -> None:
    """Bring a child's owed visits up to date with what is known now; twice does nothing more.

    What was visited stays as it is, whatever is corrected afterwards.
    """
    # Read as stored: many callers come straight from a change of the child.
    db.flush()
    newborn = newborn_of(child, db.get(NewbornCare, child.id))
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
            _add(db, child, Purpose.NEWBORN, 1, window, is_high_risk(newborn), now)
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
                _add(db, child, Purpose.HIGH_RISK, number, window, True, now)
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


def _add(
    db: Session,
    child: Child,
    purpose: Purpose,
    number: int,
    window: Window,
    high_risk: bool,
    now: datetime,
) -> VisitDue:
    row = VisitDue(
        child_id=child.id,
        family_id=child.family_id,
        purpose=purpose,
        number=number,
        tried=0,
        created_at=now,
    )
    _set(row, window, high_risk)
    db.add(row)
    db.flush()
    return row


def _set(row: VisitDue, window: Window, high_risk: bool) -> None:
    row.opens_on, row.due_on, row.owed_until = window.opens_on, window.due_on, window.owed_until
    row.is_high_risk = high_risk


def _end(row: VisitDue, now: datetime) -> None:
    row.closed_at, row.closed_as = now, "ended"


def plan_new_child(db: Session, child: Child, now: datetime) -> None:
    """Plan the first visit of a child that was just registered, and of which no more is known."""
    if child.birth_date is None:
        return
    newborn = newborn_of(child, None)
    assert newborn is not None, "born"
    window = first_window(newborn)
    if window.owed_until >= now.astimezone(SHANGHAI).date():
        _add(db, child, Purpose.NEWBORN, 1, window, is_high_risk(newborn), now)


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


@dataclass(frozen=True, slots=True)
class Claim:
    """The visit that a family may ask for, and the last day on which it is in time."""

    child: Child
    purpose: Purpose
    due_on: date


def find_claim(db: Session, family: Family, on: date, now: datetime) -> Claim:
    """What a family may have a visit for on a day. Raises NoVisitClaim with the reason.

    Who wanted none, or had moved away, may change their mind: whoever takes the claim up calls
    want_again.
    """
    plan_family(db, family, now)
    living = {child.id: child for child in living_children(family)}
    due = db.scalars(
        select(VisitDue)
        .where(
            VisitDue.child_id.in_(living),
            or_(VisitDue.closed_at.is_(None), VisitDue.closed_as.in_(REFUSED)),
            VisitDue.owed_until >= on,
            or_(VisitDue.opens_on <= on, VisitDue.purpose == Purpose.NEWBORN),
        )
        .order_by(VisitDue.closed_at.is_not(None), VisitDue.due_on, VisitDue.id)
        .limit(1)
    ).first()
    if due is not None:
        return Claim(living[due.child_id], Purpose(due.purpose), due.due_on)
    for child in _with_special_needs(db, family):
        if _may_claim_special(db, child, on):
            return Claim(child, Purpose.SPECIAL_NEEDS, special_window(on).due_on)
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
    today = now.astimezone(SHANGHAI).date()
    window = Window(today, on, owed_until=date(on.year, 12, 31))
    _add(db, child, Purpose.AGAIN, number, window, False, now)


def note_try(db: Session, *, family_id: int, outcome: str, actor: Actor, now: datetime) -> None:
    """A call or a ring at the door: no_answer, reached, declined (wants none) or moved (away).

    The last two close what the family is owed, until it wishes a visit after all: want_again.
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


def set_contact(
    db: Session,
    *,
    family_id: int,
    address: str | None,
    phone: str | None,
    now: datetime,
    caregiver_id: int | None = None,
    evidence: str = "",
) -> None:
    """Where the family lives and whom to call; what is None stays.

    A caregiver who gives it in the chat has consented by that: it is kept as a consent.
    """
    if caregiver_id is not None:
        db.add(
            Consent(
                caregiver_id=caregiver_id,
                purpose=CONTACT_PURPOSE,
                version=CONTACT_VERSION,
                given_at=now,
                evidence=evidence,
            )
        )
    contact = db.get(HomeContact, family_id)
    if contact is None:
        contact = HomeContact(family_id=family_id)
        db.add(contact)
    contact.address = address or contact.address
    contact.phone = phone or contact.phone
    contact.updated_at = now
    db.flush()


def expected_overdue(today: date) -> tuple[date, date]:
    """Due dates between which a birth should have been reported by now."""
    return today - timedelta(days=90), today - timedelta(days=3)


def twins_of(children: list[Child], child: Child) -> list[Child]:
    """The child and those of the family born with it."""
    born = child.birth_date
    if born is None:
        return [child]
    return [
        each
        for each in children
        if each.birth_date and abs((each.birth_date - born).days) <= TWIN_DAYS
    ]
