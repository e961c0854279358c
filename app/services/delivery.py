"""What deliverers do to notices: claim, choose a channel, and record what became of each.

A claim, the choice of a channel and the outcome are each committed on their own, so that
after a crash the row still tells how far it came: without a channel nothing was sent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CursorResult, func, literal_column, select, update
from sqlalchemy.orm import Session

from app.models import (
    Caregiver,
    FollowUp,
    GuidanceSession,
    HelpThread,
    Notice,
    PlanProposal,
    SignUp,
)
from app.models.notice_facts import (
    CourseModulePassed,
    CourseNudge,
    LateReply,
    NoticeFacts,
    PackDue,
    PlanProposed,
    PlanTaken,
    SessionReminder,
    StaffAnswer,
    ThreadLate,
    YearPlanNudge,
)
from app.models.visit_facts import VisitFacts
from app.rules.channel_budget import Channel
from app.rules.sign_up import ACTIVE, SessionState, SignUpState
from app.services import course_nudges, pack_ledger, visit_notices

ORPHANED_AFTER = timedelta(seconds=60)
"""Longer than any send of a living deliverer lasts."""
MAX_CRASHES = 20
"""A notice that stops its deliverer so often is itself the cause: a person has to look."""
REPEAT_SAFE_FOR = timedelta(minutes=10)
"""The platform sends one message for the same openid and client_msg_id within this."""
REPEAT_MARGIN = timedelta(seconds=60)
ARRIVED = "success"
BLOCKED_BY_PERSON = "failed:user block"
"""What TEMPLATESENDJOBFINISH says; anything else is the platform's own failure."""
REASON_LENGTH = 120
REPEATING = "repeating"
"""The reason of a template message that may have arrived and is given to the platform again."""

WANTED_STATES: dict[str, frozenset[SignUpState]] = {
    "sign_up_confirmed": frozenset(
        {SignUpState.CONFIRMED, SignUpState.ATTENDED, SignUpState.NO_SHOW}
    ),
    "sign_up_declined": frozenset({SignUpState.DECLINED}),
    "sign_up_cancelled": frozenset({SignUpState.CANCELLED}),
    "sign_up_offered": frozenset({SignUpState.OFFERED}),
    "waiting_ended": frozenset({SignUpState.WAITLISTED}),
    "sign_up_offer_expired": frozenset({SignUpState.EXPIRED}),
    "session_changed": frozenset(
        {
            SignUpState.REQUESTED,
            SignUpState.CONFIRMED,
            SignUpState.WAITLISTED,
            SignUpState.OFFERED,
        }
    ),
}
"""A notice about a sign-up is true only while the sign-up is in one of these."""


class Reason(StrEnum):
    """Why a notice is in its state, where the platform's code does not say it."""

    EXPIRED = "expired"
    NOT_FOLLOWING = "not_following"
    SUPERSEDED = "superseded"
    """What it says is not true any more."""
    PUSHES_OFF = "pushes_off"
    """The caregiver wants no messages of this kind now."""
    FAMILY_STOPPED = "family_stopped"
    """A loss was told: nothing of ours is welcome now."""
    TOO_LATE = "too_late"
    FACTS_UNREADABLE = "facts_unreadable"
    CRASHED = "crashed_while_sending"


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """One notice that is this worker's to send."""

    id: int
    caregiver_id: int
    openid: str
    facts: NoticeFacts
    subject: str
    dedupe_key: str
    queued_at: datetime
    expires_at: datetime | None
    attempts: int
    """How often it has been claimed, this time included."""
    request_id: str | None
    """Of the request or job that queued it: for the log."""
    repeat_on: Channel | None
    """The channel that a first, uncertain try was made on: no other is safe."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who a notice goes to, as things stand now."""

    openid: str | None
    is_following: bool
    is_family_stopped: bool


