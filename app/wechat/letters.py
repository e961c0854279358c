"""Letters: a notice in words, for every channel that could say it, and which of them are open."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from app.calendar_links import CalendarLinks
from app.config import Settings
from app.models.notice_facts import NoticeFacts, PackDue
from app.pack_links import PackLinks
from app.page_links import PageLinks
from app.rules.asking import LASTING, Ask, Held, Purpose, may_ask
from app.rules.channel_budget import Budget, Channel, channels
from app.services import pack_ledger
from app.services.delivery import ClaimedNotice
from app.wechat.templates import NoticeTemplate, read_templates
from app.words import asking as asking_words
from app.words.notices import NoticeWords, render

ASKING_PAGE = "subscriptions"
"""Below /family/: where a consent is asked for."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """How a letter goes through one channel."""

    template_id: str
    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice in words, with the channels to try in order."""

    notice: ClaimedNotice
    words: NoticeWords
    ways: Mapping[Channel, Way]
    """Of the channels that say fields of a template."""
    open_channels: Sequence[Channel]
    page_url: str

    def said_on(self, channel: Channel) -> str:
        """What the person reads."""
        way = self.ways.get(channel)
        return self.words.text if way is None else "\n".join(value for _, value in way.lines)

    @property
    def is_pack(self) -> bool:
        return isinstance(self.notice.facts, PackDue)


@dataclass(frozen=True, slots=True)
class LetterWriter:
    """Writes letters by the account's templates. Safe to share between threads."""

    templates: Mapping[str, NoticeTemplate]
    subscriptions: Mapping[str, NoticeTemplate]
    calendar_url: Callable[[int], str]
    pack_links: PackLinks
    asks: Mapping[Purpose, Ask]
    """What may be asked for; empty where no page can ask."""
    asking_url: str

    @property
    def subscribed_templates(self) -> Sequence[str]:
        return [template.id for template in self.subscriptions.values()]

    def write(self, notice: ClaimedNotice, facts: NoticeFacts) -> Letter:
        """The notice in words; its channels are not chosen yet."""
        page = ""
        lead_id = pack_ledger.lead_of(notice.subject)
        if isinstance(facts, PackDue) and lead_id is not None:
            page = self.pack_links.url(facts.pack, lead_id)
        words = render(facts, self._link_for(notice), page)
        kind = notice.facts.kind
        ways = {}
        for channel, template in (
            (Channel.TEMPLATE, self.templates.get(kind)),
            (Channel.ONE_TIME, self.subscriptions.get(kind)),
            (Channel.LONG_TERM, self.subscriptions.get(f"{kind}{LASTING}")),
        ):
            lines = template.fill(words) if template is not None else None
            if template is not None and lines is not None:
                ways[channel] = Way(template.id, lines)
            elif template is not None:
                log.error("template_cannot_say", notice=notice.id, kind=kind)
        return Letter(notice, words, ways, (), page)

    def channels(
        self, letter: Letter, budget: Budget, held: Mapping[str, Held], now: datetime
    ) -> Sequence[Channel]:
        """The channels open for this letter; `held` is what its reader allowed, by template."""
        return channels(
            budget,
            has_template=Channel.TEMPLATE in letter.ways,
            has_lasting=_is_allowed(letter, Channel.LONG_TERM, held),
            has_one_time=_is_allowed(letter, Channel.ONE_TIME, held),
            is_pack=letter.is_pack,
            now=now,
        )

    def find_ask(
        self,
        letter: Letter,
        usable: Sequence[Channel],
        budget: Budget,
        held: Mapping[str, Held],
        now: datetime,
    ) -> Ask | None:
        """What a pack had better ask for: it may be the last that goes without a consent."""
        ask = self.asks.get(Purpose.PACK)
        if ask is None or not letter.is_pack or tuple(usable[:1]) != (Channel.CUSTOMER_SERVICE,):
            return None
        return ask if budget.is_last_pack(now) and may_ask(ask, held, now) else None

    def asking(self, letter: Letter, ask: Ask) -> Letter:
        """The letter, with a line that asks."""
        line = asking_words.ask(ask.purpose, self.asking_url, is_lasting=ask.is_lasting)
        return replace(letter, words=replace(letter.words, text=f"{letter.words.text}\n{line}"))

    def _link_for(self, notice: ClaimedNotice) -> str:
        """The calendar link of the sign-up that a notice is about; empty for other subjects."""
        table, _, number = notice.subject.partition(":")
        return self.calendar_url(int(number)) if table == "sign_up" and number.isdecimal() else ""


def make_writer(settings: Settings) -> LetterWriter:
    """A writer by the settings. Raises TemplateSettingWrong."""
    secret = settings.secret_key.get_secret_value()
    return LetterWriter(
        templates=read_templates(settings.wechat_templates),
        subscriptions=read_templates(settings.wechat_subscriptions),
        calendar_url=CalendarLinks(settings.public_url, secret).url,
        pack_links=PackLinks(settings.public_url, secret),
        asks=settings.asks,
        asking_url=PageLinks(settings.public_url, secret).url(ASKING_PAGE),
    )


def _is_allowed(letter: Letter, channel: Channel, held: Mapping[str, Held]) -> bool:
    way = letter.ways.get(channel)
    return way is not None and held.get(way.template_id, Held()).is_open
