"""What a step through the course leads to: a module, the certificate, the family's message."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session, aliased

from app.models import (
    Caregiver,
    Certificate,
    GuidanceSession,
    Learner,
    ModulePass,
    Practice,
    SignUp,
)
from app.models.notice_facts import CourseModulePassed
from app.rules import lessons as rules
from app.rules.lessons import GRANDPARENTS
from app.rules.sign_up import SignUpState
from app.services import audit, notices
from content.lessons import Course

CLASS_KIND = "祖辈课堂"
"""The kind of guidance session that counts as practice."""
CLASS_BEFORE_ENROLLING = timedelta(days=1)
"""Who enrols at the class itself, or the evening after, has practised all the same."""
CLASSES_LOOKED_BACK = timedelta(days=45)
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 12
"""59 bits: with the page's limit of requests no number is ever found by trying."""
MODULE_NEWS = 40
"""Priority of what the family hears about the course: after everything that is arranged."""
MODULE_NEWS_GOOD_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Gained:
    """What a step has led to beyond itself."""

    modules: tuple[int, ...] = ()
    """Passed just now."""
    certificate: Certificate | None = None
    """Issued just now."""


def practised_modules(db: Session, learner_id: int) -> frozenset[int]:
    found = db.execute(select(Practice.module).where(Practice.learner_id == learner_id).distinct())
    return frozenset(found.scalars())


def module_ids(db: Session, learner_id: int) -> frozenset[int]:
    found = db.execute(select(ModulePass.module).where(ModulePass.learner_id == learner_id))
    return frozenset(found.scalars())


def settle(db: Session, course: Course, learner: Learner, now: datetime) -> Gained:
    """Book what the learner's passes and practices amount to. The learner's row is locked.

    Nothing is ever taken back: not by an edit of the course, nor by a second run.
    """
    credit_classes(db, course, learner, now)
    passed = frozenset(one.lesson for one in learner.passes)
    already = module_ids(db, learner.id)
    practised = practised_modules(db, learner.id)
    reached = rules.modules_passed(course.outline, passed, practised, already)
    new = tuple(sorted(reached - already))
    for module in new:
        db.add(ModulePass(learner_id=learner.id, module=module, passed_at=now))
    learner.module = rules.current_module(course.outline, passed, reached)
    db.flush()
    for module in new:
        _tell_family(db, course, learner, module, len(reached), now)
    certificate = None
    if rules.is_complete(reached):
        if learner.completed_at is None:
            learner.completed_at = now
        certificate = _issue(db, course, learner, now)
        db.flush()
    return Gained(new, certificate)


def has_uncredited(db: Session, learner: Learner) -> bool:
    """Whether an attended class may still count for this learner: one look, no lock."""
    entered = exists().where(
        Practice.learner_id == learner.id, Practice.session_id == GuidanceSession.id
    )
    found = (
        select(SignUp.id)
        .join(GuidanceSession, GuidanceSession.id == SignUp.session_id)
        .where(
            SignUp.family_id == learner.family_id,
            SignUp.state == SignUpState.ATTENDED,
            GuidanceSession.kind == CLASS_KIND,
            GuidanceSession.ends_at > learner.enrolled_at - CLASS_BEFORE_ENROLLING,
            ~entered,
        )
        .limit(1)
    )
    return db.execute(found).first() is not None


def credit_classes(db: Session, course: Course, learner: Learner, now: datetime) -> int:
    """Enter attended grandparents' classes as practice; how many were new.

    Each counts for the module that is named in its title, else for the one that is due.
    """
    entered = exists().where(
        Practice.learner_id == learner.id, Practice.session_id == GuidanceSession.id
    )
    rows = db.execute(
        select(GuidanceSession.id, GuidanceSession.title, SignUp.caregiver_id)
        .join(SignUp, SignUp.session_id == GuidanceSession.id)
        .where(
            SignUp.family_id == learner.family_id,
            SignUp.state == SignUpState.ATTENDED,
            GuidanceSession.kind == CLASS_KIND,
            GuidanceSession.ends_at > learner.enrolled_at - CLASS_BEFORE_ENROLLING,
            ~entered,
        )
        .order_by(GuidanceSession.starts_at, GuidanceSession.id)
    ).all()
    if not rows:
        return 0
    family = [
        (found.id, found.caregiver_id, found.relation)
        for found in db.execute(
            select(Learner).where(Learner.family_id == learner.family_id, Learner.left_at.is_(None))
        ).scalars()
    ]
    practised = set(practised_modules(db, learner.id))
    passed = frozenset(one.lesson for one in learner.passes)
    credited: set[int] = set()
    for session_id, title, caregiver_id in rows:
        ours = learner.id in rules.who_was_taught(family, caregiver_id)
        if not ours or session_id in credited:
            continue
        credited.add(session_id)
        named = next((one.number for one in course.modules if one.name in title), None)
        module = named or rules.practice_module(
            course.outline, passed, practised, learner.open_lesson
        )
        practised.add(module)
        db.add(
            Practice(
                learner_id=learner.id, module=module, kind="attended", session_id=session_id, at=now
            )
        )
    if credited:
        learner.moved_at, learner.nudges = now, 0
        db.flush()
    return len(credited)


