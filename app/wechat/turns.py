"""One callback, start to end: its place in line, one transaction, its deadline.

The platform waits 5 seconds. A turn that is still running after the deadline is answered
with a word of patience, goes on in its thread, and ends in a notice with the real answer.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.crypto import Sealed
from app.db import Database, LateTransaction, late_transaction
from app.dialogue.answer import answer
from app.dialogue.emergency import find_emergency
from app.dialogue.message import Article, Dialogue, Inbound, Kind, Reply
from app.dialogue.reading.plain import normalise
from app.dialogue.store import DialogueStore, Slot, TurnNotReached
from app.dialogue.turn import Desk, Handlers
from app.errors import DomainError
from app.models import Caregiver
from app.models.notice_facts import LateReply
from app.services import delivery, inbox, notices, registration, subscriptions
from app.wechat.keeping import Keeping, Waiting
from app.wechat.line import Line
from app.words import general as words
from app.words.emergency import emergency_words
from app.words.errors import say_error

log = structlog.get_logger()

LINE_SECONDS = 20.0
"""How long a message waits for this caregiver's earlier ones before we give up on it."""
LAST_CALL_SECONDS = 0.6
"""A turn that is about to commit at the deadline gets this much to finish: 4.0 + 0.6 < 5."""
EMERGENCY_SECONDS = 1.5
"""An emergency waits no longer than this for its record: then first aid is given without."""
QUEUE_LIMIT = 400
"""Turns waiting for a thread; beyond it a message is refused politely at once."""
FRESH_SECONDS = 0.25
"""What was read of a caregiver before the turn is taken for it only so long."""
SILENT = frozenset(
    {
        Kind.VIEW,
        Kind.TEMPLATE_RECEIPT,
        Kind.AUTHORISATION_CANCELLED,
        Kind.USER_INFO_MODIFIED,
        Kind.CONSENT_POPUP,
        Kind.CONSENT_CHANGE,
        Kind.CONSENT_SENT,
        Kind.OTHER,
    }
)
"""Events that are acknowledged without a word."""
CONSENTS = frozenset({Kind.CONSENT_POPUP, Kind.CONSENT_CHANGE, Kind.CONSENT_SENT})
GONE = frozenset({Kind.UNSUBSCRIBE, Kind.AUTHORISATION_REVOKED, Kind.AUTHORISATION_CANCELLED})


