"""Learners from a station's paper list: found by their grandchild, enrolled all or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, selectinload

from app.errors import BadRow, ImportRefused
from app.models import Caregiver, Child, Family, Learner
from app.models.notice_facts import CourseEnrolledByStaff
from app.services import audit, notices
from app.services.audit import Actor
from app.services.staff import StaffScope
from content.lessons import Course

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One line of the list: the child tells the family, the relation who of it learns."""

    line: int
    nickname: str
    birth_date: date
    relation: str
    name: str | None


@dataclass(frozen=True, slots=True)
class PaperEntered:
    enrolled: int
    linked: int
    """Of those: who has a WeChat here and was told."""
    already: int
    """Who learned before."""


def enrol_from_paper(
    db: Session, scope: StaffScope, course: Course, rows: Sequence[PaperRow], now: datetime
) -> PaperEntered:
    """Enrol everybody on the list, or nobody.

    Who has a WeChat in the family with that relation is told; for who has none the place
    waits, and is taken up with 换了微信 by whoever joins the family later.
    Raises ImportRefused with every line that names no family in scope, or more than one.
    """
    found = [(row, _families_of(db, scope, row)) for row in rows]
    faults = [
        BadRow(row.line, "", "no_such_child" if not families else "several_children", row.nickname)
        for row, families in found
        if len(families) != 1
    ]
    if faults:
        raise ImportRefused(tuple(faults))
    enrolled = linked = already = 0
    for row, families in found:
        learner = _enrol(db, scope, course, families[0], row, now)
        if learner is None:
            already += 1
            continue
        enrolled += 1
        linked += learner.caregiver_id is not None
    return PaperEntered(enrolled, linked, already)


def _families_of(db: Session, scope: StaffScope, row: PaperRow) -> list[Family]:
    """Families in scope with a child of this nickname, born that day."""
    children = db.scalars(
        select(Child)
        .join(Child.family)
        .where(Child.birth_date == row.birth_date, scope.families())
        .options(
            contains_eager(Child.family).joinedload(Family.station),
            contains_eager(Child.family).selectinload(Family.caregivers),
        )
    )
    # Nicknames are encrypted, each row differently: they are compared here.
    wanted = row.nickname.casefold()
    families = {one.family.id: one.family for one in children if one.nickname.casefold() == wanted}
    return list(families.values())


def _enrol(
    db: Session, scope: StaffScope, course: Course, family: Family, row: PaperRow, now: datetime
) -> Learner | None:
    """The new learner; None where the family has this learner already."""
    # Locked, so that two teachers with the same list do not enrol everybody twice.
    db.execute(select(Family.id).where(Family.id == family.id).with_for_update())
    learners = db.scalars(
        select(Learner).where(Learner.family_id == family.id).options(selectinload(Learner.passes))
    ).all()
    if any(_is_same(one, row) for one in learners):
        return None
    taken = {one.caregiver_id for one in learners}
    free = [
        one
        for one in family.caregivers
        if one.relation == row.relation and one.openid is not None and one.id not in taken
    ]
    # Two grandmothers with a WeChat: nobody here knows which of them is meant.
    caregiver = free[0] if len(free) == 1 else None
    learner = Learner(
        family_id=family.id,
        caregiver_id=caregiver.id if caregiver else None,
        relation=row.relation,
        name=row.name,
        enrolled_at=now,
        enrolled_by=scope.staff_id,
        module=min(course.outline.modules),
        lessons_passed=0,
        moved_at=now,
        nudges=0,
        open_answers="",
        passes=[],
    )
    db.add(learner)
    db.flush()
    audit.record(
        db,
        actor=Actor("staff", scope.staff_id),
        action="enrol",
        subject_type="learner",
        subject_id=learner.id,
        now=now,
    )
    if caregiver is not None:
        _tell(db, learner, caregiver, family, now)
    return learner


def _is_same(learner: Learner, row: PaperRow) -> bool:
    if learner.relation != row.relation:
        return False
    return row.name is None or learner.name is None or learner.name == row.name


def _tell(
    db: Session, learner: Learner, caregiver: Caregiver, family: Family, now: datetime
) -> None:
    facts = CourseEnrolledByStaff(
        learner_id=learner.id, station=family.station.name if family.station else ""
    )
    notices.queue(
        db,
        caregiver_id=caregiver.id,
        facts=facts,
        subject=f"learner:{learner.id}",
        dedupe_key=f"{facts.kind}:{learner.id}",
        now=now,
        can_wait=True,
    )
