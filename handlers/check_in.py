"""A session's code, scanned at its door."""

from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.names import names_said
from app.dialogue.reading.numerals import read_number
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.errors import SessionUnknown
from app.services import family_check_in as service
from app.services import registration, sessions
from app.services.family_check_in import (
    AnotherToday,
    CheckedIn,
    CheckedInBefore,
    Outcome,
    Scanned,
    TooEarly,
    WhichChild,
    Why,
)
from app.words import check_in as words
from app.words import general

ALL = frozenset({"都来了", "都来", "都", "全部", "一起", "两个都来了"})


def scanned(turn: Turn, code: str) -> Answered:
    """The scan itself: checks in who is signed up, or says why not."""
    try:
        session, outcome = service.scan(turn.db, caregiver=turn.caregiver, code=code, now=turn.now)
    except SessionUnknown:
        # Nothing was written yet; and a first scan's following is to stay.
        return Reply(general.scanned(None)), turn.dialogue
    if turn.caregiver.family is None and turn.caregiver.scanned_station is None:
        # A newcomer at the door: the station's telephone is the one to give.
        registration.bind_station(turn.db, turn.caregiver, session.station_code)
    if isinstance(outcome, WhichChild):
        draft = {"code": session.code, "names": "\n".join(outcome.nicknames)}
        question = words.which_child(session.title, outcome.nicknames)
        return Reply(question), Dialogue("check_in", "child", turn.now, draft)
    return Reply(_say(turn, session, outcome)), turn.dialogue


def go_on(turn: Turn) -> Answered:
    """Which of the children came without a sign-up."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    names = dialogue.draft["names"].split("\n")
    number = read_number(turn.text.rstrip("个号.。 "))
    if number == len(names) + 1 or turn.text in ALL:
        chosen = names
    elif number is not None and number == int(number) and 1 <= number <= len(names):
        chosen = [names[int(number) - 1]]
    else:
        chosen = names_said(turn.text, names)
    if not chosen:
        return ELSEWHERE
    session, outcome = service.scan(
        turn.db,
        caregiver=turn.caregiver,
        code=dialogue.draft["code"],
        now=turn.now,
        chosen=chosen,
    )
    return Reply(_say(turn, session, outcome)), None


def _say(turn: Turn, session: Scanned, outcome: Outcome) -> str:
    match outcome:
        case CheckedIn():
            family = registration.get_family(turn.caregiver)
            turn.db.flush()
            count = sessions.year_count(turn.db, family.id, turn.now)
            return words.checked_in(
                outcome.nicknames,
                session.title,
                year=count.year,
                attended=count.attended,
                target=count.target,
                walk_in=outcome.is_walk_in,
            )
        case CheckedInBefore():
            return words.checked_in_before(outcome.nicknames, session.title)
        case TooEarly():
            if outcome.is_signed_up:
                return words.too_early(session.title, session.starts_at, outcome.opens_at, turn.now)
            return words.not_signed_up_yet(session.code, session.title, session.starts_at, turn.now)
        case AnotherToday():
            return words.another_today(
                session.title,
                their_title=outcome.title,
                their_station=outcome.station,
                their_start=outcome.starts_at,
                phone=session.phone,
            )
        case WhichChild():
            return words.which_child(session.title, outcome.nicknames)
        case _:
            return _say_why(turn, session, outcome)


def _say_why(turn: Turn, session: Scanned, why: Why) -> str:
    match why:
        case Why.NOT_REGISTERED:
            return words.not_registered(session.title)
        case Why.CANCELLED:
            return words.cancelled(session.title)
        case Why.TOO_LATE:
            return words.too_late(session.title, session.phone)
        case Why.NOT_BEGUN:
            return words.not_begun(session.title, session.starts_at)
        case Why.OVER:
            return words.over(session.title)
        case Why.AGE:
            return words.wrong_age(session.title)
        case Why.WAITING:
            return words.still_waiting(session.code, session.title, session.starts_at, turn.now)
        case Why.FULL:
            return words.full(session.title)
        case Why.MARKED_MISSING:
            return words.marked_missing(session.title)
