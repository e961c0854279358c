"""Where a learner stands, in one statement on the driver's cursor: what every reading turn asks."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ScalarSelect, Select, String, bindparam, cast, exists, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.models import GuidanceSession, Learner, ModulePass, Practice, SignUp
from app.prepared import Joined, Prepared
from app.rules.sign_up import SignUpState

CLASS_KIND = "祖辈课堂"
"""The kind of guidance session that counts as practice."""
CLASS_BEFORE_ENROLLING = timedelta(days=1)
"""Who enrols at the class itself, or the evening after, has practised all the same."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a learner has beyond the lessons passed."""

    practised: frozenset[int]
    modules: frozenset[int]
    has_class: bool
    """The family attended a class that is not entered for this learner; maybe another's."""


def _numbers(found: Select[int]) -> ScalarSelect[str]:
    """The distinct numbers of a statement in one text, with blanks between."""
    rows = found.distinct().subquery()
    return select(Joined(cast(rows.c.module, String))).select_from(rows).scalar_subquery()


_LEARNER = bindparam("learner_id", type_=Learner.id.type)
_IS_ENTERED = exists().where(
    Practice.learner_id == _LEARNER, Practice.session_id == GuidanceSession.id
)
_CLASSES = (
    select(SignUp.id)
    .join(GuidanceSession, GuidanceSession.id == SignUp.session_id)
    .where(
        SignUp.family_id == bindparam("family_id", type_=SignUp.family_id.type),
        SignUp.state == SignUpState.ATTENDED,
        GuidanceSession.kind == CLASS_KIND,
        GuidanceSession.ends_at > bindparam("since", type_=GuidanceSession.ends_at.type),
        ~_IS_ENTERED,
    )
)
_STAND = Prepared(
    select(
        _numbers(select(Practice.module).where(Practice.learner_id == _LEARNER)),
        _numbers(select(ModulePass.module).where(ModulePass.learner_id == _LEARNER)),
        _CLASSES.exists(),
    )
)
_OPEN = Prepared(
    update(Learner)
    .where(Learner.id == bindparam("learner_id", type_=Learner.id.type))
    .values(
        open_lesson=bindparam("lesson", type_=Learner.open_lesson.type),
        open_quiz=bindparam("quiz", type_=Learner.open_quiz.type),
        open_answers="",
    )
)


def stand(db: Session, learner: Learner) -> Standing:
    """Practices and modules as they are kept; what the session has changed is flushed first."""
    db.flush()
    row = _STAND.first(
        db,
        learner_id=learner.id,
        family_id=learner.family_id,
        since=learner.enrolled_at - CLASS_BEFORE_ENROLLING,
    )
    assert row is not None, "it selects from nothing"
    practised, modules, has_class = row
    return Standing(_read(practised), _read(modules), bool(has_class))


def lay_open(db: Session, learner: Learner, lesson_id: str, quiz_key: str) -> None:
    """Answers are for this lesson from now on; letters that were given for another are dropped."""
    _OPEN.run(db, learner_id=learner.id, lesson=lesson_id, quiz=quiz_key)
    for name, value in (("open_lesson", lesson_id), ("open_quiz", quiz_key), ("open_answers", "")):
        set_committed_value(learner, name, value)


def _read(numbers: str | None) -> frozenset[int]:
    return frozenset(map(int, numbers.split())) if numbers else frozenset()
