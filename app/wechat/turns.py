"""One callback, start to end: its place in line, one transaction, its deadline.

The platform waits 5 seconds. A turn that is still running after the deadline is answered
with a word of patience, goes on in its thread, and ends in a notice with the real answer.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.db import Database, late_transaction
from app.dialogue.answer import answer
from app.dialogue.emergency import find_emergency
from app.dialogue.message import Article, Dialogue, Inbound, Kind, Reply
from app.dialogue.reading.plain import normalise
from app.dialogue.store import DialogueStore, TurnNotReached
from app.dialogue.turn import Desk, Handlers
from app.errors import DomainError
from app.models import Caregiver
from app.models.notice_facts import LateReply
from app.services import delivery, inbox, notices, registration, subscriptions
from app.wechat.keeping import Keeping
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
    has_only_read: bool = False
    """The turn's one row is its reply: Redis may answer a repetition by itself."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    winner: str | None = None

    def win(self, who: str) -> bool:
        with self.lock:
            self.winner = self.winner or who
            return self.winner == who


class _HandledBefore(Exception):
    """The platform delivered this callback before."""


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
        self._keeping = Keeping()
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="turn")
        self._urgent = ThreadPoolExecutor(max_workers=4, thread_name_prefix="urgent")
        self._waiting = threading.BoundedSemaphore(QUEUE_LIMIT)

    def handle(self, inbound: Inbound) -> Reply | None:
        """The reply to one callback, within the platform's time; None for a bare success."""
        first_aid = self._emergency(inbound)
        if not self._waiting.acquire(blocking=False):
            log.warning("turn_refused", reason="queue full", turn=inbound.key[:12])
            return first_aid or self._cannot(inbound)
        race = _Race(has_first_aid=first_aid is not None)
        # An emergency does not stand in line behind turns that wait for a stuck database.
        pool = self._pool if first_aid is None else self._urgent
        # The thread's log lines, and what it queues, bear the request's id.
        future: Future[Reply | None] = pool.submit(copy_context().run, self._run, inbound, race)
        future.add_done_callback(lambda _: self._waiting.release())
        try:
            seconds = self._deadline_seconds
            return future.result(seconds if first_aid is None else min(EMERGENCY_SECONDS, seconds))
        except FutureTimeout:
            if race.win("deadline"):
                log.warning("turn_late", turn=inbound.key[:12])
                return first_aid or Reply(words.busy())
        try:
            return future.result(timeout=LAST_CALL_SECONDS)
        except FutureTimeout:
            # Committing, but not back yet: the platform asks again and gets the stored reply.
            return first_aid

    def close(self) -> None:
        """End the threads once the turns in hand are done."""
        self._pool.shutdown()
        self._urgent.shutdown()

    def _run(self, inbound: Inbound, race: _Race) -> Reply | None:
        try:
            in_turn = self._store.in_turn
            with in_turn(inbound.openid, inbound.key, LINE_SECONDS) as slot:
                if slot.is_too_fast and inbound.kind not in GONE and not race.has_first_aid:
                    log.warning("turn_refused", reason="too fast", turn=inbound.key[:12])
                    race.win("turn")
                    return Reply(words.too_fast())
                if not slot.was_handled:
                    reply, slot.next = self._turn_through(inbound, slot.dialogue, race)
                    # What changed something is answered from where the change is kept, too.
                    slot.reply = dump_reply(reply) if race.has_only_read else None
                    return reply
                if slot.reply is not None:
                    return load_reply(slot.reply)
            stored = self._find_stored(inbound)
            if stored is not None:
                return load_reply(stored.reply)
            # Redis remembers it and the database does not: it went back to an older state.
            with in_turn(inbound.openid, inbound.key, LINE_SECONDS, again=True) as slot:
                reply, slot.next = self._turn_through(inbound, slot.dialogue, race)
                return reply
        except (RedisError, DBAPIError, TurnNotReached) as error:
            log.error("turn_failed", reason=type(error).__name__, turn=inbound.key[:12])
        except Exception:
            log.exception("turn_broke", turn=inbound.key[:12])
        return self._end_broken(inbound, race)

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

    def _turn_through(
        self, inbound: Inbound, dialogue: Dialogue | None, race: _Race
    ) -> tuple[Reply | None, Dialogue | None]:
        """The turn; once more where the database went away under it.

        If it had committed before it went, the second try finds the reply that was kept.
        """
        try:
            return self._turn(inbound, dialogue, race)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            log.warning("turn_again", reason=type(error).__name__, turn=inbound.key[:12])
        return self._turn(inbound, dialogue, race)

    def _turn(
        self, inbound: Inbound, dialogue: Dialogue | None, race: _Race
    ) -> tuple[Reply | None, Dialogue | None]:
        try:
            try:
                with self._database.turn() as db:
                    return self._work_or_refuse(db, inbound, dialogue, race)
            except DomainError as error:
                # Rolled back; the refusal is kept by itself.
                refusal = _refusal(error, inbound)
            with self._database.turn() as db:
                self._finish(db, inbound, refusal, race, self._clock())
                return refusal, dialogue
        except _HandledBefore:
            stored = self._find_stored(inbound)
            return (load_reply(stored.reply) if stored else None), dialogue

    def _work_or_refuse(
        self, db: Session, inbound: Inbound, dialogue: Dialogue | None, race: _Race
    ) -> tuple[Reply | None, Dialogue | None]:
        """The turn; a refusal before anything was written needs no second transaction.

        In a rush that is what nearly everybody gets.
        """
        try:
            return self._work(db, inbound, dialogue, race)
        except DomainError as error:
            late = late_transaction(db)
            if late is None or late.has_begun:
                raise
            # Whatever was changed in memory alone is forgotten.
            db.expunge_all()
            refusal = _refusal(error, inbound)
            self._finish(db, inbound, refusal, race, self._clock())
            return refusal, dialogue

    def _find_stored(self, inbound: Inbound) -> inbox.Stored | None:
        with self._database.turn() as db:
            return inbox.find_stored(db, inbound.key)

    def _work(
        self, db: Session, inbound: Inbound, dialogue: Dialogue | None, race: _Race
    ) -> tuple[Reply | None, Dialogue | None]:
        now = self._clock()
        if inbound.kind in GONE:
            self._finish(db, inbound, None, race, now)
            registration.unfollow(db, inbound.openid, now)
            return None, None
        if inbound.kind in CONSENTS:
            self._note_consent(db, inbound, now)
        if inbound.kind is Kind.TEMPLATE_RECEIPT:
            delivery.record_receipt(db, platform_id=inbound.platform_id, status=inbound.status)
        if inbound.kind in SILENT:
            self._finish(db, inbound, None, race, now)
            return None, dialogue
        caregiver = registration.find_caregiver(db, inbound.openid)
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
        self._finish(db, inbound, reply, race, now)
        return reply, following

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
        self, db: Session, inbound: Inbound, reply: Reply | None, race: _Race, now: datetime
    ) -> None:
        """Keep the reply for retries; where the deadline has passed, send it as a notice.

        Raises _HandledBefore, which rolls everything back.
        """
        db.flush()
        late = late_transaction(db)
        if late is not None and not late.has_begun and race.win("turn"):
            # Nothing else was written: the one statement is its own transaction.
            race.has_only_read = True
            if not self._keeping.keep(db, late, _entry(inbound, reply, now)):
                raise _HandledBefore
            return
        if not inbox.keep(db, _entry(inbound, reply, now)):
            raise _HandledBefore
        if not race.win("turn") and reply is not None and not race.has_first_aid:
            caregiver = registration.find_caregiver(db, inbound.openid)
            if caregiver is not None:
                _queue_late(db, caregiver, inbound, reply, now)

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


def _entry(inbound: Inbound, reply: Reply | None, now: datetime) -> inbox.Entry:
    return inbox.Entry(
        key=inbound.key,
        openid=inbound.openid,
        kind=inbound.kind,
        window=inbound.window,
        received_at=now,
        reply=dump_reply(reply),
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
