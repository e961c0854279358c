"""Domain errors: facts, no wording. words/errors.py says each of them in Chinese."""

from dataclasses import dataclass
from datetime import date, datetime


class DomainError(Exception):
    """Something a person asked for cannot be done; the fields say why."""


@dataclass(eq=False)
class BornInFuture(DomainError):
    born: date
    on: date


@dataclass(eq=False)
class ChildTooOld(DomainError):
    """Three years or older: the service is for children under 36 months."""

    born: date
    age_months: int


@dataclass(eq=False)
class DueDateOutOfRange(DomainError):
    """A due date in the past, or further off than a pregnancy lasts."""

    due: date
    on: date


@dataclass(eq=False)
class QuietHoursOutOfRange(DomainError):
    """A night of one's own begins and ends within these hours."""

    earliest_from: int
    latest_from: int
    earliest_until: int
    latest_until: int


@dataclass(eq=False)
class MeasurementImplausible(DomainError):
    """No child under three weighs or measures that."""

    what: str
    """weight, length or head."""
    value: int
    """Grams or millimetres."""


@dataclass(eq=False)
class NotRegistered(DomainError):
    """The caregiver belongs to no family yet."""


@dataclass(eq=False)
class ConsentMissing(DomainError):
    """A child's datum was offered before a guardian agreed."""


@dataclass(eq=False)
class ChildAlreadyRegistered(DomainError):
    nickname: str


@dataclass(eq=False)
class ChildUnknown(DomainError):
    nickname: str
    known: tuple[str, ...]


@dataclass(eq=False)
class ChildUnclear(DomainError):
    """Several children could be meant."""

    known: tuple[str, ...]


@dataclass(eq=False)
class TownshipUnknown(DomainError):
    text: str


@dataclass(eq=False)
class TooManyChildren(DomainError):
    limit: int


@dataclass(eq=False)
class InvitationInvalid(DomainError):
    """No such code, used up, or past its time: which of them is not told to a stranger."""


@dataclass(eq=False)
class AlreadyInFamily(DomainError):
    same_family: bool


@dataclass(eq=False)
class NotGuardian(DomainError):
    """Somebody else of the family agreed to the children's data, and decides over it."""


@dataclass(eq=False)
class CaregiverUnknown(DomainError):
    """No caregiver of this family has the number."""

    caregiver_id: int


@dataclass(eq=False)
class LogInUnknown(DomainError):
    """No device of these caregivers is logged in under the number."""

    log_in_id: int


@dataclass(eq=False)
class LastCaregiver(DomainError):
    """Nobody would be left who looks after the family's data."""


@dataclass(eq=False)
class SessionUnknown(DomainError):
    code: str


@dataclass(eq=False)
class SignUpNotOpenYet(DomainError):
    code: str
    opens_at: datetime


@dataclass(eq=False)
class TownshipFirst(DomainError):
    """Until opens_at only families of the session's own township may sign up."""

    code: str
    township: str
    opens_at: datetime


@dataclass(eq=False)
class SignUpDelayed(DomainError):
    """Sign-up opens later for a family that repeatedly did not come."""

    code: str
    opens_at: datetime


@dataclass(eq=False)
class SignUpClosed(DomainError):
    code: str
    closed_at: datetime


@dataclass(eq=False)
class SessionCancelled(DomainError):
    code: str


@dataclass(eq=False)
class SessionCodeTaken(DomainError):
    code: str


@dataclass(eq=False)
class SessionStepNotAllowed(DomainError):
    """A session's state does not allow this; wanted is the state itself where it was an edit."""

    code: str
    state: str
    wanted: str


@dataclass(eq=False)
class AttendanceTaken(DomainError):
    """A session that families were checked in to, or marked as missing from, was held."""

    code: str
    count: int


@dataclass(eq=False)
class CheckInTooEarly(DomainError):
    code: str
    opens_at: datetime


@dataclass(eq=False)
class NoDaysInSeries(DomainError):
    """Every day of the series is a holiday or closed, or there are too many."""

    days: int
    limit: int


@dataclass(eq=False)
class SessionFull(DomainError):
    """No seat for all who asked, and no waiting list that they could still join."""

    code: str
    places: int
    left: int = 0
    """Seats that are free, but fewer than asked for, or owed to those who wait."""
    wanted: int = 1
    waiting: int = 0
    """Children who wait; free seats are theirs."""


