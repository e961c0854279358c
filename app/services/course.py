"""The seven-skills course from the learner's side: enrolling, lessons, quizzes, practice.

What a step is worth is decided in app/rules/lessons.py; what follows from it (a module, the
certificate, the family's message) in app/services/course_steps.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session, selectinload

from app.errors import LessonUnknown, NoQuizOpen, NotEnrolled, QuizChanged
from app.models import Caregiver, Certificate, Learner, LessonPass, Practice, QuizAttempt
from app.prepared import Joined, Loader, Prepared
from app.rules import lessons as rules
from app.rules.lessons import Grade
from app.services import audit, course_steps
from app.services.course_standing import lay_open, stand
from app.services.course_steps import Gained
from app.services.registration import get_family
from content.lessons import Course, Lesson

PRACTICE_LENGTH = 300
"""Characters of a practice that are kept."""

_LEARNERS = Loader(Learner)
# Every turn of the course runs this one. The passes' ids come in one text: a row and an object
# for each of two dozen cost more than the rest of the turn.
_FIND_LEARNER = Prepared(
    select(
        *_LEARNERS.columns,
        select(Joined(LessonPass.lesson))
        .where(LessonPass.learner_id == Learner.id)
        .correlate(Learner)
        .scalar_subquery()
        .label("passed"),
    ).where(Learner.caregiver_id == bindparam("caregiver_id"))
)


@dataclass(frozen=True, slots=True)
class Enrolled:
    learner: Learner
    is_new: bool
    came_back: bool
    """After having left; what was passed before is still there."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of letters that were given."""

    lesson: Lesson
    letters: str
    """As they stand now, a dash for each question still open."""
    grade: Grade | None
    """None while questions are open."""
    was_passed: bool
    """The lesson had been passed before: this was a repetition."""
    gained: Gained

    @property
    def next_question(self) -> int | None:
        """The number of the first question that is still open."""
        return self.letters.index("-") + 1 if "-" in self.letters else None


@dataclass(frozen=True, slots=True)
class Practised:
    module: int
    was_practised: bool
    """The module had its practice already; one more is welcome."""
    gained: Gained


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a learner stands."""

    learner: Learner
    passed: frozenset[str]
    """Lessons of today's course; what has left the course is not counted here."""
    practised: frozenset[int]
    modules: frozenset[int]
    has_class: bool
    """An attended class may still count: catch_up knows."""
    certificate: Certificate | None
    """The latest one, revoked or not."""


def find_learner(db: Session, caregiver: Caregiver) -> Learner | None:
    """This caregiver's way through the course with its passes, in one query."""
    db.flush()
    row = _FIND_LEARNER.first(db, caregiver_id=caregiver.id)
    if row is None:
        return None
    found: Learner = _LEARNERS.put(db, row[: len(_LEARNERS)])
    found.read_with(row[-1])
    return found


def get_learner(db: Session, caregiver: Caregiver) -> Learner:
    """Raises NotEnrolled where the caregiver never enrolled, or has left."""
    learner = find_learner(db, caregiver)
    if learner is None or learner.left_at is not None:
        raise NotEnrolled(has_left=learner is not None)
    return learner


def get_certified(db: Session, caregiver: Caregiver) -> tuple[Learner, Certificate | None]:
    """The learner and the latest certificate: what was earned stays with who has left.

    Raises NotEnrolled where the caregiver never enrolled, or left without one.
    """
    learner = find_learner(db, caregiver)
    found = find_certificate(db, learner) if learner is not None else None
    if learner is None or (learner.left_at is not None and found is None):
        raise NotEnrolled(has_left=learner is not None)
    return learner, found


