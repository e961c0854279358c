"""Which sessions make up the rest of a family's year, and who is behind with theirs.

Seats come first, then spacing, then travel and variety: as many sessions as the year still
wants are chosen among those with free seats; a full one with a waiting list only fills what is
left over. Everything is reckoned in days; a cost of 7 is worth as much as a week's deviation
from the even rhythm. The same question always has the same answer.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Final

from app.rules.age import add_months
from app.rules.plan_days import Packing
from app.rules.plan_stock import FEW_SEATS, Candidate, Fitting, Stock
from app.rules.travel import Travel, travel, travel_cost

MIN_GAP_DAYS: Final = 14
MAX_GAP_DAYS: Final = 70
"""The district's rhythm: 2 to 10 weeks between two sessions of a family."""
TIGHT_GAPS_DAYS: Final = (10, 7, 5, 3)
"""Where the rest of the year is too short for two weeks between, in the order they are tried.
Nothing is ever planned closer than the last: a small child needs its days in between."""
SHORTEST_GAP_DAYS: Final = TIGHT_GAPS_DAYS[-1]
PAST_COUNTS_DAYS: Final = MAX_GAP_DAYS
"""A session longer ago says nothing about when the next one is due."""

SAME_KIND_COST: Final = 4
SAME_TOPIC_COST: Final = 4
"""For every session of the kind or topic in the year so far, up to MOST_REPEATS."""
MOST_REPEATS: Final = 3


class Reason(StrEnum):
    """What speaks for, or has to be said about, a chosen session."""

    OWN_TOWNSHIP = "own_township"
    NEAR = "near"
    FURTHER = "further"
    OVER_WATER = "over_water"
    NEW_KIND = "new_kind"
    NEW_TOPIC = "new_topic"
    FEW_SEATS_LEFT = "few_seats_left"
    CLOSE_TOGETHER = "close_together"
    """Less than two weeks from another: the year leaves no more room."""
    WAITING_LIST = "waiting_list"
    """Full: agreeing joins the waiting list."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A session of the year that the family attended, has a place in, or waits for."""

    day: date
    kind: str
    topic: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """One child's year so far, and how many sessions it still wants."""

    born: date | None
    """None before birth: nothing fits."""
    township: str
    today: date
    missing: int
    taken: tuple[Taken, ...] = ()
    excluded: frozenset[int] = field(default_factory=frozenset)
    """Sessions that are not to be proposed: booked, left or turned down before."""
    most_waiting: int | None = None
    """How many full sessions may be joined at the end of their waiting lists; None: all
    that are missing."""

    @property
    def year_end(self) -> date:
        return date(self.today.year, 12, 31)


@dataclass(frozen=True, slots=True)
class Choice:
    candidate: Candidate
    reasons: tuple[Reason, ...]

    @property
    def is_waiting(self) -> bool:
        return Reason.WAITING_LIST in self.reasons


@dataclass(frozen=True, slots=True)
class Chosen:
    choices: tuple[Choice, ...]
    """By day."""
    short: int
    """How many of the missing ones nothing published can fill yet."""


def choose(wish: Wish, candidates: Iterable[Candidate] | Stock) -> Chosen:
    """The sessions that best fill the year, at most `wish.missing`.

    Spacing is two weeks or more as long as the rest of the year, with what may still be
    published in it, has room for that; it is relaxed only where the target could not be
    reached otherwise. Whoever asks for many families makes the stock once.
    """
    if wish.missing <= 0:
        return Chosen(choices=(), short=0)
    stock = candidates if isinstance(candidates, Stock) else Stock(candidates)
    if stock.hidden:
        wish = replace(wish, excluded=wish.excluded | stock.hidden)
    missing = wish.missing
    picked = _fill(wish, stock, wish.taken, missing)
    taken = (*wish.taken, *(_as_taken(one) for one in picked))
    room = missing - len(picked)
    waits = room if wish.most_waiting is None else min(room, wish.most_waiting)
    waiting = _fill_up(wish, stock, taken, waits) if waits > 0 else []
    return Chosen(
        choices=explain(wish, (*picked, *waiting)),
        short=room - len(waiting),
    )


def choose_instead(wish: Wish, candidates: Iterable[Candidate], around: date) -> Choice | None:
    """The next best session near a day, for one that the family does not want.

    `wish.taken` holds the rest of the plan, `wish.excluded` what was seen before. None where
    nothing is left.
    """
    pool = _fitting(wish, candidates)
    for is_full in (False, True):
        group = [
            one for one in pool if (one.seats_left <= 0) is is_full and _can_join(one, is_full)
        ]
        anchors = sorted(one.day.toordinal() for one in wish.taken)
        for gap in (MIN_GAP_DAYS, *TIGHT_GAPS_DAYS):
            free = _clear_of(group, anchors, gap)
            if free:
                repeats = _Repeats(wish.taken)
                best = min(
                    free,
                    key=lambda one: (
                        abs((one.day - around).days) + _cost(wish.township, one, repeats),
                        one.day,
                        one.code,
                    ),
                )
                return explain(wish, (best,))[0]
    return None


