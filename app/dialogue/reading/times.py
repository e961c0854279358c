"""Times of day as people say them: 下午三点半, 15:00, 晚上七点, 9点到11点; and parts of a day."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from app.dialogue.reading.dates import Certainty, DateFound, find_dates
from app.dialogue.reading.numerals import read_number
from app.dialogue.reading.plain import normalise
from app.late_pattern import LatePattern


class DayPart(StrEnum):
    """The part of a day that a booking is asked for."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


@dataclass(frozen=True, slots=True)
class TimeFound:
    """An instant in the zone of `now`; its place in the normalised text is that of the time."""

    value: datetime
    text: str
    certainty: Certainty
    start: int
    end: int


_PARTS: Final = (
    "凌晨|清早|清晨|大清早|一早|早上|早晨|早浪向|早浪|上午|上半天|上半日|上昼|午前|中午|正午|午后|"
    "下午|下半天|下半日|下昼|傍晚|晚上|晚间|夜里厢|夜里向|夜里|夜头|半夜|深夜|今晚|明晚|昨晚|后晚|今早|明早|昨早|今夜|早|晚"
)
_HOUR: Final = r"\d{1,2}|[一二两三四五六七八九十]{1,3}|零"
_MINUTE: Final = r"[0-5]\d|[一二三四五]?十[一二三四五六七八九]?|零[一二三四五六七八九]|五"
_TIME: Final = LatePattern(
    rf"(?P<part>{_PARTS})?的?\s?(?:"
    rf"(?<![周期拜])(?P<first>{_HOUR})(?:点|时)?\s?(?:-|~|到|至)\s?(?=(?:{_PARTS})?(?:{_HOUR})点)"
    rf"|(?<![\d:.])(?P<clock_hour>\d{{1,2}}):(?P<clock_minute>[0-5]\d)(?::[0-5]\d)?(?!\d)\s?(?P<ampm>[ap]m)?"
    rf"|(?<![\d:.第])(?P<english>\d{{1,2}})\s?(?P<english_ampm>[ap]m)(?![a-z])"
    rf"|(?<![\d:.第周期拜])(?P<hour>{_HOUR})\s?(?P<mark>点钟|点整|点|时(?!候|间|段|常|不))"
    rf"\s?(?:过|零)?(?:(?P<half>半)|(?P<quarter>[一三])刻|(?P<minute>{_MINUTE})分?)?)"
)

_MORNING_PARTS: Final = (
    *("凌晨", "大清早", "一早", "上午", "上半天", "上半日", "上昼", "午前"),
    *("今早", "明早", "昨早"),
)
_CLEAR_PARTS: Final = tuple(part for part in _PARTS.split("|") if len(part) > 1)
_NOON_PARTS: Final = ("中午", "正午")
_AFTERNOON_PARTS: Final = ("午后", "下午", "下半天", "下半日", "下昼")
_NIGHT_PARTS: Final = ("夜里厢", "夜里向", "夜里", "夜头", "半夜", "深夜", "今夜")

_DAY_PART: Final = LatePattern(
    "(?P<morning>早上|早晨|清早|清晨|早浪|上午|上半天|上半日|上昼|午前|今早|明早|am(?![a-z]))"
    "|(?P<afternoon>下午|下半天|下半日|下昼|午后|中午|pm(?![a-z]))"
    "|(?P<evening>傍晚|晚上|晚间|夜里|夜头|今晚|明晚|后晚)"
)


_BEFORE_A_BIT: Final = "早晚有快慢多少好大小高低吃了 ,.喝加来热凉轻重"


def find_day_part(text: str) -> DayPart | None:
    """The part of a day that a text names: 上午, 下午 or 晚上; None where none or several."""
    named = {found.lastgroup for found in _DAY_PART.finditer(normalise(text))}
    return DayPart(named.pop() or "") if len(named) == 1 else None


def find_times(text: str, now: datetime) -> tuple[TimeFound, ...]:
    """Every time of day in a text as an instant, in order.

    The day is the one named before it, or after it; where none is named it is the next such
    time from now on. An hour from 1 to 6 without 上午 or 下午 is taken for the afternoon,
    when sessions are.
    """
    plain = normalise(text)
    days = [
        found for found in find_dates(plain, now.date(), "future") if isinstance(found, DateFound)
    ]
    times: list[TimeFound] = []
    part = ""
    for matched in _TIME.finditer(plain):
        if any(day.start < matched.end() and _starts(matched) < day.end for day in days):
            continue
        if _is_a_bit(matched, plain):
            continue
        is_second_end = bool(times) and _continues(plain, times, matched)
        part = matched["part"] or (part if is_second_end else "")
        read = _time_of_day(matched, part)
        if read is None:
            continue
        clock, is_next_day, is_sure = read
        day = _day_for(matched, days)
        value, certainty = _instant(clock, day, now, is_next_day=is_next_day, is_sure=is_sure)
        if is_second_end and day is None and value.date() < times[-1].value.date():
            value += timedelta(days=1)
        start = _starts(matched)
        label = plain[matched.start() : matched.end()].strip(" -~到至的")
        times.append(TimeFound(value, label, certainty, start, matched.end()))
    return tuple(times)


