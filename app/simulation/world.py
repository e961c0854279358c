"""The families and sessions of a simulated year: pure, and the same for the same seed."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from app.clock import SHANGHAI
from app.rules.age import add_months, age_months

START: Final = date(2027, 1, 1)

WEIGHTS: Final[Mapping[str, int]] = {
    "城桥镇": 170,
    "堡镇": 100,
    "长兴镇": 100,
    "陈家镇": 90,
    "新河镇": 70,
    "庙镇": 70,
    "竖新镇": 55,
    "向化镇": 45,
    "港沿镇": 45,
    "三星镇": 45,
    "中兴镇": 40,
    "建设镇": 40,
    "港西镇": 35,
    "横沙乡": 30,
    "新海镇": 20,
    "东平镇": 20,
    "绿华镇": 15,
    "新村乡": 10,
}
"""Families by township, roughly as the people are spread; no published figure."""
FAMILIES_A_TOWNSHIP: Final = 12
"""A smaller world has fewer townships, not townships of two families."""

BORN_MEANWHILE: Final = 0.03
AGING_OUT: Final = 0.03
"""Shares of families whose child is born, or turns three, while the play lasts. Fewer than in
life: six sessions are owed in full to the others alone, and those are what is compared."""
JOINS_AFTER_BIRTH: Final = timedelta(days=14)

CANCELS: Final = 0.08
MISSES: Final = 0.07
CANCELS_DAYS_BEFORE: Final = (2, 14)

SEATS_A_SESSION: Final = 18
SESSIONS_A_YEAR: Final = 24
"""At least so many a township and year, small ones with fewer seats: one a fortnight."""
TWO_BANDS_FROM: Final = 48
THREE_BANDS_FROM: Final = 96
"""Sessions a year from which a township holds them for an age and not for all."""
BANDS: Final = {
    1: ((0, 35),),
    2: ((0, 17), (12, 35)),
    3: ((0, 11), (9, 23), (18, 35)),
}
KINDS: Final = (
    "站点指导活动",
    "亲子阅读分享会",
    "站点指导活动",
    "育儿加油站",
    "站点指导活动",
    "祖辈课堂",
)
TOPICS: Final = ("feeding", "growth", "play", "reading", "safety", "health")
LATE_EVERY: Final = 12
"""Every so manieth session is opened a month ahead only: the year's reserve."""
LATE_OPENS: Final = timedelta(days=35)
FIRST_DAYS: Final = 10
"""Days without sessions at the start, for the first families to ask."""
GOLDEN: Final = 0.618034
OPENS: Final = time(9)
MINUTES: Final = 60
DAYS_BETWEEN_LOOKS: Final = {"eager": 3, "usual": 14, "seldom": 45}
TEMPERS: Final = ("eager", "usual", "usual", "seldom")
"""A quarter of the families looks all the time, a quarter hardly ever."""
AT_ONE_LOOK: Final = {"eager": 4, "usual": 2, "seldom": 1}
WANTED: Final = {"eager": (9, 14), "usual": (6, 8), "seldom": (6, 6)}
"""How many sessions a year a family takes where nobody plans for it: never under six."""
ANSWERS: Final = 0.85
"""How often a proposal of the plan is answered within the days after it."""


@dataclass(frozen=True, slots=True)
class SimFamily:
    number: int
    township: str
    born: date
    joins_on: date
    """The first day of the play, or some days after the birth."""
    temper: str
    wants: int
    first_look: date

    @property
    def openid(self) -> str:
        return f"sim-{self.number}"

    def looks_after(self, day: date) -> date:
        """When the family opens the chat again that does so on this day."""
        return day + timedelta(days=DAYS_BETWEEN_LOOKS[self.temper])


@dataclass(frozen=True, slots=True)
class SimSession:
    code: str
    township: str
    kind: str
    topic: str
    starts_at: datetime
    places: int
    min_months: int
    max_months: int
    opens_at: datetime

    @property
    def day(self) -> date:
        return self.starts_at.date()

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=MINUTES)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a family's place in a session, whoever arranged it."""

    cancels_on: date | None
    misses: bool


@dataclass(frozen=True, slots=True)
class World:
    seed: int
    start: date
    end: date
    """The last day of the play."""
    families: tuple[SimFamily, ...]
    sessions: tuple[SimSession, ...]
    """By time."""

    @property
    def seats(self) -> int:
        return sum(session.places for session in self.sessions)

    def fate(self, family: SimFamily, session: SimSession) -> Fate:
        """The same in every arm, for it hangs on nothing but the two and the seed."""
        chance = Random(f"{self.seed} fate {family.number} {session.code}")
        drawn = chance.random()
        if drawn < CANCELS:
            return Fate(session.day - timedelta(days=chance.randint(*CANCELS_DAYS_BEFORE)), False)
        return Fate(None, drawn < CANCELS + MISSES)

    def answers(self, family: SimFamily, day: date) -> bool:
        """Whether the family answers a proposal that it has on this day."""
        return Random(f"{self.seed} answer {family.number} {day}").random() < ANSWERS


def fits(family: SimFamily, session: SimSession) -> bool:
    """Whether the child's age on the day is within the session's bounds."""
    if family.born > session.day:
        return False
    return session.min_months <= age_months(family.born, session.day) <= session.max_months


