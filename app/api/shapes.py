"""The JSON of the API: what comes in is checked by these, what goes out is made of them."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.db import LARGEST_ID

NO_NUL = r"^[^\x00]*$"

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=10, pattern=r"^[^\x00\s]+$")]
Code = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=NO_NUL)]
Words = Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)]


class In(BaseModel):
    """What a caller sends: a field that nobody knows is refused, and not overlooked."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """What a caller gets."""


class Done(Out):
    """It is done; `message` is the sentence for the person."""

    message: str


class SessionOut(Out):
    """One guidance session as this family sees it."""

    code: str
    title: str
    kind: str
    starts_at: datetime
    ends_at: datetime
    station: str
    township: str
    address: str
    phone: str
    min_months: int
    max_months: int
    places_left: int
    waiting: int
    can_wait: bool
    opens_at: datetime
    closes_at: datetime | None
    cancel_until: datetime | None
    is_cancelled: bool
    fits: list[str]
    """Nicknames of the family's children whose age fits on the day."""
    signed_up: list[str]


class SessionPage(Out):
    """One page of a list."""

    items: list[SessionOut]
    page: int
    page_size: int
    total: int
    kinds: list[str]
    """What can be asked for: of all sessions to come, not only of this list."""
    townships: list[str]


class SignUpOut(Out):
    """One child's place, or wish for one."""

    session: str
    title: str
    starts_at: datetime
    ends_at: datetime
    station: str
    address: str
    child: str
    child_id: int
    can_cancel: bool
    """By the family itself; after the deadline the station has to be called."""
    state: Literal[
        "requested",
        "confirmed",
        "waitlisted",
        "offered",
        "attended",
        "no_show",
        "cancelled",
        "declined",
        "expired",
    ]
    position: int | None = None
    """In the waiting list."""
    offer_expires_at: datetime | None = None
    calendar_url: str


class SignUpList(Out):
    items: list[SignUpOut]
    message: str = ""


class ChildOut(Out):
    id: int
    nickname: str
    birth_date: date | None
    due_date: date | None
    sex: Literal["girl", "boy"] | None
    gestation_weeks: int | None


class CaregiverOut(Out):
    id: int
    relation: str | None
    is_me: bool


class PushesOut(Out):
    state: Literal["on", "paused", "off"]
    paused_until: date | None
    per_week: int
    topics: list[str]
    """All there are; those that are muted are not sent."""
    muted_topics: list[str]
    quiet_from: int
    quiet_until: int


class FamilyOut(Out):
    """The family of who calls; without children, nothing is registered yet."""

    is_registered: bool
    is_guardian: bool
    children: list[ChildOut]
    caregivers: list[CaregiverOut]
    township: str | None
    station: str | None
    station_phone: str | None
    need: bool | None
    pushes: PushesOut


class ConsentOut(Out):
    child: str
    purpose: str
    version: str
    given_at: datetime
    is_own: bool
    withdrawn_at: datetime | None


class ConsentNotice(Out):
    """What a guardian agrees to: shown whole before the first datum."""

    version: str
    text: str


class ConsentList(Out):
    items: list[ConsentOut]
    notice: ConsentNotice


class HeldTableOut(Out):
    name: str
    columns: list[str]
    rows: list[list[str | int | float | bool | None]]


class ReadableFact(Out):
    name: str
    value: str


class ReadableTableOut(Out):
    name: str
    rows: list[list[ReadableFact]]


class Holdings(Out):
    """Everything that is held about the family."""

    tables: list[HeldTableOut]
    """As it is stored, for a machine."""
    readable: list[ReadableTableOut]
    """The same for a person: in Chinese, and what is empty left out."""


class InvitationOut(Out):
    code: str
    expires_at: datetime
    message: str


class YearSessionOut(Out):
    code: str
    title: str
    starts_at: datetime
    station: str
    state: str
    children: list[str]


class ProposedOut(Out):
    id: int
    code: str
    title: str
    starts_at: datetime
    station: str
    township: str
    is_waiting: bool
    """Full: agreeing joins its waiting list."""


class YearPlanOut(Out):
    year: int
    attended: int
    arranged: int
    target: int
    has_plan: bool
    takes: bool
    """Whether what fits is signed up for without a question."""
    child: int | None
    """For whom the proposal is; None where no child is born yet."""
    sessions: list[YearSessionOut]
    proposed: list[ProposedOut]
    short: int
    """How many more are missing for which nothing fits yet."""
    message: str = ""
