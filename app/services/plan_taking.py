"""A year plan that signs up by itself: its family said once that it need not be asked.

What fits is found for a batch without a lock. Each plan is then served in a transaction of its
own, in which sessions' rows are locked before the plan's, as in a family's own yes.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, not_, or_, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Caregiver, Child, Family, Notice, PlanProposal, SignUp, YearPlan
from app.models.notice_facts import PlanSession, PlanTaken
from app.rules.plan_stock import Candidate
from app.rules.sign_up import SignUpState
from app.rules.year_plan import choose
from app.services import audit, notices, year_plan
from app.services.audit import SYSTEM, Actor
from app.services.delivery import Reason
from app.services.plan_keeping import (
    BATCH,
    child_of,
    find_recipient,
    load_families,
    target_of_year,
)
from app.services.plan_signing import SigningUp
from app.services.year_supply import (
    NOTHING_YET,
    Standing,
    Supply,
    load_standings,
    load_supply,
    make_wish,
)

TIME_TO_GIVE_BACK = timedelta(days=2)
"""So long a family must be able to give up by itself a place that it was not asked about;
what is nearer is proposed."""
HEARD = or_(
    Notice.state == "sent", and_(Notice.state == "skipped", Notice.reason == Reason.SUPERSEDED)
)
"""It has arrived for certain, or the family has given up all that it tells of."""


@dataclass(frozen=True, slots=True)
class Taking:
    """What a plan could sign up for, as it was seen a moment ago."""

    plan_id: int
    session_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A batch of plans: the id to go on behind (None: nothing left), and what they could take."""

    last_id: int | None
    takings: tuple[Taking, ...] = ()


def set_taking(db: Session, *, caregiver: Caregiver, takes: bool, now: datetime) -> YearPlan | None:
    """Whether the family's plan signs up without asking; None where it has no open plan.

    What has been so already stays since then. Raises NotRegistered.
    """
    plan = year_plan.find_plan_of(db, caregiver, now)
    if plan is None or (plan.takes_since is not None) is takes:
        return plan
    plan.takes_since = now if takes else None
    audit.record(
        db,
        actor=Actor("caregiver", caregiver.id),
        action="start_taking" if takes else "stop_taking",
        subject_type="year_plan",
        subject_id=plan.id,
        now=now,
    )
    return plan


def find(db: Session, *, after: int, now: datetime, limit: int = BATCH) -> Found:
    """One batch of plans that sign up by themselves, and what each could take.

    A family that may not have heard of the last time is not signed up once more, nor one that
    has missed a session since it asked for this: both are asked, as everybody else.
    """
    plans = db.scalars(
        select(YearPlan)
        .where(
            YearPlan.id > after,
            YearPlan.year == now.astimezone(SHANGHAI).year,
            YearPlan.ended_at.is_(None),
            YearPlan.takes_since.is_not(None),
        )
        .order_by(YearPlan.id)
        .limit(limit)
    ).all()
    if not plans:
        return Found(None)
    families = load_families(db, [plan.family_id for plan in plans])
    waived = {family.id: family.no_shows_waived_at for family in families.values()}
    standings = load_standings(db, waived, now)
    declined = _declined(db, plans)
    unheard = _unheard(db, plans)
    supply = load_supply(db, now)
    target = target_of_year(db, now)
    takings = []
    for plan in plans:
        standing = standings.get(plan.family_id, NOTHING_YET)
        if plan.id in unheard or _has_missed(plan, standing):
            continue
        family = families[plan.family_id]
        child = child_of(family, plan)
        if child is None or find_recipient(family, plan) is None:
            continue
        chosen = _choose(family, child, standing, declined[plan.id], supply, target, now)
        if chosen:
            takings.append(Taking(plan.id, tuple(one.id for one in chosen)))
    return Found(plans[-1].id, tuple(takings))


