"""The course as staff see it: who learns, who is stuck where, which questions are hard.

Every query takes a StaffScope and shows no family outside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, select, true
from sqlalchemy.orm import Session, contains_eager, selectinload

from app.errors import LearnerUnknown
from app.models import (
    Certificate,
    Family,
    Learner,
    ModulePass,
    Practice,
    QuizAttempt,
    Station,
)
from app.rules.lessons import NUDGE_EVERY
from app.services.families import matching
from app.services.staff import StaffScope
from content.lessons import Course

STUCK_AFTER = NUDGE_EVERY
STATES = ("learning", "stuck", "unlinked", "left", "completed")


@dataclass(frozen=True, slots=True)
class LearnerQuery:
    """What staff look for; a part that is empty asks for nothing."""

    text: str = ""
    """A child's nickname, pinyin, or a telephone: as in the list of families."""
    state: str = ""
    module: int = 0
    station: str = ""
    """A station's code."""


@dataclass(frozen=True, slots=True)
class ListedLearner:
    id: int
    family_id: int
    nicknames: tuple[str, ...]
    relation: str | None
    name: str | None
    township: str
    station: str | None
    state: str
    """learning, stuck, unlinked (enrolled from paper, no WeChat yet), left or completed."""
    module: int
    lessons_passed: int
    moved_at: datetime
    nudges: int
    enrolled_at: datetime


@dataclass(frozen=True, slots=True)
class ModuleStanding:
    """How many learners stand at a module."""

    module: int
    learning: int
    stuck: int


@dataclass(frozen=True, slots=True)
class StationStanding:
    station: str | None
    township: str | None
    enrolled: int
    at_module: tuple[int, ...]
    """Of those not through, by module 1 to 7; who left is not among them."""
    stuck: int
    left: int
    completed: int


@dataclass(frozen=True, slots=True)
class HardQuestion:
    lesson: str
    number: int
    answered: int
    wrong: int
    most_chosen: str
    """The wrong letter that was given most."""

    @property
    def share_wrong(self) -> float:
        return self.wrong / self.answered