def make_world(*, families: int, months: int, seats_per_family: float, seed: int) -> World:
    """So many families in need and so many seats for each, over months from 1 January on."""
    end = add_months(START, months) - timedelta(days=1)
    homes = _shared_out(families, _townships(families))
    made = _families(homes, end, seed)
    seats = _shared_out(round(families * seats_per_family), homes)
    return World(
        seed=seed,
        start=START,
        end=end,
        families=made,
        sessions=_sessions(seats, made, end, seed),
    )


def _townships(families: int) -> Mapping[str, int]:
    """The largest ones, as many as the families can fill."""
    many = max(1, min(len(WEIGHTS), families // FAMILIES_A_TOWNSHIP))
    return dict(list(WEIGHTS.items())[:many])


def _shared_out(whole: int, weights: Mapping[str, int]) -> dict[str, int]:
    """A number in whole parts by weight, that add up to it: largest remainders first."""
    total = sum(weights.values())
    parts = {name: whole * weight // total for name, weight in weights.items()}
    rest = sorted(weights, key=lambda name: (-(whole * weights[name] % total), name))
    for name in rest[: whole - sum(parts.values())]:
        parts[name] += 1
    return parts


def _families(homes: Mapping[str, int], end: date, seed: int) -> tuple[SimFamily, ...]:
    chance = Random(f"{seed} families")
    days = (end - START).days + 1
    places = [township for township, many in homes.items() for _ in range(many)]
    chance.shuffle(places)
    made = []
    for number, township in enumerate(places):
        drawn = chance.random()
        if drawn < BORN_MEANWHILE:
            born = START + timedelta(days=chance.randrange(days))
            joins_on = min(born + JOINS_AFTER_BIRTH, end)
        else:
            low, high = (24, 36) if drawn < BORN_MEANWHILE + AGING_OUT else (0, 24)
            oldest, youngest = add_months(START, -high), add_months(START, -low)
            born = oldest + timedelta(days=1 + chance.randrange((youngest - oldest).days - 1))
            joins_on = START
        temper = chance.choice(TEMPERS)
        first_look = joins_on + timedelta(days=chance.randrange(DAYS_BETWEEN_LOOKS[temper]))
        wants = chance.randint(*WANTED[temper])
        made.append(SimFamily(number, township, born, joins_on, temper, wants, first_look))
    return tuple(made)


def _sessions(
    seats: Mapping[str, int], families: Sequence[SimFamily], end: date, seed: int
) -> tuple[SimSession, ...]:
    chance = Random(f"{seed} sessions")
    made: list[SimSession] = []
    births: dict[str, list[date]] = {township: [] for township in seats}
    for family in families:
        births[family.township].append(family.born)
    for place, (township, many) in enumerate(seats.items()):
        made += _township_sessions(place, township, many, sorted(births[township]), end, chance)
    return tuple(sorted(made, key=lambda session: (session.starts_at, session.code)))


def _township_sessions(
    place: int,
    township: str,
    seats: int,
    births: Sequence[date],
    end: date,
    chance: Random,
) -> list[SimSession]:
    """A township's sessions, evenly over the time and for the ages that live there then."""
    days = (end - START).days + 1
    fewest = max(1, SESSIONS_A_YEAR * days // 365)
    count = min(seats, max(seats // SEATS_A_SESSION, fewest))
    a_year = count * 365 // days
    bands = BANDS[1 + (a_year >= TWO_BANDS_FROM) + (a_year >= THREE_BANDS_FROM)]
    places = _shared_out(seats, {str(number): 1 for number in range(count)})
    first = min(FIRST_DAYS, days // 2)
    made = []
    for number in range(count):
        # Neighbours take turns: each township has its own days in the same rhythm.
        turn = (number + place * GOLDEN % 1) / count
        day = START + timedelta(days=first + int((days - first) * turn))
        low, high = _band_for(bands, births, day, chance)
        opens_on = day - LATE_OPENS if number % LATE_EVERY == LATE_EVERY - 1 else START
        made.append(
            SimSession(
                code=f"T{place + 1:02d}-{number + 1:03d}",
                township=township,
                kind=KINDS[number % len(KINDS)],
                topic=TOPICS[number // 2 % len(TOPICS)],
                starts_at=datetime.combine(day, time(9 + number % 2 * 5, 30), SHANGHAI),
                places=places[str(number)],
                min_months=low,
                max_months=high,
                opens_at=datetime.combine(max(START, opens_on), OPENS, SHANGHAI),
            )
        )
    return made


def _band_for(
    bands: Sequence[tuple[int, int]], births: Sequence[date], day: date, chance: Random
) -> tuple[int, int]:
    """A band drawn by how many of the township's children are of that age on the day.

    `births` are in order: who is older than an age was born before who is not.
    """
    if len(bands) == 1:
        return bands[0]
    born = births[: bisect_right(births, day)]

    def younger_from(months: int) -> int:
        """The place of the first child that is not yet so old on the day."""
        return bisect_left(born, True, key=lambda each: age_months(each, day) < months)

    weights = [younger_from(low) - younger_from(high + 1) for low, high in bands]
    return chance.choices(bands, weights)[0] if any(weights) else bands[0]
