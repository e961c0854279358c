"""What a year plan is made of: the sessions that are open, and how each family's year stands."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import (
    ScalarSelect,
    and_,
    bindparam,
    distinct,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.clock import SHANGHAI
from app.models import Child, Family, GuidanceSession, SignUp, Station, Township
from app.prepared import Prepared, among
from app.rules.no_show import MARKED_AFTER, REMEMBERED_FOR, sign_up_delay
from app.rules.plan_stock import Candidate, Stock
from app.rules.sign_up import SessionState, SignUpState
from app.rules.waiting_list import WaitingOrder, offer_ends
from app.rules.year_plan import Choice, Reason, Taken, Wish
from app.services.seats import is_in_state

S = SignUpState

ARRANGED = frozenset({S.REQUESTED, S.CONFIRMED})
WAITING = frozenset({S.WAITLISTED, S.OFFERED})
"""Wished for, and not yet a place that the family can count on."""
ENDED = frozenset({S.DECLINED, S.EXPIRED, S.CANCELLED, S.NO_SHOW})


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session of this year whose sign-up is open now."""

    id: int
    code: str
    title: str
    starts_at: datetime
    closes_at: datetime
    opens_at: datetime
    cancel_until: datetime
    station: str
    township: str


@dataclass(frozen=True, slots=True)
class Supply:
    """All sessions of the rest of the year whose sign-up is open, at one moment."""

    sessions: dict[int, OpenSession]
    stock: Stock
    """Both by the session's id, in the order of their starts."""

    @property
    def candidates(self) -> Mapping[int, Candidate]:
        return self.stock.candidates

    def put_seats(self, free: Mapping[int, int]) -> None:
        """Bring the numbers of free seats up to date, by session; unknown ones are left out."""
        for each, seats in free.items():
            known = self.candidates.get(each)
            if known is not None:
                self.stock.put(replace(known, seats_left=seats))

    def go_on(self, opened: "Supply", now: datetime) -> None:
        """Be as of now: without what has closed, with what has `opened` since.

        For who alone changes the sessions; waiting lists and townships' first days stay as they
        were read.
        """
        for each in [one.id for one in self.sessions.values() if one.closes_at <= now]:
            del self.sessions[each]
            self.stock.drop(each)
        for each, session in opened.sessions.items():
            self.sessions[each] = session
            self.stock.add(opened.candidates[each])

    def open_for(self, standing: "Standing", now: datetime) -> Stock:
        """Without those that open later for a family which repeatedly did not come."""
        delay = sign_up_delay(standing.missed, now, standing.waived_at)
        if not delay:
            return self.stock
        # Few have opened that lately: to sort all the others anew would cost each family that.
        since = now - delay
        late = frozenset(one.id for one in self.sessions.values() if one.opens_at > since)
        return self.stock.without(late) if late else self.stock

    def find_for(self, standing: "Standing", now: datetime, session_id: int) -> Candidate | None:
        """One of `open_for`; None where it is not among them."""
        one = self.candidates.get(session_id)
        if one is None:
            return None
        delay = sign_up_delay(standing.missed, now, standing.waived_at)
        return one if not delay or self.sessions[session_id].opens_at + delay <= now else None


@dataclass(frozen=True, slots=True)
class Standing:
    """One family's calendar year; a session counts once however many siblings come."""

    attended: int
    arranged: int
    waiting: int
    taken: tuple[Taken, ...]
    """What is attended, arranged or waited for."""
    seen: frozenset[int]
    """Sessions with any sign-up of the family, also one that ended: they are not proposed."""
    missed: tuple[datetime, ...] = ()
    """Starts of the sessions of late that the family did not come to."""
    waived_at: datetime | None = None
    lost_at: datetime | None = None
    """When the last place of the year was given up, turned down or missed."""

    def missing(self, target: int) -> int:
        """How many more sessions have to be arranged to reach the target."""
        return max(0, target - self.attended - self.arranged)


NOTHING_YET = Standing(0, 0, 0, (), frozenset())


@dataclass(frozen=True, slots=True)
class Planned:
    """One proposed session."""

    session: OpenSession
    reasons: tuple[Reason, ...]

    @property
    def is_waiting(self) -> bool:
        """Full: agreeing joins its waiting list."""
        return Reason.WAITING_LIST in self.reasons


