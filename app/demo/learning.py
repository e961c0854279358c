"""Demo learners of the seven-skills course: one at the beginning, one stuck, one graduated."""

import csv
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from app.models import Learner
from app.services import course, course_certificates
from app.services.audit import SYSTEM
from app.services.registration import find_caregiver
from content.lessons import Course, Lesson

NEXT_LETTER = str.maketrans("ABC", "BCA")


def enrol_learners(db: Session, syllabus: Course, file: Path, now: datetime) -> int:
    """Play every learner of the file through the real services; how many those are."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    return sum(_learn(db, syllabus, row, now) for row in rows)


def _learn(db: Session, syllabus: Course, row: Mapping[str, str], now: datetime) -> bool:
    caregiver = find_caregiver(db, row["caregiver"])
    if caregiver is None:
        return False
    at = now - timedelta(days=int(row["enrolled_days_ago"]))
    learner = course.enrol(db, syllabus, caregiver, at).learner
    for number, lesson in enumerate(syllabus.lessons[: int(row["lessons"])]):
        at += timedelta(days=2)
        if number < int(row["slips"]):
            _answer(db, syllabus, learner, lesson, "".join(lesson.right).translate(NEXT_LETTER), at)
        _answer(db, syllabus, learner, lesson, "".join(lesson.right), at)
        if lesson is syllabus.of_module(lesson.module)[-1]:
            course.log_practice(
                db, course=syllabus, learner=learner, kind="text", note="试过了", now=at
            )
    if row["name"]:
        course_certificates.set_name(db, learner, row["name"], SYSTEM, at)
    return True


def _answer(
    db: Session, syllabus: Course, learner: Learner, lesson: Lesson, letters: str, at: datetime
) -> None:
    course.open_lesson(learner, lesson)
    db.flush()
    given = dict(enumerate(letters, 1))
    course.answer(db, course=syllabus, learner=learner, given=given, now=at)