def find_common_objection(
    notice: ClaimedNotice, reader: Reader | None, now: datetime
) -> Reason | None:
    """What speaks against any notice, whatever it tells of."""
    if notice.expires_at is not None and notice.expires_at <= now:
        return Reason.EXPIRED
    if reader is None or reader.openid != notice.openid or not reader.is_following:
        return Reason.NOT_FOLLOWING
    is_answer = isinstance(notice.facts, LateReply | StaffAnswer)
    if reader.is_family_stopped and not is_answer:
        return Reason.FAMILY_STOPPED
    return None


def find_objection(db: Session, notice: ClaimedNotice, now: datetime) -> str | None:
    """Why a claimed notice is not wanted any more; None where it still is."""
    caregiver = db.get(Caregiver, notice.caregiver_id)
    if caregiver is None:
        return Reason.NOT_FOLLOWING
    family = caregiver.family
    is_stopped = family is not None and family.stopped_at is not None
    reader = Reader(caregiver.openid, caregiver.is_following, is_stopped)
    common = find_common_objection(notice, reader, now)
    if common is not None:
        return common
    if isinstance(notice.facts, PackDue):
        lead_id = pack_ledger.lead_of(notice.subject) or 0
        return pack_ledger.find_objection(db, lead_id, caregiver, now)
    if isinstance(notice.facts, SessionReminder):
        is_true = _is_true(db, notice.facts, caregiver.family_id)
        return None if is_true else Reason.SUPERSEDED
    if isinstance(notice.facts, VisitFacts):
        visit_id = int(notice.subject.removeprefix("home_visit:"))
        wanted_still = visit_notices.is_wanted(db, notice.facts, visit_id)
        return None if wanted_still else Reason.SUPERSEDED
    if isinstance(notice.facts, ThreadLate):
        thread = db.get(HelpThread, notice.facts.thread_id)
        waits = thread is not None and thread.waiting_since is not None
        return None if waits else Reason.SUPERSEDED
    if isinstance(notice.facts, PlanTaken):
        # Whoever was signed up is told, wanting pushes or not.
        ids, family_id = notice.facts.sign_up_ids, caregiver.family_id
        return None if _any_active(db, ids, family_id) else Reason.SUPERSEDED
    if isinstance(notice.facts, PlanProposed | YearPlanNudge):
        return _objection_to_plan(db, notice.facts, caregiver)
    if isinstance(notice.facts, CourseNudge | CourseModulePassed):
        if caregiver.pushes != "on":
            return Reason.PUSHES_OFF
        is_news = isinstance(notice.facts, CourseModulePassed)
        is_true = is_news or course_nudges.is_true(db, notice.facts.learner_id, notice.queued_at)
        return None if is_true else Reason.SUPERSEDED
    wanted = WANTED_STATES.get(notice.facts.kind)
    table, _, number = notice.subject.partition(":")
    if wanted is not None and table == "sign_up" and number.isdecimal():
        # One message may be for siblings: it is true while it is of any of them.
        ids = getattr(notice.facts, "sign_up_ids", ()) or (int(number),)
        # And of nobody else's family: who has left it hears nothing of it any more.
        states = db.scalars(
            select(SignUp.state).where(SignUp.id.in_(ids), SignUp.family_id == caregiver.family_id)
        )
        if not any(state in wanted for state in states):
            return Reason.SUPERSEDED
    return None


def _any_active(db: Session, sign_up_ids: Collection[int], family_id: int | None) -> bool:
    active = select(SignUp.id).where(
        SignUp.id.in_(sign_up_ids), SignUp.family_id == family_id, SignUp.state.in_(ACTIVE)
    )
    return db.execute(active.limit(1)).first() is not None


def _is_true(db: Session, reminder: SessionReminder, family_id: int | None) -> bool:
    """Whether all whom a reminder names still come, to a session as it was announced."""
    coming = db.execute(
        select(func.count(SignUp.id))
        .join(SignUp.session)
        .where(
            SignUp.id.in_(reminder.sign_up_ids),
            SignUp.family_id == family_id,
            SignUp.state == SignUpState.CONFIRMED,
            GuidanceSession.state == SessionState.PUBLISHED,
            GuidanceSession.calendar_sequence == reminder.calendar_sequence,
        )
    ).scalar_one()
    return coming == len(reminder.sign_up_ids)


