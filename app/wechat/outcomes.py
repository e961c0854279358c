"""What became of each notice: written to its row, counted, logged, and told where need be."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.db import Database
from app.models import FollowUp
from app.rules.channel_budget import Channel
from app.services import claiming, delivery, delivery_batches, registration
from app.services.delivery import ClaimedNotice
from app.services.delivery_batches import Sent
from app.telemetry import NOTICE_SECONDS, NOTICES, PLATFORM_ERRORS
from app.wechat.errors import AnswerLost, ApiRefused, NotSent, PlatformError, Reaction
from app.wechat.pauses import ALL, Pause, Pauses

RECORD_TRIES = 5
RECORD_WAIT_SECONDS = 0.5
LONGEST_WAIT = timedelta(minutes=5)
REPEAT_AFTER = timedelta(seconds=30)
SLOW_DOWN_SECONDS = 60  # the platform counts by the minute
STOP_SECONDS = 300
TOKEN_SECONDS = 30
ONE_API = frozenset({48001})
"""A stop that concerns one API of the account; the others concern all."""

log = structlog.get_logger(__name__)


class Outcomes:
    """Writes outcomes, each in a transaction of its own unless one is handed in."""

    def __init__(self, database: Database, pauses: Pauses, stopping: Event) -> None:
        self._database = database
        self._pauses = pauses
        self._stopping = stopping

    def release(self, notice: ClaimedNotice) -> None:
        """Give back a notice whose turn has not come."""
        self._record(lambda db: delivery.record_released(db, notice.id, notice.repeat_on))

    def give_back(self, notices: Sequence[ClaimedNotice], worker: str) -> None:
        """Give back what a worker has claimed, and on no channel yet."""
        self._record(lambda db: claiming.give_back(db, notices, worker))

    def turn_to(self, notice: ClaimedNotice, channel: Channel) -> None:
        """Note the next channel before the request leaves."""
        self._record(lambda db: delivery.choose_channel(db, notice.id, channel))

    def skip(self, db: Session, notice: ClaimedNotice, reason: str) -> None:
        """It is not wanted any more."""
        delivery.record_skipped(db, notice.id, reason=reason)
        self._count("skipped", None, notice, reason)

    def put_off(
        self, db: Session, notice: ClaimedNotice, pauses: Sequence[Pause], now: datetime
    ) -> None:
        """No channel now: the notice waits for a pause's end, else for the next contact."""
        if not pauses:
            delivery.record_waiting(db, notice.id, reason="no_channel")
            self._count("waiting", None, notice, "no_channel")
        elif notice.repeat_on is not None:
            delivery.record_unknown(db, notice.id, reason=pauses[0].reason, now=now)
            self._count("unknown", notice.repeat_on, notice, pauses[0].reason)
        else:
            soonest = min(pauses, key=lambda pause: pause.seconds_left)
            due_at = now + timedelta(seconds=soonest.seconds_left + 1)
            delivery.record_retry_later(db, notice.id, reason=soonest.reason, due_at=due_at)
            self._count("queued", None, notice, soonest.reason)

    def succeed(
        self,
        notice: ClaimedNotice,
        channel: Channel,
        text: str,
        platform_id: str | None,
        now: datetime,
    ) -> None:
        """The platform took it."""
        self._record(
            lambda db: delivery.record_sent(
                db, notice.id, channel=channel, text=text, platform_id=platform_id, now=now
            )
        )
        self._observe(Sent(notice, channel, text, platform_id), now)

    def succeed_all(self, sent: Sequence[Sent], now: datetime) -> None:
        """The platform took them: one transaction for all."""
        self._record(lambda db: delivery_batches.record_sent(db, sent, now))
        for one in sent:
            self._observe(one, now)

    def _observe(self, one: Sent, now: datetime) -> None:
        NOTICE_SECONDS.observe(max(0.0, (now - one.notice.queued_at).total_seconds()))
        self._count("sent", one.channel, one.notice)

    def retry(self, notice: ClaimedNotice, reason: str, *, due_at: datetime, now: datetime) -> None:
        """Once more later; what may have arrived already goes to a person instead."""
        if notice.repeat_on is not None:
            self._give_up(notice, notice.repeat_on, reason, now)
            return
        self._record(
            lambda db: delivery.record_retry_later(db, notice.id, reason=reason, due_at=due_at)
        )
        self._count("queued", None, notice, reason)

    def react(
        self,
        notice: ClaimedNotice,
        channel: Channel,
        error: PlatformError,
        *,
        text: str,
        is_last: bool,
        now: datetime,
    ) -> bool:
        """Record what a failed send means; False where the next channel is to be tried."""
        PLATFORM_ERRORS.labels(_what(error)).inc()
        if isinstance(error, ApiRefused) and error.reaction is Reaction.ALREADY_SENT:
            self.succeed(notice, channel, text, None, now)
            return True
        is_certain = not isinstance(error, AnswerLost) and not (
            isinstance(error, ApiRefused) and error.reaction is Reaction.BACK_OFF
        )
        if notice.repeat_on is not None or not is_certain:
            self._uncertain(notice, channel, error, now)
            return True
        if isinstance(error, ApiRefused):
            return self._refused(notice, channel, error, is_last=is_last, now=now)
        wait = min(timedelta(seconds=2 ** min(notice.attempts, 10)), LONGEST_WAIT)
        self.retry(notice, f"not_sent:{_what(error)}", due_at=now + wait, now=now)
        return True

    def _uncertain(
        self, notice: ClaimedNotice, channel: Channel, error: PlatformError, now: datetime
    ) -> None:
        """It may have arrived: repeated once where that does no harm, else for a person."""
        if channel is Channel.TEMPLATE and notice.repeat_on is None:
            due_at = now + REPEAT_AFTER
            self._record(lambda db: delivery.record_repeat(db, notice.id, due_at=due_at))
            self._count("queued", channel, notice, delivery.REPEATING)
            return
        self._give_up(notice, channel, f"answer_lost:{_what(error)}", now)

    def _give_up(self, notice: ClaimedNotice, channel: Channel, reason: str, now: datetime) -> None:
        self._record(lambda db: delivery.record_unknown(db, notice.id, reason=reason, now=now))
        self._count("unknown", channel, notice, reason)

    def _refused(
        self,
        notice: ClaimedNotice,
        channel: Channel,
        error: ApiRefused,
        *,
        is_last: bool,
        now: datetime,
    ) -> bool:
        """The platform said no, and did nothing. False where the next channel is to be tried."""
        reason = f"refused:{error.code}"
        match error.reaction:
            case Reaction.NOT_FOLLOWING:
                self._record(lambda db: _forget(db, notice, reason))
                self._count("skipped", channel, notice, reason)
            case Reaction.BLOCKED:
                self._record(lambda db: delivery.record_skipped(db, notice.id, reason=reason))
                self._count("skipped", channel, notice, reason)
            case Reaction.NEXT_CHANNEL | Reaction.CONSENT_SPENT:
                if not is_last:
                    return False
                self._record(lambda db: delivery.record_waiting(db, notice.id, reason=reason))
                self._count("waiting", channel, notice, reason)
            case Reaction.QUOTA_SPENT | Reaction.SLOW_DOWN | Reaction.STOP | Reaction.RENEW_TOKEN:
                self._pause(channel, error, reason, now)
                # It comes back at once: to another open channel, or to wait for the pause's end.
                self.retry(notice, reason, due_at=now, now=now)
            case _:
                self._record(
                    lambda db: delivery.record_failed(db, notice.id, reason=reason, now=now)
                )
                self._count("failed", channel, notice, reason)
        return True

    def _pause(self, channel: Channel, error: ApiRefused, reason: str, now: datetime) -> None:
        """Let a channel, or the account, rest; tell people once a day where it is for long."""
        what: str = channel
        if error.reaction is Reaction.QUOTA_SPENT:
            seconds = _seconds_to_midnight(now)
        elif error.reaction is Reaction.SLOW_DOWN:
            seconds = SLOW_DOWN_SECONDS
        else:
            what = channel if error.code in ONE_API else ALL
            seconds = STOP_SECONDS if error.reaction is Reaction.STOP else TOKEN_SECONDS
        log.error("channel_paused", channel=what, reason=reason, seconds=seconds)
        try:
            self._pauses.begin(what, reason, seconds)
            is_news = self._pauses.is_first_alert(reason)
        except RedisError:
            log.error("pause_not_kept", channel=what, reason=reason)
            return
        if is_news and error.reaction is not Reaction.SLOW_DOWN:
            self._record(lambda db: _alert(db, f"platform {what} {reason}", now))

    def _record(self, write: Callable[[Session], object]) -> None:
        """Write an outcome, stubbornly: one that is lost makes a sent notice unknown."""
        for tries_left in reversed(range(RECORD_TRIES)):
            try:
                with self._database.transaction() as db:
                    write(db)
                return
            except DBAPIError:
                if not tries_left:
                    raise
                self._stopping.wait(RECORD_WAIT_SECONDS)

    def _count(
        self, state: str, channel: Channel | None, notice: ClaimedNotice, reason: str = ""
    ) -> None:
        NOTICES.labels(state, channel or "none").inc()
        log.info(
            "notice",
            notice=notice.id,
            kind=notice.facts.kind,
            state=state,
            channel=channel,
            reason=reason,
            attempts=notice.attempts,
            request_id=notice.request_id,
        )


def _forget(db: Session, notice: ClaimedNotice, reason: str) -> None:
    """The platform says that nobody follows under this openid: nothing more is sent to it.

    The link stays: with another account's credentials every send would be refused like
    this, and the person's next message proves the platform wrong. Erasing waits for the
    event that asks for it.
    """
    registration.mark_not_following(db, notice.openid)
    delivery.record_skipped(db, notice.id, reason=reason)


def _alert(db: Session, detail: str, now: datetime) -> None:
    db.add(FollowUp(kind="notice_failed", detail=detail, created_at=now))


def _seconds_to_midnight(now: datetime) -> int:
    """Until the platform's quotas start anew, which is at midnight in Beijing."""
    local = now.astimezone(SHANGHAI)
    midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), SHANGHAI)
    return int((midnight - local).total_seconds()) + 5


def _what(error: PlatformError) -> str:
    if isinstance(error, (AnswerLost, NotSent)):
        return error.what
    return str(error.code) if isinstance(error, ApiRefused) else type(error).__name__
