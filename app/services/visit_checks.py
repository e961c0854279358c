"""What the doctor looks at in home visits: nobody in two places, everything told and recorded."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.models import (
    AuditEntry,
    Child,
    Family,
    HomeVisit,
    Notice,
    Referral,
    VisitDue,
    VisitProposal,
    VisitReport,
)
from app.rules.visiting import HOLDS, OPEN, Kind, Purpose, VisitState

LONGEST = timedelta(hours=18)
"""No visit with its buffer is longer."""
NOTICE_OF_STEP: dict[str, str] = {
    "confirm": "visit_confirmed",
    "decline": "visit_declined",
    "set_off": "visit_on_the_way",
    "complete": "visit_summary",
    "miss": "visit_missed",
    "refuse_wish": "visit_wish_ended",
}
SKIPPED_STEPS = frozenset({"set_off"})
"""Arriving without having set off is noted as both, and tells nobody anything."""


def overlapping_visits(db: Session) -> list[str]:
    """Visits and open proposals of one visitor that begin within another's time and buffer.

    A proposal holds its slot as a visit does: only the visit that it would move may be in its way.
    """
    first, second = aliased(HomeVisit), aliased(HomeVisit)
    statement = (
        select(first.id, second.id)
        .join(
            second,
            and_(
                second.visitor_id == first.visitor_id,
                second.starts_at >= first.starts_at,
                second.starts_at < first.busy_until,
                second.id != first.id,
            ),
        )
        .where(first.state.in_(HOLDS), second.state.in_(HOLDS))
        .order_by(first.id, second.id)
    )
    pairs = {tuple(sorted(pair)) for pair in db.execute(statement)}
    return (
        [f"home_visit:{one}/home_visit:{other}" for one, other in sorted(pairs)]
        + [
            f"home_visit:{visit}/visit_proposal:{proposal}"
            for visit, proposal in db.execute(
                select(HomeVisit.id, VisitProposal.id)
                .join(
                    VisitProposal,
                    and_(
                        VisitProposal.visitor_id == HomeVisit.visitor_id,
                        VisitProposal.starts_at < HomeVisit.busy_until,
                        HomeVisit.starts_at < VisitProposal.busy_until,
                        VisitProposal.visit_id != HomeVisit.id,
                    ),
                )
                .where(HomeVisit.state.in_(HOLDS), VisitProposal.state == "open")
                .order_by(HomeVisit.id)
            )
        ]
        + _overlapping_proposals(db)
    )


def _overlapping_proposals(db: Session) -> list[str]:
    first, second = aliased(VisitProposal), aliased(VisitProposal)
    statement = (
        select(first.id, second.id)
        .join(
            second,
            and_(
                second.visitor_id == first.visitor_id,
                second.id > first.id,
                second.starts_at < first.busy_until,
                first.starts_at < second.busy_until,
            ),
        )
        .where(first.state == "open", second.state == "open")
        .order_by(first.id, second.id)
    )
    return [f"visit_proposal:{one}/visit_proposal:{other}" for one, other in db.execute(statement)]


def doubled_visits(db: Session) -> list[str]:
    """Families with more than one visit that is asked for or arranged."""
    statement = (
        select(HomeVisit.family_id)
        .where(HomeVisit.kind == Kind.GUIDANCE, HomeVisit.state.in_(OPEN))
        .group_by(HomeVisit.family_id)
        .having(func.count() > 1)
    )
    return _named("family", db.scalars(statement))


def strange_visits(db: Session) -> list[str]:
    """Visits in no known state, of another family's child, or arranged without their time."""
    needs_slot = and_(
        HomeVisit.kind == Kind.GUIDANCE,
        HomeVisit.state.in_((VisitState.CONFIRMED, VisitState.EN_ROUTE, VisitState.COMPLETED)),
        HomeVisit.visitor_id.is_(None),
    )
    statement = (
        select(HomeVisit.id)
        .join(Child, Child.id == HomeVisit.child_id)
        .where(
            or_(
                HomeVisit.state.not_in(list(VisitState)),
                HomeVisit.kind.not_in(list(Kind)),
                HomeVisit.family_id != Child.family_id,
                needs_slot,
                and_(HomeVisit.state == VisitState.DECLINED, HomeVisit.reason.is_(None)),
            )
        )
        .order_by(HomeVisit.id)
    )
    return _named("home_visit", db.scalars(statement))


def unaudited_visits(db: Session) -> list[str]:
    """Visits whose last audit row does not tell of the state that they are in."""
    last = (
        select(func.max(AuditEntry.id).label("id"), AuditEntry.subject_id.label("visit_id"))
        .where(AuditEntry.subject_type == "home_visit", AuditEntry.after.is_not(None))
        .group_by(AuditEntry.subject_id)
        .subquery()
    )
    statement = (
        select(HomeVisit.id)
        .outerjoin(last, last.c.visit_id == HomeVisit.id)
        .outerjoin(AuditEntry, AuditEntry.id == last.c.id)
        .where(or_(AuditEntry.after.is_(None), AuditEntry.after != HomeVisit.state))
    )
    return _named("home_visit", db.scalars(statement.order_by(HomeVisit.id)))


