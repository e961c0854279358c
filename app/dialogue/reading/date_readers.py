"""How each rule of the date grammar turns a match into days."""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

from app.dialogue.reading.numerals import read_number
from app.rules.age import add_months
from app.rules.lunar import solar_day


@dataclass(frozen=True, slots=True)
class OneDay:
    day: date
    rolled: bool = False


@dataclass(frozen=True, slots=True)
class Several:
    first: date
    last: date
    rolled: bool = False


@dataclass(frozen=True, slots=True)
class Impossible:
    pass


@dataclass(frozen=True, slots=True)
class Lunar:
    pass


Reading: TypeAlias = OneDay | Several | Impossible | Lunar
Lean: TypeAlias = Literal["past", "future"]
"""Where a date without a year lies: births in the past, bookings in the future."""
Reader: TypeAlias = Callable[["re.Match[str]", date, Lean], Reading | None]


PLAUSIBLE_YEARS: Final = 6
"""A year of two digits, or a date without separators, is believed this near to today."""


def _number(numeral: str) -> int:
    value = read_number(numeral)
    return int(value) if value is not None else -1


def _make(year: int, month: int, day: int) -> OneDay | Impossible:
    try:
        return OneDay(date(year, month, day))
    except ValueError:
        return Impossible()


def _full_year(numeral: str) -> int:
    year = _number(numeral)
    return year if year >= 100 else 2000 + year


def roll_month_day(month: int, day: int, today: date, lean: Lean) -> OneDay | Impossible:
    """The nearest such day on the side of the lean. 29 February waits for its leap year."""
    step = 1 if lean == "future" else -1
    for year in range(today.year, today.year + 9 * step, step):
        made = _make(year, month, day)
        if isinstance(made, OneDay):
            is_on_side = made.day >= today if lean == "future" else made.day <= today
            if is_on_side:
                return OneDay(made.day, rolled=True)
    return Impossible()


def read_full(matched: "re.Match[str]", _today: date, _lean: Lean) -> Reading:
    return _make(_full_year(matched["y"]), _number(matched["m"]), _number(matched["d"]))


def read_short_year(matched: "re.Match[str]", today: date, _lean: Lean) -> Reading | None:
    year = _full_year(matched["y"])
    if abs(year - today.year) > PLAUSIBLE_YEARS:
        return None
    return _make(year, _number(matched["m"]), _number(matched["d"]))


def read_packed_six(matched: "re.Match[str]", today: date, _lean: Lean) -> Reading | None:
    # Six digits may be a postcode or a code: only a real and near day is taken for a date.
    reading = read_short_year(matched, today, _lean)
    return reading if isinstance(reading, OneDay) else None


_YEAR_WORDS: Final = {
    "大前年": -3,
    "前年": -2,
    "去年": -1,
    "今年": 0,
    "本年": 0,
    "明年": 1,
    "后年": 2,
}


