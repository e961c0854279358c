"""Keeping year plans on track: new proposals for what has been lost, and as sessions open.

Batches: the supply is loaded once for a batch, the families' years in one query each; the
caller opens a transaction a batch and goes on behind the last id.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, literal_column, or_, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from app.clock import SHANGHAI
from app.models import Caregiver, Child, Family, Notice, PlanProposal, YearPlan
from app.models.notice_facts import PlanProposed, PlanSession
from app.prepared import Loader, Prepared, among
from app.rows import Change, NewRows
from app.rules.plan_stock import Candidate
from app.rules.year_plan import choose
from app.services import notices, sessions
from app.services.delivery import Reason
from app.services.sessions import DEFAULT_SESSIONS_A_YEAR
from app.services.year_plan import find_plan_id, settle
from app.services.year_supply import (
    NOTHING_YET,
    OpenSession,
    Planned,
    Standing,
    Supply,
    count_wished_for,
    load_standings,
    load_supply,
    make_wish,
)

PROPOSE_EVERY = timedelta(days=7)
"""A plan that is only waiting for new sessions asks its family no oftener than this; one that
has lost a session asks at once."""
BATCH = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """How far a batch came, and what it wrote."""

    last_id: int | None
    """The id to go on behind; None where there was nothing left."""
    count: int


def replace_missing(
    db: Session, family: Family, now: datetime, supply: Supply | None = None
) -> tuple[Planned, ...]:
    """Propose sessions for those that an open plan has lost, without a notice.

    For an edge that answers the family itself, such as after a cancellation. All open
    proposals of the plan, by time; none where there is no open plan or nothing is missing.
    A caller with many families loads the supply once, and keeps it up to date.
    """
    plan_id = find_plan_id(db, family.id, now)
    if plan_id is None:
        return ()
    families = {family.id: family}
    keeper = _Keeper.load(
        db, [_lock(db, plan_id)], supply or load_supply(db, now), now, families=families
    )
    keeper.propose_for(plan_id)
    return keeper.open_of(plan_id)


def replace_lost(db: Session, family_ids: Collection[int], now: datetime) -> int:
    """Propose at once for families that staff's decision took a session from; how many are told.

    Sessions' rows are locked before plans', here as in a family's own cancellation.
    """
    if not family_ids:
        return 0
    plans = db.scalars(
        select(YearPlan)
        .where(
            YearPlan.family_id.in_(family_ids),
            YearPlan.year == now.astimezone(SHANGHAI).year,
            YearPlan.ended_at.is_(None),
        )
        .order_by(YearPlan.id)
        .with_for_update()
    ).all()
    if not plans:
        return 0
    db.flush()
    keeper = _Keeper.load(db, plans, load_supply(db, now), now)
    return sum(keeper.tell(plan.id) for plan in plans if keeper.propose_for(plan.id))


def propose_missing(
    db: Session, *, after: int, now: datetime, limit: int = BATCH, supply: Supply | None = None
) -> Batch:
    """One batch of open plans: each that is short gets proposals, and its family a notice.

    Most plans are complete and have nothing open: the database passes over them. A caller who
    alone books loads the supply once, and keeps it up to date.
    """
    year = now.astimezone(SHANGHAI).year
    is_open = exists().where(PlanProposal.year_plan_id == YearPlan.id, PlanProposal.state == "open")
    rows = db.execute(
        select(YearPlan)
        .where(
            YearPlan.id > after,
            YearPlan.year == year,
            YearPlan.ended_at.is_(None),
            or_(is_open, count_wished_for(YearPlan.family_id, now) < target_of_year(db, now)),
        )
        .order_by(YearPlan.id)
        .limit(limit)
        .with_for_update()
    ).scalars()
    plans = list(rows)
    if not plans:
        return Batch(None, 0)
    keeper = _Keeper.load(db, plans, supply or load_supply(db, now), now)
    told = 0
    for plan in plans:
        if keeper.may_ask(plan.id) and keeper.propose_for(plan.id):
            told += keeper.tell(plan.id)
    return Batch(plans[-1].id, told)


_PLANS, _PROPOSALS = Loader(YearPlan), Loader(PlanProposal)
# Made for each dialect, and so nothing that only reads: a turn's transaction begins with it.
_LOCK = Prepared(
    lambda _dialect: (
        select(*_PLANS.columns).where(YearPlan.id == bindparam("plan_id")).with_for_update()
    )
)
_PROPOSALS_OF = Prepared(
    lambda dialect: select(*_PROPOSALS.columns).where(
        among(PlanProposal.year_plan_id, "plans", dialect)
    ),
    only_reads=True,
)
_NEW_PROPOSALS = NewRows(PlanProposal)
_OPEN = Change(PlanProposal, "state", "created_at", "answered_at")
_SUPERSEDE = Prepared(
    update(Notice)
    .where(
        Notice.subject == bindparam("plan"),
        Notice.kind == literal_column("'plan_proposed'"),
        or_(
            Notice.state == literal_column("'queued'"), Notice.state == literal_column("'waiting'")
        ),
    )
    .values(state=literal_column("'skipped'"), reason=literal_column(f"'{Reason.SUPERSEDED}'"))
)


def _lock(db: Session, plan_id: int) -> YearPlan:
    db.flush()
    row = _LOCK.first(db, plan_id=plan_id)
    assert row is not None, "plans are ended, never deleted"
    plan: YearPlan = _PLANS.put(db, row, is_fresh=True)
    return plan


@dataclass(slots=True)
class _Keeper:
    """Some open plans with all that is needed to propose for them; their rows are locked."""

    db: Session
    now: datetime
    supply: Supply
    target: int
    plans: Mapping[int, YearPlan]
    families: Mapping[int, Family]
    standings: Mapping[int, Standing]
    proposals: defaultdict[int, dict[int, PlanProposal]]
    """By plan, then by session."""

    @staticmethod
    def load(
        db: Session,
        plans: Sequence[YearPlan],
        supply: Supply,
        now: datetime,
        *,
        families: Mapping[int, Family] | None = None,
    ) -> "_Keeper":
        """`families` where the caller has them at hand, by id."""
        if families is None:
            families = load_families(db, [plan.family_id for plan in plans])
        waived = {family.id: family.no_shows_waived_at for family in families.values()}
        proposals: defaultdict[int, dict[int, PlanProposal]] = defaultdict(dict)
        db.flush()
        for values in _PROPOSALS_OF.all(db, plans=[one.id for one in plans]):
            row: PlanProposal = _PROPOSALS.put(db, values)
            proposals[row.year_plan_id][row.session_id] = row
        return _Keeper(
            db=db,
            now=now,
            supply=supply,
            target=target_of_year(db, now),
            plans={plan.id: plan for plan in plans},
            families=families,
            standings=load_standings(db, waived, now),
            proposals=proposals,
        )

    def may_ask(self, plan_id: int) -> bool:
        """Whether the family was left in peace long enough, or has lost a session since."""
        asked = [row.created_at for row in self.proposals[plan_id].values()]
        if not asked or self.now - max(asked) >= PROPOSE_EVERY:
            return True
        lost_at = self._standing(plan_id).lost_at
        return lost_at is not None and lost_at > max(asked)

    def propose_for(self, plan_id: int) -> int:
        """Write proposals for what the plan is short of; how many new ones.

        Open ones that can no longer be had expire first.
        """
        plan = self.plans[plan_id]
        family = self.families[plan.family_id]
        child = child_of(family, plan)
        standing = self._standing(plan_id)
        rows = self.proposals[plan_id]
        kept: list[Candidate] = []
        for row in rows.values():
            if row.state != "open":
                continue
            one = self.supply.find_for(standing, self.now, row.session_id)
            if one is None or one.seats_left <= 0 or row.session_id in standing.seen:
                settle(self.db, row, "expired", self.now)
            else:
                kept.append(one)
        if child is None:
            return 0
        turned_down = [row.session_id for row in rows.values() if row.state == "declined"]
        wish = make_wish(
            family,
            child,
            standing,
            missing=standing.missing(self.target) - standing.waiting - len(kept),
            today=self.now.astimezone(SHANGHAI).date(),
            unwanted=frozenset((*(one.id for one in kept), *turned_down)),
            kept=kept,
            most_waiting=0,
        )
        chosen = choose(wish, self.supply.open_for(standing, self.now))
        for choice in chosen.choices:
            self._open(plan, rows, choice.candidate.id)
        return len(chosen.choices)

    def _open(self, plan: YearPlan, rows: dict[int, PlanProposal], session_id: int) -> None:
        row = rows.get(session_id)
        if row is None:
            rows[session_id] = _NEW_PROPOSALS.add(
                self.db,
                year_plan_id=plan.id,
                session_id=session_id,
                state="open",
                created_at=self.now,
            )
        else:
            _OPEN.put(self.db, row, state="open", created_at=self.now, answered_at=None)

    def open_of(self, plan_id: int) -> tuple[Planned, ...]:
        """The plan's open proposals, by time."""
        ids = (row.session_id for row in self.proposals[plan_id].values() if row.state == "open")
        found = [Planned(self.supply.sessions[session_id], ()) for session_id in ids]
        return tuple(sorted(found, key=lambda one: (one.session.starts_at, one.session.id)))

    def tell(self, plan_id: int) -> int:
        """Queue the one notice of the plan's open proposals; 0 where nobody wants it."""
        plan = self.plans[plan_id]
        family = self.families[plan.family_id]
        child = child_of(family, plan)
        caregiver = find_recipient(family, plan)
        if caregiver is None or child is None:
            return 0
        subject = f"year_plan:{plan.id}"
        # Whoever could not be reached so far hears the latest proposals, once.
        self.db.flush()
        _SUPERSEDE.run(self.db, plan=subject)
        standing = self._standing(plan_id)
        offered = [one.session for one in self.open_of(plan_id)]
        facts = PlanProposed(
            plan_id=plan.id,
            nickname=child.nickname,
            attended=standing.attended,
            arranged=standing.arranged,
            target=self.target,
            sessions=tuple(as_fact(one) for one in offered),
        )
        written = notices.queue(
            self.db,
            caregiver_id=caregiver.id,
            facts=facts,
            subject=subject,
            dedupe_key=f"{facts.kind}:{plan.id}:{int(self.now.timestamp())}",
            now=self.now,
            expires_at=max(one.closes_at for one in offered),
            can_wait=True,
        )
        return int(written)

    def _standing(self, plan_id: int) -> Standing:
        return self.standings.get(self.plans[plan_id].family_id, NOTHING_YET)