def find(
    db: Session,
    scope: StaffScope,
    query: LearnerQuery,
    *,
    limit: int,
    offset: int,
    now: datetime,
) -> list[ListedLearner]:
    """Learners in scope; the stuck ones longest stuck first, others by the latest step."""
    by_name = matching(query.text) if query.text else true()
    longest_first = query.state == "stuck"
    order = (
        (Learner.moved_at, Learner.id)
        if longest_first
        else (Learner.moved_at.desc(), Learner.id.desc())
    )
    learners = db.scalars(
        select(Learner)
        .join(Learner.family)
        .join(Family.township)
        .outerjoin(Family.station)
        .options(
            contains_eager(Learner.family).contains_eager(Family.township),
            contains_eager(Learner.family).contains_eager(Family.station),
            contains_eager(Learner.family).selectinload(Family.children),
        )
        .where(scope.families(), by_name, *_wanted(query, now))
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    return [_listed(one, now) for one in learners]


def state_of(learner: Learner, now: datetime) -> str:
    if learner.completed_at is not None:
        return "completed"
    if learner.left_at is not None:
        return "left"
    if learner.caregiver_id is None:
        return "unlinked"
    return "stuck" if learner.moved_at <= now - STUCK_AFTER else "learning"


def _states(now: datetime) -> dict[str, ColumnElement[bool]]:
    """As state_of, for queries."""
    under_way = and_(Learner.completed_at.is_(None), Learner.left_at.is_(None))
    linked = and_(under_way, Learner.caregiver_id.is_not(None))
    return {
        "completed": Learner.completed_at.is_not(None),
        "left": and_(Learner.completed_at.is_(None), Learner.left_at.is_not(None)),
        "unlinked": and_(under_way, Learner.caregiver_id.is_(None)),
        "stuck": and_(linked, Learner.moved_at <= now - STUCK_AFTER),
        "learning": and_(linked, Learner.moved_at > now - STUCK_AFTER),
    }


def _wanted(query: LearnerQuery, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.state:
        conditions.append(_states(now)[query.state])
    if query.module:
        conditions.append(Learner.module == query.module)
    if query.station:
        conditions.append(Station.code == query.station)
    return conditions


def _listed(learner: Learner, now: datetime) -> ListedLearner:
    family = learner.family
    return ListedLearner(
        id=learner.id,
        family_id=family.id,
        nicknames=tuple(child.nickname for child in family.children),
        relation=learner.relation,
        name=learner.name,
        township=family.township.name,
        station=family.station.name if family.station else None,
        state=state_of(learner, now),
        module=learner.module,
        lessons_passed=learner.lessons_passed,
        moved_at=learner.moved_at,
        nudges=learner.nudges,
        enrolled_at=learner.enrolled_at,
    )


def by_station(db: Session, scope: StaffScope, now: datetime) -> list[StationStanding]:
    """Who stands where, a row a station, in one query."""
    states = _states(now)

    def counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    under_way = and_(Learner.completed_at.is_(None), Learner.left_at.is_(None))
    counts = (
        select(
            Family.station_id.label("station_id"),
            func.count(Learner.id).label("enrolled"),
            *(counted(and_(under_way, Learner.module == n)).label(f"m{n}") for n in range(1, 8)),
            counted(states["stuck"]).label("stuck"),
            counted(states["left"]).label("left"),
            counted(states["completed"]).label("completed"),
        )
        .join(Family, Family.id == Learner.family_id)
        .where(scope.families())
        .group_by(Family.station_id)
        .subquery()
    )
    rows = db.execute(
        select(Station, *counts.c)
        .select_from(counts)
        .outerjoin(Station, Station.id == counts.c.station_id)
        .outerjoin(Station.township)
        .options(contains_eager(Station.township))
        .order_by(Station.township_id, Station.code)
    )
    return [
        StationStanding(
            station=row[0].name if row[0] else None,
            township=row[0].township.name if row[0] else None,
            enrolled=row.enrolled,
            at_module=tuple(getattr(row, f"m{number}") for number in range(1, 8)),
            stuck=row.stuck,
            left=row.left,
            completed=row.completed,
        )
        for row in rows
    ]


def by_module(db: Session, scope: StaffScope, now: datetime) -> list[ModuleStanding]:
    """Where those stand who are not through, and who of them is stuck there."""
    states = _states(now)
    counted = (
        select(
            Learner.module,
            func.sum(case((states["learning"], 1), else_=0)),
            func.sum(case((states["stuck"], 1), else_=0)),
        )
        .where(Learner.completed_at.is_(None), Learner.left_at.is_(None))
        .group_by(Learner.module)
    )
    if not scope.sees_all:
        counted = counted.join(Family, Family.id == Learner.family_id).where(scope.families())
    rows = db.execute(counted)
    found = {module: (learning, stuck) for module, learning, stuck in rows}
    return [ModuleStanding(module, *found.get(module, (0, 0))) for module in range(1, 8)]


def hardest_questions(db: Session, scope: StaffScope, course: Course) -> list[HardQuestion]:
    """Each question of today's quizzes by first answers, the hardest first.

    The letters are added up by the database: as many rows come back as there are sets of
    answers (27 a lesson), however many learners there are. For who sees everybody an index
    holds all that is asked for, in order: nothing is joined, sorted or looked up.
    """
    counted = (
        select(QuizAttempt.lesson, QuizAttempt.quiz, QuizAttempt.answers, func.count())
        .where(QuizAttempt.is_first)
        .group_by(QuizAttempt.lesson, QuizAttempt.quiz, QuizAttempt.answers)
    )
    if not scope.sees_all:
        counted = (
            counted.join(Learner, Learner.id == QuizAttempt.learner_id)
            .join(Family, Family.id == Learner.family_id)
            .where(scope.families())
        )
    given: dict[tuple[str, int], dict[str, int]] = {}
    for lesson_id, quiz, answers, count in db.execute(counted):
        lesson = course.by_id.get(lesson_id)
        if lesson is None or lesson.quiz_key != quiz:
            continue
        for number, letter in enumerate(answers, 1):
            letters = given.setdefault((lesson_id, number), {})
            letters[letter] = letters.get(letter, 0) + count
    found = []
    for (lesson_id, number), letters in given.items():
        right = course.by_id[lesson_id].quiz[number - 1].answer
        wrong = {letter: count for letter, count in letters.items() if letter != right}
        found.append(
            HardQuestion(
                lesson=lesson_id,
                number=number,
                answered=sum(letters.values()),
                wrong=sum(wrong.values()),
                most_chosen=max(wrong, key=lambda one: wrong[one]) if wrong else "",
            )
        )
    return sorted(found, key=lambda one: (-one.share_wrong, -one.answered, one.lesson, one.number))


@dataclass(frozen=True, slots=True)
class LearnerDetail:
    """One learner with everything that staff may have to look at."""

    listed: ListedLearner
    learner: Learner
    modules: dict[int, datetime]
    practices: Sequence[Practice]
    attempts: Sequence[QuizAttempt]
    """The latest first."""
    certificates: Sequence[Certificate]


def get_learner(db: Session, scope: StaffScope, learner_id: int) -> Learner:
    """Raises LearnerUnknown, also for a learner outside the scope."""
    found = db.scalars(
        select(Learner)
        .join(Learner.family)
        .where(Learner.id == learner_id, scope.families())
        .options(
            contains_eager(Learner.family).joinedload(Family.township),
            contains_eager(Learner.family).joinedload(Family.station),
            contains_eager(Learner.family).joinedload(Family.children),
            contains_eager(Learner.family).joinedload(Family.caregivers),
            selectinload(Learner.passes),
        )
    )
    learner = found.unique().one_or_none()
    if learner is None:
        raise LearnerUnknown()
    return learner


def detail(db: Session, scope: StaffScope, learner_id: int, now: datetime) -> LearnerDetail:
    """Raises LearnerUnknown, also for a learner outside the scope."""
    learner = get_learner(db, scope, learner_id)
    modules = db.execute(
        select(ModulePass.module, ModulePass.passed_at).where(ModulePass.learner_id == learner.id)
    )
    return LearnerDetail(
        listed=_listed(learner, now),
        learner=learner,
        modules=dict(modules.all()),
        practices=db.scalars(
            select(Practice).where(Practice.learner_id == learner.id).order_by(Practice.id)
        ).all(),
        attempts=db.scalars(
            select(QuizAttempt)
            .where(QuizAttempt.learner_id == learner.id)
            .order_by(QuizAttempt.id.desc())
            .limit(60)
        ).all(),
        certificates=db.scalars(
            select(Certificate).where(Certificate.learner_id == learner.id).order_by(Certificate.id)
        ).all(),
    )