def _starts(matched: "re.Match[str]") -> int:
    # 今晚 and 明早 are read as a day as well: only the clock itself may not overlap it.
    return max(
        matched.start(group)
        for group in ("first", "clock_hour", "english", "hour")
        if matched[group] is not None
    )


def _is_a_bit(matched: "re.Match[str]", plain: str) -> bool:
    """Whether 一点 here is "a little": 早一点, 有一点咳嗽."""
    mark = matched["mark"]
    if mark != "点" or matched["part"] in _CLEAR_PARTS or matched["minute"]:
        return False
    if matched["half"] or matched["quarter"]:
        return False
    before = plain[matched.start("hour") - 1 : matched.start("hour")]
    is_whole = plain == "一点"
    return matched["hour"] == "一" and not is_whole and (before == "" or before in _BEFORE_A_BIT)


def _continues(plain: str, times: list[TimeFound], matched: "re.Match[str]") -> bool:
    """Whether a time is the second end of a span: 下午2点到4点 names the afternoon once."""
    between = plain[times[-1].end : matched.start()]
    return re.fullmatch(r"\s?(?:-|~|到|至)?\s?", between) is not None


def _time_of_day(matched: "re.Match[str]", part: str) -> tuple[time, bool, bool] | None:
    """The clock time, whether it falls after midnight of the day named, and whether it is sure."""
    numeral = matched["first"] or matched["clock_hour"] or matched["english"] or matched["hour"]
    hour = read_number(numeral)
    if not isinstance(hour, int) or hour > 24:
        return None
    minute = _minute(matched)
    ampm = matched["ampm"] or matched["english_ampm"]
    if ampm:
        part = "上午" if ampm == "am" else "下午"
    hour, is_sure = _hour_of_day(hour, part, is_clock=matched["clock_hour"] is not None)
    if hour >= 24:
        return time(hour - 24, minute), True, is_sure
    return time(hour, minute), False, is_sure


def _minute(matched: "re.Match[str]") -> int:
    if matched["half"]:
        return 30
    if matched["quarter"]:
        return 15 if matched["quarter"] == "一" else 45
    numeral = matched["clock_minute"] or matched["minute"]
    minute = read_number(numeral) if numeral else 0
    return int(minute) if minute is not None else 0


def _hour_of_day(hour: int, part: str, *, is_clock: bool) -> tuple[int, bool]:
    if part in _MORNING_PARTS or part.startswith(("清", "早")):
        return (0 if part == "凌晨" and hour == 12 else hour), True
    if part in _NOON_PARTS:
        return (hour + 12 if hour < 4 else hour), True
    if part in _AFTERNOON_PARTS:
        return (hour + 12 if hour < 12 else hour), True
    if part in _NIGHT_PARTS:
        return (hour + 12 if 6 <= hour <= 12 else hour), True
    if part:
        return (hour + 12 if hour <= 12 else hour), True
    if is_clock and (hour >= 13 or hour == 0):
        return hour, True
    # Nobody books three in the morning: an early hour without more means the afternoon.
    if 1 <= hour <= 6:
        return hour + 12, False
    return hour, hour > 12 or is_clock


def _day_for(matched: "re.Match[str]", days: list[DateFound]) -> DateFound | None:
    before = [day for day in days if day.start <= matched.start()]
    if before:
        return before[-1]
    return days[0] if days else None


def _instant(
    clock: time, day: DateFound | None, now: datetime, *, is_next_day: bool, is_sure: bool
) -> tuple[datetime, Certainty]:
    on: date = day.value if day else now.date()
    if is_next_day:
        on += timedelta(days=1)
    value = datetime.combine(on, clock, tzinfo=now.tzinfo)
    if day is None and value < now:
        value = datetime.combine(on + timedelta(days=1), clock, tzinfo=now.tzinfo)
    is_exact = is_sure and day is not None and day.certainty is Certainty.EXACT
    return value, Certainty.EXACT if is_exact else Certainty.ROLLED
