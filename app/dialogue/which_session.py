"""Which sessions a wish in free words means: by day, part of the day, township and kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from app.clock import SHANGHAI
from app.dialogue.reading.dates import days_of, find_dates
from app.dialogue.reading.times import DayPart, find_day_part
from app.dialogue.reading.townships import find_townships
from app.late_pattern import LatePattern
from app.services.sessions import OpenSession

_KINDS: Final = LatePattern(
    "流动车|嘉年华|阅读|绘本|加油站|祖辈|抚触|音乐|讲座|急救|辅食|亲子操|体能|游戏|按摩|感统|手工"
)
_ALL_CHILDREN: Final = LatePattern(
    "两个(?:孩子|宝宝|小囡|娃)?都|都(?:去|报|参加|来)|双胞胎|一起|大宝(?:和|跟|、|,)?二宝|全家|兄弟|姐妹"
)
_NOON: Final = 12
_EVENING: Final = 17


@dataclass(frozen=True, slots=True)
class Wish:
    """What a message says about the session that it wants."""

    days: tuple[date, ...] = ()
    """Pairs of first and last day."""
    part: DayPart | None = None
    townships: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    is_for_all: bool = False
    """All the family's children are to come."""

    @property
    def is_empty(self) -> bool:
        return not (self.days or self.part or self.townships or self.kinds)


def read_wish(text: str, today: date) -> Wish:
    """The wish in a normalised message."""
    days: list[date] = []
    for found in find_dates(text, today, "future"):
        of = days_of(found)
        if of:
            days += [of[0], of[-1]]
    return Wish(
        tuple(days),
        find_day_part(text),
        tuple(dict.fromkeys(found.name for found in find_townships(text))),
        tuple(dict.fromkeys(_KINDS.findall(text))),
        _ALL_CHILDREN.search(text) is not None,
    )


def corrected(wish: Wish, by: Wish) -> Wish:
    """不是，是下周日: what the correction says anew, and the rest as it was."""
    return Wish(
        by.days or wish.days,
        by.part or (None if by.days else wish.part),
        by.townships or wish.townships,
        by.kinds or wish.kinds,
        by.is_for_all or wish.is_for_all,
    )


def that_match(wish: Wish, sessions: Sequence[OpenSession]) -> list[OpenSession]:
    """The sessions that are all that the wish says."""
    return [session for session in sessions if _matches(wish, session)]


def _matches(wish: Wish, session: OpenSession) -> bool:
    starts = session.starts_at.astimezone(SHANGHAI)
    spans = zip(wish.days[::2], wish.days[1::2], strict=True)
    if wish.days and not any(first <= starts.date() <= last for first, last in spans):
        return False
    if wish.part is not None and wish.part is not _part_of(starts):
        return False
    if wish.townships and session.township not in wish.townships:
        return False
    called = f"{session.title}{session.kind}"
    return all(kind in called for kind in wish.kinds)


def _part_of(starts: datetime) -> DayPart:
    if starts.hour < _NOON:
        return DayPart.MORNING
    return DayPart.AFTERNOON if starts.hour < _EVENING else DayPart.EVENING
