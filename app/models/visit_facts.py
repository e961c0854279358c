"""What notices about home visits know, as data; part of the union in notice_facts.py."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict


class _VisitFacts(BaseModel):
    model_config = ConfigDict(frozen=True)

    nickname: str
    starts_at: AwareDatetime | None
    """None where a request never had a time."""
    ends_at: AwareDatetime | None
    visitor: str
    visitor_phone: str
    visitor_code: str
    has_photo: bool = False
    code_word: int
    moves: int
    station_phone: str


class VisitConfirmed(_VisitFacts):
    kind: Literal["visit_confirmed"] = "visit_confirmed"


class VisitMoved(_VisitFacts):
    """Another time or another visitor than the family was told before."""

    kind: Literal["visit_moved"] = "visit_moved"
    was_at: AwareDatetime | None
    was_visitor: str


class VisitDeclined(_VisitFacts):
    kind: Literal["visit_declined"] = "visit_declined"
    reason: str


class VisitCancelledByStaff(_VisitFacts):
    kind: Literal["visit_cancelled"] = "visit_cancelled"
    reason: str


class VisitProposed(_VisitFacts):
    """Staff offer another time; starts_at and visitor are those offered."""

    kind: Literal["visit_proposed"] = "visit_proposed"
    proposal_id: int
    was_at: AwareDatetime | None
    until: AwareDatetime


class VisitWishEnded(_VisitFacts):
    """The time that the family wished is not to be; starts_at is the one that stands, or None."""

    kind: Literal["visit_wish_ended"] = "visit_wish_ended"
    proposal_id: int
    wished_at: AwareDatetime
    was_declined: bool
    """False where nobody answered in time."""


class VisitReminded(_VisitFacts):
    kind: Literal["visit_evening", "visit_2h"]


class VisitorOnTheWay(_VisitFacts):
    kind: Literal["visit_on_the_way"] = "visit_on_the_way"


class VisitMissed(_VisitFacts):
    """The visitor was at the door, and nobody opened."""

    kind: Literal["visit_missed"] = "visit_missed"


class VisitPack(BaseModel):
    """A piece of guidance that fits what was talked about."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str


class ChildSeen(BaseModel):
    """What the family is told of one child."""

    model_config = ConfigDict(frozen=True)

    nickname: str
    weight_grams: int | None
    temperature: float | None
    feeding: str | None
    jaundice: str | None
    cord: str | None
    danger: tuple[str, ...]
    advised: tuple[str, ...]


class VisitSummary(_VisitFacts):
    """What was seen and advised, what comes next, and how it was."""

    kind: Literal["visit_summary"] = "visit_summary"
    children: tuple[ChildSeen, ...]
    advice: tuple[str, ...]
    vaccinations_missing: bool
    referred_to: str
    next_on: str | None
    """ISO date of the next visit that is owed; None where none is."""
    packs: tuple[VisitPack, ...] = ()


VisitFacts = (
    VisitConfirmed
    | VisitMoved
    | VisitDeclined
    | VisitCancelledByStaff
    | VisitProposed
    | VisitWishEnded
    | VisitReminded
    | VisitorOnTheWay
    | VisitMissed
    | VisitSummary
)