def read_month_day(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    month, day = _number(matched["m"]), _number(matched["d"])
    if matched["yw"]:
        return _make(today.year + _YEAR_WORDS[matched["yw"]], month, day)
    return roll_month_day(month, day, today, lean)


_WHICH: Final = {"上上": -2, "上": -1, "这": 0, "本": 0, "当": 0, "下": 1, "下下": 2}


def _month_start(today: date, offset: int) -> date:
    return add_months(today.replace(day=1), offset)


def _month_span(first: date, part: str | None, *, rolled: bool) -> Several:
    """A month, or its first, middle or last ten days, as 上旬 中旬 下旬 are defined."""
    last_day = monthrange(first.year, first.month)[1]
    bounds = {"初": (1, 10), "上": (1, 10), "中": (11, 20), "底": (21, last_day)}
    bounds |= {"末": bounds["底"], "下": bounds["底"]}
    low, high = bounds[part[0]] if part else (1, last_day)
    return Several(first.replace(day=low), first.replace(day=high), rolled=rolled)


def read_which_month_day(matched: "re.Match[str]", today: date, _lean: Lean) -> Reading:
    first = _month_start(today, _WHICH[matched["which"]])
    return _make(first.year, first.month, _number(matched["d"]))


def read_which_month(matched: "re.Match[str]", today: date, _lean: Lean) -> Reading:
    first = _month_start(today, _WHICH[matched["which"]])
    return _month_span(first, matched["part"], rolled=False)


def read_part_of_month(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    span = _month_span(today.replace(day=1), matched["part"], rolled=True)
    if lean == "future" and span.last < today and not matched["this"]:
        return _month_span(_month_start(today, 1), matched["part"], rolled=True)
    return span


def read_year_month(matched: "re.Match[str]", today: date, _lean: Lean) -> Reading:
    word = matched["yw"]
    year = today.year + _YEAR_WORDS[word] if word else _full_year(matched["y"])
    made = _make(year, _number(matched["m"]), 1)
    if isinstance(made, Impossible):
        return made
    return _month_span(made.day, matched["part"], rolled=False)


def read_bare_month(matched: "re.Match[str]", today: date, lean: Lean) -> Reading | None:
    month = _number(matched["m"])
    if not 1 <= month <= 12:
        return None
    step = 1 if lean == "future" else -1
    year = today.year
    if (month - today.month) * step < 0:
        year += step
    return _month_span(date(year, month, 1), matched["part"], rolled=True)


def read_bare_day(matched: "re.Match[str]", today: date, lean: Lean) -> Reading | None:
    day = _number(matched["d"])
    if not 1 <= day <= 31:
        return None
    step = 1 if lean == "future" else -1
    for offset in range(0, 3 * step, step):
        first = _month_start(today, offset)
        made = _make(first.year, first.month, day)
        if isinstance(made, OneDay):
            is_on_side = made.day >= today if lean == "future" else made.day <= today
            if is_on_side:
                return OneDay(made.day, rolled=True)
    return None


_DAY_WORDS: Final = {
    "大前": -3,
    "前": -2,
    "昨": -1,
    "今": 0,
    "明": 1,
    "后": 2,
    "大后": 3,
}


def read_day_word(matched: "re.Match[str]", today: date, _lean: Lean) -> Reading:
    return OneDay(today + timedelta(days=_DAY_WORDS[matched["word"]]))


def read_distance(matched: "re.Match[str]", today: date, _lean: Lean) -> Reading | None:
    sign = 1 if matched["side"] == "后" else -1
    unit = matched["unit"]
    count = read_number(matched["n"])
    if count is None or count > 400:
        return None
    if matched["half"]:
        count += 0.5
    if unit in ("天", "日"):
        return OneDay(today + sign * timedelta(days=int(count)))
    if unit in ("周", "星期", "礼拜"):
        return OneDay(today + sign * timedelta(days=int(count * 7)))
    months = count * 12 if unit == "年" else count
    day = add_months(today, sign * int(months))
    if months != int(months):
        day += sign * timedelta(days=15)
    return OneDay(day, rolled=True)


_WEEKDAYS: Final = {
    **{digit: number for number, digit in enumerate("一二三四五六日")},
    **{str(number + 1): number for number in range(7)},
    "天": 6,
}


def _monday(today: date, offset_weeks: int) -> date:
    return today + timedelta(days=7 * offset_weeks - today.weekday())


def read_weekday(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    number = _WEEKDAYS[matched["day"]]
    if matched["which"]:
        return OneDay(_monday(today, _WHICH[matched["which"]]) + timedelta(days=number))
    ahead = (number - today.weekday()) % 7
    if lean == "past" and ahead:
        ahead -= 7
    return OneDay(today + timedelta(days=ahead), rolled=True)


def read_weekend(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    which = matched["which"]
    monday = _monday(today, _WHICH[which] if which else 0)
    if not which and lean == "past" and today.weekday() < 5:
        monday -= timedelta(days=7)
    saturday = monday + timedelta(days=5)
    return Several(saturday, saturday + timedelta(days=1), rolled=not which)


def read_week(matched: "re.Match[str]", today: date, _lean: Lean) -> Reading:
    monday = _monday(today, _WHICH[matched["which"]])
    return Several(monday, monday + timedelta(days=6))


@dataclass(frozen=True, slots=True)
class Festival:
    """A festival on a fixed day of the solar year, and how many days off begin with it."""

    month: int
    day: int
    days_off: int = 1


_FESTIVALS: Final = {
    "元旦": Festival(1, 1),
    "三八": Festival(3, 8),
    "妇女节": Festival(3, 8),
    "劳动节": Festival(5, 1, 5),
    "五一": Festival(5, 1, 5),
    "儿童节": Festival(6, 1),
    "六一": Festival(6, 1),
    "教师节": Festival(9, 10),
    "国庆": Festival(10, 1, 7),
    "十一": Festival(10, 1, 7),
    "圣诞": Festival(12, 25),
}


def read_festival(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    festival = _FESTIVALS[matched["name"]]
    if matched["yw"]:
        year = today.year + _YEAR_WORDS[matched["yw"]]
        reading: OneDay | Impossible = _make(year, festival.month, festival.day)
    else:
        reading = roll_month_day(festival.month, festival.day, today, lean)
    if isinstance(reading, Impossible):
        return reading
    last = reading.day + timedelta(days=festival.days_off - 1)
    if matched["after"]:
        return OneDay(last + timedelta(days=1), rolled=True)
    if matched["holiday"] and festival.days_off > 1:
        return Several(reading.day, last, rolled=True)
    return OneDay(reading.day, rolled=reading.rolled)


_LUNAR_MONTHS: Final = {"正": 1, "冬": 11, "腊": 12}
_LUNAR_FESTIVALS: Final = {
    "春节": (1, 1),
    "过年": (1, 1),
    "除夕": (1, 0),
    "大年夜": (1, 0),
    "年三十": (1, 0),
    "元宵": (1, 15),
    "端午": (5, 5),
    "七夕": (7, 7),
    "中秋": (8, 15),
    "重阳": (9, 9),
    "腊八": (12, 8),
}
_SPRING_HOLIDAY_LAST: Final = 7
"""The holiday of the Spring Festival ends with the seventh of the first month."""
_SOLAR_TERMS: Final = {"清明": (4, 4.81), "冬至": (12, 21.94)}
"""Month, and the constant of this century in the almanac's formula for the day."""


def _on_side(make: Callable[[int], date | None], today: date, lean: Lean) -> OneDay | Lunar:
    """The nearest such day of a lunar year on the side of the lean."""
    years = (-1, 0, 1) if lean == "future" else (1, 0, -1)
    for offset in years:
        day = make(today.year + offset)
        if day is not None and (day >= today if lean == "future" else day <= today):
            return OneDay(day, rolled=True)
    return Lunar()


def _said_or_rolled(
    make: Callable[[int], date | None], year_word: str | None, today: date, lean: Lean
) -> OneDay | Lunar:
    if year_word:
        day = make(today.year + _YEAR_WORDS[year_word])
        return OneDay(day) if day is not None else Lunar()
    return _on_side(make, today, lean)


def read_lunar(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    """腊月初八, 农历八月十五, 大年初一, 初八. Births are asked for again: years were not said."""
    groups = matched.groupdict()
    if lean == "past" or not groups["d"]:
        return Lunar()
    day = _number(groups["d"])
    word = groups.get("yw")
    if groups.get("new_year"):
        month = 1
    elif groups.get("m"):
        month = _LUNAR_MONTHS.get(groups["m"]) or _number(groups["m"])
    else:
        return _next_lunar_day(day, today)
    return _said_or_rolled(lambda year: solar_day(year, month, day), word, today, lean)


def _next_lunar_day(day: int, today: date) -> OneDay | Lunar:
    days = (
        solar_day(year, month, day)
        for year in (today.year - 1, today.year)
        for month in range(1, 13)
    )
    ahead = sorted(found for found in days if found is not None and found >= today)
    return OneDay(ahead[0], rolled=True) if ahead else Lunar()


def read_lunar_festival(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    if lean == "past":
        return Lunar()
    name, after = matched["name"], bool(matched["after"])
    if name == "小年夜":
        # In Shanghai the evening before the last of the year.
        def make(year: int) -> date | None:
            eve = solar_day(year, 1, 0)
            return eve - timedelta(days=1) if eve else None
    else:
        month, day = _LUNAR_FESTIVALS[name]
        if after:
            day = _SPRING_HOLIDAY_LAST + 1 if month == 1 and day <= 1 else day + 1

        def make(year: int) -> date | None:
            return solar_day(year, month, day)

    return _said_or_rolled(make, matched["yw"], today, lean)


def read_solar_term(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    if lean == "past":
        return Lunar()
    month, constant = _SOLAR_TERMS[matched["name"]]

    def make(year: int) -> date | None:
        short = year % 100
        return date(year, month, int(short * 0.2422 + constant) - short // 4)

    return _said_or_rolled(make, matched["yw"], today, lean)


def read_first_month_day(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    return roll_month_day(1, _number(matched["d"]), today, lean)


def read_after_days(matched: "re.Match[str]", today: date, _lean: Lean) -> Reading | None:
    count = read_number(matched["n"])
    if count is None or count != int(count) or count > 400:
        return None
    days = int(count) * (7 if matched["unit"] in ("周", "星期", "礼拜") else 1)
    return OneDay(today + timedelta(days=days), rolled=True)


def read_part_of_year(matched: "re.Match[str]", today: date, lean: Lean) -> Reading:
    first, last = (12, 21), (12, 31)
    if matched["part"] == "初":
        first, last = (1, 1), (1, 10)
    year = today.year
    if lean == "future" and date(year, *last) < today:
        year += 1
    return Several(date(year, *first), date(year, *last), rolled=True)
