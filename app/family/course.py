"""七会课程: progress as seven petals, lessons and quizzes in large type, the certificate."""

from io import BytesIO

import structlog
from flask import (
    Blueprint,
    abort,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.clock import now
from app.errors import QuizChanged
from app.family.opening import database, opened_by, services
from app.models import Certificate, Learner
from app.rules.lessons import CHOICES
from app.services import course, course_certificates
from app.services.audit import Actor
from app.services.course_steps import Gained, has_uncredited, practised_modules
from app.words import course as words
from app.words import course_pages as pages
from content.lessons import Course, Lesson
from content.pages import render_html

log = structlog.get_logger(__name__)


def add_routes(family: Blueprint) -> None:
    family.get("/course", endpoint="course")(show)
    family.post("/course/enrol", endpoint="enrol_course")(enrol)
    family.post("/course/leave", endpoint="leave_course")(leave)
    family.post("/course/practice", endpoint="practise")(practise)
    family.get("/course/certificate", endpoint="certificate")(certificate)
    family.get("/course/certificate.png", endpoint="certificate_picture")(picture)
    family.post("/course/certificate/name", endpoint="name_certificate")(name_certificate)
    family.get("/course/<lesson_id>", endpoint="lesson")(lesson)
    family.post("/course/<lesson_id>", endpoint="answer_quiz")(answer)
    family.get("/course/<lesson_id>/marked", endpoint="marked_quiz")(marked)


def _course() -> Course:
    return services().library.course


def show() -> ResponseReturnValue:
    """Where the learner stands; for anybody else, what the course is."""
    syllabus = _course()
    with database().reading() as db:
        learner = course.find_learner(db, opened_by(db))
        if learner is None or learner.left_at is not None:
            return render_template("family/course/about.html", course=syllabus, learner=learner)
        standing = course.progress(db, syllabus, learner)
        is_behind = standing.has_class and has_uncredited(db, learner)
    if is_behind:
        with database().transaction() as db:
            learner = course.get_learner(db, opened_by(db))
            gained = course.catch_up(db, syllabus, learner, now())
            standing = course.progress(db, syllabus, learner)
        _flash_gained(syllabus, gained)
    lines = words.module_lines(syllabus, standing.passed, standing.practised, standing.modules)
    unpassed = (one for one in syllabus.lessons if one.id not in standing.passed)
    return render_template(
        "family/course/progress.html",
        course=syllabus,
        modules=lines,
        passed=standing.passed,
        next_lesson=next(unpassed, None),
        practice_due=[one for one in lines if one.passed == one.lessons and not one.has_practice],
        certificate=standing.certificate,
    )


def enrol() -> ResponseReturnValue:
    syllabus = _course()
    with database().transaction() as db:
        made = course.enrol(db, syllabus, opened_by(db), now())
        passed = made.learner.lessons_passed
    flash(pages.course_came_back(passed) if made.came_back else pages.course_enrolled())
    return redirect(url_for("family.course"), 303)


def leave() -> ResponseReturnValue:
    with database().transaction() as db:
        course.leave(db, opened_by(db), now())
    flash(pages.course_left())
    return redirect(url_for("family.course"), 303)


def lesson(lesson_id: str) -> ResponseReturnValue:
    """One lesson with its quiz. Letters given in the chat before stand ticked."""
    syllabus, found = _find(lesson_id)
    with database().reading() as db:
        learner = course.find_learner(db, opened_by(db))
        is_learner = learner is not None and learner.left_at is None
        letters = ""
        if learner is not None and learner.open_quiz == found.quiz_key:
            letters = learner.open_answers
        has_passed = learner is not None and found.id in course.passed_ids(learner)
        practised = (
            practised_modules(db, learner.id) if learner is not None and is_learner else frozenset()
        )
    return render_template(
        "family/course/lesson.html",
        course=syllabus,
        lesson=found,
        body=render_html(found.body),
        letters=letters,
        choices=CHOICES,
        is_learner=is_learner,
        has_passed=has_passed,
        has_practice=found.module in practised,
    )


def answer(lesson_id: str) -> ResponseReturnValue:
    """The page's quiz, marked; a question left out is asked for again and the rest kept."""
    syllabus, found = _find(lesson_id)
    given = {
        number: letter
        for number in range(1, len(found.quiz) + 1)
        if (letter := request.form.get(f"answer-{number}", "")) in tuple(CHOICES)
    }
    if not given:
        flash(pages.quiz_unanswered(), "bad")
        return redirect(url_for("family.lesson", lesson_id=lesson_id) + "#quiz", 303)
    try:
        with database().transaction() as db:
            learner = course.get_learner(db, opened_by(db))
            answered = course.answer(
                db,
                course=syllabus,
                learner=learner,
                given=given,
                is_numbered=True,
                lesson_id=found.id,
                quiz_key=request.form.get("quiz", ""),
                now=now(),
            )
    except QuizChanged:
        flash(words.quiz_changed(), "bad")
        return redirect(url_for("family.lesson", lesson_id=lesson_id), 303)
    if answered.grade is None:
        flash(pages.quiz_unfinished(answered.letters.count("-")), "bad")
        return redirect(url_for("family.lesson", lesson_id=lesson_id) + "#quiz", 303)
    _flash_gained(syllabus, answered.gained)
    if answered.gained.certificate is not None:
        return redirect(url_for("family.course"), 303)
    return redirect(url_for("family.marked_quiz", lesson_id=lesson_id), 303)


def marked(lesson_id: str) -> ResponseReturnValue:
    """What became of the last answers to this lesson, and what comes next."""
    syllabus, found = _find(lesson_id)
    with database().reading() as db:
        learner = course.get_learner(db, opened_by(db))
        attempt = course.find_last_attempt(db, learner, found)
        if attempt is None:
            return redirect(url_for("family.lesson", lesson_id=lesson_id))
        standing = course.progress(db, syllabus, learner)
    unpassed = (one for one in syllabus.lessons if one.id not in standing.passed)
    return render_template(
        "family/course/marked.html",
        course=syllabus,
        lesson=found,
        attempt=attempt,
        choices=CHOICES,
        has_practice=found.module in standing.practised,
        next_lesson=next(unpassed, None),
    )


def practise() -> ResponseReturnValue:
    """打卡 on the page: a sentence, or only that it was tried."""
    syllabus = _course()
    number = request.form.get("module", "")
    module = int(number) if number in {str(one.number) for one in syllabus.modules} else None
    with database().transaction() as db:
        learner = course.get_learner(db, opened_by(db))
        logged = course.log_practice(
            db,
            course=syllabus,
            learner=learner,
            kind="page",
            note=request.form.get("note", "").strip() or None,
            module=module,
            now=now(),
        )
        passed = learner.lessons_passed
    name = syllabus.module(logged.module).name
    flash(words.practised(name, "page", logged.was_practised, passed))
    _flash_gained(syllabus, logged.gained)
    came_from = syllabus.by_id.get(request.form.get("lesson", ""))
    if came_from is not None and logged.gained.certificate is None:
        return redirect(url_for("family.lesson", lesson_id=came_from.id), 303)
    return redirect(url_for("family.course"), 303)


def certificate() -> ResponseReturnValue:
    """The certificate with its picture, or what is still missing."""
    with database().reading() as db:
        learner, found = _own_certificate(db)
    if found is None:
        return redirect(url_for("family.course"))
    return render_template(
        "family/course/certificate.html",
        certificate=found,
        may_name=course_certificates.may_set_name(learner),
        check_url=_check_url(found.code),
    )


def picture() -> ResponseReturnValue:
    """The certificate as a picture to keep: a long tap on the page saves it."""
    # Drawing needs a library of its own: a worker is smaller until somebody graduates.
    from app.certificate_picture import PictureImpossible, draw

    with database().reading() as db:
        _, found = _own_certificate(db)
    if found is None or found.revoked_at is not None:
        abort(404)
    try:
        png = draw(found.name, found.code, found.issued_at, _check_url(found.code))
    except PictureImpossible as impossible:
        log.error("certificate_not_drawn", reason=str(impossible))
        return pages.no_picture(), 503, {"Content-Type": "text/plain; charset=utf-8"}
    return send_file(BytesIO(png), mimetype="image/png", download_name=f"{found.code}.png")


def name_certificate() -> ResponseReturnValue:
    said = " ".join(request.form.get("name", "").split())
    if not words.is_name(said):
        flash(words.name_unreadable(), "bad")
        return redirect(url_for("family.certificate"), 303)
    with database().transaction() as db:
        caregiver = opened_by(db)
        learner, _ = course.get_certified(db, caregiver)
        # Two taps at once: the first one's name stands.
        course.lock_learner(db, learner)
        may = course_certificates.may_set_name(learner)
        if may:
            course_certificates.set_name(db, learner, said, Actor("caregiver", caregiver.id), now())
    flash(pages.name_written(said) if may else words.name_kept(learner.name or ""))
    return redirect(url_for("family.certificate"), 303)


def _own_certificate(db: Session) -> tuple[Learner, Certificate | None]:
    return course.get_certified(db, opened_by(db))


def _find(lesson_id: str) -> tuple[Course, Lesson]:
    syllabus = _course()
    found = syllabus.by_id.get(lesson_id)
    if found is None:
        abort(404)
    return syllabus, found


def _check_url(code: str) -> str:
    return course_certificates.check_url(services().settings.public_url, code)


def _flash_gained(syllabus: Course, gained: Gained) -> None:
    for module in gained.modules:
        flash(pages.petal_opened(syllabus.module(module).name))
    if gained.certificate is not None:
        flash(pages.course_completed())