def load_families(db: Session, ids: Iterable[int]) -> dict[int, Family]:
    rows = db.execute(
        select(Family)
        .where(Family.id.in_(list(ids)))
        .options(
            joinedload(Family.township),
            selectinload(Family.children),
            selectinload(Family.caregivers),
        )
    ).scalars()
    return {family.id: family for family in rows}


def target_of_year(db: Session, now: datetime) -> int:
    return sessions.find_target(db, now.astimezone(SHANGHAI).year) or DEFAULT_SESSIONS_A_YEAR


def child_of(family: Family, plan: YearPlan) -> Child | None:
    """The plan's child; None where the family has lost it."""
    return next((child for child in family.living if child.id == plan.child_id), None)


def find_recipient(family: Family, plan: YearPlan | None) -> Caregiver | None:
    """Who is asked: who agreed to the plan, else the first in the family who wants messages.

    Nobody where a loss was told: nothing is proposed, and nothing taken, that none will hear of.
    """
    if family.stopped_at is not None:
        return None
    willing = [one for one in family.caregivers if one.is_following and one.pushes == "on"]
    willing.sort(key=lambda one: plan is None or one.id != plan.caregiver_id)
    return willing[0] if willing else None


def as_fact(session: OpenSession) -> PlanSession:
    return PlanSession(
        code=session.code,
        title=session.title,
        starts_at=session.starts_at,
        place=session.station,
    )
