"""A family's year of sessions: proposed, agreed to once, changed one by one, kept on track."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.dml import ReturningInsert

from app.clock import SHANGHAI
from app.errors import NotRegistered
from app.models import Caregiver, Child, Family, GuidanceSession, PlanProposal, SignUp, YearPlan
from app.prepared import Loader, Prepared, among
from app.rows import Change
from app.rules.year_plan import (
    choose,
    choose_instead,
    explain,
)
from app.services import audit, sessions
from app.services.audit import Actor
from app.services.plan_signing import SigningUp
from app.services.sessions import YearCount
from app.services.year_supply import (
    NOTHING_YET,
    OpenSession,
    Planned,
    Standing,
    Supply,
    load_standings,
    load_supply,
    make_wish,
    planned,
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """The sessions that would fill the rest of a child's year."""

    count: YearCount
    waiting: int
    """Sessions whose waiting lists the family is in already."""
    sessions: tuple[Planned, ...]
    """By time."""
    short: int
    """How many more are missing for which nothing is published that fits."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What became of a family's yes: everything, or nothing."""

    plan: YearPlan | None
    """None where a session was lost meanwhile: then nothing is stored."""
    sign_ups: tuple[SignUp, ...] = ()
    lost: str | None = None
    """The code of the first session that could not be signed up for."""


def propose(
    db: Session,
    *,
    family: Family,
    child: Child,
    now: datetime,
    without: Collection[int] = (),
    supply: Supply | None = None,
) -> Proposal:
    """What this child's family is still missing this year, from what is open now.

    `without` are sessions the family does not want. A caller with many families loads the
    supply once; it must not be older than the last sign-up it should know of.
    """
    supply = supply or load_supply(db, now)
    standing = standing_of(db, family, now)
    count = sessions.year_count(db, family.id, now)
    missing = standing.missing(count.target)
    wish = make_wish(
        family,
        child,
        standing,
        missing=missing,
        today=now.astimezone(SHANGHAI).date(),
        # Places in waiting lists may yet turn out: so many more are not waited for.
        most_waiting=missing - standing.waiting,
        unwanted=turned_down(db, family.id, count.year).union(without),
    )
    chosen = choose(wish, supply.open_for(standing, now))
    return Proposal(
        count=count,
        waiting=standing.waiting,
        sessions=planned(supply, chosen.choices),
        short=chosen.short,
    )


def review(
    db: Session, *, family: Family, child: Child, session_ids: Collection[int], now: datetime
) -> Proposal:
    """These sessions as a proposal, as far as they can still be had."""
    supply = load_supply(db, now)
    standing = standing_of(db, family, now)
    count = sessions.year_count(db, family.id, now)
    missing = standing.missing(count.target)
    wish = make_wish(
        family,
        child,
        standing,
        missing=missing,
        today=now.astimezone(SHANGHAI).date(),
        most_waiting=missing - standing.waiting,
    )
    picked = [
        one
        for one in supply.open_for(standing, now)
        if one.id in session_ids and (one.seats_left > 0 or one.has_waiting_list)
    ]
    return Proposal(
        count=count,
        waiting=standing.waiting,
        sessions=planned(supply, explain(wish, picked)),
        short=max(0, missing - len(picked)),
    )


def swap(
    db: Session,
    *,
    family: Family,
    child: Child,
    keep: Collection[int],
    instead_of: int,
    without: Collection[int],
    now: datetime,
) -> Planned | None:
    """The next best session for one of a proposal, beside those that stay; None where no
    other fits. `without` are those seen before."""
    supply = load_supply(db, now)
    standing = standing_of(db, family, now)
    count = sessions.year_count(db, family.id, now)
    missing = standing.missing(count.target)
    unwanted = turned_down(db, family.id, count.year).union(without, keep, (instead_of,))
    wish = make_wish(
        family,
        child,
        standing,
        missing=missing,
        today=now.astimezone(SHANGHAI).date(),
        # Places in waiting lists may yet turn out: so many more are not waited for.
        most_waiting=missing - standing.waiting,
        unwanted=unwanted,
        kept=[supply.candidates[each] for each in sorted(keep) if each in supply.candidates],
    )
    old = supply.sessions.get(instead_of)
    around = old.starts_at.date() if old else wish.today
    choice = choose_instead(wish, supply.open_for(standing, now), around)
    return planned(supply, (choice,))[0] if choice else None


