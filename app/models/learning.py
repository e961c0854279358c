"""The seven-skills course: who learns, what they passed, practised and answered, certificates.

Lessons are named by the ids of content/course; a lesson that leaves the course leaves its
rows behind, and coming back it counts again.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, EncryptedText, Instant
from app.models.family import Caregiver, Family

STUCK_SQL = "completed_at IS NULL AND left_at IS NULL"

READ_PASSED = "_read_passed"


class Learner(Base):
    """One person's way through the course; it outlives a change of WeChat identity."""

    __tablename__ = "learners"
    __table_args__ = (
        Index("ix_learners_family_id", "family_id"),
        Index("ix_learners_enrolled_at", "enrolled_at"),
        Index("ix_learners_moved_at", "moved_at", "id"),
        Index(
            "ix_learners_stuck",
            "moved_at",
            sqlite_where=text(STUCK_SQL),
            postgresql_where=text(STUCK_SQL),
        ),
        CheckConstraint("nudges >= 0", name="nudges_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("families.id"))
    caregiver_id: Mapped[int | None] = mapped_column(ForeignKey("caregivers.id"), unique=True)
    """None for who was enrolled from a paper list and has no WeChat here yet."""
    relation: Mapped[str | None] = mapped_column(String(20))
    """As a caregiver's; kept here, for a paper list knows it before the caregiver is there."""
    name: Mapped[str | None] = mapped_column(EncryptedText)
    """For the certificate; asked for when one is earned, or taken from a paper list."""
    enrolled_at: Mapped[datetime] = mapped_column(Instant)
    enrolled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """Who entered the paper list; None for who enrolled by themself."""
    left_at: Mapped[datetime | None] = mapped_column(Instant)
    module: Mapped[int]
    """Where the learner stands, 1 to 7; what rules.lessons.current_module said last."""
    lessons_passed: Mapped[int] = mapped_column(default=0)
    """As many as there are rows in lesson_passes; doctor compares."""
    moved_at: Mapped[datetime] = mapped_column(Instant)
    """The last step forward."""
    nudges: Mapped[int] = mapped_column(default=0)
    """Since that step."""
    nudged_at: Mapped[datetime | None] = mapped_column(Instant)
    completed_at: Mapped[datetime | None] = mapped_column(Instant)
    """The first time that all seven modules were passed; never taken back."""
    open_lesson: Mapped[str | None] = mapped_column(String(24))
    """The lesson whose quiz the next answer is for."""
    open_quiz: Mapped[str | None] = mapped_column(String(16))
    """Lesson.quiz_key as it was shown: answers to other questions are not marked."""
    open_answers: Mapped[str] = mapped_column(String(9), default="")
    """Letters given so far, a dash for a question that is still open."""

    family: Mapped[Family] = relationship()
    caregiver: Mapped[Caregiver | None] = relationship()
    passes: Mapped[list["LessonPass"]] = relationship(order_by="LessonPass.passed_at")

    @property
    def passed(self) -> frozenset[str]:
        """Ids of the lessons passed, of those also that have left the course."""
        if "passes" not in vars(self) and READ_PASSED in vars(self):
            return frozenset(vars(self)[READ_PASSED])
        return frozenset(one.lesson for one in self.passes)

    def read_with(self, passed: str | None) -> None:
        """Remember the ids that a reading turn's statement brought along, blanks between.

        They spare loading a row for each; whoever locks the learner loads the rows.
        """
        vars(self)[READ_PASSED] = tuple((passed or "").split())


class LessonPass(Base):
    """A lesson that was passed: once and for all."""

    __tablename__ = "lesson_passes"

    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"), primary_key=True)
    lesson: Mapped[str] = mapped_column(String(24), primary_key=True)
    version: Mapped[int]
    passed_at: Mapped[datetime] = mapped_column(Instant)


class ModulePass(Base):
    """A module that was passed: once and for all."""

    __tablename__ = "module_passes"

    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"), primary_key=True)
    module: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    passed_at: Mapped[datetime] = mapped_column(Instant)


class QuizAttempt(Base):
    """One quiz as it was answered; the first ones tell which questions are hard."""

    __tablename__ = "quiz_attempts"
    __table_args__ = (
        Index("ix_quiz_attempts_learner_id_lesson", "learner_id", "lesson"),
        Index(
            "ix_quiz_attempts_first",
            "lesson",
            "quiz",
            "answers",
            # SQLite looks into the table for a column of the condition that is not in the index,
            # and compares the condition's words with the query's.
            "is_first",
            sqlite_where=text("is_first = 1"),
            postgresql_where=text("is_first"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    lesson: Mapped[str] = mapped_column(String(24))
    version: Mapped[int]
    quiz: Mapped[str] = mapped_column(String(16))
    answers: Mapped[str] = mapped_column(String(9))
    correct: Mapped[int]
    is_passed: Mapped[bool]
    is_first: Mapped[bool]
    """This learner's first at this lesson: later ones were told the answers."""
    at: Mapped[datetime] = mapped_column(Instant)


class Practice(Base):
    """Something tried at home and told of, or a grandparents' class attended."""

    __tablename__ = "practices"
    __table_args__ = (
        Index("ix_practices_learner_id_module", "learner_id", "module"),
        # One attendance counts once, however often it is entered.
        Index(
            "uq_practices_attended",
            "learner_id",
            "session_id",
            unique=True,
            sqlite_where=text("session_id IS NOT NULL"),
            postgresql_where=text("session_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    module: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    """text, voice, picture, attended or page."""
    note: Mapped[str | None] = mapped_column(EncryptedText)
    """What was said; None for a picture, which is not kept, and for voice that no words came of."""
    session_id: Mapped[int | None] = mapped_column(ForeignKey("guidance_sessions.id"))
    at: Mapped[datetime] = mapped_column(Instant)


class Certificate(Base):
    """One for a learner and a course version."""

    __tablename__ = "certificates"
    __table_args__ = (
        Index("uq_certificates_learner", "learner_id", "course_version", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    course_version: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(20), unique=True)
    """Random: it tells nothing, and knowing one helps nobody to guess another."""
    name: Mapped[str | None] = mapped_column(EncryptedText)
    """As the learner gave it; None until then."""
    issued_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    revoked_reason: Mapped[str | None] = mapped_column(EncryptedText)

    learner: Mapped[Learner] = relationship()
