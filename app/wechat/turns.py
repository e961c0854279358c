"""One callback, start to end: its place in line, one transaction, its deadline.

The platform waits 5 seconds. A turn that is still running after the deadline is answered
with a word of patience, goes on in its thread, and ends in a notice with the real answer.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from datetime import datetime
from typing import NoReturn

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.crypto import Sealed
from app.db import Database
from app.dialogue.emergency import find_emergency
from app.dialogue.message import Dialogue, Inbound, Reply
from app.dialogue.reading.plain import normalise
from app.dialogue.store import DialogueStore, Slot, TurnNotReached
from app.dialogue.turn import Desk, Handlers
from app.late_transaction import LateTransaction, late_transaction
from app.services import registration
from app.wechat.jobs import GONE, SILENT, HandedOver, Job, Race
from app.wechat.keeping import Keeping, Waiting
from app.wechat.kept_replies import dump_reply, load_reply
from app.wechat.line import QUICK_SECONDS, Line
from app.wechat.working import Work, entry_of, queue_late
from app.words import general as words
from app.words.emergency import emergency_words

log = structlog.get_logger()

LINE_SECONDS = 20.0
"""How long a message waits for this caregiver's earlier ones before we give up on it."""
LAST_CALL_SECONDS = 0.6
"""A turn that is about to commit at the deadline gets this much to finish: 4.0 + 0.6 < 5."""
EMERGENCY_SECONDS = 1.5
"""An emergency waits no longer than this for its record: then first aid is given without."""
LONGEST_PAUSE_SECONDS = 0.5
"""Between two looks of who waits whether the line moves."""
QUEUE_LIMIT = 400
"""Turns waiting for a thread; beyond it a message is refused politely at once."""


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
        quick: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._store = store
        self._desk = desk
        self._deadline_seconds = deadline_seconds
        self._clock = clock
        self._work = Work(
            database=database,
            handlers=handlers,
            desk=desk,
            clock=clock,
            hand_over=self._hand_over,
            kept=self._kept,
        )
        self._keeping: Keeping[Job] = Keeping(self._kept, self._keep_each)
        self._line = Line(
            threads=threads,
            quick=quick,
            name="turn",
            enter=self._enter,
            do=self._do,
            rest=self._keep_waiting,
        )
        self._urgent = Line(threads=4, name="urgent", enter=self._enter, do=self._do)
        self._lock = threading.Lock()
        self._running: dict[str, Job] = {}
        """Every callback that this process is at, by its key."""

    def handle(self, inbound: Inbound) -> Reply | None:
        """The reply to one callback, within the platform's time; None for a bare success."""
        first_aid = self._emergency(inbound)
        job = self._job_of(inbound, has_first_aid=first_aid is not None)
        if job is None:
            log.warning("turn_refused", reason="queue full", turn=inbound.key[:12])
            return first_aid or self._cannot(inbound)
        seconds = self._deadline_seconds
        if self._await(job, seconds if first_aid is None else min(EMERGENCY_SECONDS, seconds)):
            return job.reply
        if job.race.win("deadline"):
            log.warning("turn_late", turn=inbound.key[:12])
            return first_aid or Reply(words.busy())
        if job.wait(LAST_CALL_SECONDS):
            return job.reply
        # Committing, but not back yet: the platform asks again and gets the stored reply.
        return first_aid

    def _await(self, job: Job, seconds: float) -> bool:
        """Whether its reply is there within this time; meanwhile see to it that the line moves."""
        ends, pause = time.monotonic() + seconds, QUICK_SECONDS
        while (left := ends - time.monotonic()) > pause:
            if job.wait(pause):
                return True
            self._line.hurry(for_rest=self._keeping.has_waiting)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return job.wait(max(0.0, left))

    def _job_of(self, inbound: Inbound, *, has_first_aid: bool) -> Job | None:
        """The callback's job, set to work where it is new here; None where too many wait.

        A repetition that comes while the first is at work waits with it, for the same reply.
        """
        with self._lock:
            running = self._running.get(inbound.key)
            if running is not None:
                return running
            if len(self._running) >= QUEUE_LIMIT:
                return None
            job = Job(inbound, Race(has_first_aid=has_first_aid), copy_context())
            self._running[inbound.key] = job
        # An emergency does not stand in line behind turns that wait for a stuck database.
        (self._urgent if has_first_aid else self._line).add(job)
        return job

    def close(self) -> None:
        """End the threads once the turns in hand are done."""
        self._line.close()
        self._urgent.close()

    def _give(self, job: Job, reply: Reply | None) -> None:
        job.reply = reply
        with self._lock:
            self._running.pop(job.inbound.key, None)
        job.done.release()

    def _enter(self, jobs: Sequence[Job]) -> list[Job]:
        """Get in line in Redis, together; who is answered from there needs no turn."""
        try:
            slots = self._store.enter([(job.inbound.openid, job.inbound.key) for job in jobs])
        except RedisError as error:
            for job in jobs:
                log.error("turn_failed", reason=type(error).__name__, turn=job.inbound.key[:12])
                job.run(self._break)
            return []
        for job, slot in zip(jobs, slots, strict=True):
            job.slot = slot
        left = [job for job in jobs if not self._is_repeated(job)]
        self._read_together([job for job in left if job.slot and job.slot.is_first])
        return left

    def _read_together(self, jobs: Sequence[Job]) -> None:
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

    def _is_repeated(self, job: Job) -> bool:
        """Whether it was handled before, and Redis has the reply: then it is given."""
        slot = job.slot
        if slot is None or not slot.was_handled or slot.reply is None:
            return False
        stored = self._store.open(slot.reply)
        if stored is None:
            return False
        self._give(job, load_reply(stored))
        return True

    def _do(self, job: Job) -> None:
        job.run(self._run)

    def _run(self, job: Job) -> None:
        try:
            reply = self._in_turn(job)
        except HandedOver:
            return
        except (RedisError, DBAPIError, TurnNotReached) as error:
            log.error("turn_failed", reason=type(error).__name__, turn=job.inbound.key[:12])
        except Exception:
            log.exception("turn_broke", turn=job.inbound.key[:12])
        else:
            self._give(job, reply)
            return
        self._break(job)

    def _in_turn(self, job: Job) -> Reply | None:
        """The reply of a turn that is over. Raises HandedOver."""
        inbound, slot = job.inbound, job.slot
        assert slot is not None, "nobody is inside who did not come through the door"
        is_again = slot.was_handled
        if is_again:
            stored = self._work.find_stored(inbound)
            if stored is not None:
                return load_reply(stored.reply)
            # Redis remembers it and the database does not: it went back to an older state.
            [slot] = self._store.enter([(inbound.openid, inbound.key)], again=True)
            job.slot = slot
        try:
            if not slot.is_first:
                self._keep_waiting()  # one of them may be whom this one waits for
            self._store.wait(slot, LINE_SECONDS, again=is_again)
            if slot.is_too_fast and inbound.kind not in GONE and not job.race.has_first_aid:
                log.warning("turn_refused", reason="too fast", turn=inbound.key[:12])
                job.race.win("turn")
                reply: Reply | None = Reply(words.too_fast())
            elif slot.was_handled:
                reply = self._given_before(inbound, slot)
            else:
                reply, slot.next = self._work.turn_through(job, slot)
        except HandedOver:
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
        stored = self._work.find_stored(inbound)
        return load_reply(stored.reply) if stored else None

    def _leave(self, slots: Sequence[Slot]) -> None:
        try:
            self._store.leave(slots)
        except RedisError as error:
            # What was done is kept, and said; the next in line finds a ticket that has died.
            log.error("line_not_left", reason=type(error).__name__)

    def _kept(self, kept: Sequence[tuple[Job, bool]]) -> None:
        """These replies are in the database: who was not the first gets the one that was."""
        replies: list[tuple[Job, Reply | None]] = []
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

    def _first_reply(self, job: Job) -> Reply | None:
        """Of a callback that turned out to have been handled: what it was answered then."""
        assert job.slot is not None
        job.slot.next = job.slot.dialogue
        try:
            stored = self._work.find_stored(job.inbound)
        except DBAPIError as error:
            log.error("turn_failed", reason=type(error).__name__, turn=job.inbound.key[:12])
            return self._cannot(job.inbound)
        return load_reply(stored.reply) if stored else None

    def _keep_waiting(self) -> None:
        """Keep the replies that were left to others, of whom none came."""
        if not self._keeping.has_waiting:
            return
        try:
            with self._database.turn() as db:
                late = late_transaction(db)
                assert late is not None
                self._keeping.keep_waiting(db, late)
        except DBAPIError as error:
            log.warning("connection_not_given_back", reason=type(error).__name__)

    def _keep_each(self, waiting: Sequence[Waiting[Job]]) -> None:
        """Whose reply could not be kept with others' has it tried by itself."""
        self._line.add_inside([each.who for each in waiting])

    def _break(self, job: Job) -> None:
        """End what could not be done: with a polite sentence, now or as a notice."""
        reply: Reply | None = None
        try:
            reply = self._end_broken(job.inbound, job.race)
        finally:
            self._give(job, reply)

    def _end_broken(self, inbound: Inbound, race: Race) -> Reply | None:
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
                    queue_late(db, caregiver, inbound, reply, self._clock())
        except (SQLAlchemyError, OSError) as error:
            log.error("late_reply_lost", reason=type(error).__name__, turn=inbound.key[:12])
        return None

    def _hand_over(
        self,
        db: Session,
        late: LateTransaction,
        job: Job,
        reply: Reply | None,
        following: Dialogue | None,
        now: datetime,
    ) -> NoReturn:
        """Nothing was written: the reply is a transaction of its own, shared with others'."""
        assert job.slot is not None
        dumped = dump_reply(reply)
        # Encrypted once: the database has it for good, and Redis for the platform's repetition.
        entry = entry_of(job.inbound, None if dumped is None else self._store.seal(dumped), now)
        job.entry, job.reply, job.slot.next = entry, reply, following
        try:
            others_come = not job.race.has_first_aid and self._line.has_more()
            self._keeping.hand_over(db, late, Waiting(job, entry), others_come=others_come)
        except BaseException:
            job.entry = None
            raise
        raise HandedOver

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
