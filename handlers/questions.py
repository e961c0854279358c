"""Questions: answered from reviewed texts with their source, or honestly not at all."""

import re
from collections.abc import Sequence

from sqlalchemy import select

from app.dialogue.message import Reply
from app.dialogue.reading.townships import TownshipFound, find_township
from app.dialogue.search import Found
from app.dialogue.turn import Answered, Turn
from app.dialogue.understanding.kept import the_model
from app.models import Station, Township
from app.services import unread
from app.words import questions as words

SERVICE = "faq_service"
SITES = ("district_centre", "guidance_station")
_WHERE = re.compile("地址|在哪|哪里|哪儿|怎么[走去]|位置|几路|什么地方|哪条[路街]|电话|联系方式")
_STATED_MONTHS = re.compile(r"(\d{1,2})个(半)?月")


def answer(turn: Turn) -> Answered:
    """By the intent's topic, the words, and the child's age."""
    topic = next(iter(turn.likeliest), SERVICE)
    if topic == SERVICE and _WHERE.search(turn.text):
        return _where(turn)
    found = _find(turn, topic)
    if found.faq is None and (topic == SERVICE or not (found.pack or found.lesson)):
        unread.keep(
            turn.db,
            caregiver=turn.caregiver,
            text=turn.inbound.text or turn.text,
            kind="unanswered",
            likeliest=turn.likeliest,
            now=turn.now,
        )
    return Reply(_said(turn, found, topic)), None


def find(turn: Turn, likeliest: Sequence[str]) -> str | None:
    """The answer to what is surely a question; None where it is none, or we have no answer."""
    topic = next(iter(likeliest), "")
    if not topic.startswith("faq_") or _WHERE.search(turn.text):
        return None
    found = _find(turn, topic)
    return _said(turn, found, topic) if found.faq is not None else None


def _find(turn: Turn, topic: str) -> Found:
    return turn.desk.answers.find(
        turn.desk.library,
        turn.text,
        topic=topic,
        age_days=_age_days(turn),
        today=turn.today,
        cut=the_model().cut,
    )


def out_of_scope(_turn: Turn) -> Answered:
    """What has nothing to do with the service."""
    return Reply(words.out_of_scope()), None


def _said(turn: Turn, found: Found, topic: str) -> str:
    if found.faq is not None:
        faq = found.faq.faq
        near = found.pack.pack if found.pack is not None and topic != SERVICE else None
        more = (near.title, turn.page_link(f"packs/{near.id}")) if near else None
        return words.answered(faq.answer, faq.sources, more)
    if found.pack is not None and topic != SERVICE:
        pack = found.pack.pack
        link = turn.page_link(f"packs/{pack.id}")
        return words.from_pack(pack.title, pack.message, link, pack.sources)
    if found.lesson is not None and topic != SERVICE:
        lesson = found.lesson.lesson
        link = turn.page_link(f"course/{lesson.id}")
        return words.from_lesson(lesson.title, lesson.message, link, lesson.sources)
    return words.unknown(turn.phone, is_care=topic != SERVICE)


def _age_days(turn: Turn) -> int | None:
    """The age that the message states, else that of the family's youngest child."""
    stated = _STATED_MONTHS.search(turn.text)
    if stated is not None:
        return int(stated[1]) * 30 + (15 if stated[2] else 0)
    family = turn.caregiver.family
    births = [child.birth_date for child in family.children if child.birth_date] if family else []
    return (turn.today - max(births)).days if births else None


def _where(turn: Turn) -> Answered:
    """The stations of the township that is named, else of the family's own."""
    named = find_township(turn.text)
    family = turn.caregiver.family
    if isinstance(named, TownshipFound):
        township = named.name
    elif family is not None:
        township = family.township.name
    else:
        return Reply(words.which_township()), None
    rows = turn.db.execute(
        select(Station.name, Station.address, Station.phone)
        .join(Township, Township.id == Station.township_id)
        .where(Township.name == township, Station.is_active, Station.kind.in_(SITES))
        .order_by(Station.code)
        .limit(6)
    ).all()
    if not rows:
        return Reply(words.unknown(turn.phone, is_care=False)), None
    lines = [words.StationLine(name, address or "", phone or "") for name, address, phone in rows]
    return Reply(words.stations(lines, township)), None
