"""A person: asked for, talked with in this chat, and let go again."""

import re
from typing import Final

from app.dialogue.intent import SURE, read_wish, understand
from app.dialogue.message import Reply
from app.dialogue.turn import Answered, Turn
from app.services import threads
from app.services.follow_ups import open_follow_up
from app.words import threads as words
from handlers import questions, sessions

_ENOUGH: Final = re.compile(
    r"^(好的?|嗯|哦|行|谢谢|多谢|老师|,|，|\.|。|\s)*(结束|不用(找|等)?(了|老师了|人工了)|没事了|不问了|"
    r"问好了|说完了|解决了|退出|取消人工|不找了)(吧|啦|,|，|\.|。|!|~|谢谢|老师|了|\s)*$"
)
_ANSWERED_MEANWHILE: Final = {
    "list_sessions": sessions.list_sessions,
    "my_bookings": sessions.my_bookings,
}
"""What only shows something is shown, too, while a person is still awaited."""
_GOES_BY_ITSELF: Final = frozenset({"loss", "privacy_request"})
"""Wishes that are acted upon at once, whoever is being talked with."""


def hand_over(turn: Turn) -> Answered:
    """The conversation is opened, or was; who asks twice is told again how long it takes."""
    again = turn.caregiver.open_thread_id is not None
    thread = threads.open_thread(
        turn.db,
        caregiver=turn.caregiver,
        kind="person",
        text=turn.inbound.text or "人工",
        now=turn.now,
    )
    wait = threads.expected_wait(turn.db, thread.station_id, turn.now)
    text = words.asked(
        phone=turn.phone,
        is_open=wait.is_open,
        opens_at=wait.opens_at,
        minutes=wait.minutes,
        now=turn.now,
        again=again,
    )
    return Reply(text), None


def complaint(turn: Turn) -> Answered:
    """A task for staff, and a conversation in which it is answered."""
    open_follow_up(
        turn.db,
        kind="complaint",
        caregiver=turn.caregiver,
        detail=turn.inbound.text,
        now=turn.now,
    )
    thread = threads.open_thread(
        turn.db, caregiver=turn.caregiver, kind="complaint", text=turn.inbound.text, now=turn.now
    )
    wait = threads.expected_wait(turn.db, thread.station_id, turn.now)
    said = words.complaint_wait(
        is_open=wait.is_open, opens_at=wait.opens_at, minutes=wait.minutes, now=turn.now
    )
    return Reply(words.complaint(phone=turn.phone, wait=said)), None


def go_on(turn: Turn) -> Answered | None:
    """Words that are no one-line form, while a conversation is open: they are for the person.

    None where they are not: what has to be acted upon at once, or a conversation that has ended.
    """
    if _ENOUGH.match(turn.text):
        return end(turn)
    thread = threads.say(turn.db, caregiver=turn.caregiver, text=turn.inbound.text, now=turn.now)
    wish = read_wish(turn.text)
    if thread is None or (wish is not None and wish.label in _GOES_BY_ITSELF):
        return None
    if thread.answered_at is None:
        meanwhile = _meanwhile(turn)
        if meanwhile is not None:
            return meanwhile
    return Reply(words.noted(answered=thread.answered_at is not None)), None


def end(turn: Turn) -> Answered:
    """The caregiver needs nobody any more."""
    thread = threads.end_by_family(turn.db, caregiver=turn.caregiver, now=turn.now)
    was_answered = thread is not None and thread.answered_at is not None
    return Reply(words.ended(was_answered=was_answered)), None


def _meanwhile(turn: Turn) -> Answered | None:
    """What the service knows to answer by itself; None where it is not sure."""
    understood = understand(turn.text)
    if understood.label is None or understood.confidence < SURE:
        return None
    handler = _ANSWERED_MEANWHILE.get(understood.label)
    if handler is not None:
        reply, following = handler(turn)
        return Reply(words.noted_too(reply.text)), following
    found = questions.find(turn, understood.likeliest)
    return (Reply(words.noted_too(found)), None) if found is not None else None
