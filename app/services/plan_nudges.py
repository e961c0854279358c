"""Nudges for families that are behind with their year's sessions: never more than one a month."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import CursorResult, exists, or_, select, update
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Child, Family, PlanProposal, YearPlan
from app.models.notice_facts import YearPlanNudge
from app.rules.year_plan import choose, is_behind
from app.services import notices
from app.services.plan_keeping import (
    BATCH,
    PROPOSE_EVERY,
    Batch,
    as_fact,
    find_recipient,
    load_families,
    target_of_year,
)
from app.services.year_supply import (
    Planned,
    Standing,
    Supply,
    load_standings,
    load_supply,
    make_wish,
    planned,
)

NUDGE_EVERY = timedelta(days=31)
"""Never two nudges in one calendar month, nor in any 31 days."""
NUDGE_GOOD_FOR = timedelta(days=14)


def nudge_behind(db: Session, *, after: int, now: datetime, limit: int = BATCH) -> Batch:
    """One batch of families in need, or with an open plan, that are behind an even pace.

    Each is told at most once in 31 days how it stands and what is open, and only where
    something that fits is open and somebody wants our messages.
    """
    year = now.astimezone(SHANGHAI).year
    has_plan = exists().where(
        YearPlan.family_id == Family.id, YearPlan.year == year, YearPlan.ended_at.is_(None)
    )
    found = db.execute(
        select(Family.id)
        .where(
            Family.id > after,
            or_(Family.need.is_(True), has_plan),
            or_(Family.nudged_at.is_(None), Family.nudged_at <= now - NUDGE_EVERY),
        )
        .order_by(Family.id)
        .limit(limit)
    )
    ids = list(found.scalars())
    if not ids:
        return Batch(None, 0)
    families = load_families(db, ids)
    waived = {family.id: family.no_shows_waived_at for family in families.values()}
    standings = load_standings(db, waived, now)
    plans = _plans(db, ids, year)
    asked = _asked_lately(db, plans, now)
    supply, target = load_supply(db, now), target_of_year(db, now)
    count = sum(
        _nudge(db, families[one], plans.get(one), standings[one], supply, target, now)
        for one in ids
        if one not in asked
    )
    return Batch(ids[-1], count)


def _nudge(
    db: Session,
    family: Family,
    plan: YearPlan | None,
    standing: Standing,
    supply: Supply,
    target: int,
    now: datetime,
) -> bool:
    today = now.astimezone(SHANGHAI).date()
    caregiver = find_recipient(family, plan)
    if caregiver is None or not is_behind(
        attended=standing.attended,
        arranged=standing.arranged,
        target=target,
        counted_from=_counted_from(family, today),
        today=today,
    ):
        return False
    chosen = _first_that_fits(family, plan, standing, supply, target, now)
    if chosen is None or not _take_turn(db, family, now):
        return False
    child, offered = chosen
    facts = YearPlanNudge(
        year=today.year,
        nickname=child.nickname,
        attended=standing.attended,
        arranged=standing.arranged,
        target=target,
        openings=len(offered),
        first=as_fact(offered[0].session),
    )
    return notices.queue(
        db,
        caregiver_id=caregiver.id,
        facts=facts,
        subject=f"family:{family.id}",
        dedupe_key=f"{facts.kind}:{family.id}:{today.isoformat()}",
        now=now,
        expires_at=min(now + NUDGE_GOOD_FOR, offered[0].session.closes_at),
        can_wait=True,
    )


def _first_that_fits(
    family: Family,
    plan: YearPlan | None,
    standing: Standing,
    supply: Supply,
    target: int,
    now: datetime,
) -> tuple[Child, tuple[Planned, ...]] | None:
    """The plan's child, else the first for whom anything is open; with what that is."""
    children = sorted(family.living, key=lambda one: plan is None or one.id != plan.child_id)
    for child in children:
        wish = make_wish(
            family,
            child,
            standing,
            missing=standing.missing(target),
            today=now.astimezone(SHANGHAI).date(),
            most_waiting=0,
        )
        chosen = choose(wish, supply.open_for(standing, now))
        if chosen.choices:
            return child, planned(supply, chosen.choices)
    return None


def _take_turn(db: Session, family: Family, now: datetime) -> bool:
    """Note the nudge; False where another run was faster: the database decides."""
    taken = db.execute(
        update(Family)
        .where(
            Family.id == family.id,
            or_(Family.nudged_at.is_(None), Family.nudged_at <= now - NUDGE_EVERY),
        )
        .values(nudged_at=now)
    )
    return isinstance(taken, CursorResult) and taken.rowcount == 1


def _asked_lately(db: Session, plans: Mapping[int, YearPlan], now: datetime) -> frozenset[int]:
    """Families whose plan has proposed something lately: that is nudge enough."""
    rows = db.execute(
        select(YearPlan.family_id)
        .join(PlanProposal, PlanProposal.year_plan_id == YearPlan.id)
        .where(
            YearPlan.id.in_([plan.id for plan in plans.values()]),
            PlanProposal.created_at > now - PROPOSE_EVERY,
        )
    )
    return frozenset(rows.scalars())


def _plans(db: Session, family_ids: Sequence[int], year: int) -> dict[int, YearPlan]:
    rows = db.execute(
        select(YearPlan).where(
            YearPlan.family_id.in_(family_ids),
            YearPlan.year == year,
            YearPlan.ended_at.is_(None),
        )
    ).scalars()
    return {plan.family_id: plan for plan in rows}


def _counted_from(family: Family, today: date) -> date:
    """From when a family could have come: its arrival, or its first child's birth."""
    births = [child.birth_date for child in family.children if child.birth_date]
    arrived = family.created_at.astimezone(SHANGHAI).date()
    return max(arrived, min(births, default=today))