def agree(
    db: Session,
    *,
    caregiver: Caregiver,
    child: Child,
    session_ids: Collection[int],
    now: datetime,
    may_wait: Collection[int] = (),
    declined: Collection[int] = (),
) -> Agreement:
    """Sign the child up for all of these, or for none; the plan is the standing request.

    Those in `may_wait` were proposed as a place in the waiting list. Those in `declined` are
    not proposed again this year. Raises NotRegistered.
    """
    family = caregiver.family
    if family is None or child.family_id != family.id:
        raise NotRegistered()
    trying = SigningUp(caregiver, child, frozenset(may_wait))
    if not trying.sign_up_for_all(db, session_ids, now):
        return Agreement(plan=None, lost=trying.last)
    plan = _put_plan(db, caregiver, family, child, now)
    made = trying.made
    if made:
        _BELONG.run(db, plan_id=plan.id, sign_ups=[signed_up.id for signed_up in made])
    for signed_up in made:
        set_committed_value(signed_up, "year_plan_id", plan.id)
    settle_proposals(db, plan, accepted=session_ids, declined=declined, now=now)
    audit.record(
        db,
        actor=Actor("caregiver", caregiver.id),
        action="agree_year_plan",
        subject_type="year_plan",
        subject_id=plan.id,
        now=now,
        after=str(len(made)),
    )
    db.flush()
    return Agreement(plan=plan, sign_ups=tuple(made))


def end(db: Session, *, caregiver: Caregiver, now: datetime) -> bool:
    """The standing request ends; what is signed up for stays. False where there is none.

    Raises NotRegistered.
    """
    plan = find_plan_of(db, caregiver, now)
    if plan is None:
        return False
    plan.ended_at, plan.takes_since = now, None
    db.execute(
        update(PlanProposal)
        .where(PlanProposal.year_plan_id == plan.id, PlanProposal.state == "open")
        .values(state="expired", answered_at=now)
    )
    audit.record(
        db,
        actor=Actor("caregiver", caregiver.id),
        action="end_year_plan",
        subject_type="year_plan",
        subject_id=plan.id,
        now=now,
    )
    return True


def find_plan(db: Session, family_id: int, now: datetime) -> YearPlan | None:
    """The family's open plan of this Shanghai year."""
    return db.execute(
        select(YearPlan).where(
            YearPlan.family_id == family_id,
            YearPlan.year == now.astimezone(SHANGHAI).year,
            YearPlan.ended_at.is_(None),
        )
    ).scalar_one_or_none()


_FIND_PLAN_ID = Prepared(
    select(YearPlan.id).where(
        YearPlan.family_id == bindparam("family_id"),
        YearPlan.year == bindparam("year"),
        YearPlan.ended_at.is_(None),
    )
)


def find_plan_id(db: Session, family_id: int, now: datetime) -> int | None:
    """The id of the family's open plan of this Shanghai year."""
    db.flush()
    found = _FIND_PLAN_ID.first(db, family_id=family_id, year=now.astimezone(SHANGHAI).year)
    return found[0] if found else None


def find_plan_of(db: Session, caregiver: Caregiver, now: datetime) -> YearPlan | None:
    """The open plan of a caregiver's family. Raises NotRegistered."""
    if caregiver.family_id is None:
        raise NotRegistered()
    return find_plan(db, caregiver.family_id, now)


def open_proposals(db: Session, plan: YearPlan, now: datetime) -> tuple[OpenSession, ...]:
    """What the plan offers and nobody has answered, as far as it can still be had; by time."""
    supply = load_supply(db, now)
    ids = db.execute(
        select(PlanProposal.session_id).where(
            PlanProposal.year_plan_id == plan.id, PlanProposal.state == "open"
        )
    ).scalars()
    found = [supply.sessions[session_id] for session_id in ids if session_id in supply.sessions]
    return tuple(sorted(found, key=lambda one: (one.starts_at, one.id)))


def standing_of(db: Session, family: Family, now: datetime) -> Standing:
    """One family's year."""
    standings = load_standings(db, {family.id: family.no_shows_waived_at}, now)
    return standings.get(family.id, NOTHING_YET)