@dataclass(eq=False)
class AgeOutsideSession(DomainError):
    """Ages in completed months; None where the child is not born on the session's day."""

    code: str
    nickname: str
    on: date
    age_months: int | None
    min_months: int
    max_months: int


@dataclass(eq=False)
class AlreadySignedUp(DomainError):
    code: str
    nickname: str
    state: str


@dataclass(eq=False)
class SignUpUnknown(DomainError):
    code: str


@dataclass(eq=False)
class PlaceIsTaken(DomainError):
    """An offer was to be declined, and the place is the family's already."""

    code: str
    nickname: str


@dataclass(eq=False)
class NoOffer(DomainError):
    """The family has no offer to answer; code where it named a session."""

    code: str | None


@dataclass(eq=False)
class OfferExpired(DomainError):
    code: str
    expired_at: datetime


@dataclass(eq=False)
class OfferUnclear(DomainError):
    """Offers of several sessions are open: it has to be said which is meant."""

    codes: tuple[str, ...]


@dataclass(eq=False)
class TooLateToCancel(DomainError):
    code: str
    until: datetime
    station: str
    phone: str | None


@dataclass(eq=False)
class SignUpAlreadyDecided(DomainError):
    """Somebody was faster: who (a staff member's name, None for the family) and when."""

    state: str
    by: str | None
    at: datetime | None


@dataclass(eq=False)
class TransitionNotAllowed(DomainError):
    state: str
    wanted: str


@dataclass(frozen=True)
class HalfDayOffer:
    """A half-day with free slots, for whoever cannot have what was wished."""

    day: date
    half: str
    """morning or afternoon."""
    free: int


@dataclass(eq=False)
class BirthReportUnlikely(DomainError):
    """discharged_before_birth, discharged_in_future or weight; and what was said."""

    what: str
    text: str


@dataclass(eq=False)
class NoVisitClaim(DomainError):
    """No home visit is owed: expected (not born yet), too_old, over_three (special needs or
    not), visited, not_yet (the next one is owed from opens_on), lost (the child is no more), or
    none (no child)."""

    reason: str
    nickname: str = ""
    age_months: int | None = None
    visited_on: date | None = None
    opens_on: date | None = None


@dataclass(eq=False)
class HomeContactUnclear(DomainError):
    """What was filled in is no address, is too_long for one, or is no telephone number (phone)."""

    what: str


@dataclass(eq=False)
class NextVisitUnlikely(DomainError):
    """The record asks for another visit by a day that is too early or too far off."""

    next_on: date
    earliest: date
    latest: date


@dataclass(eq=False)
class VisitDayPast(DomainError):
    day: date
    nearest: tuple[HalfDayOffer, ...] = ()


@dataclass(eq=False)
class VisitDayTooFar(DomainError):
    day: date
    horizon_days: int
    nearest: tuple[HalfDayOffer, ...] = ()


@dataclass(eq=False)
class VisitDayOff(DomainError):
    """Nobody makes visits that day: a holiday by its name, or a weekend, or all on leave."""

    day: date
    name: str
    nearest: tuple[HalfDayOffer, ...] = ()


@dataclass(eq=False)
class VisitHalfFull(DomainError):
    """half is None where the whole day was asked for."""

    day: date
    half: str | None
    nearest: tuple[HalfDayOffer, ...] = ()


@dataclass(eq=False)
class VisitAlreadyOpen(DomainError):
    """The family has a visit that is asked for or arranged."""

    state: str
    starts_at: datetime | None


@dataclass(eq=False)
class VisitUnknown(DomainError):
    """The family has no such visit."""


@dataclass(eq=False)
class VisitAlreadyDecided(DomainError):
    """Somebody was faster: who (None for the family), when, and what it is now."""

    state: str
    by: str | None
    at: datetime | None
    visitor: str | None = None
    starts_at: datetime | None = None


@dataclass(eq=False)
class VisitStepNotAllowed(DomainError):
    state: str
    wanted: str


@dataclass(eq=False)
class VisitFamilyStopped(DomainError):
    """A loss was told: nobody goes there before the station has spoken with the family."""


@dataclass(eq=False)
class VisitTooEarly(DomainError):
    """A step of the visit's day, before that day."""

    starts_at: datetime


