"""What a notice knows: one frozen record a kind, stored as JSON, spoken by words/notices.py."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from app.models.visit_facts import VisitFacts


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
    can_cancel: bool = True
    """Whether the family could still give its place back by itself when this was written."""


class SignUpConfirmed(_SignUpFacts):
    kind: Literal["sign_up_confirmed"] = "sign_up_confirmed"


class SignUpDeclined(_SignUpFacts):
    kind: Literal["sign_up_declined"] = "sign_up_declined"
    reason: str


class AgedOut(_Facts):
    """Why a change took a place away: the child's age on the new day, and the ages wanted."""

    was_at: AwareDatetime
    age_months: int | None
    """None where the child is not born by then."""
    min_months: int
    max_months: int


class SignUpCancelledByStaff(_SignUpFacts):
    kind: Literal["sign_up_cancelled"] = "sign_up_cancelled"
    reason: str
    """As staff wrote it; a code where the next field says more."""
    sign_up_ids: tuple[int, ...] = ()
    """All that one message is for; empty for a single sign-up."""
    aged_out: AgedOut | None = None


class SignUpOffered(_SignUpFacts):
    """A seat has come free, and it is this child's turn."""

    kind: Literal["sign_up_offered"] = "sign_up_offered"
    until: AwareDatetime
    was_at: AwareDatetime | None = None
    """The time that the family knew, where the session was moved in the same step."""


class WaitingEnded(_SignUpFacts):
    """No seat has come free, and none will be offered any more."""

    kind: Literal["waiting_ended"] = "waiting_ended"
    sign_up_ids: tuple[int, ...] = ()


class SignUpOfferExpired(_SignUpFacts):
    """Nobody answered an offer in time; its seat has gone to the next in line."""

    kind: Literal["sign_up_offer_expired"] = "sign_up_offer_expired"


class SessionChanged(_SignUpFacts):
    """A session moved in time or place after the family had signed up."""

    kind: Literal["session_changed"] = "session_changed"
    was_at: AwareDatetime
    is_waiting: bool = False
    """The family has no place yet, but waits for one."""
    offer_until: AwareDatetime | None = None
    """Until when the seat is held that was offered and is still to be accepted."""
    was_place: str = ""
    """Where it was to be, where that is another place."""
    ends_at: AwareDatetime | None = None
    was_ends_at: AwareDatetime | None = None
    """None in what was written before messages said how long."""
    sign_up_ids: tuple[int, ...] = ()
    """All that one message is for, siblings; empty in what was written before there were such."""


class SessionReminder(_Facts):
    """A session is near; one message for all the children that a caregiver signed up."""

    kind: Literal["reminder_24h", "reminder_2h"]
    sign_up_ids: tuple[int, ...]
    nicknames: tuple[str, ...]
    can_cancel: bool = True
    """Whether the places could still be given back when this was written."""
    calendar_sequence: int
    """Of the session as it was announced; a move makes the reminder untrue."""
    code: str
    title: str
    starts_at: AwareDatetime
    place: str
    address: str
    phone: str


class PlanSession(_Facts):
    """One session as a year plan's notices name it."""

    code: str
    title: str
    starts_at: AwareDatetime
    place: str


class PlanTaken(_Facts):
    """Sessions that a year plan has signed up for by itself, as its family once asked."""

    kind: Literal["plan_taken"] = "plan_taken"
    nickname: str
    attended: int
    arranged: int
    target: int
    sessions: tuple[PlanSession, ...]
    sign_up_ids: tuple[int, ...]
    awaited: tuple[str, ...] = ()
    """Codes of those that staff still have to confirm."""


class PlanProposed(_Facts):
    """Sessions that a year plan offers for what it is short of; nobody has answered yet."""

    kind: Literal["plan_proposed"] = "plan_proposed"
    plan_id: int
    nickname: str
    attended: int
    arranged: int
    target: int
    sessions: tuple[PlanSession, ...]


