"""What staff write down for a family that cannot or would not do it in the chat.

A birth, a discharge, special needs and the health centre's own visit, as told on the telephone.
The same rules hold as in the chat, and every change bears the name of who wrote it down.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.errors import NotYours
from app.models import Child, Family, SpecialNeed, Staff, VisitDue
from app.rules.visiting import Newborn, Purpose
from app.services import audit, registration, visit_claims, visit_dues
from app.services.audit import Actor
from app.services.registration import ChildDraft
from app.services.staff import StaffScope, scope_of
from app.services.visit_claims import SpecialAnswer
from app.services.visit_dues import BirthReport
from app.services.visit_scope import check_family


@dataclass(frozen=True, slots=True)
class ToldBirth:
    """A birth as the family tells it; None where it does not say, and what is stored stays."""

    born: date
    gestation_weeks: int | None
    report: BirthReport


def get_child(db: Session, scope: StaffScope, child_id: int) -> Child:
    """A child of a family in this staff member's care, its family locked for a change.

    Raises NotYours, also where there is no such child, or it is no more.
    """
    child = db.scalars(
        select(Child).where(
            Child.id == child_id, Child.lost_at.is_(None), Child.erased_at.is_(None)
        )
    ).one_or_none()
    if child is None:
        raise NotYours()
    check_family(db, scope, child.family_id)
    # As whoever registers a child does: the mother's message and the teacher's form in turn.
    db.execute(select(Family.id).where(Family.id == child.family_id).with_for_update())
    db.refresh(child)
    return child


def report_birth(
    db: Session, *, child_id: int, told: ToldBirth, staff: Staff, now: datetime
) -> Newborn:
    """Take down a birth, or what is now known of it; the visits are planned by it.

    Raises NotYours, BornInFuture, ChildTooOld, BirthReportUnlikely.
    """
    child = get_child(db, scope_of(staff), child_id)
    registration.check_child(
        ChildDraft(
            nickname=child.nickname,
            birth_date=told.born,
            due_date=None,
            sex=child.sex,
            gestation_weeks=told.gestation_weeks,
            township=None,
        ),
        now.astimezone(SHANGHAI).date(),
    )
    weeks = told.gestation_weeks or child.gestation_weeks
    if (child.birth_date, child.gestation_weeks) != (told.born, weeks):
        before = child.birth_date.isoformat() if child.birth_date else None
        child.birth_date, child.due_date = told.born, None
        child.gestation_weeks = weeks
        child.updated_at = now
        audit.record(
            db,
            actor=Actor("staff", staff.id),
            action="correct",
            subject_type="child",
            subject_id=child.id,
            now=now,
            before=before,
            after=told.born.isoformat(),
        )
    return visit_dues.report_birth(
        db, child=child, report=told.report, actor=Actor("staff", staff.id), now=now
    )


def note_special_need(
    db: Session, *, child_id: int, category: str, staff: Staff, now: datetime
) -> SpecialAnswer:
    """The family has special needs: whether it is owed a visit. Raises NotYours, NoVisitClaim.

    An empty category leaves one that is stored: who may not read it must not wipe it out.
    """
    child = get_child(db, scope_of(staff), child_id)
    need = db.get(SpecialNeed, child.id)
    is_open = need is not None and need.ended_at is None
    kept = need.category if need is not None and is_open else ""
    return visit_claims.note_special_need(
        db,
        child=child,
        category=category.strip() or kept,
        actor=Actor("staff", staff.id),
        now=now,
    )


def end_special_need(db: Session, *, child_id: int, staff: Staff, now: datetime) -> None:
    """The need is over, or was noted by mistake: its category goes, and no visit is owed for it.

    Raises NotYours. A second time changes nothing.
    """
    child = get_child(db, scope_of(staff), child_id)
    need = db.get(SpecialNeed, child.id)
    if need is None or need.ended_at is not None:
        return
    need.ended_at, need.category = now, ""
    db.execute(
        update(VisitDue)
        .where(
            VisitDue.child_id == child.id,
            VisitDue.purpose == Purpose.SPECIAL_NEEDS,
            VisitDue.closed_at.is_(None),
        )
        .values(closed_at=now, closed_as="ended")
    )
    audit.record(
        db,
        actor=Actor("staff", staff.id),
        action="end_special_need",
        subject_type="child",
        subject_id=child.id,
        now=now,
    )


def special_needs_of(db: Session, child_ids: list[int]) -> dict[int, str]:
    """By child: what its family's special need is, "" where it would rather not say.

    For whoever needs to know; the caller has checked that.
    """
    if not child_ids:
        return {}
    return dict(
        db.execute(
            select(SpecialNeed.child_id, func.coalesce(SpecialNeed.category, "")).where(
                SpecialNeed.child_id.in_(child_ids), SpecialNeed.ended_at.is_(None)
            )
        ).all()
    )