@dataclass(eq=False)
class LeaveOutOfOrder(DomainError):
    """A leave that ends before it begins."""


@dataclass(eq=False)
class PhotoUnfit(DomainError):
    """Not a JPEG, PNG or WebP, or too large."""

    most_megabytes: int


@dataclass(eq=False)
class VisitTooLateToCancel(DomainError):
    """The visitor is on the way, or the time that was arranged has come."""

    visitor: str
    phone: str
    starts_at: datetime | None = None
    """None while the visitor is on the way."""


@dataclass(eq=False)
class VisitorBusy(DomainError):
    """The visitor's time is taken, or too near to another visit."""

    visitor: str
    starts_at: datetime


@dataclass(eq=False)
class VisitorAway(DomainError):
    """Not within the visitor's working hours, or on leave, or a day off."""

    visitor: str
    starts_at: datetime


@dataclass(eq=False)
class VisitorUnknown(DomainError):
    code: str


@dataclass(eq=False)
class SlotMissing(DomainError):
    """A visit cannot be confirmed without its visitor and time."""


@dataclass(eq=False)
class NoVisitProposal(DomainError):
    """No other time waits for an answer."""


@dataclass(eq=False)
class VisitRecordUnlike(DomainError):
    """The record names no child of the visit's family, or was sent for another visit."""


@dataclass(eq=False)
class NotEnrolled(DomainError):
    """The caregiver does not learn the seven-skills course, or has left it."""

    has_left: bool


@dataclass(eq=False)
class NoQuizOpen(DomainError):
    """Answers came while no lesson lies open; passed is the title of the last one passed."""

    passed: str | None


@dataclass(eq=False)
class QuizChanged(DomainError):
    """Answers to questions that are not the lesson's any more."""


@dataclass(eq=False)
class LessonUnknown(DomainError):
    """There is no lesson of that number; lessons are numbered from 1 to count."""

    count: int


@dataclass(eq=False)
class LearnerUnknown(DomainError):
    """No such learner in what the asker may see."""


@dataclass(eq=False)
class CertificateUnknown(DomainError):
    code: str


@dataclass(eq=False)
class CertificateStepNotAllowed(DomainError):
    """A certificate that is revoked already, or restored without having been."""

    code: str
    is_revoked: bool


@dataclass(eq=False)
class NotYours(DomainError):
    """A staff member asked for something outside their station or role."""


@dataclass(eq=False)
class NoticeNotAstray(DomainError):
    """None of these notices went astray, or somebody has dealt with all of them."""


@dataclass(eq=False)
class BadCredentials(DomainError):
    attempts_left: int | None


@dataclass(eq=False)
class AccountLocked(DomainError):
    until: datetime


@dataclass(eq=False)
class ImportNotThere(DomainError):
    """No such file, or it can no longer be taken or undone."""

    import_id: int


@dataclass(eq=False)
class ImportNotUndone(DomainError):
    in_the_way: tuple[str, ...]
    """Codes, or families' numbers, with which something has happened since."""


@dataclass(eq=False)
class SecondFactorWrong(DomainError):
    """The six digits do not belong to this moment."""


@dataclass(eq=False)
class StaffUnknown(DomainError):
    username: str


@dataclass(eq=False)
class OwnAccount(DomainError):
    """Nobody closes the account that they are working with."""


@dataclass(eq=False)
class LastDistrictAccount(DomainError):
    """With it closed nobody could open an account again."""


@dataclass(eq=False)
class PasswordTooWeak(DomainError):
    min_length: int


@dataclass(eq=False)
class UsernameTaken(DomainError):
    username: str


@dataclass(eq=False)
class UsernameInvalid(DomainError):
    """Empty, too long, or with blanks."""

    username: str
    max_length: int


@dataclass(eq=False)
class StationUnknown(DomainError):
    code: str


@dataclass(eq=False)
class ReasonMissing(DomainError):
    """A decision against a family needs its reason."""


@dataclass(frozen=True)
class BadRow:
    line: int
    column: str
    reason: str
    """A short code such as "missing", "not_a_date"; words/errors.py speaks."""
    text: str


@dataclass(eq=False)
class ImportRefused(DomainError):
    """A file was not taken; nothing of it was stored."""

    rows: tuple[BadRow, ...]


@dataclass(eq=False)
class FileUnreadable(DomainError):
    reason: str