def untold_visits(db: Session) -> list[str]:
    """Steps that owe the family a notice and have none; only of visits with somebody to tell."""
    steps = db.execute(
        select(AuditEntry.subject_id, AuditEntry.action)
        .join(HomeVisit, HomeVisit.id == AuditEntry.subject_id)
        .where(
            AuditEntry.subject_type == "home_visit",
            AuditEntry.action.in_(NOTICE_OF_STEP.keys() - SKIPPED_STEPS),
            HomeVisit.caregiver_id.is_not(None),
        )
    )
    owed = {(f"home_visit:{visit_id}", NOTICE_OF_STEP[action]) for visit_id, action in steps}
    there = {
        (subject, kind)
        for subject, kind in db.execute(
            select(Notice.subject, Notice.kind).where(Notice.kind.in_(NOTICE_OF_STEP.values()))
        )
    }
    return [f"{subject}/{kind}" for subject, kind in sorted(owed - there)]


def unrecorded_visits(db: Session) -> list[str]:
    """Completed guidance visits without their record, and records of visits that were not made."""
    written = exists().where(VisitReport.visit_id == HomeVisit.id)
    is_made = and_(HomeVisit.kind == Kind.GUIDANCE, HomeVisit.state == VisitState.COMPLETED)
    statement = select(HomeVisit.id).where(or_(and_(is_made, ~written), and_(~is_made, written)))
    return _named("home_visit", db.scalars(statement.order_by(HomeVisit.id)))


def miscredited_dues(db: Session) -> list[str]:
    """Owed visits closed as made without a made visit of that family, or closed without saying
    how; dates out of order."""
    made = exists().where(
        HomeVisit.id == VisitDue.visit_id,
        HomeVisit.family_id == VisitDue.family_id,
        HomeVisit.state == VisitState.COMPLETED,
        HomeVisit.kind == Kind.GUIDANCE,
    )
    statement = select(VisitDue.id).where(
        or_(
            and_(VisitDue.closed_as == "visited", ~made),
            VisitDue.closed_at.is_(None) != VisitDue.closed_as.is_(None),
            VisitDue.owed_until < VisitDue.due_on,
        )
    )
    return _named("visit_due", db.scalars(statement.order_by(VisitDue.id)))


def twins_at_no_risk(db: Session) -> list[str]:
    """Visits owed to one of twins as to a newborn at no risk."""
    child, twin = aliased(Child), aliased(Child)
    statement = (
        select(VisitDue.id)
        .join(child, child.id == VisitDue.child_id)
        .join(
            twin,
            and_(
                twin.family_id == child.family_id,
                twin.birth_date == child.birth_date,
                twin.id != child.id,
                twin.erased_at.is_(None),
            ),
        )
        .where(
            VisitDue.purpose == Purpose.NEWBORN,
            VisitDue.closed_at.is_(None),
            VisitDue.is_high_risk.is_(False),
        )
        .distinct()
        .order_by(VisitDue.id)
    )
    return _named("visit_due", db.scalars(statement))


def visits_of_the_lost(db: Session) -> list[str]:
    """Visits that are asked for or arranged, of a child that died."""
    statement = (
        select(HomeVisit.id)
        .join(Child, Child.id == HomeVisit.child_id)
        .where(
            HomeVisit.kind == Kind.GUIDANCE,
            HomeVisit.state.in_(OPEN),
            Child.lost_at.is_not(None),
        )
    )
    return _named("home_visit", db.scalars(statement.order_by(HomeVisit.id)))


def open_proposals_of_closed_visits(db: Session) -> list[str]:
    """Slots held for visits that are over."""
    statement = (
        select(VisitProposal.id)
        .join(HomeVisit, HomeVisit.id == VisitProposal.visit_id)
        .where(VisitProposal.state == "open", HomeVisit.state.not_in(OPEN))
    )
    return _named("visit_proposal", db.scalars(statement.order_by(VisitProposal.id)))


def dateless_referrals(db: Session) -> list[str]:
    """Referrals of visits that were not made, or to be asked about before they were written."""
    statement = (
        select(Referral.id)
        .join(HomeVisit, HomeVisit.id == Referral.visit_id)
        .where(HomeVisit.state != VisitState.COMPLETED)
    )
    return _named("referral", db.scalars(statement.order_by(Referral.id)))


def stale_requests(db: Session, now: datetime) -> list[str]:
    """Requests unanswered for so long that the hourly job should have taken them up."""
    statement = (
        select(HomeVisit.id)
        .join(Family, Family.id == HomeVisit.family_id)
        .where(
            HomeVisit.state == VisitState.REQUESTED,
            Family.stopped_at.is_(None),
            HomeVisit.requested_at < now - timedelta(days=21),
            HomeVisit.escalated_at.is_(None),
        )
    )
    return _named("home_visit", db.scalars(statement.order_by(HomeVisit.id)))


def _named(kind: str, keys: Iterable[object]) -> list[str]:
    return [f"{kind}:{key}" for key in keys]


CHECKS = (
    ("visits_do_not_overlap", overlapping_visits),
    ("one_open_visit_a_family", doubled_visits),
    ("visits_are_in_order", strange_visits),
    ("visits_are_audited", unaudited_visits),
    ("visits_are_told", untold_visits),
    ("made_visits_have_their_record", unrecorded_visits),
    ("owed_visits_are_credited_right", miscredited_dues),
    ("twins_are_at_high_risk", twins_at_no_risk),
    ("no_visit_after_a_loss", visits_of_the_lost),
    ("proposals_end_with_their_visit", open_proposals_of_closed_visits),
    ("referrals_are_of_made_visits", dateless_referrals),
)