def find_uncredited(
    db: Session, *, after: int, now: datetime, limit: int
) -> tuple[list[int], int | None]:
    """Learners of families that attended a class which is entered for nobody of them, by id;
    and the last id that was looked at, None where there are no more.

    Classes of the last weeks: what is older was entered by an earlier run, or by the learner's
    own steps.
    """
    member = aliased(Learner)
    entered = exists().where(
        Practice.session_id == GuidanceSession.id,
        Practice.learner_id == member.id,
        member.family_id == Learner.family_id,
    )
    found = db.execute(
        select(Learner.id, Learner.enrolled_at, func.max(GuidanceSession.ends_at))
        .join(SignUp, SignUp.family_id == Learner.family_id)
        .join(GuidanceSession, GuidanceSession.id == SignUp.session_id)
        .where(
            Learner.id > after,
            Learner.left_at.is_(None),
            GuidanceSession.kind == CLASS_KIND,
            GuidanceSession.starts_at > now - CLASSES_LOOKED_BACK,
            SignUp.state == SignUpState.ATTENDED,
            ~entered,
        )
        .group_by(Learner.id, Learner.enrolled_at)
        .order_by(Learner.id)
        .limit(limit)
    ).all()
    ids = [
        learner_id
        for learner_id, enrolled_at, ends_at in found
        if ends_at > enrolled_at - CLASS_BEFORE_ENROLLING
    ]
    return ids, found[-1][0] if found else None


def withdraw_classes(db: Session, now: datetime) -> int:
    """Take back the practice of attendances that staff undid; how many those were.

    Not where the module is passed meanwhile: what was earned in good faith stays.
    """
    is_attended = exists().where(
        SignUp.session_id == Practice.session_id,
        SignUp.family_id == Learner.family_id,
        SignUp.state == SignUpState.ATTENDED,
    )
    is_passed = exists().where(
        ModulePass.learner_id == Practice.learner_id, ModulePass.module == Practice.module
    )
    undone = (
        select(Practice.id)
        .join(Learner, Learner.id == Practice.learner_id)
        .where(
            Practice.session_id.is_not(None),
            Practice.at > now - CLASSES_LOOKED_BACK,
            ~is_attended,
            ~is_passed,
        )
    )
    gone = db.execute(
        delete(Practice)
        .where(Practice.id.in_(undone))
        .returning(Practice.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _issue(db: Session, course: Course, learner: Learner, now: datetime) -> Certificate | None:
    """A certificate for this version of the course; None where the learner has one.

    A revoked one stays the only one.
    """
    has_one = exists().where(
        Certificate.learner_id == learner.id, Certificate.course_version == course.version
    )
    if db.execute(select(has_one)).scalar_one():
        return None
    certificate = Certificate(
        learner_id=learner.id,
        course_version=course.version,
        code=_new_code(),
        name=learner.name,
        issued_at=now,
    )
    db.add(certificate)
    db.flush()
    audit.record(
        db,
        actor=audit.SYSTEM,
        action="issue",
        subject_type="certificate",
        subject_id=certificate.id,
        now=now,
        after=course.version,
    )
    return certificate


def _new_code() -> str:
    letters = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def _tell_family(
    db: Session, course: Course, learner: Learner, module: int, modules: int, now: datetime
) -> None:
    """The others of the family hear of a grandparent's module, where they want our messages."""
    if learner.relation not in GRANDPARENTS:
        return
    others = db.execute(
        select(Caregiver.id).where(
            Caregiver.family_id == learner.family_id,
            Caregiver.openid.is_not(None),
            Caregiver.is_following,
            Caregiver.pushes == "on",
            Caregiver.id != learner.caregiver_id
            if learner.caregiver_id is not None
            else Caregiver.id.is_not(None),
        )
    ).scalars()
    facts = CourseModulePassed(
        learner_id=learner.id,
        relation=learner.relation,
        module=module,
        name=course.module(module).name,
        modules=modules,
    )
    drafts = [
        notices.NoticeDraft(
            caregiver_id=caregiver_id,
            facts=facts,
            subject=f"learner:{learner.id}",
            dedupe_key=f"{facts.kind}:{learner.id}:{module}:{caregiver_id}",
            priority=MODULE_NEWS,
            expires_at=now + MODULE_NEWS_GOOD_FOR,
            can_wait=True,
        )
        for caregiver_id in others
    ]
    notices.queue_all(db, drafts, now)
