"""接受 and 放弃: one word takes or turns down a seat that the waiting list offered."""

from app.dialogue.message import Reply
from app.dialogue.turn import Answered, Turn
from app.services import sessions, waiting_list
from app.words import sessions as session_words
from app.words import waiting_list as words


def _meant(turn: Turn) -> tuple[str | None, frozenset[int]]:
    """The session's code, where one was said, and whose seat: nobody named means all of them."""
    family = turn.caregiver.family
    named = {child.nickname.lower(): child.id for child in family.children} if family else {}
    said = turn.argument.split()
    children = frozenset(named[word.lower()] for word in said if word.lower() in named)
    code = next((word for word in said if word.lower() not in named), None)
    return code, children


def accept(turn: Turn) -> Answered:
    """接受, or 接受 CODE where several sessions have a seat for this family; 接受 糖糖 for one."""
    code, children = _meant(turn)
    taken = waiting_list.accept(
        turn.db, caregiver=turn.caregiver, code=code, children=children, now=turn.now
    )
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
    """放弃, or 放弃 CODE; 放弃 糖糖 for one of several children."""
    code, children = _meant(turn)
    given = waiting_list.decline(
        turn.db, caregiver=turn.caregiver, code=code, children=children, now=turn.now
    )
    session = given[0][0].session
    names = [child.nickname for _, child in given]
    return Reply(words.declined(session.title, session.code, names)), None
