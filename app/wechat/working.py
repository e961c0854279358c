"""One turn with the database: the work or the refusal, and its reply kept in the same transaction.

Raises what it cannot do: `turns` says what becomes of it.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import Database
from app.dialogue.answer import answer
from app.dialogue.message import Dialogue, Inbound, Kind, Reply
from app.dialogue.store import Slot
from app.dialogue.turn import Desk, Handlers
from app.errors import DomainError
from app.late_transaction import LateTransaction, late_transaction
from app.models import Caregiver
from app.models.notice_facts import LateReply
from app.services import delivery, inbox, notices, registration, subscriptions
from app.wechat.jobs import CONSENTS, GONE, SILENT, HandedOver, Job
from app.wechat.kept_replies import dump_reply, load_reply
from app.words.errors import say_error

log = structlog.get_logger()

FRESH_SECONDS = 0.25
"""What was read of a caregiver before the turn is taken for it only so long."""
HandOver = Callable[
    [Session, LateTransaction, Job, Reply | None, Dialogue | None, datetime], NoReturn
]
"""Has the reply kept of a turn that has only read. Raises HandedOver."""


class HandledBefore(Exception):
    """The platform delivered this callback before."""


class Work:
    """What is done in a turn, once the caregiver's turn has come."""

    def __init__(
        self,
        *,
        database: Database,
        handlers: Handlers,
        desk: Desk,
        clock: Callable[[], datetime],
        hand_over: HandOver,
        kept: Callable[[Sequence[tuple[Job, bool]]], None],
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._desk = desk
        self._clock = clock
        self._hand_over = hand_over
        self._kept = kept

    def turn_through(self, job: Job, slot: Slot) -> tuple[Reply | None, Dialogue | None]:
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

    def _turn(self, job: Job, slot: Slot) -> tuple[Reply | None, Dialogue | None]:
        try:
            if job.entry is not None:
                self._keep_alone(job, job.entry)
            try:
                with self._database.turn(slot.reached_at) as db:
                    return self._work_or_refuse(db, job, slot)
            except DomainError as error:
                # Rolled back; the refusal is kept by itself.
                refusal = _refusal(error, job.inbound)
            with self._database.turn() as db:
                self._finish(db, job, refusal, slot.dialogue, self._clock())
                return refusal, slot.dialogue
        except HandledBefore:
            stored = self.find_stored(job.inbound)
            return (load_reply(stored.reply) if stored else None), slot.dialogue

    def _work_or_refuse(
        self, db: Session, job: Job, slot: Slot
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
            if db.in_transaction():
                # Whatever was changed in memory alone is forgotten.
                db.expunge_all()
            refusal = _refusal(error, job.inbound)
            self._finish(db, job, refusal, slot.dialogue, self._clock())
            return refusal, slot.dialogue

    def find_stored(self, inbound: Inbound) -> inbox.Stored | None:
        with self._database.turn() as db:
            return inbox.find_stored(db, inbound.key)

    def _work(
        self, db: Session, job: Job, dialogue: Dialogue | None
    ) -> tuple[Reply | None, Dialogue | None]:
        now = self._clock()
        inbound = job.inbound
        if inbound.kind in GONE:
            # In one transaction: unfollowing erases the openid from this very row, too.
            if not inbox.keep(db, entry_of(inbound, None, now)):
                raise HandledBefore
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

    def _find_caregiver(self, db: Session, job: Job) -> Caregiver | None:
        read, job.read = job.read, None
        if read is None or time.monotonic() - job.read_at > FRESH_SECONDS:
            return registration.find_caregiver(db, job.inbound.openid)
        return registration.put_caregiver(db, read)

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
        job: Job,
        reply: Reply | None,
        following: Dialogue | None,
        now: datetime,
    ) -> None:
        """Keep the reply for retries; where the deadline has passed, send it as a notice.

        Raises HandledBefore, which rolls everything back, and HandedOver.
        """
        db.flush()
        inbound, race = job.inbound, job.race
        late = late_transaction(db)
        if late is not None and not late.has_begun and race.win("turn"):
            self._hand_over(db, late, job, reply, following, now)
        if not inbox.keep(db, entry_of(inbound, dump_reply(reply), now)):
            raise HandledBefore
        if not race.win("turn") and reply is not None and not race.has_first_aid:
            caregiver = registration.find_caregiver(db, inbound.openid)
            if caregiver is not None:
                queue_late(db, caregiver, inbound, reply, now)

    def _keep_alone(self, job: Job, entry: inbox.Entry) -> NoReturn:
        with self._database.turn() as db:
            is_new = inbox.keep(db, entry)
        self._kept([(job, is_new)])
        raise HandedOver


def _refusal(error: DomainError, inbound: Inbound) -> Reply:
    log.info("turn_refused", reason=type(error).__name__, turn=inbound.key[:12])
    return Reply(say_error(error))


def entry_of(inbound: Inbound, reply: str | None, now: datetime) -> inbox.Entry:
    return inbox.Entry(
        key=inbound.key,
        openid=inbound.openid,
        kind=inbound.kind,
        window=inbound.window,
        received_at=now,
        reply=reply,
    )


def queue_late(
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
