"""One turn, start to end: emergency, stop-words, running dialogue, intent."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.dialogue.emergency import find_emergency
from app.dialogue.intent import SURE, Intent, read_command, read_wish, understand
from app.dialogue.message import Dialogue, Inbound, Kind, Reply
from app.dialogue.reading.plain import normalise
from app.dialogue.turn import ELSEWHERE, Answered, Desk, Handler, Handlers, Turn
from app.dialogue.two_requests import SHOWS, Request, two_requests
from app.models import Caregiver

LONGEST_READ = 400
"""Characters of a message that are read; nobody says more than one wish in so many."""
STOPS_DIALOGUE = frozenset({"取消", "退出", "不填了", "算了", "停止", "结束"})
DOES_AT_ONCE = frozenset({"opt_out", "course_enrol"})
"""Intents whose handlers change something without asking once more."""
SURE_ENOUGH_TO_DO = 0.5
"""Guessed with less, the likeliest three are offered: 不要 1 is no wish to hear nothing more."""
STOP_INTENTS = frozenset({"human_agent", "opt_out"})
FILLED_IN = frozenset({"registration", "correction"})
"""Dialogues that gather several answers: a plain question in between does not end them."""
CAME_BACK = timedelta(hours=2)
"""After so long nobody remembers what was asked."""
SHORTEST_QUESTION = 5
_QUESTION = re.compile(
    "[?]|吗|呢|么|伐|怎么|怎样|哪能|什么|啥|多少|哪|几点|能不能|可不可以|要不要|有没有|为什么"
)
LONGEST_REPLY_BYTES = 1900
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
        if running.topic in FILLED_IN and command is None:
            asked = _asks_something_else(turn)
            if asked is not None:
                likeliest = understand(turn.text).likeliest
                return _interrupt(replace(turn, likeliest=likeliest), asked, handlers)
        answered = handlers.topics[running.topic](turn)
        if answered is not ELSEWHERE:
            return _with_summary(turn, answered, handlers)
    if command is None:
        for_quiz = handlers.quiz_aside(turn)
        if for_quiz is not None:
            return for_quiz
    if command is None and turn.caregiver.open_thread_id is not None:
        taken = handlers.in_thread(turn)
        if taken is not None:
            return taken
    intent = command or read_wish(turn.text)
    if intent is not None:
        return _act(turn, intent, handlers)
    both = two_requests(turn.text)
    if both is not None:
        return _serve_both(turn, both, handlers)
    understood = understand(turn.text)
    turn = replace(turn, likeliest=understood.likeliest)
    if understood.label is None or (
        understood.label in DOES_AT_ONCE and understood.confidence < SURE_ENOUGH_TO_DO
    ):
        return handlers.not_understood(turn)
    return _act(turn, Intent(understood.label, understood.confidence), handlers)


def _serve_both(turn: Turn, both: tuple[Request, Request], handlers: Handlers) -> Answered:
    """What only shows something is shown first, then the other; else the second is offered."""
    first, second = both if both[0].only_shows or not both[1].only_shows else (both[1], both[0])
    reply, following = _act_on(turn, first, handlers)
    if not first.only_shows or following is not None or reply.kind != "text":
        return handlers.second_offered(reply, second.text), following
    other, following = _act_on(turn, second, handlers)
    if other.text == reply.text:
        return other, following
    text = f"{reply.text}\n————\n{other.text}"
    if other.kind != "text" or len(text.encode()) > LONGEST_REPLY_BYTES:
        # Nothing that was done is left unsaid: the second may have booked something.
        return handlers.second_offered(other, first.text), following
    return Reply(text), following


def _act_on(turn: Turn, request: Request, handlers: Handlers) -> Answered:
    handler = handlers.intents.get(request.label, handlers.not_understood)
    return handler(replace(turn, text=request.text, likeliest=request.likeliest, argument=""))


def _asks_something_else(turn: Turn) -> Intent | None:
    """A plain question in the middle of something that waits for one word; None where it is none.

    Only what surely asks and only shows: an answer to what we asked must not be taken for it.
    """
    if len(turn.text) < SHORTEST_QUESTION or not _QUESTION.search(turn.text):
        return None
    understood = understand(turn.text)
    label = understood.label or ""
    if understood.confidence < SURE or not (label in SHOWS or label.startswith("faq_")):
        return None
    return Intent(label, understood.confidence)


def _with_summary(turn: Turn, answered: Answered, handlers: Handlers) -> Answered:
    """Whoever comes back after hours to something half-filled is told how far it had come."""
    running = turn.dialogue
    if running is None or running.topic not in FILLED_IN or turn.now - running.since < CAME_BACK:
        return answered
    reply, following = answered
    if reply.kind != "text" or following is None:
        return answered
    return replace(reply, text=f"{handlers.summary(running)}{reply.text}"), following


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
