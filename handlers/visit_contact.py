"""Where the family lives and whom to call: asked after a request, given or passed over.

The answer itself is the family's separate consent, and is kept as such.
"""

import re

from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.contacts import find_phones
from app.dialogue.reading.plain import tidy
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.models import HomeContact
from app.services import visit_dues
from app.services.audit import Actor
from app.services.registration import get_family
from app.words import home_visits as words

SKIPS = frozenset({"跳过", "不说", "不想说", "略过", "过", "不填", "不写", "保密"})
_ADDRESS = re.compile(r"[路街弄村队号室组幢栋苑园巷宅里单元]|\d+-\d+")
LONGEST = 100


def actor_of(turn: Turn) -> Actor:
    return Actor("caregiver", turn.caregiver.id)


def ask_after(turn: Turn, text: str) -> Answered:
    """The reply, and the question for the address where none is known yet."""
    family = get_family(turn.caregiver)
    contact = turn.db.get(HomeContact, family.id)
    if contact is not None and contact.address and contact.phone:
        return Reply(text), None
    following = Dialogue("home_visits", "contact", turn.now)
    return Reply(f"{text}\n{words.ask_contact()}"), following


def go_on(turn: Turn) -> Answered:
    """An address, a telephone number, both, or a word to pass over it."""
    if turn.text in SKIPS:
        return Reply(words.contact_skipped()), None
    said = tidy(turn.inbound.text or turn.text)
    phones = find_phones(said)
    phone = phones[0].e164 if phones else None
    address = said
    for found in phones:
        address = address.replace(said[found.start : found.end], " ")
    address = re.sub(r"(电话|手机|地址|住址|门牌)(是|号码|号)?[:：]?", " ", address)
    address = re.sub(r"[\s,，。;；]+", " ", address).strip()[:LONGEST]
    has_address = bool(_ADDRESS.search(address))
    if not has_address and phone is None:
        return ELSEWHERE if len(said) > 3 else (Reply(words.contact_unclear()), turn.dialogue)
    family = get_family(turn.caregiver)
    visit_dues.set_contact(
        turn.db,
        family_id=family.id,
        address=address if has_address else None,
        phone=phone,
        caregiver_id=turn.caregiver.id,
        evidence=turn.inbound.key,
        now=turn.now,
    )
    contact = turn.db.get(HomeContact, family.id)
    assert contact is not None, "just written"
    text = words.contact_noted(contact.address, contact.phone)
    missing = not (contact.address and contact.phone)
    return Reply(text), turn.dialogue if missing else None