def turned_down(db: Session, family_id: int, year: int) -> frozenset[int]:
    db.flush()
    return frozenset(each for (each,) in _TURNED_DOWN.all(db, family_id=family_id, year=year))


_TURNED_DOWN = Prepared(
    select(PlanProposal.session_id)
    .join(YearPlan, YearPlan.id == PlanProposal.year_plan_id)
    .where(
        YearPlan.family_id == bindparam("family_id"),
        YearPlan.year == bindparam("year"),
        PlanProposal.state == literal_column("'declined'"),
    )
)
_BELONG = Prepared(
    lambda dialect: (
        update(SignUp)
        .where(among(SignUp.id, "sign_ups", dialect))
        .values(year_plan_id=bindparam("plan_id"))
    )
)
_PUT = ("family_id", "child_id", "caregiver_id", "year", "target", "agreed_at")
_PLANS = Loader(YearPlan)


def _insert_plan(dialect: str) -> ReturningInsert[Any]:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert
    made = insert(YearPlan.__table__).values({name: bindparam(name) for name in _PUT})
    again = {name: made.excluded[name] for name in _PUT if name not in ("family_id", "year")}
    statement: ReturningInsert[Any] = made.on_conflict_do_update(
        index_elements=["family_id", "year"], set_={**again, "ended_at": None}
    ).returning(*_PLANS.columns)
    return statement


_PUT_PLAN = Prepared(_insert_plan)


def _put_plan(
    db: Session, caregiver: Caregiver, family: Family, child: Child, now: datetime
) -> YearPlan:
    """The family's plan of this year, made or opened again, and locked."""
    count = sessions.year_count(db, family.id, now)
    db.flush()
    # One statement makes it or opens it again, and locks it: both parents may agree at once.
    row = _PUT_PLAN.first(
        db,
        family_id=family.id,
        child_id=child.id,
        caregiver_id=caregiver.id,
        year=count.year,
        target=count.target,
        agreed_at=now,
    )
    assert row is not None, "made, or opened again"
    plan: YearPlan = _PLANS.put(db, row, is_fresh=True)
    return plan


_PROPOSALS = Loader(PlanProposal)
_PROPOSALS_OF = Prepared(
    select(*_PROPOSALS.columns).where(PlanProposal.year_plan_id == bindparam("plan_id"))
)
_SETTLE = Change(PlanProposal, "state", "answered_at")
_ANY_OPEN = Prepared(
    select(PlanProposal.id)
    .where(
        PlanProposal.year_plan_id == bindparam("plan_id"),
        PlanProposal.state == literal_column("'open'"),
    )
    .limit(1)
)


def settle_proposals(
    db: Session,
    plan: YearPlan,
    *,
    accepted: Collection[int],
    declined: Collection[int],
    now: datetime,
) -> None:
    """Every open proposal has its answer in this yes; what was turned down is remembered."""
    if not declined and _ANY_OPEN.first(db, plan_id=plan.id) is None:
        return
    rows: dict[int, PlanProposal] = {}
    for values in _PROPOSALS_OF.all(db, plan_id=plan.id):
        found: PlanProposal = _PROPOSALS.put(db, values)
        rows[found.session_id] = found
    if declined:
        _add_turned_down(db, plan, rows, declined, now)
    for session_id, row in rows.items():
        if session_id in declined:
            settle(db, row, "declined", now)
        elif row.state == "open":
            settle(db, row, "accepted" if session_id in accepted else "expired", now)


def _add_turned_down(
    db: Session,
    plan: YearPlan,
    rows: dict[int, PlanProposal],
    declined: Collection[int],
    now: datetime,
) -> None:
    # The numbers come back from a page's address: some may lead nowhere.
    there = set(db.scalars(select(GuidanceSession.id).where(GuidanceSession.id.in_(set(declined)))))
    for session_id in sorted(there - rows.keys()):
        rows[session_id] = PlanProposal(
            year_plan_id=plan.id, session_id=session_id, state="open", created_at=now
        )
        db.add(rows[session_id])
    db.flush()


def settle(db: Session, row: PlanProposal, state: str, now: datetime) -> None:
    """A proposal has its answer, or cannot be had any more."""
    _SETTLE.put(db, row, state=state, answered_at=now)
