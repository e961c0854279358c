"""What a notice knows: one frozen record a kind, stored as JSON, spoken by words/notices.py."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class _SignUpFacts(_Facts):
    nickname: str
    code: str
    title: str
    starts_at: AwareDatetime
    place: str
    address: str
    phone: str


class SignUpConfirmed(_SignUpFacts):
    kind: Literal["sign_up_confirmed"] = "sign_up_confirmed"


class SignUpDeclined(_SignUpFacts):
    kind: Literal["sign_up_declined"] = "sign_up_declined"
    reason: str


class SignUpCancelledByStaff(_SignUpFacts):
    kind: Literal["sign_up_cancelled"] = "sign_up_cancelled"
    reason: str


class SessionChanged(_SignUpFacts):
    """A session moved in time or place after the family had signed up."""

    kind: Literal["session_changed"] = "session_changed"
    was_at: AwareDatetime


class LateReply(_Facts):
    """The answer of a turn that took longer than the platform waits."""

    kind: Literal["late_reply"] = "late_reply"
    text: str


class CaregiverJoined(_Facts):
    """Tells the one who invited that the invited person is in the family now."""

    kind: Literal["caregiver_joined"] = "caregiver_joined"
    relation: str | None


NoticeFacts = Annotated[
    SignUpConfirmed
    | SignUpDeclined
    | SignUpCancelledByStaff
    | SessionChanged
    | LateReply
    | CaregiverJoined,
    Field(discriminator="kind"),
]

NOTICE_FACTS: TypeAdapter[NoticeFacts] = TypeAdapter(NoticeFacts)


def dump_facts(facts: NoticeFacts) -> str:
    """The JSON that is stored."""
    return NOTICE_FACTS.dump_json(facts).decode()


def load_facts(stored: str) -> NoticeFacts:
    """The record again. Raises pydantic.ValidationError where the JSON is not one."""
    return NOTICE_FACTS.validate_json(stored)


__all__ = [
    "CaregiverJoined",
    "LateReply",
    "NoticeFacts",
    "SessionChanged",
    "SignUpCancelledByStaff",
    "SignUpConfirmed",
    "SignUpDeclined",
    "dump_facts",
    "load_facts",
]
