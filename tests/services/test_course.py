"""The course's services on a real database: edits, classes, nudges, certificates, two at once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.db import Database
from app.errors import QuizChanged
from app.models import (
    Caregiver,
    Certificate,
    Child,
    Learner,
    Notice,
    Practice,
    QuizAttempt,
    SignUp,
)
from app.rules.sign_up import SignUpState
from app.services import (
    course,
    course_certificates,
    course_checks,
    course_nudges,
    course_steps,
    privacy,
    registration,
)
from app.services.delivery import ClaimedNotice, Reason, find_objection
from content.lessons import Course, Lesson
from content.library import load_library
from tests.console.desk_world import make_child, make_session, make_staff, make_station
from tests.outbox import claim_due


@pytest.fixture(scope="module")
def syllabus() -> Course:
    return load_library().course


@dataclass
class World:
    """A family with a mother who wants our messages and a grandmother who learns."""

    db: Session
    syllabus: Course
    now: datetime
    child: Child
    granny: Caregiver
    learner: Learner

    def passes(self, *lessons: Lesson, course_: Course | None = None) -> course.Answered:
        answered = None
        for lesson in lessons:
            course.open_lesson(self.learner, lesson)
            self.db.flush()
            answered = course.answer(
                self.db,
                course=course_ or self.syllabus,
                learner=self.learner,
                given=dict(enumerate(lesson.right, 1)),
                now=self.now,
            )
        assert answered is not None
        return answered

    def practises(self, module: int, course_: Course | None = None) -> course.Practised:
        return course.log_practice(
            self.db,
            course=course_ or self.syllabus,
            learner=self.learner,
            kind="text",
            module=module,
            now=self.now,
        )

    def graduates(self) -> Certificate:
        self.passes(*self.syllabus.lessons)
        gained = [self.practises(module).gained for module in range(1, 8)]
        assert gained[-1].certificate is not None
        return gained[-1].certificate

    def attends(self, title: str = "祖辈课堂", hours: float = -3) -> SignUp:
        station = self.child.family.station
        assert station is not None
        session = make_session(
            self.db, station, f"ZB-{hours}-{title[-1]}", self.now + timedelta(hours=hours)
        )
        session.kind, session.title = "祖辈课堂", title
        signed_up = SignUp(
            session_id=session.id,
            child_id=self.child.id,
            family_id=self.child.family_id,
            caregiver_id=self.granny.id,
            state=SignUpState.ATTENDED,
            is_walk_in=True,
            requested_at=self.now,
            decided_at=self.now,
        )
        self.db.add(signed_up)
        self.db.flush()
        return signed_up


@pytest.fixture
def family(database: Database, now: datetime) -> tuple[int, int]:
    """糖糖's mother, and her grandmother's caregiver."""
    with database.transaction() as db:
        station = make_station(db, "CQ")
        child = make_child(db, "糖糖", now, station=station)
        granny = Caregiver(
            openid="o-granny",
            family_id=child.family_id,
            relation="grandmother",
            is_following=True,
            created_at=now,
        )
        db.add(granny)
        db.flush()
        return child.id, granny.id


def world_of(db: Session, family: tuple[int, int], syllabus: Course, now: datetime) -> World:
    child_id, granny_id = family
    granny = db.get_one(Caregiver, granny_id)
    learner = course.enrol(db, syllabus, granny, now).learner
    return World(db, syllabus, now, db.get_one(Child, child_id), granny, learner)


def edited(syllabus: Course, *lessons: Lesson) -> Course:
    """The course with these lessons in place of those of the same id, or added."""
    ids = {lesson.id for lesson in lessons}
    kept = [lesson for lesson in syllabus.lessons if lesson.id not in ids]
    return Course(tuple(sorted((*kept, *lessons), key=lambda one: (one.module, one.order))))


def test_an_edit_loses_no_progress_and_asks_for_what_is_new(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    first = syllabus.of_module(1)
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        world.passes(*first)
        world.practises(1)
        reworded = replace(first[0], message="换了说法", version=2)
        asked = replace(first[1].quiz[0], text="换了题目？")
        requizzed = replace(first[1], quiz=(asked, *first[1].quiz[1:]), version=2)
        added = replace(first[0], id="care-new", order=99, title="新的一课")
        newer = edited(syllabus, reworded, requizzed, added)

        standing = course.progress(db, newer, world.learner)
        assert standing.modules == {1}
        assert {one.id for one in first} <= standing.passed
        # The new lesson is offered, though the module stays passed.
        lesson = course.open_next(db, newer, world.learner)
        assert lesson is not None
        assert lesson.id == "care-new"
        world.passes(added, course_=newer)
        assert world.learner.lessons_passed == len(first) + 1

        without = Course(tuple(one for one in syllabus.lessons if one.id != first[0].id))
        assert course.progress(db, without, world.learner).modules == {1}
        assert len(course.progress(db, without, world.learner).passed) == len(first) - 1
        assert course.progress(db, newer, world.learner).passed >= {first[0].id}


def test_answers_to_the_questions_before_an_edit_are_not_marked(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    lesson = syllabus.lessons[0]
    asked = replace(lesson.quiz[0], text="换了题目？")
    newer = edited(syllabus, replace(lesson, quiz=(asked, *lesson.quiz[1:])))
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        course.open_lesson(world.learner, lesson)
        db.flush()
        with pytest.raises(QuizChanged):
            course.answer(
                db,
                course=newer,
                learner=world.learner,
                given=dict(enumerate(lesson.right, 1)),
                now=now,
            )
        assert db.scalars(select(QuizAttempt)).all() == []


def test_one_certificate_for_a_version_and_another_for_the_next(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        first = world.graduates()
        world.passes(syllabus.lessons[0])
        world.practises(1)
        assert db.scalars(select(func.count(Certificate.id))).one() == 1
        staff = make_staff(db, "district", now, role="district")
        course_certificates.revoke(db, certificate=first, reason="查", staff_id=staff.id, now=now)
        world.passes(syllabus.lessons[0])
        assert db.scalars(select(func.count(Certificate.id))).one() == 1

        next_issue = Course(syllabus.lessons, version="2027")
        again = world.passes(syllabus.lessons[0], course_=next_issue)
        assert again.gained.certificate is not None
        assert again.gained.certificate.course_version == "2027"


def test_certificate_numbers_tell_nothing_and_are_never_alike() -> None:
    codes = {course_steps._new_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(course_certificates.normal_code(code) == code for code in codes)
    assert all(
        course_certificates.normal_code(code.replace("-", " ").lower()) == code for code in codes
    )


def test_a_class_that_was_attended_counts_as_practice_once(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        world.passes(*syllabus.of_module(1))
        world.attends()
        counts = [
            course_nudges.settle_classes(db, syllabus, after=0, now=now).count for _ in range(2)
        ]
        assert counts == [1, 0]
        practices = db.scalars(select(Practice)).all()
        assert [(one.module, one.kind) for one in practices] == [(1, "attended")]
        assert course_steps.module_ids(db, world.learner.id) == {1}


def grandfather_of(db: Session, world: World, now: datetime) -> Learner:
    caregiver = Caregiver(
        openid="o-grandpa",
        family_id=world.child.family_id,
        relation="grandfather",
        is_following=True,
        created_at=now,
    )
    db.add(caregiver)
    db.flush()
    return course.enrol(db, world.syllabus, caregiver, now).learner


def test_a_class_of_two_grandparents_is_both_theirs_whoever_steps_first(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        grandfather = grandfather_of(db, world, now)
        mother = db.scalars(select(Caregiver).where(Caregiver.relation == "mother")).one()
        signed_up = world.attends()
        signed_up.caregiver_id = mother.id
        db.flush()
        course.catch_up(db, syllabus, world.learner, now)
        assert course_steps.practised_modules(db, grandfather.id) == frozenset()
        assert course_steps.has_uncredited(db, grandfather)
        assert course_nudges.settle_classes(db, syllabus, after=0, now=now).count == 1
        assert course_steps.practised_modules(db, grandfather.id) == {1}
        assert course_nudges.settle_classes(db, syllabus, after=0, now=now).count == 0


def test_a_class_that_the_grandmother_scanned_leaves_the_grandfather_alone(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        grandfather = grandfather_of(db, world, now)
        world.attends()
        assert not course_steps.has_uncredited(db, grandfather)
        assert course_nudges.settle_classes(db, syllabus, after=0, now=now).count == 1
        assert course_nudges.settle_classes(db, syllabus, after=0, now=now).count == 0
        assert course_steps.practised_modules(db, grandfather.id) == frozenset()


def test_a_class_that_names_its_module_counts_for_that(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        world.attends("祖辈课堂：会陪玩", hours=-2)
        course.catch_up(db, syllabus, world.learner, now)
        assert course_steps.practised_modules(db, world.learner.id) == {3}


def test_a_class_from_before_the_course_counts_for_nothing(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        world.attends(hours=-72)
        course.catch_up(db, syllabus, world.learner, now)
        assert course_steps.practised_modules(db, world.learner.id) == frozenset()


def test_an_undone_attendance_takes_its_practice_back_but_no_module(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        signed_up = world.attends()
        course.catch_up(db, syllabus, world.learner, now)
        assert course_steps.practised_modules(db, world.learner.id) == {1}
        signed_up.state = SignUpState.CONFIRMED
        db.flush()
        assert course_steps.withdraw_classes(db, now) == 1
        assert course_steps.practised_modules(db, world.learner.id) == frozenset()

        signed_up.state = SignUpState.ATTENDED
        world.passes(*syllabus.of_module(1))
        assert course_steps.module_ids(db, world.learner.id) == {1}
        signed_up.state = SignUpState.CONFIRMED
        db.flush()
        assert course_steps.withdraw_classes(db, now) == 0
        assert course_steps.module_ids(db, world.learner.id) == {1}


def nudge(database: Database, syllabus: Course, at: datetime) -> int:
    with database.transaction() as db:
        return course_nudges.nudge_stuck(db, syllabus, after=0, now=at).count


def test_whoever_is_stuck_is_nudged_weekly_four_times_and_then_left_alone(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world_of(db, family, syllabus, now)
    counts = [nudge(database, syllabus, now + timedelta(days=day)) for day in range(70)]
    assert [day for day, count in enumerate(counts) if count] == [7, 14, 21, 28]
    with database.transaction() as db:
        notices = db.scalars(select(Notice).where(Notice.kind == "course_nudge")).all()
        assert len(notices) == 4
        # A step forward: the weeks begin anew.
        at = now + timedelta(days=70)
        world_of(db, family, syllabus, at).passes(syllabus.lessons[0])
        learner = db.scalars(select(Learner)).one()
        assert learner.nudges == 0
    assert nudge(database, syllabus, now + timedelta(days=77, minutes=1)) in (0, 1)
    assert nudge(database, syllabus, now + timedelta(days=78)) <= 1
    with database.reading() as db:
        assert db.scalars(select(func.count(Notice.id))).one() == 5


@pytest.mark.parametrize("why", ["left", "completed", "paused", "off", "unfollowed", "unlinked"])
def test_who_is_not_to_be_nudged_is_not(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime, why: str
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        match why:
            case "left":
                course.leave(db, world.granny, now)
            case "completed":
                world.graduates()
            case "unfollowed":
                world.granny.openid, world.granny.is_following = None, False
            case "unlinked":
                world.learner.caregiver_id = None
            case pushes:
                world.granny.pushes = pushes
    assert nudge(database, syllabus, now + timedelta(days=8)) == 0


def test_a_nudge_that_was_overtaken_by_a_step_is_not_sent(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    later = now + timedelta(days=7)
    with database.transaction() as db:
        world_of(db, family, syllabus, now)
    assert nudge(database, syllabus, later) == 1

    def claimed() -> ClaimedNotice:
        with database.transaction() as db:
            (notice,) = claim_due(db, now=later, worker="test", limit=5)
            return notice

    notice = claimed()
    with database.transaction() as db:
        assert find_objection(db, notice, later) is None
        granny = db.get_one(Caregiver, family[1])
        granny.pushes = "paused"
        db.flush()
        assert find_objection(db, notice, later) is Reason.PUSHES_OFF
        granny.pushes = "on"
        world = world_of(db, family, syllabus, later + timedelta(minutes=1))
        world.passes(syllabus.lessons[0])
        assert find_objection(db, notice, later) is Reason.SUPERSEDED


def test_a_nudge_waits_for_the_morning(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world_of(db, family, syllabus, now)
    night = (now + timedelta(days=8)).replace(hour=22)
    assert nudge(database, syllabus, night) == 1
    with database.reading() as db:
        notice = db.scalars(select(Notice)).one()
        assert notice.due_at.astimezone(SHANGHAI).hour == 8


def test_who_learns_goes_along_into_another_family(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        granny = world.granny
        neighbour = make_child(db, "豆豆", now, station=world.child.family.station)
        mother = db.scalars(
            select(Caregiver).where(Caregiver.family_id == neighbour.family_id)
        ).one()
        code = registration.invite(db, caregiver=mother, now=now).code
        privacy.leave_family(db, caregiver=granny, now=now)

        registration.join(db, caregiver=granny, code=code, now=now)
        registration.set_relation(db, granny, "grandfather")
        db.flush()
        db.expire_all()

        assert world.learner.family_id == neighbour.family_id
        assert world.learner.relation == "grandfather"
        assert course_checks.strayed_learners(db) == []


def test_who_belongs_to_no_family_any_more_is_not_nudged(
    database: Database, family: tuple[int, int], syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        world = world_of(db, family, syllabus, now)
        privacy.leave_family(db, caregiver=world.granny, now=now)

    assert nudge(database, syllabus, now + timedelta(days=8)) == 0
