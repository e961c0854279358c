"""Delivery: claims due notices, sends each on the best open channel, records what became of it.

No transaction is open while a request is under way. Before it leaves, the row says on which
channel; after it, what came of it; a crash between the two leaves a row that tells as much. A lot
of notices is claimed together, at first without a channel: what a crash leaves of these was not
sent. A few dozen of them at a time are noted with their channels, sent side by side, and recorded
together, while the next are on their way.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from queue import Empty
from threading import Event
from time import monotonic

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.config import Settings
from app.db import Database
from app.rules.channel_budget import Channel
from app.rules.quiet_hours import QUIET_UNTIL
from app.services import claiming, delivery, delivery_batches, notices, subscriptions
from app.services.claiming import Due, StoredFacts
from app.services.delivery import ClaimedNotice
from app.services.delivery_batches import Sent
from app.wechat.client import PlatformClient
from app.wechat.errors import AnswerLost, ApiRefused, PlatformError, Reaction
from app.wechat.flight import Flight, Landed
from app.wechat.letters import Letter, LetterWriter, make_writer
from app.wechat.outcomes import Outcomes
from app.wechat.pauses import Pause, Pauses
from app.wechat.platform import Platform
from app.wechat.quotas import DailyQuotas
from app.wechat.token import AccessTokens

BATCH = 8_192
"""In hand at most before the caller looks for orphans: until then nothing has to come down."""
BATCH_SECONDS = 10.0
THREADS = 8
CHUNK = 32
"""Noted with their channels together, and recorded together."""
LOT = 4 * CHUNK
"""Claimed together at most: as many as are gone within LOT_SECONDS."""
LOT_SECONDS = 1.0
UNDER_WAY = 2 * CHUNK
"""On its way, or waiting for a thread."""
UNRECORDED = 4 * CHUNK
"""Noted with its channel, and not recorded. What a crash leaves of these is not known."""
HANDFUL = 4
"""Handed to a thread together at most: each time costs two of them their turn."""
RECORD_SECONDS = 0.2
FRESH_SECONDS = 15.0
"""A letter that waited longer for a thread is given back: others may take it for an orphan."""
REDIS_WAIT = timedelta(seconds=5)

log = structlog.get_logger(__name__)


class Deliverer:
    """Sends what is due. Any number of them may be at work, in any number of processes."""

    def __init__(
        self,
        *,
        database: Database,
        client: PlatformClient,
        pauses: Pauses,
        quotas: DailyQuotas,
        writer: LetterWriter,
        worker: str,
        stopping: Event,
    ) -> None:
        self._database = database
        self._client = client
        self._pauses = pauses
        self._quotas = quotas
        self._writer = writer
        self._worker = worker
        self._stopping = stopping
        self._outcomes = Outcomes(database, pauses, stopping)
        self._facts = StoredFacts()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="deliver")
        self._recorder = ThreadPoolExecutor(1, thread_name_prefix="record")

    def run_once(self, now: datetime) -> int:
        """Deliver what is due, at most a batch; how many notices that were.

        Raises sqlalchemy.exc.DBAPIError or OSError without a database, and redis.RedisError
        without Redis: then what has not left was given back.
        """
        flight = Flight(now, CHUNK)
        taken, held_up = 0, 0
        try:
            while taken < BATCH and flight.seconds < BATCH_SECONDS and not self._stopping.is_set():
                began = monotonic()
                flight.tick()
                due = self._take(flight, min(flight.lot, BATCH - taken), held_up)
                taken, held_up = taken + due.found, due.held_up
                if not due.found and not held_up:
                    break
                # With nothing but what has to wait for its turn, all else comes down first.
                self._bring_down(flight, UNDER_WAY if due.found else 0)
                is_quick = monotonic() - began < LOT_SECONDS
                flight.lot = min(2 * flight.lot, LOT) if is_quick else CHUNK
            self._bring_down(flight, 0)
        finally:
            left, flight.ready = flight.ready, deque()
            try:
                self._bring_down(flight, 0)
            finally:
                self._give_back(flight, left)
        return taken

    def _take(self, flight: Flight, limit: int, held_up: int) -> Due:
        """Claim a part of what is due."""
        resting, now = self._pauses.find(), flight.now
        with self._database.transaction() as db:
            due = claiming.lock_due(
                db, self._facts, now=now, limit=limit, under_way=flight.people, held_up=held_up
            )
            letters = self._prepare(db, due.notices, resting, now) if due.notices else []
        claimed_at = monotonic()
        for letter in letters:
            flight.people.add(letter.notice.caregiver_id)
            flight.ready.append((letter, claimed_at))
        return due

    def _bring_down(self, flight: Flight, still_up: int) -> None:
        """Let letters leave, until no more than so many are in the air and none stands ready."""
        while flight.ready or flight.under_way > still_up:
            while (
                flight.ready
                and not flight.failure
                and flight.under_way <= UNDER_WAY - CHUNK
                and flight.unrecorded <= UNRECORDED - CHUNK
            ):
                self._let_leave(flight)
            if flight.failure and flight.ready:
                break
            self._land(flight)
        if not flight.under_way:
            self._record(flight)
        if not still_up:
            self._recorded(flight)
        failure, flight.failure = flight.failure, None
        if failure is not None:
            raise failure

    def _let_leave(self, flight: Flight) -> None:
        """Note the channels of the next few dozen, and let these leave."""
        part = [flight.ready.popleft() for _ in range(min(CHUNK, len(flight.ready)))]
        now = flight.now
        try:
            resting = self._pauses.find()
            stale_since = monotonic() - FRESH_SECONDS
            going = [
                (letter, claimed_at)
                for letter, claimed_at in part
                if letter.open_channels[0] not in resting
                and claimed_at >= stale_since
                and not self._stopping.is_set()
            ]
            noted = self._note([letter for letter, _ in going]) if going else ()
        except BaseException:
            flight.ready.extend(part)
            raise
        leaving = [pair for pair in going if pair[0].notice.id in noted]
        flight.under_way += len(leaving)
        each = max(1, min(HANDFUL, len(leaving) // THREADS))
        for first in range(0, len(leaving), each):
            future = self._pool.submit(self._deliver_some, leaving[first : first + each], now)
            future.add_done_callback(lambda done: flight.landed.put(done.result()))
        # What rests, or waited too long, is looked at anew by whoever claims it next.
        self._give_back(flight, [pair for pair in part if pair[0].notice.id not in noted])

    def _note(self, letters: Sequence[Letter]) -> Collection[int]:
        """Which of them are ours to send: from now on they may have gone."""
        chosen = [(letter.notice, letter.open_channels[0]) for letter in letters]
        with self._database.transaction() as db:
            return claiming.note_channels(db, chosen, worker=self._worker)

    def _give_back(self, flight: Flight, letters: Collection[tuple[Letter, float]]) -> None:
        """What has not left is everybody's again."""
        if letters:
            given = [letter.notice for letter, _ in letters]
            self._outcomes.give_back(given, self._worker)
            flight.people -= {notice.caregiver_id for notice in given}

    def _land(self, flight: Flight) -> None:
        """Wait for some that come down, or a while, and let what was sent be recorded."""
        landed: Sequence[Landed] = ()
        with suppress(Empty):
            landed = flight.landed.get(timeout=max(0.0, flight.record_at - monotonic()))
        for one in landed:
            flight.under_way -= 1
            if one.failure is not None:
                flight.failure = flight.failure or one.failure
                continue
            flight.done.add(one.caregiver_id)
            flight.sent += [one.sent] if one.sent is not None else []
        if flight.recording is not None and flight.recording.done():
            self._recorded(flight)
        # So slow a platform is not waited for with what is done already.
        is_time = monotonic() >= flight.record_at
        if flight.recording is None and (is_time or len(flight.sent) >= CHUNK):
            self._record(flight)
        elif is_time:
            flight.record_at = monotonic() + RECORD_SECONDS

    def _record(self, flight: Flight) -> None:
        """Write what was sent, while the next are claimed and sent."""
        self._recorded(flight)
        flight.record_at = monotonic() + RECORD_SECONDS
        if flight.sent:
            flight.recording = self._recorder.submit(self._write_down, flight.sent, flight.now)
            flight.recording.add_done_callback(lambda _: flight.landed.put(()))
            flight.recorded, flight.being_recorded = flight.done, len(flight.sent)
            flight.done, flight.sent = set(), []
        else:
            flight.people -= flight.done
            flight.done = set()

    def _recorded(self, flight: Flight) -> None:
        """Wait for what is being written: from now on it is known, and its readers are free."""
        recording, flight.recording = flight.recording, None
        flight.being_recorded = 0
        if recording is not None:
            recording.result()
            flight.people -= flight.recorded

    def _write_down(self, sent: Sequence[Sent], now: datetime) -> None:
        self._outcomes.succeed_all(sent, now)
        for channel, number in Counter(one.channel for one in sent).items():
            self._quotas.note_sent(channel, number, now)

    def settle_orphans(self, now: datetime) -> int:
        """Settle what a crash left in sending; how many notices that were."""
        with self._database.reading() as db:
            if not delivery.has_orphans(db, now):
                return 0
        with self._database.transaction() as db:
            count = delivery.mark_orphans_unknown(db, now)
        log.warning("orphans_settled", count=count)
        return count

    def has_due(self, now: datetime) -> bool:
        """Whether there is anything to deliver: cheap enough to ask several times a second."""
        with self._database.reading() as db:
            return notices.has_due(db, now)

    def close(self) -> None:
        """Wait for what is under way; end the threads and the connections."""
        self._pool.shutdown()
        self._recorder.shutdown()
        self._client.close()

    def _deliver_some(
        self, letters: Sequence[tuple[Letter, float]], now: datetime
    ) -> Sequence[Landed]:
        landed = []
        for letter, claimed_at in letters:
            who = letter.notice.caregiver_id
            try:
                landed.append(Landed(who, sent=self._deliver(letter, claimed_at, now)))
            except Exception as error:  # the others are not to wait for an orphan's end
                landed.append(Landed(who, failure=error))
        return landed

    def _deliver(self, letter: Letter, claimed_at: float, now: datetime) -> Sent | None:
        """What is to be recorded of a success; all else is recorded here."""
        if self._stopping.is_set() or monotonic() - claimed_at > FRESH_SECONDS:
            self._outcomes.release(letter.notice)
            return None
        try:
            return self._try_channels(letter, now)
        except RedisError:
            # Before any request: the quota and the token are asked for first.
            self._outcomes.retry(letter.notice, "redis", due_at=now + REDIS_WAIT, now=now)
            return None

    def _try_channels(self, letter: Letter, now: datetime) -> Sent | None:
        notice = letter.notice
        for number, channel in enumerate(letter.open_channels):
            is_last = number == len(letter.open_channels) - 1
            if letter.is_pack and not self._quotas.has_room(channel, now):
                if is_last:
                    due_at = _next_morning(now)
                    self._outcomes.retry(notice, "daily_quota", due_at=due_at, now=now)
                continue
            if channel is not letter.open_channels[0]:
                self._outcomes.turn_to(notice, channel)
            try:
                platform_id = self._send(letter, channel)
            except PlatformError as error:
                self._note_consent(letter, channel, error, now)
                said = letter.said_on(channel)
                if self._outcomes.react(
                    notice, channel, error, text=said, is_last=is_last, now=now
                ):
                    return None
            else:
                self._note_consent(letter, channel, None, now)
                return Sent(notice, channel, letter.said_on(channel), platform_id)
        return None

    def _note_consent(
        self, letter: Letter, channel: Channel, error: PlatformError | None, now: datetime
    ) -> None:
        """A one-time consent is spent by what went, or may have gone; a refused one is none."""
        if channel not in (Channel.ONE_TIME, Channel.LONG_TERM):
            return
        openid, template_id = letter.notice.openid, letter.ways[channel].template_id
        is_spent = isinstance(error, ApiRefused) and error.reaction is Reaction.CONSENT_SPENT
        with self._database.transaction() as db:
            if is_spent:
                subscriptions.drop(db, openid, template_id, now)
            elif channel is Channel.ONE_TIME and (error is None or isinstance(error, AnswerLost)):
                subscriptions.spend(db, openid, template_id, now)

    def _prepare(
        self,
        db: Session,
        due: Sequence[ClaimedNotice],
        resting: Mapping[Channel, Pause],
        now: datetime,
    ) -> list[Letter]:
        """The notices that may go now, claimed; the others are settled."""
        new = [notice for notice in due if notice.repeat_on is None]
        wanted = delivery_batches.examine(db, due, now)
        budgets = delivery_batches.budgets(db, new, now)
        held = subscriptions.find_held(
            db, [one.openid for one in new], self._writer.subscribed_templates
        )
        letters: list[Letter] = []
        staying: list[tuple[ClaimedNotice, list[Pause]]] = []
        for notice in due:
            if notice.id in wanted.objections:
                staying.append((notice, []))
                continue
            letter = self._writer.write(notice, wanted.facts[notice.id])
            if notice.repeat_on is not None:
                usable: Sequence[Channel] = (notice.repeat_on,)
            else:
                allowed, budget = held.get(notice.openid, {}), budgets[notice.openid]
                usable = self._writer.channels(letter, budget, allowed, now)
                ask = self._writer.find_ask(letter, usable, budget, allowed, now)
                if ask is not None:
                    letter = self._writer.asking(letter, ask)
                    subscriptions.note_asked(db, notice.openid, ask.template_id, now)
            open_now = [channel for channel in usable if channel not in resting]
            if open_now:
                letters.append(replace(letter, open_channels=open_now))
            else:
                staying.append((notice, [resting[channel] for channel in usable]))
        claimed = [*(letter.notice for letter in letters), *(notice for notice, _ in staying)]
        here = [(notice, notice.repeat_on) for notice in claimed]
        claiming.mark(db, here, now=now, worker=self._worker)
        for notice, pauses in staying:
            objection = wanted.objections.get(notice.id)
            if objection is not None:
                self._outcomes.skip(db, notice, objection)
            else:
                self._outcomes.put_off(db, notice, pauses, now)
        return letters

    def _send(self, letter: Letter, channel: Channel) -> str | None:
        """The platform's id of the message, where it gives one."""
        notice, way = letter.notice, letter.ways.get(channel)
        if way is None:
            self._client.send_text(notice.openid, letter.words.text)
            return None
        if channel is Channel.TEMPLATE:
            return self._client.send_template(
                notice.openid,
                way.template_id,
                way.lines,
                url=letter.page_url or None,
                client_msg_id=_client_id(notice),
            )
        return self._client.send_subscription(
            notice.openid, way.template_id, way.lines, page=letter.page_url or None
        )


