"""Asking for a subscription consent at the end of an answer, at a good moment; and 订阅提醒."""

from dataclasses import replace

from app.dialogue.answer import LONGEST_REPLY_BYTES
from app.dialogue.message import Reply
from app.dialogue.turn import Answered, Turn
from app.rules.asking import Purpose, may_ask
from app.services import subscriptions
from app.words import asking as words

PAGE = "subscriptions"


def with_ask(turn: Turn, answered: Answered, purpose: Purpose) -> Answered:
    """The answer, with a line that asks; as it was where nothing is to be asked, or it would nag.

    Nobody is asked who grieves, who wants no packs, who is talking with a person, or who was
    asked lately.
    """
    reply, following = answered
    ask, caregiver = turn.desk.asks.get(purpose), turn.caregiver
    family, openid = caregiver.family, caregiver.openid
    if ask is None or openid is None or family is None or reply.kind != "text":
        return answered
    if family.stopped_at is not None or caregiver.open_thread_id is not None:
        return answered
    if purpose is Purpose.PACK and caregiver.pushes != "on":
        return answered
    line = words.ask(purpose, turn.page_link(PAGE), is_lasting=ask.is_lasting)
    text = f"{reply.text}\n{line}"
    if len(text.encode()) > LONGEST_REPLY_BYTES:
        return answered
    templates = [each.template_id for each in turn.desk.asks.values()]
    held = subscriptions.find_held(turn.db, [openid], templates).get(openid, {})
    if not may_ask(ask, held, turn.now):
        return answered
    subscriptions.note_asked(turn.db, openid, ask.template_id, turn.now)
    return replace(reply, text=text), following


def show(turn: Turn) -> Answered:
    """订阅提醒: where to see what the platform still lets us send, and to allow more."""
    if not turn.desk.asks:
        return Reply(words.none_to_ask()), None
    return Reply(words.where(turn.page_link(PAGE))), None
