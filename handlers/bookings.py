"""What sessions and home visits share in the chat: 我的预约, 接受 and 放弃."""

from app.dialogue.message import Reply
from app.dialogue.turn import Answered, Turn
from app.errors import NoOffer
from app.services.registration import get_family
from app.services.sessions import find_standing
from app.words import home_visits as words
from handlers import home_visits, sessions, waiting_list


def show(turn: Turn) -> Answered:
    """我的预约: sign-ups, and the family's visit."""
    standing = find_standing(turn.db, get_family(turn.caregiver), turn.now)
    reply, following = sessions.say_standing(turn, standing)
    line = home_visits.booking_lines(turn) if standing.has_visit else ""
    if not line:
        return reply, following
    return Reply(f"{reply.text}\n{line}\n{words.bookings_tail()}"), following


def accept(turn: Turn) -> Answered:
    """接受: a seat that the waiting list offered; where there is none, a visit's time."""
    try:
        return waiting_list.accept(turn)
    except NoOffer:
        if turn.argument or not home_visits.has_proposal(turn):
            raise
        return home_visits.accept(turn)


def decline(turn: Turn) -> Answered:
    """放弃, in the same order."""
    try:
        return waiting_list.decline(turn)
    except NoOffer:
        if turn.argument or not home_visits.has_proposal(turn):
            raise
        return home_visits.turn_down(turn)
