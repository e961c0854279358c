"""The course's invariants, for doctor. Reads only."""

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from app.models import (
    AuditEntry,
    Caregiver,
    Certificate,
    Learner,
    LessonPass,
    ModulePass,
    Practice,
    QuizAttempt,
)
from app.rules.lessons import MODULES, MOST_NUDGES


def miscounted_learners(db: Session) -> list[str]:
    """Learners whose count of passed lessons is not the number of their passes."""
    passes = (
        select(func.count())
        .where(LessonPass.learner_id == Learner.id)
        .correlate(Learner)
        .scalar_subquery()
    )
    found = db.scalars(
        select(Learner.id).where(Learner.lessons_passed != passes).order_by(Learner.id)
    )
    return [f"learner:{one}" for one in found]


def strayed_learners(db: Session) -> list[str]:
    """Learners whose caregiver is in another family, or who stand in no module."""
    found = db.scalars(
        select(Learner.id)
        .outerjoin(Caregiver, Caregiver.id == Learner.caregiver_id)
        .where(
            or_(
                Caregiver.family_id != Learner.family_id,
                ~Learner.module.between(1, MODULES),
                Learner.nudges > MOST_NUDGES,
            )
        )
        .order_by(Learner.id)
    )
    return [f"learner:{one}" for one in found]


def ungraded_passes(db: Session) -> list[str]:
    """Lessons that were passed without a quiz that passes them."""
    graded = exists().where(
        QuizAttempt.learner_id == LessonPass.learner_id,
        QuizAttempt.lesson == LessonPass.lesson,
        QuizAttempt.is_passed,
    )
    found = db.execute(
        select(LessonPass.learner_id, LessonPass.lesson)
        .where(~graded)
        .order_by(LessonPass.learner_id, LessonPass.lesson)
    )
    return [f"learner:{learner_id}/{lesson}" for learner_id, lesson in found]


def unpractised_modules(db: Session) -> list[str]:
    """Modules that were passed without any practice."""
    practised = exists().where(
        Practice.learner_id == ModulePass.learner_id, Practice.module == ModulePass.module
    )
    found = db.execute(
        select(ModulePass.learner_id, ModulePass.module)
        .where(~practised)
        .order_by(ModulePass.learner_id, ModulePass.module)
    )
    return [f"learner:{learner_id}/module:{module}" for learner_id, module in found]


def unfinished_completions(db: Session) -> list[str]:
    """Learners who count as through without seven modules, or have seven and do not."""
    modules = (
        select(func.count())
        .where(ModulePass.learner_id == Learner.id)
        .correlate(Learner)
        .scalar_subquery()
    )
    found = db.scalars(
        select(Learner.id)
        .where(
            or_(
                and_(Learner.completed_at.is_not(None), modules < MODULES),
                and_(Learner.completed_at.is_(None), modules >= MODULES),
            )
        )
        .order_by(Learner.id)
    )
    return [f"learner:{one}" for one in found]


def unearned_certificates(db: Session) -> list[str]:
    """Certificates of who is not through, revoked ones without who, why or audit row."""
    audited = exists().where(
        AuditEntry.subject_type == "certificate",
        AuditEntry.subject_id == Certificate.id,
        AuditEntry.action == "revoke",
    )
    found = db.scalars(
        select(Certificate.id)
        .join(Learner, Learner.id == Certificate.learner_id)
        .where(
            or_(
                Learner.completed_at.is_(None),
                and_(
                    Certificate.revoked_at.is_not(None),
                    or_(
                        Certificate.revoked_by.is_(None),
                        Certificate.revoked_reason.is_(None),
                        ~audited,
                    ),
                ),
            )
        )
        .order_by(Certificate.id)
    )
    return [f"certificate:{one}" for one in found]


CHECKS = (
    ("learners_passes_are_counted", miscounted_learners),
    ("learners_are_where_their_family_is", strayed_learners),
    ("passed_lessons_have_their_quiz", ungraded_passes),
    ("passed_modules_have_their_practice", unpractised_modules),
    ("completed_courses_have_seven_modules", unfinished_completions),
    ("certificates_are_earned", unearned_certificates),
)
