"""What a step through the course leads to: a module, the certificate, the family's message."""

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

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
from app.services.course_standing import CLASS_BEFORE_ENROLLING, CLASS_KIND, stand
from content.lessons import Course

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
    passed = learner.passed
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
    """Whether an attended class counts for this learner and is not entered: a look, no lock."""
    if not stand(db, learner).has_class:
        return False
    return bool(_taught_classes(db, [learner.id], learner.enrolled_at - CLASS_BEFORE_ENROLLING))


def credit_classes(db: Session, course: Course, learner: Learner, now: datetime) -> int:
    """Enter attended grandparents' classes as practice; how many were new.

    Each counts for the module that is named in its title, else for the one that is due.
    """
    since = learner.enrolled_at - CLASS_BEFORE_ENROLLING
    classes = _taught_classes(db, [learner.id], since).get(learner.id)
    if not classes:
        return 0
    practised = set(practised_modules(db, learner.id))
    passed = learner.passed
    for session_id, title in classes:
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
    learner.moved_at, learner.nudges = now, 0
    db.flush()
    return len(classes)


def _taught_classes(
    db: Session, learner_ids: Sequence[int], since: datetime
) -> dict[int, list[tuple[int, str]]]:
    """By learner, the attended classes that count for them and are not entered: number and title.

    In the order of the classes, which ended after `since` and no more than a day before the
    learner enrolled. Who of a family was taught, rules.lessons says.
    """
    rows = db.execute(
        select(
            Learner.id,
            Learner.family_id,
            Learner.enrolled_at,
            GuidanceSession.id,
            GuidanceSession.title,
            GuidanceSession.ends_at,
            SignUp.caregiver_id,
        )
        .join(SignUp, SignUp.family_id == Learner.family_id)
        .join(GuidanceSession, GuidanceSession.id == SignUp.session_id)
        .where(
            Learner.id.in_(learner_ids),
            SignUp.state == SignUpState.ATTENDED,
            GuidanceSession.kind == CLASS_KIND,
            GuidanceSession.ends_at > since,
            ~_is_entered(),
        )
        .order_by(GuidanceSession.starts_at, GuidanceSession.id)
    ).all()
    families = _learning(db, {row[1] for row in rows})
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for learner_id, family_id, enrolled_at, session_id, title, ends_at, caregiver_id in rows:
        is_ours = learner_id in rules.who_was_taught(families.get(family_id, []), caregiver_id)
        is_late_enough = ends_at > enrolled_at - CLASS_BEFORE_ENROLLING
        # Siblings bring their family to one class twice.
        if is_ours and is_late_enough and (session_id, title) not in found[learner_id]:
            found[learner_id].append((session_id, title))
    return {learner_id: classes for learner_id, classes in found.items() if classes}


def _learning(
    db: Session, family_ids: Collection[int]
) -> dict[int, list[tuple[int, int | None, str | None]]]:
    """Who learns in each family, as who_was_taught takes them."""
    found: dict[int, list[tuple[int, int | None, str | None]]] = defaultdict(list)
    if family_ids:
        for family_id, learner_id, caregiver_id, relation in db.execute(
            select(Learner.family_id, Learner.id, Learner.caregiver_id, Learner.relation)
            .where(Learner.family_id.in_(family_ids), Learner.left_at.is_(None))
            .order_by(Learner.id)
        ):
            found[family_id].append((learner_id, caregiver_id, relation))
    return found


def _is_entered() -> ColumnElement[bool]:
    """Whether the class of the outer query is practice of its learner already."""
    return exists().where(
        Practice.learner_id == Learner.id, Practice.session_id == GuidanceSession.id
    )


def find_uncredited(
    db: Session, *, after: int, now: datetime, limit: int
) -> tuple[list[int], int | None]:
    """Learners for whom an attended class counts that is not entered for them yet, by id;
    and the last id that was looked at, None where there are no more.

    Each learner by themself: a grandfather waits for no step of his because the grandmother's
    was faster. Classes of the last weeks: what is older was entered by an earlier run, or by the
    learner's own steps.
    """
    since = now - CLASSES_LOOKED_BACK
    found = db.scalars(
        select(Learner.id)
        .distinct()
        .join(SignUp, SignUp.family_id == Learner.family_id)
        .join(GuidanceSession, GuidanceSession.id == SignUp.session_id)
        .where(
            Learner.id > after,
            Learner.left_at.is_(None),
            GuidanceSession.kind == CLASS_KIND,
            GuidanceSession.starts_at > since,
            SignUp.state == SignUpState.ATTENDED,
            ~_is_entered(),
        )
        .order_by(Learner.id)
        .limit(limit)
    ).all()
    return sorted(_taught_classes(db, found, since)), found[-1] if found else None


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