def expected_by(target: int, counted_from: date, today: date) -> int:
    """How many sessions an even pace would have brought by today, rounded down.

    `counted_from` is 1 January, or the day of birth or arrival where that is later: nobody is
    behind with months before that.
    """
    start = max(counted_from, date(today.year, 1, 1))
    days_in_year = (date(today.year + 1, 1, 1) - date(today.year, 1, 1)).days
    return max(0, target * (today - start).days // days_in_year)


def is_behind(
    *, attended: int, arranged: int, target: int, counted_from: date, today: date
) -> bool:
    """Whether what is attended and arranged falls short of an even pace."""
    return attended + arranged < min(target, expected_by(target, counted_from, today))


def _fitting(wish: Wish, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that the child may come to, this year, by day."""
    if wish.born is None:
        return []
    spans: dict[tuple[int, int], tuple[date, date]] = {}
    fitting = []
    for one in candidates:
        # There are thousands of sessions and a handful of ages that they are for.
        months = one.min_months, one.max_months
        if (span := spans.get(months)) is None:
            span = spans[months] = _days_of(wish, wish.born, *months)
        if (
            span[0] <= one.day < span[1]
            and one.id not in wish.excluded
            and (one.township == wish.township or not one.own_township_only)
        ):
            fitting.append(one)
    fitting.sort(key=lambda one: (one.day, one.code))
    return fitting


def _fill_up(wish: Wish, stock: Stock, taken: Sequence[Taken], wanted: int) -> list[Candidate]:
    """Places at the end of waiting lists, as _fill finds free seats."""
    free = Stock(
        replace(one, seats_left=FEW_SEATS + 1)
        for one in stock
        if one.seats_left <= 0 and one.has_waiting_list
    )
    return [stock.candidates[one.id] for one in _fill(wish, free, taken, wanted)]


def _groups_that_fit(wish: Wish, stock: Stock) -> list[Fitting]:
    """Where the child is of the age, from when and until when."""
    if wish.born is None:
        return []
    fitting = []
    for group in stock.groups_for(wish.township):
        since, until = _days_of(wish, wish.born, group.min_months, group.max_months)
        if since < until:
            fitting.append(Fitting(group, since.toordinal(), until.toordinal()))
    return fitting


def _days_of(wish: Wish, born: date, min_months: int, max_months: int) -> tuple[date, date]:
    """From which day, and until before which, the child is of these ages and the year is on."""
    of_age, too_old = add_months(born, min_months), add_months(born, max_months + 1)
    return max(wish.today, born, of_age), min(too_old, date(wish.today.year + 1, 1, 1))


def _can_join(one: Candidate, is_full: bool) -> bool:
    return one.has_waiting_list or not is_full


def _as_taken(one: Candidate) -> Taken:
    return Taken(one.day, one.kind, one.topic)


def _clear_of(pool: Iterable[Candidate], anchors: Sequence[int], gap: int) -> list[Candidate]:
    """Those that lie at least so many days from every anchor (sorted ordinals)."""
    clear = []
    for one in pool:
        day = one.day.toordinal()
        after = bisect_left(anchors, day)
        if after < len(anchors) and anchors[after] - day < gap:
            continue
        if after and day - anchors[after - 1] < gap:
            continue
        clear.append(one)
    return clear


class _Repeats:
    """How often each kind and topic occurs in the year so far."""

    def __init__(self, taken: Iterable[Taken]) -> None:
        self.kinds: Counter[str] = Counter()
        self.topics: Counter[str] = Counter()
        for one in taken:
            self.add(one.kind, one.topic)

    def add(self, kind: str, topic: str | None) -> None:
        self.kinds[kind] += 1
        if topic:
            self.topics[topic] += 1

    def cost(self, one: Candidate) -> int:
        kinds = min(self.kinds[one.kind], MOST_REPEATS)
        topics = min(self.topics[one.topic], MOST_REPEATS) if one.topic else 0
        return SAME_KIND_COST * kinds + SAME_TOPIC_COST * topics


def _fill(wish: Wish, stock: Stock, taken: Sequence[Taken], wanted: int) -> list[Candidate]:
    """Up to `wanted` free ones of the stock, by day, clear of what is taken and of each other."""
    fitting = _groups_that_fit(wish, stock)
    days = stock.free_days(fitting, wish.excluded) if wanted > 0 else []
    if not days:
        return []
    anchors = sorted(one.day.toordinal() for one in taken)
    # Weeks behind the last published session: there the standing request finds the rest.
    later = (wish.year_end.toordinal() - days[-1]) // MIN_GAP_DAYS
    packing = Packing.of(days, anchors, MIN_GAP_DAYS)
    for gap in TIGHT_GAPS_DAYS:
        if packing.most[0] + later >= wanted:
            break
        tighter = Packing.of(days, anchors, gap)
        if tighter.most[0] > packing.most[0]:
            packing = tighter
    choosing = _Choosing(wish, stock, fitting, packing, _Repeats(taken))
    return choosing.spread(anchors, min(wanted, packing.most[0]))


@dataclass(frozen=True, slots=True)
class _Choosing:
    """One family before a stock, with the days that may be combined."""

    wish: Wish
    stock: Stock
    fitting: Sequence[Fitting]
    packing: Packing
    repeats: _Repeats

    def spread(self, anchors: Sequence[int], wanted: int) -> list[Candidate]:
        """Exactly `wanted` of a packing that has room for them, in an even rhythm.

        In order of time: the next one is due a step after the last, where the step shares out
        what is left of the time; no choice is made that leaves too little room for the others.
        """
        if not wanted:
            return []
        packing = self.packing
        picked: list[Candidate] = []
        place, end = 0, packing.days[-1]
        last = _start(self.wish.today.toordinal(), anchors)
        while len(picked) < wanted:
            left = wanted - len(picked)
            ahead = bisect_left(anchors, last + 1)
            # One share more: what is missed in the end still finds a day.
            step = min(MAX_GAP_DAYS, (end - last) / (left + len(anchors) - ahead + 1))
            if ahead < len(anchors) and anchors[ahead] - last < 1.5 * step:
                beyond = bisect_left(packing.days, anchors[ahead], lo=place)
                if packing.most[beyond] >= left:
                    last, place = anchors[ahead], beyond
                    continue
            place, chosen = self._best(place, left, last + step)
            picked.append(chosen)
            self.repeats.add(chosen.kind, chosen.topic)
            last, place = packing.days[place], packing.following[place]
        return picked

    def _best(self, first: int, left: int, due: float) -> tuple[int, Candidate]:
        """The cheapest from a place on that leaves room for the others, and its day's place.

        Of equal ones the earlier, of one day by code.
        """
        days, most = self.packing.days, self.packing.most
        best: tuple[int, Candidate] | None = None
        best_cost = float("inf")
        for place in range(first, len(days)):
            if most[place] < left:
                break
            late = days[place] - due
            if late >= best_cost:
                break
            if -late >= best_cost:
                continue
            cheapest = self._cheapest(days[place], abs(late), best_cost)
            if cheapest is not None:
                best_cost, best = cheapest[0], (place, cheapest[1])
        assert best is not None, "the packing's days have free seats"
        return best

    def _cheapest(self, day: int, far: float, under: float) -> tuple[float, Candidate] | None:
        """A day's cheapest with its cost, where that is under so much; of equal ones by code."""
        best: Candidate | None = None
        home, excluded, known = self.wish.township, self.wish.excluded, self.stock.candidates
        for each in self.fitting:
            if not each.since <= day < each.until:
                continue
            for way, one_id in each.group.by_way(home, day):
                if far + way > under:
                    break
                one = known[one_id]
                if one.seats_left <= 0 or one_id in excluded:
                    continue
                cost = far + (way + one.fixed_cost + self.repeats.cost(one))
                if cost < under or (best is not None and cost == under and one.code < best.code):
                    best, under = one, cost
        return None if best is None else (under, best)


def _start(today: int, anchors: Sequence[int]) -> int:
    """The day from which the rhythm counts: the last session, or today had there been one
    two weeks ago."""
    past = bisect_left(anchors, today + 1)
    if past and today - anchors[past - 1] <= PAST_COUNTS_DAYS:
        return anchors[past - 1]
    return today - MIN_GAP_DAYS


def _cost(home: str, one: Candidate, repeats: _Repeats) -> float:
    """What speaks against a session, in days."""
    return travel_cost(home, one.township) + one.fixed_cost + repeats.cost(one)


_TRAVEL_REASONS: Final = {
    Travel.OWN: Reason.OWN_TOWNSHIP,
    Travel.NEAR: Reason.NEAR,
    Travel.FURTHER: Reason.FURTHER,
    Travel.OVER_WATER: Reason.OVER_WATER,
}


def explain(wish: Wish, picked: Sequence[Candidate]) -> tuple[Choice, ...]:
    """The picked ones by day, each with what there is to say about it."""
    days = [one.day for one in wish.taken] + [one.day for one in picked]
    repeats = _Repeats(wish.taken)
    choices = []
    for one in sorted(picked, key=lambda one: (one.day, one.code)):
        reasons = [_TRAVEL_REASONS[travel(wish.township, one.township)]]
        if not repeats.kinds[one.kind]:
            reasons.append(Reason.NEW_KIND)
        if one.topic and not repeats.topics[one.topic]:
            reasons.append(Reason.NEW_TOPIC)
        if 0 < one.seats_left <= FEW_SEATS:
            reasons.append(Reason.FEW_SEATS_LEFT)
        apart = [abs((one.day - day).days) for day in days]
        if sum(1 for gap in apart if gap < MIN_GAP_DAYS) > 1:  # one of them is itself
            reasons.append(Reason.CLOSE_TOGETHER)
        if one.seats_left <= 0:
            reasons.append(Reason.WAITING_LIST)
        repeats.add(one.kind, one.topic)
        choices.append(Choice(one, tuple(reasons)))
    return tuple(choices)
