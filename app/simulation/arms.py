"""The two ways of serving the same families: each for itself, or by the year plan."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import PlanProposal, YearPlan
from app.services import plan_keeping, registration, year_plan
from app.services.year_supply import Supply, load_supply
from app.simulation.playing import Play, get_caregiver
from app.simulation.world import AT_ONE_LOOK, SimFamily, fits

EXTRAS_DAYS: Final = 14
LEAD: Final = timedelta(days=1)
"""A session of today is too near to be found in the list: its sign-up has closed."""
PROPOSES_ON: Final = 0
ANSWERED_ON: Final = 1
"""Mondays the job proposes what plans are missing, far less often than in life; the families
answer on Tuesdays."""
TRIES: Final = 3


@dataclass(slots=True)
class FirstCome:
    """Every family for itself: whoever looks first takes the first that suits."""

    def look(self, play: Play, db: Session, family: SimFamily, now: datetime) -> None:
        take_first_open(play, db, family, now)

    def keep(self, play: Play, db: Session, now: datetime) -> None:
        """Nobody keeps anything on track."""


@dataclass(slots=True)
class YearPlans:
    """Every family asks for its year at its first look, and agrees; what is lost is replaced."""

    extras_days: int = EXTRAS_DAYS
    """How many days ahead families that want more than the plan take what is still free."""
    supply: Supply | None = None
    """Read once, its seats counted with every sign-up: nobody else books in this database."""
    read_at: datetime | None = None

    def look(self, play: Play, db: Session, family: SimFamily, now: datetime) -> None:
        if now.date() == family.first_look:
            self._ask_for_the_year(play, db, family, now)
        else:
            until = now.date() + timedelta(days=self.extras_days)
            take_first_open(play, db, family, now, until)

    def keep(self, play: Play, db: Session, now: datetime) -> None:
        for family in play.lost:
            if play.world.answers(family, now.date()):
                self._accept(play, db, family, now)
        if now.weekday() == PROPOSES_ON:
            after: int | None = 0
            while after is not None:
                supply = self._supply(play, db, now)
                after = plan_keeping.propose_missing(
                    db, after=after, now=now, supply=supply
                ).last_id
        if now.weekday() == ANSWERED_ON:
            self._answer(play, db, now)

    def _ask_for_the_year(self, play: Play, db: Session, family: SimFamily, now: datetime) -> None:
        caregiver = get_caregiver(db, family)
        at_home = registration.get_family(caregiver)
        child = at_home.children[0]
        for _ in range(TRIES):
            proposal = year_plan.propose(
                db, family=at_home, child=child, now=now, supply=self._supply(play, db, now)
            )
            codes = {planned.session.id: planned.session.code for planned in proposal.sessions}
            agreement = year_plan.agree(
                db, caregiver=caregiver, child=child, session_ids=list(codes), now=now
            )
            if agreement.lost is None:
                for code in codes.values():
                    play.book(family, code, now.date())
                return
            self.supply = None

    def _answer(self, play: Play, db: Session, now: datetime) -> None:
        """Those who answer take what their plans propose, all of it or, where lost, anew."""
        waiting = db.execute(
            select(YearPlan.caregiver_id)
            .join(PlanProposal, PlanProposal.year_plan_id == YearPlan.id)
            .where(PlanProposal.state == "open")
            .distinct()
            .order_by(YearPlan.caregiver_id)
        ).scalars()
        for caregiver_id in waiting.all():
            family = play.by_caregiver[caregiver_id]
            if play.world.answers(family, now.date()):
                self._accept(play, db, family, now)

    def _accept(self, play: Play, db: Session, family: SimFamily, now: datetime) -> None:
        caregiver = get_caregiver(db, family)
        at_home = registration.get_family(caregiver)
        for _ in range(TRIES):
            # Asked anew at the answer, as the chat does: a proposal may be a week old.
            proposed = plan_keeping.replace_missing(db, at_home, now, self._supply(play, db, now))
            codes = {planned.session.id: planned.session.code for planned in proposed}
            if not codes:
                return  # nothing was asked that could be answered
            agreement = year_plan.agree(
                db,
                caregiver=caregiver,
                child=at_home.children[0],
                session_ids=list(codes),
                now=now,
            )
            if agreement.lost is None:
                for code in codes.values():
                    play.book(family, code, now.date())
                return
            self.supply = None

    def _supply(self, play: Play, db: Session, now: datetime) -> Supply:
        if self.supply is None or self.read_at is None:
            self.supply = load_supply(db, now)
        else:
            if now != self.read_at:
                self.supply.go_on(load_supply(db, now, opened_after=self.read_at), now)
            free = {play.ids[code]: play.free[code] for code in play.changed}
            self.supply.put_seats(free)
        play.changed.clear()
        self.read_at = now
        return self.supply


def take_first_open(
    play: Play, db: Session, family: SimFamily, now: datetime, until: date | None = None
) -> None:
    """Sign up for the first sessions that suit, as many as this family takes at one look."""
    diary = play.diaries[family.number]
    room = family.wants - len(diary.booked) - len(diary.attended)
    wanted = min(room, AT_ONE_LOOK[family.temper])
    if wanted <= 0:
        return
    # What the chat's list shows and the family can use.
    found = play.reach.look(
        family.township, now.date() + LEAD, until or play.world.end, diary.taken
    )
    for session in found:
        if (
            session.opens_at <= now
            and session.code not in diary.tried
            and fits(family, session)
            and play.try_to_sign_up(db, family, session.code, now)
        ):
            wanted -= 1
            if not wanted:
                return
