"""七会课程 in the API: the lessons, where one stands, quizzes, practice.

The certificate has a module of its own.
"""

from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.repeating import Key, once
from app.api.shapes import Done, In, Out
from app.api.signed_in import calling, database, services
from app.clock import now
from app.models import Caregiver, Learner
from app.services import course as service
from app.services.course_steps import has_uncredited
from app.words import course_pages as words
from content.lessons import Lesson

TAG = Tag(name="课程", description="七会：课、小测、打卡、证书")


class LessonPath(BaseModel):
    lesson_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")


class LessonLine(Out):
    id: str
    title: str


class ModuleOut(Out):
    """One of the seven, with its lessons in their order."""

    number: int
    name: str
    lessons: list[LessonLine]


class SyllabusOut(Out):
    items: list[ModuleOut]


class QuestionOut(Out):
    text: str
    choices: list[str]


class LessonOut(Out):
    """`quiz_key` goes back with the answers: a quiz that changed meanwhile is not marked."""

    id: str
    module: int
    title: str
    message: str
    points: list[str]
    practice: str
    habit: str
    """The old habit that it replaces; empty where the body tells of it."""
    instead: str
    body: str
    quiz: list[QuestionOut]
    quiz_key: str


class ProgressOut(Out):
    """Where the caregiver stands; `next` is None where every lesson is passed."""

    is_enrolled: bool
    lessons: int
    passed: list[str]
    practised: list[int]
    """Modules that have their practice."""
    modules_passed: list[int]
    next: str | None
    certificate: str | None


class AnswersBody(In):
    quiz_key: str = Field(pattern=r"^[0-9a-f]{16}$")
    answers: list[Literal["A", "B", "C"]] = Field(min_length=1, max_length=10)


class Marked(Out):
    correct: int
    questions: int
    is_passed: bool
    explanations: list[str]
    certificate: str | None


class PracticeBody(In):
    note: str | None = Field(None, max_length=200, pattern=r"^[^\x00]*$")
    module: int | None = Field(None, ge=1, le=7)


class PracticeOut(Out):
    module: int
    modules_passed: list[int]
    certificate: str | None


def add_routes(api: APIBlueprint) -> None:
    api.get("/course", tags=[TAG], summary="学到哪里", responses={200: ProgressOut})(progress)
    api.post("/course/enrolment", tags=[TAG], summary="报名课程", responses={201: ProgressOut})(
        enrol
    )
    api.delete("/course/enrolment", tags=[TAG], summary="停下课程", responses={200: Done})(leave)
    api.get("/course/lessons", tags=[TAG], summary="都有哪些课", responses={200: SyllabusOut})(
        list_lessons
    )
    api.get("/course/lessons/<lesson_id>", tags=[TAG], summary="一课", responses={200: LessonOut})(
        lesson
    )
    api.post(
        "/course/lessons/<lesson_id>/answers", tags=[TAG], summary="答题", responses={200: Marked}
    )(give_answers)
    api.post("/course/practice", tags=[TAG], summary="打卡", responses={201: PracticeOut})(practise)


def progress() -> Response:
    """What a grandparents' class has earned since is booked before it is told."""
    with database().reading() as db:
        learner = service.find_learner(db, calling(db))
        is_learning = learner is not None and learner.left_at is None
        if learner is None or not is_learning or not has_uncredited(db, learner):
            return answer(_progress(db, learner))
    with database().transaction() as db:
        learner = service.get_learner(db, calling(db))
        service.catch_up(db, services().library.course, learner, now())
        return answer(_progress(db, learner))


def _progress(db: Session, learner: Learner | None) -> ProgressOut:
    syllabus = services().library.course
    certificate = service.find_certificate(db, learner) if learner is not None else None
    if learner is None or learner.left_at is not None:
        return ProgressOut(
            is_enrolled=False,
            lessons=len(syllabus.lessons),
            passed=[],
            practised=[],
            modules_passed=[],
            next=None,
            certificate=certificate.code if certificate else None,
        )
    stands = service.progress(db, syllabus, learner)
    following = (one.id for one in syllabus.lessons if one.id not in stands.passed)
    return ProgressOut(
        is_enrolled=True,
        lessons=len(syllabus.lessons),
        passed=sorted(stands.passed),
        practised=sorted(stands.practised),
        modules_passed=sorted(stands.modules),
        next=next(following, None),
        certificate=certificate.code if certificate else None,
    )


def enrol(header: Key) -> Response:
    """Once; who left comes back to where they were."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        made = service.enrol(db, services().library.course, caregiver, now())
        db.flush()
        return _progress(db, made.learner)

    return once(header, act, 201)


def leave() -> Response:
    """No more nudges; what was passed stays for a return."""
    with database().transaction() as db:
        service.leave(db, calling(db), now())
    return answer(Done(message=words.course_left()))


def list_lessons() -> Response:
    """The seven modules; the same for everybody."""
    with database().reading() as db:
        calling(db)
    syllabus = services().library.course
    items = [
        ModuleOut(
            number=module.number,
            name=module.name,
            lessons=[
                LessonLine(id=one.id, title=one.title)
                for one in syllabus.lessons
                if one.module == module.number
            ],
        )
        for module in syllabus.modules
    ]
    return answer(SyllabusOut(items=items))


def _lesson(lesson_id: str) -> Lesson:
    found = services().library.course.by_id.get(lesson_id)
    if found is None:
        raise ApiRefusal(404, "not_found")
    return found


def lesson(path: LessonPath) -> Response:
    """A lesson to read, with its questions; the right answers stay here."""
    with database().reading() as db:
        calling(db)
    found = _lesson(path.lesson_id)
    return answer(
        LessonOut(
            id=found.id,
            module=found.module,
            title=found.title,
            message=found.message,
            points=list(found.points),
            practice=found.practice,
            habit=found.habit,
            instead=found.instead,
            body=found.body,
            quiz=[QuestionOut(text=one.text, choices=list(one.choices)) for one in found.quiz],
            quiz_key=found.quiz_key,
        )
    )


def give_answers(path: LessonPath, header: Key, body: AnswersBody) -> Response:
    """All questions of one lesson at once; passed at two thirds."""
    asked = _lesson(path.lesson_id)
    if len(body.answers) != len(asked.quiz):
        raise ApiRefusal(422, "answers_missing")

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        learner = service.get_learner(db, caregiver)
        service.lock_learner(db, learner)
        service.open_lesson(learner, asked)
        learner.open_answers = ""
        done = service.answer(
            db,
            course=services().library.course,
            learner=learner,
            given=dict(enumerate(body.answers, start=1)),
            is_numbered=True,
            lesson_id=asked.id,
            quiz_key=body.quiz_key,
            now=now(),
        )
        assert done.grade is not None, "every question has an answer"
        certificate = done.gained.certificate
        return Marked(
            correct=done.grade.correct,
            questions=done.grade.questions,
            is_passed=done.grade.is_passed,
            explanations=[question.explanation for question in asked.quiz],
            certificate=certificate.code if certificate else None,
        )

    return once(header, act)


def practise(header: Key, body: PracticeBody) -> Response:
    """Something tried at home."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        learner = service.get_learner(db, caregiver)
        done = service.log_practice(
            db,
            course=services().library.course,
            learner=learner,
            kind="text",
            note=body.note,
            module=body.module,
            now=now(),
        )
        certificate = done.gained.certificate
        return PracticeOut(
            module=done.module,
            modules_passed=list(done.gained.modules),
            certificate=certificate.code if certificate else None,
        )

    return once(header, act, 201)
