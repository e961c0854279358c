"""Delivery: claims due notices, sends each on the best open channel, records what became of it.

No transaction is open while a request is under way. Before it leaves, the row says on which
channel; after it, what came of it; a crash between the two leaves a row that tells as much.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.calendar_links import CalendarLinks
from app.config import Settings
from app.db import Database
from app.models.notice_facts import PackDue
from app.pack_links import PackLinks
from app.rules.channel_budget import Channel, channels
from app.services import delivery, notices, pack_ledger
from app.services.delivery import ClaimedNotice
from app.wechat.client import PlatformClient
from app.wechat.errors import PlatformError
from app.wechat.outcomes import Outcomes
from app.wechat.pauses import Pause, Pauses
from app.wechat.platform import Platform
from app.wechat.templates import NoticeTemplate, read_templates
from app.wechat.token import AccessTokens
from app.words.notices import NoticeWords, render

BATCH = 64
THREADS = 8
REDIS_WAIT = timedelta(seconds=5)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A notice in words, with the channels to try in order."""

    notice: ClaimedNotice
    words: NoticeWords
    lines: Sequence[tuple[str, str]]
    """Of the template message; empty where there is none."""
    template_id: str
    open_channels: Sequence[Channel]

    def said_on(self, channel: Channel) -> str:
        """What the person reads."""
        if channel is Channel.TEMPLATE:
            return "\n".join(value for _, value in self.lines)
        return self.words.text


class Deliverer:
    """Sends what is due. Any number of them may be at work, in any number of processes."""

    def __init__(
        self,
        *,
        database: Database,
        client: PlatformClient,
        pauses: Pauses,
        templates: dict[str, NoticeTemplate],
        calendar_url: Callable[[int], str],
        pack_links: PackLinks,
        worker: str,
        stopping: Event,
    ) -> None:
        self._database = database
        self._client = client
        self._pauses = pauses
        self._templates = templates
        self._calendar_url = calendar_url
        self._pack_links = pack_links
        self._worker = worker
        self._stopping = stopping
        self._outcomes = Outcomes(database, pauses, stopping)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="deliver")

    def run_once(self, now: datetime) -> int:
        """Deliver what is due, at most a batch; how many notices that were.

        Raises sqlalchemy.exc.DBAPIError or OSError without a database, and redis.RedisError,
        having claimed nothing, without Redis.
        """
        self._pauses.find()
        with self._database.transaction() as db:
            claimed = delivery.claim_due(db, now=now, worker=self._worker, limit=BATCH)
        by_person: dict[int, list[ClaimedNotice]] = defaultdict(list)
        for notice in claimed:
            by_person[notice.caregiver_id].append(notice)
        # One person's notices go one after the other: they are read in that order.
        at_work = [
            self._pool.submit(self._deliver_all, notices_of_one, now)
            for notices_of_one in by_person.values()
        ]
        wait(at_work)
        for future in at_work:
            future.result()
        return len(claimed)

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
        self._client.close()

    def _deliver_all(self, of_one_person: Sequence[ClaimedNotice], now: datetime) -> None:
        for notice in of_one_person:
            if self._stopping.is_set():
                self._outcomes.release(notice)
            else:
                self._deliver(notice, now)

    def _deliver(self, notice: ClaimedNotice, now: datetime) -> None:
        try:
            letter = self._prepare(notice, self._pauses.find(), now)
            if letter is not None:
                self._try_channels(letter, now)
        except RedisError:
            # Before any request: the pauses and the token are asked for first.
            self._outcomes.retry(notice, "redis", due_at=now + REDIS_WAIT, now=now)

    def _try_channels(self, letter: _Letter, now: datetime) -> None:
        for number, channel in enumerate(letter.open_channels):
            is_last = number == len(letter.open_channels) - 1
            if number:
                self._outcomes.turn_to(letter.notice, channel)
            try:
                platform_id = self._send(letter, channel)
            except PlatformError as error:
                if self._outcomes.react(
                    letter.notice,
                    channel,
                    error,
                    text=letter.said_on(channel),
                    is_last=is_last,
                    now=now,
                ):
                    return
            else:
                self._outcomes.succeed(
                    letter.notice, channel, letter.said_on(channel), platform_id, now
                )
                return

    def _prepare(
        self, notice: ClaimedNotice, resting: Mapping[Channel, Pause], now: datetime
    ) -> _Letter | None:
        """The notice ready to go, its first channel noted; None where it does not go now."""
        words = self._say(notice)
        template = self._templates.get(notice.facts.kind)
        lines = template.fill(words) if template is not None else None
        if template is not None and lines is None:
            log.error("template_cannot_say", notice=notice.id, kind=notice.facts.kind)
        with self._database.transaction() as db:
            if notice.repeat_on is not None:
                usable: Sequence[Channel] = (notice.repeat_on,)
            else:
                objection = delivery.find_objection(db, notice, now)
                if objection is not None:
                    self._outcomes.skip(db, notice, objection)
                    return None
                budget = notices.budget(db, notice.openid, now)
                usable = channels(budget, has_template=lines is not None, now=now)
            open_now = [channel for channel in usable if channel not in resting]
            if not open_now:
                pauses = [resting[channel] for channel in usable]
                self._outcomes.put_off(db, notice, pauses, now)
                return None
            delivery.choose_channel(db, notice.id, open_now[0])
        template_id = template.id if template is not None else ""
        return _Letter(notice, words, lines or (), template_id, open_now)

    def _say(self, notice: ClaimedNotice) -> NoticeWords:
        facts, page = notice.facts, ""
        lead_id = pack_ledger.lead_of(notice.subject)
        if isinstance(facts, PackDue) and lead_id is not None:
            with self._database.reading() as db:
                facts = pack_ledger.personal(db, lead_id, facts, notice.caregiver_id)
            page = self._pack_links.url(facts.pack, lead_id)
        return render(facts, self._link_for(notice), page)

    def _link_for(self, notice: ClaimedNotice) -> str:
        """The calendar link of the sign-up that a notice is about; empty for other subjects."""
        table, _, number = notice.subject.partition(":")
        return self._calendar_url(int(number)) if table == "sign_up" and number.isdecimal() else ""

    def _send(self, letter: _Letter, channel: Channel) -> str | None:
        """The platform's id of the message, where it gives one."""
        notice = letter.notice
        if channel is Channel.TEMPLATE:
            return self._client.send_template(
                notice.openid, letter.template_id, letter.lines, client_msg_id=_client_id(notice)
            )
        self._client.send_text(notice.openid, letter.words.text)
        return None


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
        templates=read_templates(settings.wechat_templates),
        calendar_url=CalendarLinks(settings.public_url, settings.secret_key.get_secret_value()).url,
        pack_links=PackLinks(settings.public_url, settings.secret_key.get_secret_value()),
        worker=worker,
        stopping=stopping,
    )


def _client_id(notice: ClaimedNotice) -> str:
    """The same for every try of one notice, and no other's: also not of a reset database."""
    said = f"{notice.id}\n{notice.dedupe_key}\n{notice.queued_at.isoformat()}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]