def year_bounds(year: int) -> tuple[datetime, datetime]:
    """The first moments of a Shanghai calendar year and of the next."""
    return datetime(year, 1, 1, tzinfo=SHANGHAI), datetime(year + 1, 1, 1, tzinfo=SHANGHAI)


class _OpenRow(NamedTuple):
    id: int
    code: str
    title: str
    kind: str
    topic: str | None
    starts_at: datetime
    opens_at: datetime
    closes_at: datetime
    cancel_until: datetime
    places: int
    places_taken: int
    min_months: int
    max_months: int
    waiting_list: str
    offer_hours: int
    township_first_until: datetime | None
    somebody_waits: bool
    station: str
    township: str


LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=SHANGHAI)
_NOW = bindparam("now", type_=GuidanceSession.opens_at.type)
_OPEN = Prepared(
    select(
        GuidanceSession.id,
        GuidanceSession.code,
        GuidanceSession.title,
        GuidanceSession.kind,
        GuidanceSession.topic,
        GuidanceSession.starts_at,
        GuidanceSession.opens_at,
        GuidanceSession.closes_at,
        GuidanceSession.cancel_until,
        GuidanceSession.places,
        GuidanceSession.places_taken,
        GuidanceSession.min_months,
        GuidanceSession.max_months,
        GuidanceSession.waiting_list,
        GuidanceSession.offer_hours,
        GuidanceSession.township_first_until,
        exists().where(
            SignUp.session_id == GuidanceSession.id, is_in_state([SignUpState.WAITLISTED])
        ),
        Station.name,
        Township.name,
    )
    .join(Station, Station.id == GuidanceSession.station_id)
    .join(Township, Township.id == Station.township_id)
    .where(
        GuidanceSession.state == literal_column(f"'{SessionState.PUBLISHED}'"),
        GuidanceSession.opens_at <= _NOW,
        GuidanceSession.opens_at > bindparam("opened_after"),
        GuidanceSession.closes_at > _NOW,
        GuidanceSession.starts_at > _NOW,
        GuidanceSession.starts_at < bindparam("year_end"),
    )
    .order_by(GuidanceSession.starts_at, GuidanceSession.id)
)


def load_supply(db: Session, now: datetime, *, opened_after: datetime | None = None) -> Supply:
    """The sessions of this Shanghai year that can be signed up for now, with free seats.

    All of them, or those that opened after a moment.
    """
    _, year_end = year_bounds(now.astimezone(SHANGHAI).year)
    db.flush()
    found = _OPEN.all(db, now=now, year_end=year_end, opened_after=opened_after or LONG_AGO)
    rows = [_OpenRow(*values) for values in found]
    local_now = now.astimezone(SHANGHAI)
    return Supply(
        sessions={
            row.id: OpenSession(
                id=row.id,
                code=row.code,
                title=row.title,
                starts_at=row.starts_at,
                closes_at=min(row.closes_at, row.starts_at),
                opens_at=row.opens_at,
                cancel_until=row.cancel_until,
                station=row.station,
                township=row.township,
            )
            for row in rows
        },
        stock=Stock(
            Candidate(
                id=row.id,
                code=row.code,
                day=row.starts_at.date(),
                township=row.township,
                kind=row.kind,
                topic=row.topic,
                # Free seats are owed to those who wait.
                seats_left=0 if row.somebody_waits else max(0, row.places - row.places_taken),
                has_waiting_list=row.waiting_list != WaitingOrder.NO
                and offer_ends(local_now, row.offer_hours, row.starts_at) is not None,
                min_months=row.min_months,
                max_months=row.max_months,
                own_township_only=row.township_first_until is not None
                and now < row.township_first_until,
            )
            for row in rows
        ),
    )


_SIGN_UPS_OF = Prepared(
    lambda dialect: (
        select(
            SignUp.family_id,
            SignUp.session_id,
            SignUp.state,
            SignUp.decided_at,
            GuidanceSession.starts_at,
            GuidanceSession.kind,
            GuidanceSession.topic,
        )
        .join(GuidanceSession, GuidanceSession.id == SignUp.session_id)
        .where(
            among(SignUp.family_id, "family_ids", dialect),
            GuidanceSession.starts_at >= bindparam("since"),
            GuidanceSession.starts_at < bindparam("until"),
        )
        .order_by(GuidanceSession.starts_at, SignUp.id)
    ),
    only_reads=True,
)