@dataclass(slots=True)
class _Race:
    """Between the turn's commit and the deadline: whoever comes first decides."""

    has_first_aid: bool = False
    """At the deadline first aid was given: no second answer has to follow."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    winner: str | None = None

    def win(self, who: str) -> bool:
        with self.lock:
            self.winner = self.winner or who
            return self.winner == who


@dataclass(slots=True, eq=False)
class _Job:
    """One callback on its way, and the thread at the door that waits for its reply."""

    inbound: Inbound
    race: _Race
    context: Context
    """The thread's log lines, and what it queues, bear the request's id."""
    done: threading.Lock = field(default_factory=threading.Lock)
    """Held until the reply is there."""
    slot: Slot | None = None
    entry: inbox.Entry | None = None
    """Its reply, where nothing more is to be done than to keep it."""
    reply: Reply | None = None
    read: registration.CaregiverRows | None = None
    """Who it is, where several were read together."""
    read_at: float = 0.0

    def __post_init__(self) -> None:
        self.done.acquire()

    def wait(self, seconds: float) -> bool:
        """Whether its reply is there within this time; several may wait."""
        is_done = self.done.acquire(timeout=seconds)
        if is_done:
            self.done.release()
        return is_done


class _HandledBefore(Exception):
    """The platform delivered this callback before."""


class _HandedOver(Exception):
    """Nothing was written but the reply, and somebody keeps it, gives it and leaves the line."""


class Turns:
    """Answers callbacks. One a process; its threads start with the first turn."""

    def __init__(
        self,
        *,
        database: Database,
        store: DialogueStore,
        handlers: Handlers,
        desk: Desk,
        deadline_seconds: float,
        threads: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._store = store
        self._handlers = handlers
        self._desk = desk
        self._deadline_seconds = deadline_seconds
        self._clock = clock
        self._keeping: Keeping[_Job] = Keeping(self._kept, self._keep_each)
        self._line = Line(threads=threads, name="turn", enter=self._enter, do=self._do)
        self._urgent = Line(threads=4, name="urgent", enter=self._enter, do=self._do)
        self._lock = threading.Lock()
        self._running: dict[str, _Job] = {}
        """Every callback that this process is at, by its key."""

    def handle(self, inbound: Inbound) -> Reply | None:
        """The reply to one callback, within the platform's time; None for a bare success."""
        first_aid = self._emergency(inbound)
        job = self._job_of(inbound, has_first_aid=first_aid is not None)
        if job is None:
            log.warning("turn_refused", reason="queue full", turn=inbound.key[:12])
            return first_aid or self._cannot(inbound)
        seconds = self._deadline_seconds
        if job.wait(seconds if first_aid is None else min(EMERGENCY_SECONDS, seconds)):
            return job.reply
        if job.race.win("deadline"):
            log.warning("turn_late", turn=inbound.key[:12])
            return first_aid or Reply(words.busy())
        if job.wait(LAST_CALL_SECONDS):
            return job.reply
        # Committing, but not back yet: the platform asks again and gets the stored reply.
        return first_aid

    def _job_of(self, inbound: Inbound, *, has_first_aid: bool) -> _Job | None:
        """The callback's job, set to work where it is new here; None where too many wait.

        A repetition that comes while the first is at work waits with it, for the same reply.
        """
        with self._lock:
            running = self._running.get(inbound.key)
            if running is not None:
                return running
            if len(self._running) >= QUEUE_LIMIT:
                return None
            job = _Job(inbound, _Race(has_first_aid=has_first_aid), copy_context())
            self._running[inbound.key] = job
        # An emergency does not stand in line behind turns that wait for a stuck database.
        (self._urgent if has_first_aid else self._line).add(job)
        return job

    def close(self) -> None:
        """End the threads once the turns in hand are done."""
        self._line.close()
        self._urgent.close()

    def _give(self, job: _Job, reply: Reply | None) -> None:
        job.reply = reply
        with self._lock:
            self._running.pop(job.inbound.key, None)
        job.done.release()

    def _enter(self, jobs: Sequence[_Job]) -> list[_Job]:
        """Get in line in Redis, together; who is answered from there needs no turn."""
        try:
            slots = self._store.enter([(job.inbound.openid, job.inbound.key) for job in jobs])
        except RedisError as error:
            for job in jobs:
                log.error("turn_failed", reason=type(error).__name__, turn=job.inbound.key[:12])
                job.context.run(self._break, job)
            return []
        for job, slot in zip(jobs, slots, strict=True):
            job.slot = slot
        left = [job for job in jobs if not self._is_repeated(job)]
        self._read_together([job for job in left if job.slot and job.slot.is_first])
        return left

    def _read_together(self, jobs: Sequence[_Job]) -> None:
        """Who they are, in one statement: those whose turn it is, so that nothing moves behind it.

        A turn that finds nothing here, or too late, reads for itself.
        """
        if len(jobs) < 2:
            return
        read_at = time.monotonic()
        try:
            with self._database.turn() as db:
                rows = registration.read_caregivers(db, [job.inbound.openid for job in jobs])
        except DBAPIError as error:
            log.warning("not_read_together", reason=type(error).__name__)
            return
        for job in jobs:
            job.read, job.read_at = rows.get(job.inbound.openid), read_at

    def _is_repeated(self, job: _Job) -> bool:
        """Whether it was handled before, and Redis has the reply: then it is given."""
        slot = job.slot
        if slot is None or not slot.was_handled or slot.reply is None:
            return False
        stored = self._store.open(slot.reply)
        if stored is None:
            return False
        self._give(job, load_reply(stored))
        return True

    def _do(self, job: _Job) -> None:
        job.context.run(self._run, job)

    def _run(self, job: _Job) -> None:
        try:
            reply = self._in_turn(job)
        except _HandedOver:
            return
        except (RedisError, DBAPIError, TurnNotReached) as error:
            log.error("turn_failed", reason=type(error).__name__, turn=job.inbound.key[:12])
        except Exception:
            log.exception("turn_broke", turn=job.inbound.key[:12])
        else:
            self._give(job, reply)
            return
        self._break(job)

    def _in_turn(self, job: _Job) -> Reply | None:
        """The reply of a turn that is over. Raises _HandedOver."""
        inbound, slot = job.inbound, job.slot
        assert slot is not None, "nobody is inside who did not come through the door"
        is_again = slot.was_handled
        if is_again:
            stored = self._find_stored(inbound)
            if stored is not None:
                return load_reply(stored.reply)
            # Redis remembers it and the database does not: it went back to an older state.
            [slot] = self._store.enter([(inbound.openid, inbound.key)], again=True)
            job.slot = slot
        try:
            self._store.wait(slot, LINE_SECONDS, again=is_again)
            if slot.is_too_fast and inbound.kind not in GONE and not job.race.has_first_aid:
                log.warning("turn_refused", reason="too fast", turn=inbound.key[:12])
                job.race.win("turn")
                reply: Reply | None = Reply(words.too_fast())
            elif slot.was_handled:
                reply = self._given_before(inbound, slot)
            else:
                reply, slot.next = self._turn_through(job, slot)
        except _HandedOver:
            raise
        except BaseException:
            self._store.give_up(slot)
            raise
        self._leave([slot])
        return reply

    def _given_before(self, inbound: Inbound, slot: Slot) -> Reply | None:
        """What an earlier delivery was answered, for whose end this one has waited in line."""
        kept = None if slot.reply is None else self._store.open(slot.reply)
        if kept is not None:
            return load_reply(kept)
        stored = self._find_stored(inbound)
        return load_reply(stored.reply) if stored else None

    def _leave(self, slots: Sequence[Slot]) -> None:
        try:
            self._store.leave(slots)
        except RedisError as error:
            # What was done is kept, and said; the next in line finds a ticket that has died.
            log.error("line_not_left", reason=type(error).__name__)

    def _kept(self, kept: Sequence[tuple[_Job, bool]]) -> None:
        """These replies are in the database: who was not the first gets the one that was."""
        replies: list[tuple[_Job, Reply | None]] = []
        slots = []
        for job, is_new in kept:
            slot, entry = job.slot, job.entry
            assert slot is not None
            assert entry is not None
            if is_new:
                slot.reply = entry.reply if isinstance(entry.reply, Sealed) else None
            replies.append((job, job.reply if is_new else self._first_reply(job)))
            slots.append(slot)
        self._leave(slots)
        for job, reply in replies:
            self._give(job, reply)

    def _first_reply(self, job: _Job) -> Reply | None:
        """Of a callback that turned out to have been handled: what it was answered then."""
        assert job.slot is not None
        job.slot.next = job.slot.dialogue
        try:
            stored = self._find_stored(job.inbound)
        except DBAPIError as error:
            log.error("turn_failed", reason=type(error).__name__, turn=job.inbound.key[:12])
            return self._cannot(job.inbound)
        return load_reply(stored.reply) if stored else None

    def _keep_each(self, waiting: Sequence[Waiting[_Job]]) -> None:
        """Whose reply could not be kept with others' has it tried by itself."""
        self._line.add_inside([each.who for each in waiting])

    def _keep_alone(self, job: _Job, entry: inbox.Entry) -> NoReturn:
        with self._database.turn() as db:
            is_new = inbox.keep(db, entry)
        self._kept([(job, is_new)])
        raise _HandedOver

    def _break(self, job: _Job) -> None:
        """End what could not be done: with a polite sentence, now or as a notice."""
        reply: Reply | None = None
        try:
            reply = self._end_broken(job.inbound, job.race)
        finally:
            self._give(job, reply)

    def _end_broken(self, inbound: Inbound, race: _Race) -> Reply | None:
        if race.win("turn"):
            return self._cannot(inbound)
        if race.has_first_aid:
            return None
        # The caregiver was told to wait for an answer: one has to come.
        try:
            with self._database.transaction() as db:
                caregiver = registration.find_caregiver(db, inbound.openid)
                if caregiver is not None:
                    reply = Reply(words.cannot_now(self._desk.service_phone))
                    _queue_late(db, caregiver, inbound, reply, self._clock())
        except (SQLAlchemyError, OSError) as error:
            log.error("late_reply_lost", reason=type(error).__name__, turn=inbound.key[:12])
        return None

    def _turn_through(self, job: _Job, slot: Slot) -> tuple[Reply | None, Dialogue | None]:
        """The turn; once more where the database went away under it.

        If it had committed before it went, the second try finds the reply that was kept.
        """
        try:
            return self._turn(job, slot)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            log.warning("turn_again", reason=type(error).__name__, turn=job.inbound.key[:12])
        return self._turn(job, slot)

    def _turn(self, job: _Job, slot: Slot) -> tuple[Reply | None, Dialogue | None]:
        try:
            if job.entry is not None:
                self._keep_alone(job, job.entry)
            try:
                with self._database.turn() as db:
                    return self._work_or_refuse(db, job, slot)
            except DomainError as error:
                # Rolled back; the refusal is kept by itself.
                refusal = _refusal(error, job.inbound)
            with self._database.turn() as db:
                self._finish(db, job, refusal, slot.dialogue, self._clock())
                return refusal, slot.dialogue
        except _HandledBefore:
            stored = self._find_stored(job.inbound)
            return (load_reply(stored.reply) if stored else None), slot.dialogue

    def _work_or_refuse(
        self, db: Session, job: _Job, slot: Slot
    ) -> tuple[Reply | None, Dialogue | None]:
        """The turn; a refusal before anything was written needs no second transaction.

        In a rush that is what nearly everybody gets.
        """
        try:
            return self._work(db, job, slot.dialogue)
        except DomainError as error:
            late = late_transaction(db)
            if late is None or late.has_begun:
                raise
            # Whatever was changed in memory alone is forgotten.
            db.expunge_all()
            refusal = _refusal(error, job.inbound)
            self._finish(db, job, refusal, slot.dialogue, self._clock())
            return refusal, slot.dialogue

    def _find_stored(self, inbound: Inbound) -> inbox.Stored | None:
        with self._database.turn() as db:
            return inbox.find_stored(db, inbound.key)

    def _work(
        self, db: Session, job: _Job, dialogue: Dialogue | None
    ) -> tuple[Reply | None, Dialogue | None]:
        now = self._clock()
        inbound = job.inbound
        if inbound.kind in GONE:
            # In one transaction: unfollowing erases the openid from this very row, too.
            if not inbox.keep(db, _entry(inbound, None, now)):
                raise _HandledBefore
            job.race.win("turn")
            registration.unfollow(db, inbound.openid, now)
            return None, None
        if inbound.kind in CONSENTS:
            self._note_consent(db, inbound, now)
        if inbound.kind is Kind.TEMPLATE_RECEIPT:
            delivery.record_receipt(db, platform_id=inbound.platform_id, status=inbound.status)
        if inbound.kind in SILENT:
            self._finish(db, job, None, dialogue, now)
            return None, dialogue
        caregiver = self._find_caregiver(db, job)
        if caregiver is None or not caregiver.is_following:
            caregiver = registration.follow(db, inbound.openid, now)
        if inbound.window is not None and caregiver.has_waiting:
            notices.wake_waiting(db, inbound.openid, now)
        answered = answer(
            db,
            inbound=inbound,
            caregiver=caregiver,
            dialogue=dialogue,
            handlers=self._handlers,
            desk=self._desk,
            now=now,
        )
        reply, following = answered if answered is not None else (None, dialogue)
        self._finish(db, job, reply, following, now)
        return reply, following

    def _find_caregiver(self, db: Session, job: _Job) -> Caregiver | None:
        rows, job.read = job.read, None
        if rows is None or time.monotonic() - job.read_at > FRESH_SECONDS:
            return registration.find_caregiver(db, job.inbound.openid)
        return registration.put_caregiver(db, rows)

    def _note_consent(self, db: Session, inbound: Inbound, now: datetime) -> None:
        """What a person allowed of subscription notices, and what became of one."""
        answers = subscriptions.read_answers(inbound.status)
        if inbound.kind is Kind.CONSENT_POPUP:
            lasting = self._desk.lasting_templates
            subscriptions.note_popup(db, inbound.openid, answers, now, lasting=lasting)
        elif inbound.kind is Kind.CONSENT_CHANGE:
            subscriptions.note_change(db, inbound.openid, answers, now)
        elif answers:
            delivery.record_receipt(db, platform_id=inbound.platform_id, status=answers[0].status)

    def _finish(
        self,
        db: Session,
        job: _Job,
        reply: Reply | None,
        following: Dialogue | None,
        now: datetime,
    ) -> None:
        """Keep the reply for retries; where the deadline has passed, send it as a notice.

        Raises _HandledBefore, which rolls everything back, and _HandedOver.
        """
        db.flush()
        inbound, race = job.inbound, job.race
        late = late_transaction(db)
        if late is not None and not late.has_begun and race.win("turn"):
            self._hand_over(db, late, job, reply, following, now)
        if not inbox.keep(db, _entry(inbound, dump_reply(reply), now)):
            raise _HandledBefore
        if not race.win("turn") and reply is not None and not race.has_first_aid:
            caregiver = registration.find_caregiver(db, inbound.openid)
            if caregiver is not None:
                _queue_late(db, caregiver, inbound, reply, now)

    def _hand_over(
        self,
        db: Session,
        late: LateTransaction,
        job: _Job,
        reply: Reply | None,
        following: Dialogue | None,
        now: datetime,
    ) -> NoReturn:
        """Nothing was written: the reply is a transaction of its own, shared with others'."""
        assert job.slot is not None
        dumped = dump_reply(reply)
        # Encrypted once: the database has it for good, and Redis for the platform's repetition.
        entry = _entry(job.inbound, None if dumped is None else self._store.seal(dumped), now)
        job.entry, job.reply, job.slot.next = entry, reply, following
        try:
            self._keeping.hand_over(db, late, Waiting(job, entry))
        except BaseException:
            job.entry = None
            raise
        raise _HandedOver

    def _emergency(self, inbound: Inbound) -> Reply | None:
        """First aid needs neither database nor Redis."""
        found = find_emergency(normalise(inbound.text), None)
        if found is None:
            return None
        phone = self._desk.service_phone or None
        return Reply(emergency_words(found.category, phone, staff_told=False))

    def _cannot(self, inbound: Inbound) -> Reply | None:
        if inbound.kind in SILENT or inbound.kind in GONE:
            return None
        return self._emergency(inbound) or Reply(words.cannot_now(self._desk.service_phone))