def _objection_to_plan(
    db: Session, facts: PlanProposed | YearPlanNudge, caregiver: Caregiver
) -> Reason | None:
    """Both are offers of ours: not for who wants none, nor for what was answered meanwhile."""
    if caregiver.pushes != "on":
        return Reason.PUSHES_OFF
    if isinstance(facts, PlanProposed):
        still_open = select(PlanProposal.id).where(
            PlanProposal.year_plan_id == facts.plan_id, PlanProposal.state == "open"
        )
        if db.execute(still_open.limit(1)).first() is None:
            return Reason.SUPERSEDED
    return None


def choose_channel(db: Session, notice_id: int, channel: Channel) -> None:
    """Note the channel before the request leaves: from now on it may have arrived."""
    db.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.state == "sending")
        .values(channel=channel)
    )


def record_sent(
    db: Session,
    notice_id: int,
    *,
    channel: Channel,
    text: str,
    platform_id: str | None,
    now: datetime,
) -> None:
    """The platform took it. Stands even where the row was given up as unknown meanwhile."""
    db.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.state.in_(("sending", "unknown")))
        .values(
            state="sent",
            channel=channel,
            text=text,
            platform_id=platform_id,
            sent_at=now,
            reason=None,
            receipt=None,
        )
    )
    pack_ledger.follow(db, [notice_id])


def record_waiting(db: Session, notice_id: int, *, reason: str) -> None:
    """No channel is open; the person's next contact wakes it."""
    _settle(db, notice_id, state="waiting", reason=reason, channel=None)


def record_skipped(db: Session, notice_id: int, *, reason: str) -> None:
    """It is not wanted, or cannot be wanted, any more."""
    _settle(db, notice_id, state="skipped", reason=reason, channel=None)


def record_retry_later(db: Session, notice_id: int, *, reason: str, due_at: datetime) -> None:
    """It was certainly not sent, and will be tried again on whatever channel is open then."""
    _settle(db, notice_id, state="queued", reason=reason, channel=None, due_at=due_at)


def record_released(db: Session, notice_id: int, channel: Channel | None) -> None:
    """Untouched: the deliverer stops before its turn came. A repetition keeps its channel."""
    _settle(db, notice_id, state="queued", channel=channel, attempts=Notice.attempts - 1)


def record_repeat(db: Session, notice_id: int, *, due_at: datetime) -> None:
    """It may have arrived on a channel where a repetition does no harm: once more on that one.

    The channel and the time of the first try stay in the row for the next claim.
    """
    _settle(db, notice_id, state="queued", reason=REPEATING, due_at=due_at)


def record_failed(db: Session, notice_id: int, *, reason: str, now: datetime) -> None:
    """No repetition mends it: a person has to look."""
    if _settle(db, notice_id, state="failed", reason=reason):
        _follow_up(db, _get(db, notice_id), "notice_failed", reason, now)


def record_unknown(db: Session, notice_id: int, *, reason: str, now: datetime) -> None:
    """It may have arrived, and is never sent again by itself: a person has to look."""
    if _settle(db, notice_id, state="unknown", reason=reason):
        _follow_up(db, _get(db, notice_id), "notice_unknown", reason, now)