def count_wished_for(family_id: InstrumentedAttribute[int], now: datetime) -> ScalarSelect[int]:
    """In the database, as Standing: the year's attended, arranged and waited-for sessions."""
    year_start, year_end = year_bounds(now.astimezone(SHANGHAI).year)
    return (
        select(func.count(distinct(SignUp.session_id)))
        .join(GuidanceSession, GuidanceSession.id == SignUp.session_id)
        .where(
            SignUp.family_id == family_id,
            GuidanceSession.starts_at >= year_start,
            GuidanceSession.starts_at < year_end,
            or_(
                SignUp.state == S.ATTENDED,
                and_(SignUp.state.in_(ARRANGED), GuidanceSession.starts_at > now - MARKED_AFTER),
                and_(SignUp.state.in_(WAITING), GuidanceSession.starts_at > now),
            ),
        )
        .scalar_subquery()
    )


def load_standings(
    db: Session, waived: Mapping[int, datetime | None], now: datetime
) -> dict[int, Standing]:
    """Each family's year by family id; `waived` holds their ids and no_shows_waived_at."""
    year_start, year_end = year_bounds(now.astimezone(SHANGHAI).year)
    db.flush()
    rows = _SIGN_UPS_OF.all(
        db,
        family_ids=list(waived),
        since=min(year_start, now - REMEMBERED_FOR),
        until=year_end,
    )
    states: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    sessions: dict[int, tuple[datetime, Taken]] = {}
    lost_at: dict[int, datetime] = {}
    for family_id, session_id, state, decided_at, starts_at, kind, topic in rows:
        states[family_id][session_id].add(state)
        sessions[session_id] = (starts_at, Taken(starts_at.date(), kind, topic))
        if state in ENDED and decided_at is not None:
            lost_at[family_id] = max(decided_at, lost_at.get(family_id, decided_at))
    return {
        family_id: replace(
            _standing(states[family_id], sessions, year_start, now),
            waived_at=waived_at,
            lost_at=lost_at.get(family_id),
        )
        for family_id, waived_at in waived.items()
    }


def _standing(
    states: Mapping[int, Collection[str]],
    sessions: Mapping[int, tuple[datetime, Taken]],
    year_start: datetime,
    now: datetime,
) -> Standing:
    attended = arranged = waiting = 0
    taken, missed = [], []
    for session_id, found in states.items():
        starts_at, as_taken = sessions[session_id]
        if S.NO_SHOW in found:
            missed.append(starts_at)
        if starts_at < year_start:
            continue
        if S.ATTENDED in found:
            attended += 1
        elif ARRANGED.intersection(found) and starts_at > now - MARKED_AFTER:
            arranged += 1
        elif WAITING.intersection(found) and starts_at > now:
            waiting += 1
        else:
            continue
        taken.append(as_taken)
    return Standing(
        attended=attended,
        arranged=arranged,
        waiting=waiting,
        taken=tuple(taken),
        seen=frozenset(states),
        missed=tuple(missed),
    )


def make_wish(
    family: Family,
    child: Child,
    standing: Standing,
    *,
    missing: int,
    today: date,
    most_waiting: int,
    unwanted: Iterable[int] = (),
    kept: Iterable[Candidate] = (),
) -> Wish:
    """What the rules are asked for this child; `kept` are proposed beside what is booked."""
    beside = tuple(Taken(one.day, one.kind, one.topic) for one in kept)
    return Wish(
        born=child.birth_date,
        township=family.township.name,
        today=today,
        missing=missing,
        taken=(*standing.taken, *beside),
        excluded=standing.seen.union(unwanted),
        most_waiting=max(0, most_waiting),
    )


def planned(supply: Supply, choices: Sequence[Choice]) -> tuple[Planned, ...]:
    """Choices with what a family reads of them, by time."""
    found = [Planned(supply.sessions[one.candidate.id], one.reasons) for one in choices]
    return tuple(sorted(found, key=lambda one: (one.session.starts_at, one.session.id)))
