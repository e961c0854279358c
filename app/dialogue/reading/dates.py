"""Dates as people write them: 2026-05-01, 五月一号, 下周六, 三天后, 月底, 2月30日.

A small grammar: rules in order of trust, each a pattern and a reader. A stretch of text that one
rule has read is closed to the rules after it. Another calendar is another rule.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from app.dialogue.reading.date_readers import Impossible, Lean, Lunar, OneDay, Several
from app.dialogue.reading.date_rules import RULES, whole_text_date
from app.dialogue.reading.plain import normalise
from app.late_pattern import LatePattern


class Certainty(StrEnum):
    """How much of a date the text itself fixed."""

    EXACT = "exact"
    ROLLED = "rolled"
    """The year, month or week was chosen by the lean: have the caregiver confirm it."""


@dataclass(frozen=True, slots=True)
class DateFound:
    """One day. `start` and `end` are its place in the normalised text."""

    value: date
    text: str
    certainty: Certainty
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class DateSpan:
    """Several days in a row, both ends included: 下周, 5月, 5月1号到5号."""

    first: date
    last: date
    text: str
    certainty: Certainty
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class ImpossibleDate:
    """What was meant as a date and is none: 2月30日."""

    text: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class LunarDate:
    """A date of the lunar calendar, 腊月初八 or 春节: recognised, and not converted."""

    text: str
    start: int = 0
    end: int = 0


Found: TypeAlias = DateFound | DateSpan | ImpossibleDate | LunarDate

_OF_A_WEEK: Final = LatePattern("[这本下上]+个?(?:周|星期|礼拜)")
_BARE_WEEKDAY: Final = LatePattern("(?:周|星期|礼拜)[一二三四五六日天]")
_OR: Final = LatePattern(r"\s?(?:或者?|和|跟|与|还是|,|要么)+\s?")
_DENIED: Final = LatePattern("(?:不是|不要|不去)(?:说|约|报|的|在)?$")
_MEANT: Final = LatePattern("(?:而是|是|要|改|换)(?:说|约|报|成|到|在)?$")
_JOINED: Final = LatePattern(r"\s?(?:号|日)?\s?(?:到|至|-{1,2}|~)\s?")


def find_dates(text: str, today: date, lean: Lean) -> tuple[Found, ...]:
    """Every date and span in a text, in order.

    A date without a year is the nearest on the side of the lean; today belongs to both sides.
    """
    plain = normalise(text)
    whole = whole_text_date(plain, today, lean)
    if whole is not None:
        return (_found(whole, plain, 0, len(plain)),)
    found = _carry_week(_read(plain, today, lean), plain)
    return _join_spans(_without_denied(found, plain), plain)


def find_date(text: str, today: date, lean: Lean) -> Found | None:
    """The first date or span of a text, or None."""
    found = find_dates(text, today, lean)
    return found[0] if found else None


def days_of(found: Found) -> tuple[date, ...]:
    """The day, or the first and last day of a span; none for what cannot be converted."""
    match found:
        case DateFound(value=value):
            return (value,)
        case DateSpan(first=first, last=last):
            return (first, last)
        case _:
            return ()


def _read(plain: str, today: date, lean: Lean) -> list[Found]:
    taken: list[Found] = []
    for rule in RULES:
        for matched in rule.pattern.finditer(plain):
            if any(matched.start() < other.end and other.start < matched.end() for other in taken):
                continue
            reading = rule.read(matched, today, lean)
            if reading is not None:
                taken.append(_found(reading, plain, matched.start(), matched.end()))
    return sorted(taken, key=lambda found: found.start)


def _carry_week(found: list[Found], plain: str) -> list[Found]:
    """下周二或者周三: both are of the week that was named."""
    for number, later in enumerate(found[1:], start=1):
        earlier = found[number - 1]
        if (
            isinstance(earlier, DateFound)
            and isinstance(later, DateFound)
            and _OF_A_WEEK.match(earlier.text)
            and _BARE_WEEKDAY.fullmatch(later.text)
            and _OR.fullmatch(plain[earlier.end : later.start])
        ):
            monday = earlier.value - timedelta(days=earlier.value.weekday())
            value = monday + timedelta(days=later.value.weekday())
            found[number] = DateFound(value, later.text, earlier.certainty, later.start, later.end)
    return found


def _without_denied(found: list[Found], plain: str) -> list[Found]:
    """不是下周六，是下周日: only what is meant."""
    return [
        one
        for number, one in enumerate(found)
        if not (
            number + 1 < len(found)
            and _DENIED.search(plain[: one.start])
            and _MEANT.search(plain[one.end : found[number + 1].start])
        )
    ]


def _found(
    reading: OneDay | Several | Impossible | Lunar, plain: str, start: int, end: int
) -> Found:
    text = plain[start:end].strip()
    match reading:
        case OneDay(day=day, rolled=rolled):
            return DateFound(day, text, _certainty(rolled=rolled), start, end)
        case Several(first=first, last=last, rolled=rolled):
            return DateSpan(first, last, text, _certainty(rolled=rolled), start, end)
        case Impossible():
            return ImpossibleDate(text, start, end)
        case Lunar():
            return LunarDate(text, start, end)


def _certainty(*, rolled: bool) -> Certainty:
    return Certainty.ROLLED if rolled else Certainty.EXACT


def _join_spans(found: list[Found], plain: str) -> tuple[Found, ...]:
    """Two days with 到 between them become one span."""
    joined: list[Found] = []
    for later in found:
        earlier = joined[-1] if joined else None
        if (
            isinstance(earlier, DateFound)
            and isinstance(later, DateFound)
            and _JOINED.fullmatch(plain[earlier.end : later.start])
        ):
            last = _not_before(later, earlier.value)
            if last is not None:
                text = plain[earlier.start : later.end]
                is_exact = earlier.certainty is later.certainty is Certainty.EXACT
                joined[-1] = DateSpan(
                    earlier.value,
                    last,
                    text,
                    _certainty(rolled=not is_exact),
                    earlier.start,
                    later.end,
                )
                continue
        joined.append(later)
    return tuple(joined)


def _not_before(later: DateFound, first: date) -> date | None:
    # 10月30号到3号: the second end is read again from the first, or it would lie before it.
    if later.certainty is Certainty.ROLLED:
        for found in _read(later.text, first, "future"):
            if isinstance(found, DateFound):
                return found.value
    return later.value if later.value >= first else None