def lock_learner(db: Session, learner: Learner) -> None:
    """The row first: an answer in the chat and one on the page may come at once."""
    db.execute(
        select(Learner)
        .where(Learner.id == learner.id)
        .options(selectinload(Learner.passes))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def enrol(db: Session, course: Course, caregiver: Caregiver, now: datetime) -> Enrolled:
    """The caregiver learns from now on; enrolled already, nothing changes. Raises NotRegistered."""
    family = get_family(caregiver)
    learner = find_learner(db, caregiver)
    if learner is not None:
        if learner.left_at is None:
            return Enrolled(learner, is_new=False, came_back=False)
        learner.left_at = None
        learner.moved_at, learner.nudges = now, 0
        _record(db, learner, caregiver, "come_back", now)
        return Enrolled(learner, is_new=False, came_back=True)
    learner = Learner(
        family_id=family.id,
        caregiver_id=caregiver.id,
        relation=caregiver.relation,
        enrolled_at=now,
        module=min(course.outline.modules),
        lessons_passed=0,
        moved_at=now,
        nudges=0,
        open_answers="",
        passes=[],
    )
    db.add(learner)
    db.flush()
    _record(db, learner, caregiver, "enrol", now)
    return Enrolled(learner, is_new=True, came_back=False)


def leave(db: Session, caregiver: Caregiver, now: datetime) -> None:
    """No more nudges; all that was passed stays for a return. Raises NotEnrolled."""
    learner = get_learner(db, caregiver)
    learner.left_at = now
    learner.open_lesson, learner.open_quiz, learner.open_answers = None, None, ""
    _record(db, learner, caregiver, "leave", now)


def open_next(db: Session, course: Course, learner: Learner) -> Lesson | None:
    """The next lesson, its quiz now open to answers; None where every lesson is passed."""
    lesson_id = rules.next_lesson(course.outline, passed_ids(learner))
    if lesson_id is None:
        return None
    lesson = course.by_id[lesson_id]
    if not _lies_open(learner, lesson):
        lay_open(db, learner, lesson.id, lesson.quiz_key)
    return lesson


def open_numbered(course: Course, learner: Learner, number: int | None) -> Lesson:
    """A lesson by its number in the course, to learn it again. Raises LessonUnknown."""
    if number is None or not 1 <= number <= len(course.lessons):
        raise LessonUnknown(len(course.lessons))
    lesson = course.lessons[number - 1]
    open_lesson(learner, lesson)
    return lesson


def open_lesson(learner: Learner, lesson: Lesson) -> None:
    """Answers are for this lesson now. Letters given before stay where the quiz is the same."""
    if _lies_open(learner, lesson):
        return
    learner.open_lesson, learner.open_quiz = lesson.id, lesson.quiz_key
    learner.open_answers = ""


def _lies_open(learner: Learner, lesson: Lesson) -> bool:
    return (learner.open_lesson, learner.open_quiz) == (lesson.id, lesson.quiz_key)


def find_open(course: Course, learner: Learner) -> Lesson | None:
    """The lesson whose quiz lies open, where it is still in the course."""
    return course.by_id.get(learner.open_lesson) if learner.open_lesson else None


def answer(
    db: Session,
    *,
    course: Course,
    learner: Learner,
    given: Mapping[int, str],
    is_numbered: bool = False,
    lesson_id: str | None = None,
    quiz_key: str | None = None,
    now: datetime,
) -> Answered:
    """Take letters for the open quiz, and mark it once every question has one.

    Fewer letters than questions, without numbers, are for the first ones still open. The page
    says which lesson and quiz it showed; the chat means what was shown last.
    Raises NoQuizOpen, QuizChanged (also where the lesson has left the course).
    """
    lock_learner(db, learner)
    lesson = _lesson_asked(course, learner, lesson_id, quiz_key)
    letters = _filled(learner.open_answers, given, is_numbered, len(lesson.quiz))
    was_passed = lesson.id in passed_ids(learner)
    if "-" in letters:
        learner.open_answers = letters
        return Answered(lesson, letters, None, was_passed, Gained())
    grade = rules.grade(letters, lesson.right)
    _keep_attempt(db, learner, lesson, letters, grade, now)
    learner.open_answers = ""
    learner.moved_at, learner.nudges = now, 0
    if not grade.is_passed:
        return Answered(lesson, letters, grade, was_passed, Gained())
    learner.open_lesson = learner.open_quiz = None
    if not was_passed:
        learner.passes.append(
            LessonPass(
                learner_id=learner.id, lesson=lesson.id, version=lesson.version, passed_at=now
            )
        )
        learner.lessons_passed = len(learner.passes)
        db.flush()
    gained = course_steps.settle(db, course, learner, now)
    return Answered(lesson, letters, grade, was_passed, gained)


def log_practice(
    db: Session,
    *,
    course: Course,
    learner: Learner,
    kind: str,
    note: str | None = None,
    module: int | None = None,
    now: datetime,
) -> Practised:
    """Something tried at home: it counts for the module named, else for the one it is due in."""
    lock_learner(db, learner)
    practised = course_steps.practised_modules(db, learner.id)
    module = module or rules.practice_module(
        course.outline, passed_ids(learner), practised, learner.open_lesson
    )
    db.add(
        Practice(
            learner_id=learner.id,
            module=module,
            kind=kind,
            note=note[:PRACTICE_LENGTH] if note else None,
            at=now,
        )
    )
    learner.moved_at, learner.nudges = now, 0
    db.flush()
    gained = course_steps.settle(db, course, learner, now)
    return Practised(module, was_practised=module in practised, gained=gained)


def progress(db: Session, course: Course, learner: Learner) -> Progress:
    """Where the learner stands, for the picture of seven petals."""
    standing = stand(db, learner)
    return Progress(
        learner=learner,
        passed=passed_ids(learner) & course.ids,
        practised=standing.practised,
        modules=standing.modules,
        has_class=standing.has_class,
        certificate=find_certificate(db, learner),
    )


def catch_up(db: Session, course: Course, learner: Learner, now: datetime) -> Gained:
    """Book what was earned elsewhere, at a class, since the learner's last step."""
    if not course_steps.has_uncredited(db, learner):
        return Gained()
    lock_learner(db, learner)
    return course_steps.settle(db, course, learner, now)


def find_certificate(db: Session, learner: Learner) -> Certificate | None:
    """The learner's latest certificate; most learners have none, and cost no query."""
    if learner.completed_at is None:
        return None
    return db.execute(
        select(Certificate)
        .where(Certificate.learner_id == learner.id)
        .order_by(Certificate.issued_at.desc(), Certificate.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def find_last_attempt(db: Session, learner: Learner, lesson: Lesson) -> QuizAttempt | None:
    """The learner's last answers to the lesson's quiz as it is now."""
    return db.execute(
        select(QuizAttempt)
        .where(
            QuizAttempt.learner_id == learner.id,
            QuizAttempt.lesson == lesson.id,
            QuizAttempt.quiz == lesson.quiz_key,
        )
        .order_by(QuizAttempt.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def passed_ids(learner: Learner) -> frozenset[str]:
    return learner.passed


def _lesson_asked(
    course: Course, learner: Learner, lesson_id: str | None, quiz_key: str | None
) -> Lesson:
    """The lesson that answers are for, its quiz as it was shown."""
    if lesson_id is not None:
        lesson = course.by_id.get(lesson_id)
        if lesson is None or lesson.quiz_key != quiz_key:
            raise QuizChanged()
        open_lesson(learner, lesson)
        return lesson
    if learner.open_lesson is None:
        last = max(learner.passes, key=lambda one: one.passed_at, default=None)
        known = course.by_id.get(last.lesson) if last else None
        raise NoQuizOpen(passed=known.title if known else None)
    lesson = course.by_id.get(learner.open_lesson)
    if lesson is None or lesson.quiz_key != learner.open_quiz:
        raise QuizChanged()
    return lesson


def _filled(before: str, given: Mapping[int, str], is_numbered: bool, questions: int) -> str:
    """The letters so far with those given, one a question."""
    letters = list(before) if len(before) == questions else ["-"] * questions
    if is_numbered or len(given) == questions:
        for number, letter in given.items():
            letters[number - 1] = letter
        return "".join(letters)
    still_open = [place for place, letter in enumerate(letters) if letter == "-"]
    for place, letter in zip(still_open, given.values(), strict=False):
        letters[place] = letter
    return "".join(letters)


def _keep_attempt(
    db: Session, learner: Learner, lesson: Lesson, letters: str, grade: Grade, now: datetime
) -> None:
    tried = select(QuizAttempt.id).where(
        QuizAttempt.learner_id == learner.id, QuizAttempt.lesson == lesson.id
    )
    is_first = not db.execute(select(exists(tried))).scalar_one()
    db.add(
        QuizAttempt(
            learner_id=learner.id,
            lesson=lesson.id,
            version=lesson.version,
            quiz=lesson.quiz_key,
            answers=letters,
            correct=grade.correct,
            is_passed=grade.is_passed,
            is_first=is_first,
            at=now,
        )
    )


def _record(
    db: Session, learner: Learner, caregiver: Caregiver, action: str, now: datetime
) -> None:
    audit.record(
        db,
        actor=audit.Actor("caregiver", caregiver.id),
        action=action,
        subject_type="learner",
        subject_id=learner.id,
        now=now,
    )