class YearPlanNudge(_Facts):
    """A family is behind with its year's sessions, and some that fit are open."""

    kind: Literal["year_plan_nudge"] = "year_plan_nudge"
    year: int
    nickname: str
    attended: int
    arranged: int
    target: int
    openings: int
    first: PlanSession


class CourseModulePassed(_Facts):
    """Tells the family that a grandparent has completed a module of the course."""

    kind: Literal["course_module_passed"] = "course_module_passed"
    learner_id: int
    relation: str
    module: int
    name: str
    modules: int
    """Passed in all."""


class CourseNudge(_Facts):
    """A learner has not gone on for a week or more."""

    kind: Literal["course_nudge"] = "course_nudge"
    learner_id: int
    nudge: int
    """1 to 4; the last one says that it is the last."""
    lessons_passed: int
    lesson: str | None
    """The next lesson's title; None where only practice is missing."""
    module: str
    """The module that waits: of the lesson, or of the practice."""


class CourseEnrolledByStaff(_Facts):
    """A station enrolled this caregiver from its paper list."""

    kind: Literal["course_enrolled"] = "course_enrolled"
    learner_id: int
    station: str


class CertificateChanged(_Facts):
    """Staff revoked a certificate, or restored it."""

    kind: Literal["certificate_revoked", "certificate_restored"]
    code: str
    reason: str
    phone: str


class PackDue(_Facts):
    """A pack of the child's age; alike for everybody until a deliverer says whose age it is."""

    kind: Literal["pack"] = "pack"
    pack: str
    version: int
    title: str
    message: str
    from_days: int
    until_days: int
    nicknames: tuple[str, ...] = ()
    is_welcome: bool = False
    """The first that this caregiver is sent: it says what is to come, and how to stop it."""


class LateReply(_Facts):
    """The answer of a turn that took longer than the platform waits."""

    kind: Literal["late_reply"] = "late_reply"
    text: str


class StaffAnswer(_Facts):
    """What a person of the staff says in a conversation that the family asked for."""

    kind: Literal["staff_answer"] = "staff_answer"
    thread_id: int
    text: str
    who: str
    """The station's name; empty for the district."""


class ThreadLate(_Facts):
    """Nobody has answered yet, and the family is told how else to reach somebody."""

    kind: Literal["thread_late"] = "thread_late"
    thread_id: int
    phone: str


ERASED_FACTS = LateReply(text="")
"""What is left of a notice of any kind whose family had its data erased."""


class CaregiverJoined(_Facts):
    """Tells the one who invited that the invited person is in the family now."""

    kind: Literal["caregiver_joined"] = "caregiver_joined"
    relation: str | None


NoticeFacts = Annotated[
    SignUpConfirmed
    | SignUpDeclined
    | SignUpCancelledByStaff
    | SignUpOffered
    | SignUpOfferExpired
    | WaitingEnded
    | SessionChanged
    | SessionReminder
    | PlanProposed
    | PlanTaken
    | YearPlanNudge
    | CourseModulePassed
    | CourseNudge
    | CourseEnrolledByStaff
    | CertificateChanged
    | PackDue
    | VisitFacts
    | LateReply
    | StaffAnswer
    | ThreadLate
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
    "ERASED_FACTS",
    "AgedOut",
    "CaregiverJoined",
    "CertificateChanged",
    "CourseEnrolledByStaff",
    "CourseModulePassed",
    "CourseNudge",
    "LateReply",
    "NoticeFacts",
    "PackDue",
    "PlanProposed",
    "PlanSession",
    "PlanTaken",
    "SessionChanged",
    "SessionReminder",
    "SignUpCancelledByStaff",
    "SignUpConfirmed",
    "SignUpDeclined",
    "SignUpOfferExpired",
    "SignUpOffered",
    "StaffAnswer",
    "ThreadLate",
    "WaitingEnded",
    "YearPlanNudge",
    "dump_facts",
    "load_facts",
]
