"""Where the family lives and whom to call: asked after a request, given or passed over.

The answer itself is the family's separate consent, and is kept as such.
"""

from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.home_contacts import find_home_contact
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.models import HomeContact
from app.rules.asking import Purpose
from app.services import home_contacts
from app.services.audit import Actor
from app.services.registration import get_family
from app.words import home_visits as words
from handlers.asking import with_ask

SKIPS = frozenset({"跳过", "不说", "不想说", "略过", "过", "不填", "不写", "保密"})


def actor_of(turn: Turn) -> Actor:
    return Actor("caregiver", turn.caregiver.id)


def ask_after(turn: Turn, text: str) -> Answered:
    """The reply, and the question for the address where none is known yet."""
    family = get_family(turn.caregiver)
    contact = turn.db.get(HomeContact, family.id)
    if contact is not None and contact.address and contact.phone:
        return with_ask(turn, (Reply(text), None), Purpose.VISIT)
    following = Dialogue("home_visits", "contact", turn.now)
    return Reply(f"{text}\n{words.ask_contact()}"), following


def go_on(turn: Turn) -> Answered:
    """An address, a telephone number, both, or a word to pass over it."""
    if turn.text in SKIPS:
        return with_ask(turn, (Reply(words.contact_skipped()), None), Purpose.VISIT)
    said = turn.inbound.text or turn.text
    found = find_home_contact(said)
    if found.address is None and found.phone is None:
        return ELSEWHERE if len(said) > 3 else (Reply(words.contact_unclear()), turn.dialogue)
    contact = home_contacts.set_contact(
        turn.db,
        family_id=get_family(turn.caregiver).id,
        address=found.address,
        phone=found.phone,
        actor=actor_of(turn),
        evidence=turn.inbound.key,
        now=turn.now,
    )
    text = words.contact_noted(contact.address, contact.phone)
    if not (contact.address and contact.phone):
        return Reply(text), turn.dialogue
    return with_ask(turn, (Reply(text), None), Purpose.VISIT)
