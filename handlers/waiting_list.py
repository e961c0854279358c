"""接受 and 放弃: one word takes or turns down a seat that the waiting list offered."""

from app.dialogue.message import Reply
from app.dialogue.turn import Answered, Turn
from app.services import sessions, waiting_list
from app.words import sessions as session_words
from app.words import waiting_list as words


def _code(turn: Turn) -> str | None:
    return turn.argument.partition(" ")[0] or None


def accept(turn: Turn) -> Answered:
    """接受, or 接受 CODE where several sessions have a seat for this family."""
    taken = waiting_list.accept(turn.db, caregiver=turn.caregiver, code=_code(turn), now=turn.now)
    first, _ = taken[0]
    session = first.session
    text = session_words.signed_up(
        state=first.state,
        nicknames=[child.nickname for _, child in taken],
        title=session.title,
        code=session.code,
        starts_at=session.starts_at,
        station=session.station.name,
        address=session.station.address,
        cancel_until=session.cancel_until,
        today=turn.today,
        calendar_url=turn.desk.calendar_url(first.id),
        phone=sessions.phone_past_deadline(session, turn.now),
    )
    return Reply(text), None


def decline(turn: Turn) -> Answered:
    """放弃, or 放弃 CODE."""
    given = waiting_list.decline(turn.db, caregiver=turn.caregiver, code=_code(turn), now=turn.now)
    session = given[0][0].session
    names = [child.nickname for _, child in given]
    return Reply(words.declined(session.title, session.code, names)), None
