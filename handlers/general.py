"""Following, scanning, help, a person, emergencies, and what we cannot read."""

from app.dialogue.emergency import Emergency
from app.dialogue.message import Dialogue, Kind, Reply
from app.dialogue.reading.numerals import read_number
from app.dialogue.turn import ELSEWHERE, Answered, Handler, Turn
from app.rules.check_in import code_of
from app.services import registration
from app.services.follow_ups import open_follow_up
from app.services.threads import say
from app.words import general as words
from app.words.emergency import emergency_words
from handlers import check_in, course, sessions, threads
from handlers import registration as child_registration

TOPIC_NAMES = {
    "registration": "登记",
    "correction": "修改",
    "need": "登记",
    "relation": "邀请",
    "privacy": "删除信息",
    "sessions": "报名",
    "year_plan": "年度计划",
    "check_in": "签到",
    "course": "课程",
    "packs": "资料",
    "push_settings": "推送设置",
    "home_visits": "上门",
    "births": "报喜",
}


def _registered(turn: Turn) -> bool:
    family = turn.caregiver.family
    return family is not None and bool(family.children)


def emergency(turn: Turn, found: Emergency) -> Answered:
    """First aid at once; a person is told in the same transaction; the dialogue waits."""
    open_follow_up(
        turn.db,
        kind="emergency",
        caregiver=turn.caregiver,
        detail=f"{found.category}: {turn.inbound.text}",
        now=turn.now,
    )
    if turn.caregiver.open_thread_id is not None:
        # Who is being talked with reads it there, too.
        say(turn.db, caregiver=turn.caregiver, text=turn.inbound.text, now=turn.now)
    text = emergency_words(found.category, turn.phone or None, staff_told=True)
    return Reply(text), turn.dialogue


def followed(turn: Turn) -> Answered:
    code = code_of(turn.inbound.event_key)
    if code is not None:
        reply, following = check_in.scanned(turn, code)
        station = turn.caregiver.scanned_station
        welcome = words.welcome(station.name if station else None, _registered(turn))
        return Reply(f"{welcome}\n{reply.text}"), following
    return Reply(words.welcome(_bind(turn), _registered(turn))), turn.dialogue


def scanned(turn: Turn) -> Answered:
    code = code_of(turn.inbound.event_key)
    if code is not None:
        return check_in.scanned(turn, code)
    return Reply(words.scanned(_bind(turn))), turn.dialogue


def _bind(turn: Turn) -> str | None:
    if not turn.inbound.event_key:
        return None
    station = registration.bind_station(turn.db, turn.caregiver, turn.inbound.event_key)
    return station.name if station else None


def not_text(turn: Turn) -> Answered:
    if course.takes_not_text(turn):
        return course.not_text(turn)
    texts = {
        Kind.VOICE: words.got_voice(),
        Kind.IMAGE: words.got_picture(),
        Kind.LOCATION: words.got_place(),
    }
    return Reply(texts.get(turn.inbound.kind, words.got_other())), turn.dialogue


def not_yet(turn: Turn) -> Answered:
    """A service that the account will have, and does not have yet."""
    return Reply(words.not_yet("上门指导")), None


def help_(turn: Turn) -> Answered:
    return Reply(words.help_text(_registered(turn))), None


def greeting(turn: Turn) -> Answered:
    return Reply(words.greeting(_registered(turn))), None


def thanks(turn: Turn) -> Answered:
    return Reply(words.thanks()), None


def not_understood(turn: Turn) -> Answered:
    """The three likeliest choices, which a number answers too."""
    registered = _registered(turn)
    draft = dict(zip("123", CHOICES[registered], strict=True))
    return (
        Reply(words.not_understood(registered)),
        Dialogue("choices", "choose", turn.now, draft),
    )


def go_on_choosing(turn: Turn) -> Answered:
    """1, 2 or 3 after the choices; anything else is a new message."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    number = read_number(turn.text.removeprefix("第").rstrip("个条.。 "))
    chosen = dialogue.draft.get(str(number))
    if chosen is None:
        return ELSEWHERE
    return CHOSEN[chosen](turn)


def leave(turn: Turn) -> Answered:
    if turn.dialogue is None:
        return nothing_running(turn)
    return Reply(words.left_dialogue(TOPIC_NAMES.get(turn.dialogue.topic, "这件事"))), None


def nothing_running(turn: Turn) -> Answered:
    return Reply(words.nothing_running()), None


def waiting_tail(reply: Reply, running: Dialogue) -> Reply:
    """The reply with a line that says what still waits."""
    if reply.kind != "text":
        return reply
    tail = words.still_waiting(TOPIC_NAMES.get(running.topic, "事"))
    return Reply(f"{reply.text}\n{tail}")


CHOICES = {
    True: ("list_sessions", "my_bookings", "human_agent"),
    False: ("register_child", "list_sessions", "human_agent"),
}
"""What words.not_understood offers, in its order: for the registered, and for the others."""
CHOSEN: dict[str, Handler] = {
    "list_sessions": sessions.list_sessions,
    "my_bookings": sessions.my_bookings,
    "register_child": child_registration.start,
    "human_agent": threads.hand_over,
}
