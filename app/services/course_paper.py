"""Learners from a station's paper list: found by their grandchild, enrolled all or none."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

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
    enrolled: int = 0
    linked: int = 0
    """Of those: who has a WeChat here and was told."""
    already: int = 0
    """Who is learning, or is through."""
    left: int = 0
    """Who stopped by themself: only they take it up again."""
    unnamed: tuple[int, ...] = ()
    """Lines that bear a name and were taken for a learner who has none: maybe another person."""


def enrol_from_paper(
    db: Session, scope: StaffScope, course: Course, rows: Sequence[PaperRow], now: datetime
) -> PaperEntered:
    """Enrol everybody on the list, or nobody.

    Who has a WeChat in the family with that relation is told; for who has none the place
    waits, and is taken up with 换了微信 by whoever joins the family later.
    Raises ImportRefused with every line that names no family in scope, or more than one, and
    with those that name two of one kind (奶奶 and 外婆 are) without telling them apart.
    """
    found = [(row, _families_of(db, scope, row)) for row in rows]
    faults = [
        BadRow(row.line, "", "no_such_child" if not families else "several_children", row.nickname)
        for row, families in found
        if len(families) != 1
    ]
    kin: dict[tuple[int, str], list[PaperRow]] = defaultdict(list)
    by_id: dict[int, Family] = {}
    for row, families in found:
        if len(families) == 1:
            by_id[families[0].id] = families[0]
            kin[families[0].id, row.relation].append(row)
    faults += [
        BadRow(row.line, "", "which_of_them", row.nickname)
        for alike in kin.values()
        for row in alike
        if len(alike) > 1 and row.name is None
    ]
    if faults:
        raise ImportRefused(tuple(sorted(faults, key=lambda one: one.line)))
    entered = PaperEntered()
    for (family_id, _), alike in kin.items():
        entered = _enrol_alike(db, scope, course, by_id[family_id], alike, entered, now)
    return entered


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


def _enrol_alike(
    db: Session,
    scope: StaffScope,
    course: Course,
    family: Family,
    rows: Sequence[PaperRow],
    entered: PaperEntered,
    now: datetime,
) -> PaperEntered:
    """Enrol those of a family who are the child's same kin; what was entered so far, and they."""
    # Locked, so that two teachers with the same list do not enrol everybody twice.
    db.execute(select(Family.id).where(Family.id == family.id).with_for_update())
    learners = db.scalars(
        select(Learner).where(Learner.family_id == family.id).order_by(Learner.id)
    ).all()
    kin = [one for one in learners if one.relation == rows[0].relation]
    # A name that stands there twice is one person.
    people = [row for n, row in enumerate(rows) if row.name not in {r.name for r in rows[:n]}]
    known = _who_they_are(kin, people)
    new = [row for row in people if row not in known]
    taken = {one.caregiver_id for one in learners}
    free = [
        one
        for one in family.caregivers
        if one.relation == rows[0].relation and one.openid is not None and one.id not in taken
    ]
    # Two grandmothers, on the list or with a WeChat: nobody here knows which of them is which.
    caregiver = free[0] if len(free) == len(new) == 1 else None
    for row in new:
        _enrol(db, scope, course, family, row, caregiver, now)
    left = sum(one.left_at is not None for one in known.values())
    return PaperEntered(
        enrolled=entered.enrolled + len(new),
        linked=entered.linked + (caregiver is not None),
        already=entered.already + len(rows) - len(new) - left,
        left=entered.left + left,
        unnamed=(
            *entered.unnamed,
            *(row.line for row, one in known.items() if row.name and one.name is None),
        ),
    )


def _who_they_are(kin: Sequence[Learner], rows: Sequence[PaperRow]) -> dict[PaperRow, Learner]:
    """Which lines name somebody who learned before; each learner is one person.

    By the name first. What is left of names goes with who has not said theirs; a line without a
    name, alone of its kind, with whoever is there.
    """
    known: dict[PaperRow, Learner] = {}
    for row in rows:
        for one in kin:
            if row.name is not None and one.name == row.name:
                known[row] = one
    for row in rows:
        if row in known:
            continue
        for one in kin:
            is_taken = one in known.values()
            if not is_taken and (row.name is None or one.name is None):
                known[row] = one
                break
    return known


def _enrol(
    db: Session,
    scope: StaffScope,
    course: Course,
    family: Family,
    row: PaperRow,
    caregiver: Caregiver | None,
    now: datetime,
) -> None:
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