def record_receipt(db: Session, *, platform_id: str, status: str) -> bool:
    """What the platform says became of a template message; False where none has that id.

    One that did not arrive is no longer sent: it waits for the person's next contact. Where
    the platform is at fault, and not the person's own setting, somebody is told.
    """
    if not platform_id:
        return False
    notice = db.execute(
        select(Notice).where(Notice.platform_id == platform_id, Notice.state == "sent")
    ).scalar_one_or_none()
    if notice is None:
        return False
    notice.receipt = status
    if status != ARRIVED:
        notice.state, notice.reason = "waiting", f"receipt:{status}"[:REASON_LENGTH]
        sent_at, notice.sent_at, notice.channel = notice.sent_at, None, None
        if status != BLOCKED_BY_PERSON:
            # Receipts come within seconds: the time of sending is the failure's, too.
            _follow_up(db, notice, "notice_failed", notice.reason, sent_at or notice.due_at)
    pack_ledger.follow(db, [notice.id])
    return True


def has_orphans(db: Session, now: datetime) -> bool:
    """Whether a deliverer that is gone left a notice in sending."""
    statement = (
        select(Notice.id)
        .where(
            Notice.state == literal_column("'sending'"),
            Notice.claimed_at < now - ORPHANED_AFTER,
        )
        .limit(1)
    )
    return db.execute(statement).first() is not None


def mark_orphans_unknown(db: Session, now: datetime) -> int:
    """Settle what a crash left in sending; how many those were.

    What had no channel yet was not sent and is queued again; what was on its way as a template
    message is repeated once under the same id; the rest is unknown and goes to a person.
    """
    rows = db.execute(
        select(Notice)
        .where(
            Notice.state == literal_column("'sending'"),
            Notice.claimed_at < now - ORPHANED_AFTER,
        )
        # By the index: the notices of years need not be looked through.
        .order_by(Notice.claimed_at, Notice.id)
        .limit(1_000)
        .with_for_update(skip_locked=True)
    ).scalars()
    orphans = rows.all()
    for notice in orphans:
        if notice.channel is None and notice.attempts >= MAX_CRASHES:
            fail_knowing(db, notice, Reason.CRASHED, now)
        elif notice.channel is None:
            notice.state, notice.due_at = "queued", now
        elif may_repeat(notice, now):
            notice.state, notice.reason, notice.due_at = "queued", REPEATING, now
        else:
            give_up_knowing(db, notice, Reason.CRASHED, now)
    pack_ledger.follow(db, [one.id for one in orphans if one.kind == "pack"])
    return len(orphans)


def may_repeat(notice: Notice, now: datetime) -> bool:
    """Whether the platform would take a second request for the first one's repetition."""
    return (
        notice.channel == Channel.TEMPLATE
        and notice.reason != REPEATING
        and notice.claimed_at is not None
        and now - notice.claimed_at < REPEAT_SAFE_FOR - REPEAT_MARGIN
    )


def fail_knowing(db: Session, notice: Notice, reason: str, now: datetime) -> None:
    """No deliverer can send it: a person has to look."""
    notice.state, notice.reason = "failed", reason
    _follow_up(db, notice, "notice_failed", reason, now)


def give_up_knowing(db: Session, notice: Notice, reason: str, now: datetime) -> None:
    """It may have arrived, and nobody will know: a person has to look."""
    notice.state, notice.reason = "unknown", reason
    _follow_up(db, notice, "notice_unknown", reason, now)


def _settle(db: Session, notice_id: int, **values: object) -> bool:
    """Write the outcome; False where somebody else has settled the row meanwhile."""
    result = db.execute(
        update(Notice).where(Notice.id == notice_id, Notice.state == "sending").values(**values)
    )
    pack_ledger.follow(db, [notice_id])
    return isinstance(result, CursorResult) and result.rowcount == 1


def _get(db: Session, notice_id: int) -> Notice:
    return db.execute(select(Notice).where(Notice.id == notice_id)).scalar_one()


def _follow_up(db: Session, notice: Notice, kind: str, reason: str, now: datetime) -> None:
    caregiver = notice.caregiver
    family = caregiver.family
    db.add(
        FollowUp(
            kind=kind,
            caregiver_id=caregiver.id,
            station_id=(family.station_id if family else None) or caregiver.scanned_station_id,
            detail=f"notice:{notice.id} {notice.kind} {reason}",
            created_at=now,
        )
    )