def take(db: Session, taking: Taking, now: datetime) -> bool:
    """Sign up for it and write the one notice; False, and nothing, where things have changed."""
    plan = db.get_one(YearPlan, taking.plan_id)
    family = load_families(db, [plan.family_id])[plan.family_id]
    child, caregiver = child_of(family, plan), find_recipient(family, plan)
    if child is None or caregiver is None or caregiver.family_id != family.id:
        return False
    signing = SigningUp(caregiver, child, frozenset(), actor=SYSTEM)
    with db.begin_nested() as savepoint:
        if not signing.sign_up_for_all(db, taking.session_ids, now):
            return False
        standing = _locked_standing(db, plan, family, now)
        if standing is None:
            savepoint.rollback()
    if standing is None:
        signing.forget(db)
        return False
    for signed_up in signing.made:
        signed_up.year_plan_id = plan.id
    year_plan.settle_proposals(db, plan, accepted=taking.session_ids, declined=(), now=now)
    audit.record(
        db,
        actor=SYSTEM,
        action="take_for_year_plan",
        subject_type="year_plan",
        subject_id=plan.id,
        now=now,
        after=str(len(signing.made)),
    )
    db.flush()
    _tell(db, plan, child, caregiver, standing, signing.made, now)
    return True


def _choose(
    family: Family,
    child: Child,
    standing: Standing,
    declined: Collection[int],
    supply: Supply,
    target: int,
    now: datetime,
) -> Sequence[Candidate]:
    wish = make_wish(
        family,
        child,
        standing,
        # A place in a waiting list may turn out: it is not to become one too many.
        missing=standing.missing(target) - standing.waiting,
        today=now.astimezone(SHANGHAI).date(),
        unwanted=declined,
        most_waiting=0,
    )
    in_time = [
        one
        for one in supply.open_for(standing, now)
        if supply.sessions[one.id].cancel_until - now >= TIME_TO_GIVE_BACK
    ]
    return [choice.candidate for choice in choose(wish, in_time).choices]


def _has_missed(plan: YearPlan, standing: Standing) -> bool:
    return any(plan.takes_since is None or at > plan.takes_since for at in standing.missed)


def _locked_standing(db: Session, plan: YearPlan, family: Family, now: datetime) -> Standing | None:
    """The family's year with the new places; None where its mind has changed, or others of
    the family were quicker and the year would have more than it wants."""
    db.flush()
    db.execute(
        select(YearPlan)
        .where(YearPlan.id == plan.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if plan.ended_at is not None or plan.takes_since is None:
        return None
    standing = year_plan.standing_of(db, family, now)
    too_many = standing.attended + standing.arranged > target_of_year(db, now)
    return None if too_many else standing


def _tell(
    db: Session,
    plan: YearPlan,
    child: Child,
    caregiver: Caregiver,
    standing: Standing,
    made: Sequence[SignUp],
    now: datetime,
) -> None:
    taken = sorted(made, key=lambda one: (one.session.starts_at, one.session_id))
    facts = PlanTaken(
        nickname=child.nickname,
        attended=standing.attended,
        arranged=standing.arranged,
        target=target_of_year(db, now),
        sessions=tuple(
            PlanSession(
                code=one.session.code,
                title=one.session.title,
                starts_at=one.session.starts_at,
                place=one.session.station.name,
            )
            for one in taken
        ),
        sign_up_ids=tuple(one.id for one in taken),
        awaited=tuple(one.session.code for one in taken if one.state == SignUpState.REQUESTED),
    )
    notices.queue(
        db,
        caregiver_id=caregiver.id,
        facts=facts,
        subject=_subject(plan.id),
        dedupe_key=f"{facts.kind}:{plan.id}:{taken[0].id}",
        now=now,
        expires_at=max(one.session.starts_at for one in taken),
        can_wait=True,
    )


def _subject(plan_id: int) -> str:
    return f"year_plan:{plan_id}"


def _declined(db: Session, plans: Sequence[YearPlan]) -> defaultdict[int, set[int]]:
    """Sessions that each plan's family has turned down, by plan."""
    rows = db.execute(
        select(PlanProposal.year_plan_id, PlanProposal.session_id).where(
            PlanProposal.year_plan_id.in_([plan.id for plan in plans]),
            PlanProposal.state == "declined",
        )
    )
    declined: defaultdict[int, set[int]] = defaultdict(set)
    for plan_id, session_id in rows:
        declined[plan_id].add(session_id)
    return declined


def _unheard(db: Session, plans: Sequence[YearPlan]) -> frozenset[int]:
    """Plans whose last notice of this kind has not arrived for certain."""
    by_subject = {_subject(plan.id): plan.id for plan in plans}
    newest = (
        select(func.max(Notice.id))
        .where(Notice.kind == "plan_taken", Notice.subject.in_(by_subject))
        .group_by(Notice.subject)
    )
    rows = db.scalars(select(Notice.subject).where(Notice.id.in_(newest), not_(HEARD)))
    return frozenset(by_subject[subject] for subject in rows)
