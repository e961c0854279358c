"""Following, scanning, help, emergencies, and what we cannot read."""

from typing import Final

from app.dialogue.emergency import Emergency
from app.dialogue.message import Dialogue, Kind, Reply
from app.dialogue.reading.numerals import read_number
from app.dialogue.turn import ELSEWHERE, Answered, Handler, Turn
from app.rules.check_in import code_of
from app.services import registration, unread
from app.services.follow_ups import open_follow_up
from app.services.threads import say
from app.words import general as words
from app.words.emergency import emergency_words
from app.words.intents import NAMES
from handlers import check_in, course, home_visits, packs, sessions
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
    chosen = _likeliest(turn)
    unread_id = unread.keep(
        turn.db,
        caregiver=turn.caregiver,
        text=turn.inbound.text or turn.text,
        kind="unread",
        likeliest=turn.likeliest,
        now=turn.now,
    )
    draft = {**dict(zip("123", chosen, strict=True)), "unread": str(unread_id)}
    return (
        Reply(words.not_understood([NAMES[label] for label in chosen])),
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
    unread.note_choice(turn.db, int(dialogue.draft.get("unread", 0)), chosen)
    if chosen in CHOSEN:
        return CHOSEN[chosen](turn)
    # A question: it was asked in the words that we did not understand.
    return Reply(words.ask_again(NAMES[chosen])), None


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


def second_offered(reply: Reply, second: str) -> Reply:
    """The reply with a line that offers the other request of the same message."""
    if reply.kind != "text":
        return reply
    return Reply(f"{reply.text}\n{words.second_heard(second[:30])}")


def summary(running: Dialogue) -> str:
    """How far a half-filled registration or correction had come."""
    known = [running.draft[name] for name in KNOWN if running.draft.get(name)]
    return words.back_again(TOPIC_NAMES.get(running.topic, "这件事"), known)


KNOWN: Final = ("nickname", "birth", "due", "township")
FALLBACK = {
    True: ("list_sessions", "my_bookings", "ask_pack"),
    False: ("register_child", "list_sessions", "faq_service"),
}
"""What fills the choices where nothing is likely: for the registered, and for the others."""
NOT_OFFERED: Final = frozenset(
    {"emergency", "greeting", "thanks", "other", "human_agent", "complaint"}
)
CHOSEN: dict[str, Handler] = {
    "list_sessions": sessions.list_sessions,
    "my_bookings": sessions.my_bookings,
    "register_child": child_registration.start,
    "update_child": child_registration.start_correction,
    "book_session": sessions.list_sessions,
    "cancel_booking": sessions.my_bookings,
    "reschedule": sessions.my_bookings,
    "book_home_visit": home_visits.ask,
    "ask_pack": packs.show,
    "course_enrol": course.enrol,
    "course_next": course.next_lesson,
    "course_progress": course.progress,
    "opt_out": packs.settings,
}


def _likeliest(turn: Turn) -> tuple[str, ...]:
    """The three that the message most probably means."""
    fallback = FALLBACK[_registered(turn)]
    offered = [label for label in turn.likeliest if label not in NOT_OFFERED]
    if not _registered(turn) and "register_child" not in offered:
        # Whoever is new most often wants this, in whatever words.
        offered.insert(0, "register_child")
    return tuple(dict.fromkeys([*offered, *fallback]))[:3]
