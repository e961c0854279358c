"""One turn, start to end: emergency, stop-words, running dialogue, intent."""

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.dialogue.emergency import find_emergency
from app.dialogue.intent import Intent, read_command, read_wish, understand
from app.dialogue.message import Dialogue, Inbound, Kind
from app.dialogue.reading.plain import normalise
from app.dialogue.turn import ELSEWHERE, Answered, Desk, Handler, Handlers, Turn
from app.models import Caregiver

LONGEST_READ = 400
"""Characters of a message that are read; nobody says more than one wish in so many."""
STOPS_DIALOGUE = frozenset({"取消", "退出", "不填了", "算了", "停止", "结束"})
STOP_INTENTS = frozenset({"human_agent", "opt_out"})
LIGHT_TOPICS = frozenset(
    {
        "births",
        "check_in",
        "choices",
        "course",
        "home_visits",
        "need",
        "packs",
        "push_settings",
        "relation",
        "sessions",
        "year_plan",
    }
)
"""Dialogues that wait for one word and lose nothing: anything else may take their place."""


def youngest_age_days(caregiver: Caregiver, today: date) -> int | None:
    """Age of the family's youngest born child, in days."""
    children = caregiver.family.children if caregiver.family else []
    ages = [(today - child.birth_date).days for child in children if child.birth_date]
    return min((age for age in ages if age >= 0), default=None)


def answer(
    db: Session,
    *,
    inbound: Inbound,
    caregiver: Caregiver,
    dialogue: Dialogue | None,
    handlers: Handlers,
    desk: Desk,
    now: datetime,
) -> Answered | None:
    """The reply and the next dialogue; None where nothing is to be said.

    Raises DomainError where what was asked for cannot be done: the caller rolls back
    and says why.
    """
    turn = Turn(
        db=db,
        inbound=inbound,
        text=normalise(inbound.text)[:LONGEST_READ],
        argument="",
        caregiver=caregiver,
        dialogue=dialogue,
        now=now,
        desk=desk,
    )
    if inbound.kind is Kind.SUBSCRIBE:
        return handlers.followed(turn)
    if inbound.kind is Kind.SCAN:
        return handlers.scanned(turn)
    if inbound.kind is Kind.CLICK:
        turn = replace(turn, text=normalise(inbound.event_key))
    elif inbound.kind not in (Kind.TEXT, Kind.VOICE):
        return handlers.not_text(turn)
    if not turn.text:
        return handlers.not_text(turn)
    return _answer_words(turn, handlers)


def _answer_words(turn: Turn, handlers: Handlers) -> Answered:
    today = turn.now.astimezone(SHANGHAI).date()
    emergency = find_emergency(turn.text, youngest_age_days(turn.caregiver, today))
    if emergency is not None:
        return handlers.emergency(turn, emergency)
    running = turn.dialogue
    command = read_command(turn.text)
    if running is not None and turn.text in STOPS_DIALOGUE:
        return handlers.intents["leave"](turn)
    if (command is not None and command.label in STOP_INTENTS) or turn.text == "td":
        return _keeping(turn, handlers.intents[_label(command)])
    if running is not None and running.topic in handlers.topics:
        if command is not None and command.label not in ("more", "resume"):
            return _interrupt(turn, command, handlers)
        answered = handlers.topics[running.topic](turn)
        if answered is not ELSEWHERE:
            return answered
    if command is None and turn.caregiver.open_thread_id is not None:
        taken = handlers.in_thread(turn)
        if taken is not None:
            return taken
    intent = command or read_wish(turn.text)
    if intent is not None:
        return _act(turn, intent, handlers)
    understood = understand(turn.text)
    turn = replace(turn, likeliest=understood.likeliest)
    if understood.label is None:
        return handlers.not_understood(turn)
    return _act(turn, Intent(understood.label, understood.confidence), handlers)


def _label(command: Intent | None) -> str:
    return command.label if command is not None else "opt_out"


def _act(turn: Turn, intent: Intent, handlers: Handlers) -> Answered:
    handler = handlers.intents.get(intent.label, handlers.not_understood)
    return handler(replace(turn, argument=intent.argument))


def _keeping(turn: Turn, handler: Handler) -> Answered:
    reply, following = handler(turn)
    return reply, following or turn.dialogue


def _interrupt(turn: Turn, command: Intent, handlers: Handlers) -> Answered:
    """A one-line form in the middle of something: served, and what was running waits."""
    reply, following = _act(turn, command, handlers)
    running = turn.dialogue
    assert running is not None, "only a running dialogue is interrupted"
    if running.topic in LIGHT_TOPICS or (following and following.topic not in LIGHT_TOPICS):
        return reply, following
    return handlers.waiting_tail(reply, running), running