def _next_morning(now: datetime) -> datetime:
    """08:00 of the day on which the platform counts anew."""
    tomorrow = now.astimezone(SHANGHAI).date() + timedelta(days=1)
    return datetime.combine(tomorrow, QUIET_UNTIL, SHANGHAI)


def make_client(settings: Settings, redis: Redis, stopping: Event | None = None) -> PlatformClient:
    """The platform's client by the settings. Connects to nothing yet."""
    platform = Platform(settings.wechat_api_url, settings.wechat_app_id)
    return PlatformClient(
        settings.wechat_api_url,
        platform,
        AccessTokens(settings, platform, redis),
        sleep=(stopping or Event()).wait,
    )


def make_deliverer(
    settings: Settings, database: Database, redis: Redis, *, worker: str, stopping: Event
) -> Deliverer:
    """A deliverer by the settings. Raises TemplateSettingWrong."""
    return Deliverer(
        database=database,
        client=make_client(settings, redis, stopping),
        pauses=Pauses(redis, settings.wechat_app_id),
        quotas=DailyQuotas(redis, settings.wechat_app_id),
        writer=make_writer(settings),
        worker=worker,
        stopping=stopping,
    )


def _client_id(notice: ClaimedNotice) -> str:
    """The same for every try of one notice, and no other's: also not of a reset database."""
    said = f"{notice.id}\n{notice.dedupe_key}\n{notice.queued_at.isoformat()}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]
