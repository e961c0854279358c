"""The seven-skills course: learners, what they passed and practised, certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "learners",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("caregiver_id", sa.Integer(), nullable=True),
        sa.Column("relation", sa.String(length=20), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        _instant("enrolled_at"),
        sa.Column("enrolled_by", sa.Integer(), nullable=True),
        _instant("left_at", nullable=True),
        sa.Column("module", sa.Integer(), nullable=False),
        sa.Column("lessons_passed", sa.Integer(), nullable=False),
        _instant("moved_at"),
        sa.Column("nudges", sa.Integer(), nullable=False),
        _instant("nudged_at", nullable=True),
        _instant("completed_at", nullable=True),
        sa.Column("open_lesson", sa.String(length=24), nullable=True),
        sa.Column("open_quiz", sa.String(length=16), nullable=True),
        sa.Column("open_answers", sa.String(length=9), nullable=False),
        sa.CheckConstraint("nudges >= 0", name=op.f("ck_learners_nudges_not_negative")),
        sa.ForeignKeyConstraint(
            ["caregiver_id"], ["caregivers.id"], name=op.f("fk_learners_caregiver_id")
        ),
        sa.ForeignKeyConstraint(
            ["enrolled_by"], ["staff.id"], name=op.f("fk_learners_enrolled_by")
        ),
        sa.ForeignKeyConstraint(["family_id"], ["families.id"], name=op.f("fk_learners_family_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learners")),
        sa.UniqueConstraint("caregiver_id", name=op.f("uq_learners_caregiver_id")),
    )
    op.create_index("ix_learners_family_id", "learners", ["family_id"])
    op.create_index("ix_learners_enrolled_at", "learners", ["enrolled_at"])
    stuck = sa.text("completed_at IS NULL AND left_at IS NULL")
    op.create_index(
        "ix_learners_stuck", "learners", ["moved_at"], sqlite_where=stuck, postgresql_where=stuck
    )
    op.create_table(
        "lesson_passes",
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("lesson", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("passed_at"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_lesson_passes_learner_id")
        ),
        sa.PrimaryKeyConstraint("learner_id", "lesson", name=op.f("pk_lesson_passes")),
    )
    op.create_table(
        "module_passes",
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("module", sa.Integer(), autoincrement=False, nullable=False),
        _instant("passed_at"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_module_passes_learner_id")
        ),
        sa.PrimaryKeyConstraint("learner_id", "module", name=op.f("pk_module_passes")),
    )
    op.create_table(
        "quiz_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("lesson", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("quiz", sa.String(length=16), nullable=False),
        sa.Column("answers", sa.String(length=9), nullable=False),
        sa.Column("correct", sa.Integer(), nullable=False),
        sa.Column("is_passed", sa.Boolean(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        _instant("at"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_quiz_attempts_learner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_attempts")),
    )
    op.create_index("ix_quiz_attempts_learner_id_lesson", "quiz_attempts", ["learner_id", "lesson"])
    op.create_index(
        "ix_quiz_attempts_first",
        "quiz_attempts",
        ["lesson", "quiz"],
        sqlite_where=sa.text("is_first"),
        postgresql_where=sa.text("is_first"),
    )
    op.create_table(
        "practices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("module", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Integer(), nullable=True),
        _instant("at"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_practices_learner_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["guidance_sessions.id"], name=op.f("fk_practices_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practices")),
    )
    op.create_index("ix_practices_learner_id_module", "practices", ["learner_id", "module"])
    op.create_index(
        "uq_practices_attended",
        "practices",
        ["learner_id", "session_id"],
        unique=True,
        sqlite_where=sa.text("session_id IS NOT NULL"),
        postgresql_where=sa.text("session_id IS NOT NULL"),
    )
    op.create_table(
        "certificates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("course_version", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        _instant("issued_at"),
        _instant("revoked_at", nullable=True),
        sa.Column("revoked_by", sa.Integer(), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_certificates_learner_id")
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by"], ["staff.id"], name=op.f("fk_certificates_revoked_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("code", name=op.f("uq_certificates_code")),
    )
    op.create_index(
        "uq_certificates_learner", "certificates", ["learner_id", "course_version"], unique=True
    )


def downgrade() -> None:
    for table in (
        "certificates",
        "practices",
        "quiz_attempts",
        "module_passes",
        "lesson_passes",
        "learners",
    ):
        op.drop_table(table)
