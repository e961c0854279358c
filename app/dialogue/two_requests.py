"""Two requests in one message: 周六有活动吗，另外上门要收费吗."""

from dataclasses import dataclass
from typing import Final

from app.dialogue.intent import SURE, read_command, read_wish, understand
from app.late_pattern import LatePattern

_BREAK: Final = LatePattern(
    r"[,。.;!?、\s]+|(?:,|。)?(?:顺便|另外|还有一?(?:件|个)?事?|对了|再问(?:一)?下|还想问(?:一)?下?|再帮我|同时)[,:]?"
)
_ASKS: Final = LatePattern(
    "[?]|吗|呢|么|伐|怎么|怎样|哪能|什么|啥|多少|哪|几|能不能|可不可以|可以|要不要|有没有|想|帮|报|取消|查|看看|发我|给我|预约|约"
)
SHOWS: Final = frozenset({"list_sessions", "my_bookings", "course_progress", "ask_pack"})
"""Intents that change nothing: what they say can stand beside another answer."""
_OF_BOOKINGS: Final = frozenset(
    {"list_sessions", "book_session", "my_bookings", "cancel_booking", "reschedule"}
)
"""我约的是周六，想改成周日: two of these in one message are mostly one request."""
_OF_THE_COURSE: Final = frozenset({"faq_grandparent", "course_enrol", "book_session"})
SHORTEST: Final = 4


_AND: Final = LatePattern("另外|还有|对了|再问|还想问|同时")


@dataclass(frozen=True, slots=True)
class Request:
    """One of two: its words, and what it wants."""

    text: str
    label: str
    likeliest: tuple[str, ...]

    @property
    def only_shows(self) -> bool:
        return self.label in SHOWS or self.label.startswith("faq_")


def two_requests(plain: str) -> tuple[Request, Request] | None:
    """The two in a normalised message; None where it is one, or it is not sure that it is two.

    Both have to ask for something and to be surely understood, each for itself:
    宝宝发烧了，明天不来了 gives a reason and asks for one thing.
    """
    parts = [part for part in _BREAK.split(plain) if len(part) >= SHORTEST]
    if not 2 <= len(parts) <= 4 or read_command(plain) is not None or read_wish(plain) is not None:
        return None
    found: list[Request] = []
    for part in parts:
        if not _ASKS.search(part):
            continue
        understood = understand(part)
        if understood.label in (None, "other", "greeting", "thanks"):
            continue
        if understood.confidence < SURE:
            return None
        found.append(Request(part, understood.label or "", understood.likeliest))
    if len(found) != 2:
        return None
    if found[0].label == found[1].label and not _are_two_questions(plain, found[0]):
        return None
    labels = {request.label for request in found}
    if labels <= _OF_BOOKINGS or labels <= _OF_THE_COURSE:
        return None
    return found[0], found[1]


def _are_two_questions(plain: str, first: Request) -> bool:
    """Whether two of one kind are meant: 地址在哪，还有上门要钱吗 has a word between them."""
    return first.label.startswith("faq_") and _AND.search(plain) is not None
