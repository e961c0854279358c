"""The audit log, looked through."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session, aliased

from app.models import (
    AuditedFamily,
    AuditEntry,
    Caregiver,
    Certificate,
    Child,
    FollowUp,
    HomeVisit,
    Learner,
    SignUp,
    Staff,
)
from app.services.staff import normal_username

LOG_INS = (
    *("log_in", "log_out", "try_log_in", "change_password", "add_staff", "open_account"),
    *("close_account", "second_factor_on", "second_factor_off", "second_factor_wrong"),
    "recovery_code_used",
)
"""What is about accounts and not about families."""
SUBJECT_IS_A_FAMILY = ("family", "family_care", "arrange_visit")
SUBJECT_IS_A_VISIT = ("home_visit", "visit_form")


@dataclass(frozen=True, slots=True)
class AuditQuery:
    text: str = ""
    """A username, of who did it or of whose account it was done to; or a family's number."""
    what: str = ""
    """views, changes or log_ins."""
    days: int = 0
    """How far back; 0 for all."""
    actor: str = ""
    """staff, caregiver, operator or system."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    at: datetime
    actor_type: str
    username: str | None
    action: str
    subject_type: str
    subject_id: int | None
    subject_name: str | None
    """The username, where it was done to an account."""
    before: str | None
    after: str | None
    reason: str | None
    families: tuple[int, ...]
    """Whom the row is about, where a page has shown several."""


def find(
    db: Session, query: AuditQuery, *, limit: int, offset: int, now: datetime
) -> list[AuditRow]:
    """Rows, the newest first. Two queries."""
    account = aliased(Staff)
    is_account = AuditEntry.subject_type == "staff"
    statement = (
        select(AuditEntry, Staff.username, account.username)
        .outerjoin(Staff, and_(AuditEntry.actor_type == "staff", Staff.id == AuditEntry.actor_id))
        .outerjoin(account, and_(is_account, account.id == AuditEntry.subject_id))
        .order_by(AuditEntry.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if query.text:
        statement = statement.where(
            _about_family(int(query.text))
            if query.text.isdecimal() and len(query.text) < 10
            else or_(
                Staff.username == normal_username(query.text),
                account.username == normal_username(query.text),
            )
        )
    match query.what:
        case "views":
            statement = statement.where(AuditEntry.action == "view")
        case "changes":
            statement = statement.where(
                AuditEntry.action != "view", AuditEntry.action.not_in(LOG_INS)
            )
        case "log_ins":
            statement = statement.where(AuditEntry.action.in_(LOG_INS))
        case "":
            pass
        case _:
            statement = statement.where(false())
    if query.days:
        statement = statement.where(AuditEntry.at >= now - timedelta(days=query.days))
    if query.actor:
        statement = statement.where(AuditEntry.actor_type == query.actor)
    found = db.execute(statement).all()
    about: dict[int, list[int]] = {}
    for entry_id, family_id in db.execute(
        select(AuditedFamily.entry_id, AuditedFamily.family_id)
        .where(AuditedFamily.entry_id.in_([entry.id for entry, *_ in found]))
        .order_by(AuditedFamily.entry_id, AuditedFamily.family_id)
    ):
        about.setdefault(entry_id, []).append(family_id)
    return [
        AuditRow(
            id=entry.id,
            at=entry.at,
            actor_type=entry.actor_type,
            username=username,
            action=entry.action,
            subject_type=entry.subject_type,
            subject_id=entry.subject_id,
            subject_name=subject_name,
            before=entry.before,
            after=entry.after,
            reason=entry.reason,
            families=tuple(about.get(entry.id, ())),
        )
        for entry, username, subject_name in found
    ]


def _about_family(family_id: int) -> ColumnElement[bool]:
    children = select(Child.id).where(Child.family_id == family_id)
    sign_ups = select(SignUp.id).where(SignUp.family_id == family_id)
    shown = select(AuditedFamily.entry_id).where(AuditedFamily.family_id == family_id)
    kind, subject = AuditEntry.subject_type, AuditEntry.subject_id
    visits = select(HomeVisit.id).where(HomeVisit.family_id == family_id)
    learners = select(Learner.id).where(Learner.family_id == family_id)
    certificates = select(Certificate.id).where(Certificate.learner_id.in_(learners))
    caregivers = select(Caregiver.id).where(Caregiver.family_id == family_id)
    follow_ups = select(FollowUp.id).where(FollowUp.caregiver_id.in_(caregivers))
    return or_(
        AuditEntry.id.in_(shown),
        and_(kind.in_(SUBJECT_IS_A_FAMILY), subject == family_id),
        and_(kind.in_(SUBJECT_IS_A_VISIT), subject.in_(visits)),
        and_(kind == "learner", subject.in_(learners)),
        and_(kind == "certificate", subject.in_(certificates)),
        and_(kind == "follow_up", subject.in_(follow_ups)),
        and_(kind == "caregiver", subject.in_(caregivers)),
        and_(kind == "child", subject.in_(children)),
        and_(kind == "sign_up", subject.in_(sign_ups)),
    )