def _refusal(error: DomainError, inbound: Inbound) -> Reply:
    log.info("turn_refused", reason=type(error).__name__, turn=inbound.key[:12])
    return Reply(say_error(error))


def _entry(inbound: Inbound, reply: str | None, now: datetime) -> inbox.Entry:
    return inbox.Entry(
        key=inbound.key,
        openid=inbound.openid,
        kind=inbound.kind,
        window=inbound.window,
        received_at=now,
        reply=reply,
    )


def _queue_late(
    db: Session, caregiver: Caregiver, inbound: Inbound, reply: Reply, now: datetime
) -> None:
    if not reply.text:
        return
    notices.queue(
        db,
        caregiver_id=caregiver.id,
        facts=LateReply(text=reply.text),
        subject=f"turn:{inbound.key[:12]}",
        dedupe_key=f"late_reply:{inbound.key}",
        now=now,
        priority=0,
        expires_at=now + timedelta(hours=24),
    )


def dump_reply(reply: Reply | None) -> str | None:
    """A reply as the inbox keeps it."""
    if reply is None:
        return None
    if reply.article is not None:
        return "\n".join(
            ("article", reply.article.url, reply.article.title, reply.article.description)
        )
    return f"{reply.kind}\n{reply.text}"


def load_reply(stored: str | None) -> Reply | None:
    """The reply again."""
    if stored is None:
        return None
    kind, _, rest = stored.partition("\n")
    if kind == "article":
        url, title, description = rest.split("\n", 2)
        return Reply(article=Article(title, description, url), kind="article")
    return Reply(rest, kind="hand_over" if kind == "hand_over" else "text")
