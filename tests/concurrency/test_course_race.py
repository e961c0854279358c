"""A grandmother who learns in the chat and on the page in the same moment: counted once, none lost.

Each race has its control: with the learner's row unlocked the same race must go wrong.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import Base, Database
from app.models import Caregiver, Certificate, Learner, LessonPass, ModulePass, Notice, QuizAttempt
from app.services import course, course_checks
from content.library import load_library
from tests.console.desk_world import make_child, make_station

COURSE = load_library().course
AT_ONCE = 4
Step = Callable[[Session, Learner, int], object]


@pytest.fixture
def granny(database: Database, now: datetime) -> int:
    """A learner whose family hears of her; her caregiver's id."""
    with database.transaction() as db:
        child = make_child(db, "糖糖", now, station=make_station(db, "CQ"))
        caregiver = Caregiver(
            openid="o-granny",
            family_id=child.family_id,
            relation="grandmother",
            is_following=True,
            created_at=now,
        )
        db.add(caregiver)
        db.flush()
        course.enrol(db, COURSE, caregiver, now)
        return caregiver.id


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake that the lock prevents: to trust what was read before it."""
    monkeypatch.setattr(course, "lock_learner", lambda db, learner: None)


def learner_of(db: Session, caregiver_id: int) -> Learner:
    learner = course.find_learner(db, db.get_one(Caregiver, caregiver_id))
    assert learner is not None
    return learner


def all_at_once(database: Database, caregiver_id: int, step: Step) -> int:
    """Everybody reads, then everybody does the step; how many of them the database refused."""
    read = Barrier(AT_ONCE)

    def one(number: int) -> bool:
        with suppress(DBAPIError), database.turn() as db:
            learner = learner_of(db, caregiver_id)
            assert learner.passes is not None, "read now: the control trusts it"
            read.wait()
            step(db, learner, number)
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(one, range(AT_ONCE)))


def counted(database: Database, model: type[Base]) -> int:
    with database.reading() as db:
        return db.execute(select(func.count()).select_from(model)).scalar_one()


def broken(database: Database) -> list[str]:
    with database.reading() as db:
        return [name for name, find in course_checks.CHECKS if find(db)]


def pass_lessons(db: Session, learner: Learner, ids: list[str], now: datetime) -> None:
    for lesson_id in ids:
        hand_in(db, learner, lesson_id, now)


def hand_in(db: Session, learner: Learner, lesson_id: str, now: datetime) -> None:
    lesson = COURSE.by_id[lesson_id]
    course.answer(
        db,
        course=COURSE,
        learner=learner,
        given=dict(enumerate(lesson.right, 1)),
        lesson_id=lesson.id,
        quiz_key=lesson.quiz_key,
        now=now,
    )


def practise(db: Session, learner: Learner, module: int, now: datetime) -> None:
    course.log_practice(
        db, course=COURSE, learner=learner, kind="text", note="试过了", module=module, now=now
    )


@pytest.fixture
def last_answer(database: Database, granny: int, now: datetime) -> Step:
    """Handing in what the first module lacks; all before it is done."""
    lessons = [lesson.id for lesson in COURSE.of_module(1)]
    with database.transaction() as db:
        learner = learner_of(db, granny)
        pass_lessons(db, learner, lessons[:-1], now)
        practise(db, learner, 1, now)
    return lambda db, learner, number: hand_in(db, learner, lessons[-1], now)


def test_the_last_answers_given_at_once_pass_the_module_once(
    database: Database, granny: int, last_answer: Step
) -> None:
    assert all_at_once(database, granny, last_answer) == 0
    lessons = len(COURSE.of_module(1))
    assert counted(database, LessonPass) == lessons
    assert counted(database, ModulePass) == 1
    assert counted(database, QuizAttempt) == lessons - 1 + AT_ONCE, "each is kept as it was given"
    assert counted(database, Notice) == 1, "the family hears of it once"
    assert broken(database) == []


@pytest.mark.usefixtures("unguarded")
def test_without_the_lock_answers_at_once_are_refused(
    database: Database, granny: int, last_answer: Step
) -> None:
    assert all_at_once(database, granny, last_answer) > 0


@pytest.fixture
def last_practice(database: Database, granny: int, now: datetime) -> Step:
    """Telling of the seventh practice, the only thing that the certificate waits for."""
    with database.transaction() as db:
        learner = learner_of(db, granny)
        pass_lessons(db, learner, [lesson.id for lesson in COURSE.lessons], now)
        for module in COURSE.modules[:-1]:
            practise(db, learner, module.number, now)
    last = COURSE.modules[-1].number
    return lambda db, learner, number: practise(db, learner, last, now)


def test_whoever_completes_the_course_twice_at_once_has_one_certificate(
    database: Database, granny: int, last_practice: Step
) -> None:
    assert all_at_once(database, granny, last_practice) == 0
    assert counted(database, Certificate) == 1
    assert counted(database, ModulePass) == len(COURSE.modules)
    assert broken(database) == []


# SQLite has one writer: the practice is written before what it completes is looked up.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("unguarded")
def test_without_the_lock_completing_at_once_is_refused(
    database: Database, granny: int, last_practice: Step
) -> None:
    assert all_at_once(database, granny, last_practice) > 0


@pytest.fixture
def letter(database: Database, granny: int, now: datetime) -> Step:
    """One letter each, to another question each; whoever has none to give gives the last again."""
    lesson = COURSE.lessons[0]

    def give(db: Session, learner: Learner, number: int) -> None:
        place = min(number, 1) + 1
        course.answer(
            db,
            course=COURSE,
            learner=learner,
            given={place: lesson.right[place - 1]},
            is_numbered=True,
            lesson_id=lesson.id,
            quiz_key=lesson.quiz_key,
            now=now,
        )

    return give


def letters_of(database: Database, granny: int) -> str:
    with database.reading() as db:
        return learner_of(db, granny).open_answers


def test_letters_that_come_at_once_are_all_kept(
    database: Database, granny: int, letter: Step
) -> None:
    assert all_at_once(database, granny, letter) == 0
    right = COURSE.lessons[0].right
    assert letters_of(database, granny) == f"{right[0]}{right[1]}-"


@pytest.mark.usefixtures("unguarded")
def test_without_the_lock_a_letter_is_lost(database: Database, granny: int, letter: Step) -> None:
    refused = all_at_once(database, granny, letter)
    assert refused > 0 or letters_of(database, granny).count("-") > 1
