"""Every value that a message holds, found at once: for tools that show what was understood."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from app.dialogue.reading.contacts import find_codes, find_phones
from app.dialogue.reading.dates import days_of, find_dates
from app.dialogue.reading.names import find_called
from app.dialogue.reading.numerals import find_numbers
from app.dialogue.reading.plain import normalise, tidy
from app.dialogue.reading.registration import read_registration
from app.dialogue.reading.times import find_times
from app.dialogue.reading.townships import TownshipFound, find_township, find_townships

_BOOKED: Final = re.compile(r"(?:报名|取消)\s*[A-Za-z0-9_-]{2,20}\s+(?P<name>\S{1,10})")
_REGISTERS: Final = re.compile("登[记季][^一下宝信]")


@dataclass(frozen=True, slots=True)
class Slots:
    """What was found, each in the order of the text."""

    dates: tuple[date, ...]
    """A span gives its first and last day, an impossible date none."""
    times: tuple[datetime, ...]
    numbers: tuple[int | float, ...]
    """Those that are no part of a date, a time or a telephone number."""
    names: tuple[str, ...]
    townships: tuple[str, ...]
    codes: tuple[str, ...]
    phones: tuple[str, ...]


def read_slots(text: str, now: datetime) -> Slots:
    """The values in a text. Dates without a year lie ahead, as bookings do."""
    plain = normalise(text)
    dates = find_dates(plain, now.date(), "future")
    times = find_times(plain, now)
    phones = find_phones(plain)
    on_dates = [(found.start, found.end) for found in dates]
    # Every code of ours has a digit; dha, app and ipad have none.
    codes = [
        code
        for code in find_codes(text)
        if re.search(r"\d", code.code) and not _overlaps(code.start, code.end, on_dates)
    ]
    taken = [(found.start, found.end) for found in (*dates, *times, *phones, *codes)]
    numbers = tuple(
        number.value
        for number in find_numbers(plain)
        if not _overlaps(number.start, number.end, taken)
    )
    return Slots(
        dates=tuple(day for found in dates for day in days_of(found)),
        times=tuple(found.value for found in times),
        numbers=numbers,
        names=_names(text, now.date()),
        townships=_townships(text),
        codes=tuple(code.code for code in codes),
        phones=tuple(phone.e164 for phone in phones),
    )


def _overlaps(start: int, end: int, places: list[tuple[int, int]]) -> bool:
    return any(start < last and first < end for first, last in places)


def _names(text: str, today: date) -> tuple[str, ...]:
    called = find_called(text)
    if called is not None:
        return (called[0],)
    booked = _BOOKED.fullmatch(tidy(text))
    if booked is not None:
        return (booked["name"],)
    if _REGISTERS.match(tidy(text)):
        nickname = read_registration(text, today).nickname
        return (nickname,) if nickname else ()
    return ()


def _townships(text: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(found.name for found in find_townships(text)))
    if named:
        return named
    found = find_township(text)
    return (found.name,) if isinstance(found, TownshipFound) else ()
