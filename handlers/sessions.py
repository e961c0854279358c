"""Finding guidance sessions, signing up, looking at bookings, cancelling."""

from collections.abc import Sequence
from dataclasses import replace

from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.answers import read_yes_no
from app.dialogue.reading.names import names_said
from app.dialogue.reading.numerals import read_number
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.dialogue.which_session import Wish, corrected, read_wish, that_match
from app.errors import ChildUnknown, NotRegistered
from app.models import Child, Family, GuidanceSession, SignUp
from app.rules.asking import Purpose
from app.rules.sign_up import SignUpState, fits_age
from app.services import registration, sessions, waiting_list
from app.services.sessions import OpenSession
from app.words import sessions as words
from app.words import waiting_list as waiting_words
from handlers import year_plan
from handlers.asking import with_ask
from handlers.course import quiz_aside

PAGE = 5
"""Sessions in one message: six lines each still fit the platform's 2,000 bytes."""
ALL = frozenset({"全部", "都取消", "都", "所有"})
BOTH = frozenset({"都去", "都报", "两个都去", "全部", "都", "一起"})


def list_sessions(turn: Turn) -> Answered:
    return _page(turn, 0)


def nothing_more(turn: Turn) -> Answered:
    return Reply(words.no_more()), None


def _page(turn: Turn, offset: int) -> Answered:
    family = turn.caregiver.family
    registered = family is not None and bool(family.children)
    found = sessions.find_open(turn.db, family if registered else None, turn.now)
    return _page_of(turn, found, offset)


def _page_of(turn: Turn, found: Sequence[OpenSession], offset: int) -> Answered:
    family = turn.caregiver.family
    registered = family is not None and bool(family.children)
    page = found[offset : offset + PAGE]
    if not page:
        return Reply(words.no_more() if offset else words.no_sessions(registered)), None
    text = words.sessions_listed(
        [_line(session) for session in page],
        first=offset + 1,
        more=max(0, len(found) - offset - PAGE),
        now=turn.now,
        several=family is not None and len(family.children) > 1,
        registered=registered,
    )
    draft = {"codes": " ".join(session.code for session in found), "next": str(offset + PAGE)}
    return Reply(text), Dialogue("sessions", "choose", turn.now, draft)


def _line(session: OpenSession) -> words.SessionLine:
    return words.SessionLine(
        code=session.code,
        title=session.title,
        starts_at=session.starts_at,
        station=session.station,
        address=session.address,
        places_left=session.places_left,
        waiting=session.waiting,
        can_wait=session.can_wait,
        min_months=session.min_months,
        max_months=session.max_months,
        opens_at=session.opens_at,
        fits=session.fits,
        signed_up=session.signed_up,
    )


def go_on(turn: Turn) -> Answered:
    """A number or 更多 after the list, or which child after 报名."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    if dialogue.step == "child":
        return _choose_child(turn, dialogue)
    if dialogue.step == "confirm":
        return _confirm(turn, dialogue)
    if turn.text == "更多":
        return _page(turn, int(dialogue.draft["next"]))
    codes = dialogue.draft["codes"].split(" ")
    number = read_number(turn.text.removeprefix("第").rstrip("个场号.。 "))
    if number is not None and number == int(number) and 1 <= number <= len(codes):
        return book(replace(turn, argument=codes[int(number) - 1], dialogue=None))
    if turn.text.upper() in codes:
        return book(replace(turn, argument=turn.text, dialogue=None))
    if number is not None:
        return quiz_aside(turn) or (Reply(words.choose_again(len(codes))), dialogue)
    return ELSEWHERE


def _choose_child(turn: Turn, dialogue: Dialogue) -> Answered:
    family = registration.get_family(turn.caregiver)
    names = dialogue.draft["names"].split("\n")
    code = dialogue.draft["code"]
    number = read_number(turn.text.rstrip("个号.。 "))
    if number == len(names) + 1 or turn.text in BOTH:
        chosen = names
    elif number is not None and number == int(number) and 1 <= number <= len(names):
        chosen = [names[int(number) - 1]]
    else:
        chosen = names_said(turn.text, names)
    if not chosen:
        return Reply(words.which_child(code, names)), dialogue
    return _sign_up(turn, code, [_child_named(family, name) for name in chosen])


def book(turn: Turn) -> Answered:
    """报名 CODE, 报名 CODE 糖糖; without a code the sessions that fit are listed."""
    if not turn.argument:
        return _propose(turn, read_wish(turn.text, turn.today)) or list_sessions(turn)
    code, _, rest = turn.argument.partition(" ")
    family = registration.get_family(turn.caregiver)
    children = family.living
    if not children:
        raise NotRegistered()
    if rest in BOTH:
        return _sign_up(turn, code, children)
    if rest:
        return _sign_up(turn, code, [_child_named(family, rest)])
    if len(children) == 1:
        return _sign_up(turn, code, children)
    session = sessions.get_session(turn.db, code)
    terms, day = sessions.terms_of(session), sessions.held_on(session)
    fitting = [child for child in children if fits_age(terms, child.birth_date, day)]
    if len(fitting) <= 1:
        # None fits: the first child's refusal says why.
        return _sign_up(turn, code, fitting or children[:1])
    names = [child.nickname for child in fitting]
    draft = {"code": session.code, "names": "\n".join(names)}
    return (
        Reply(words.which_child(session.code, names)),
        Dialogue("sessions", "child", turn.now, draft),
    )


def _propose(turn: Turn, wish: Wish) -> Answered | None:
    """The one session that free words mean, to be agreed to; several to choose from.

    None where the words say nothing of a session, or nobody is registered.
    """
    family = turn.caregiver.family
    if wish.is_empty or family is None or not family.children:
        return None
    found = that_match(wish, sessions.find_open(turn.db, family, turn.now))
    if not found:
        reply, following = list_sessions(turn)
        return Reply(f"{words.none_like_that()}\n{reply.text}"), following
    if len(found) > 1:
        return _page_of(turn, found, 0)
    session = found[0]
    named = names_said(turn.text, session.fits)
    if not named and len(session.fits) > 1 and not wish.is_for_all:
        return book(replace(turn, argument=session.code))
    names = named or list(session.fits)
    if not names or not session.code:
        return book(replace(turn, argument=session.code))
    text = words.is_it_this(
        title=session.title,
        code=session.code,
        starts_at=session.starts_at,
        station=session.station,
        nicknames=names,
        today=turn.today,
    )
    draft = {"code": session.code, "names": "\n".join(names), "asked": turn.text}
    return Reply(text), Dialogue("sessions", "confirm", turn.now, draft)


def _confirm(turn: Turn, dialogue: Dialogue) -> Answered:
    """Yes signs up; another day or place is looked for; no shows what else there is."""
    correction = read_wish(turn.text, turn.today)
    if not correction.is_empty:
        wish = corrected(read_wish(dialogue.draft["asked"], turn.today), correction)
        proposed = _propose(replace(turn, text=f"{dialogue.draft['asked']} {turn.text}"), wish)
        return proposed or ELSEWHERE
    agreed = read_yes_no(turn.text)
    if agreed is None:
        return ELSEWHERE
    if not agreed:
        return list_sessions(turn)
    family = registration.get_family(turn.caregiver)
    children = [_child_named(family, name) for name in dialogue.draft["names"].split("\n")]
    return _sign_up(turn, dialogue.draft["code"], children)


def _child_named(family: Family, said: str) -> Child:
    """The child by its nickname, in any case. Raises ChildUnknown."""
    for child in family.children:
        if child.nickname.lower() == said.lower():
            return child
    raise ChildUnknown(said, tuple(child.nickname for child in family.children))


def _sign_up(turn: Turn, code: str, children: Sequence[Child]) -> Answered:
    """All of these children or none: the first refusal rolls the whole turn back."""
    made = sessions.sign_up_together(
        turn.db, caregiver=turn.caregiver, children=children, code=code, now=turn.now
    )
    session = made[0].session
    if made[0].state == SignUpState.WAITLISTED:
        return _lined_up(turn, session, made, children)
    answered = (
        Reply(
            words.signed_up(
                state=made[0].state,
                nicknames=[child.nickname for child in children],
                title=session.title,
                code=session.code,
                starts_at=session.starts_at,
                station=session.station.name,
                address=session.station.address,
                cancel_until=session.cancel_until,
                today=turn.today,
                calendar_url=turn.desk.calendar_url(made[0].id),
                phone=sessions.phone_past_deadline(session, turn.now),
            )
        ),
        None,
    )
    return with_ask(turn, answered, Purpose.REMINDER)


def _lined_up(
    turn: Turn, session: GuidanceSession, made: Sequence[SignUp], children: Sequence[Child]
) -> Answered:
    places = waiting_list.positions(turn.db, session)
    text = waiting_words.lined_up(
        nicknames=[child.nickname for child in children],
        positions=[places[sign_up.id] for sign_up in made],
        title=session.title,
        code=session.code,
        starts_at=session.starts_at,
        station=session.station.name,
        order=session.waiting_list,
        today=turn.today,
    )
    return with_ask(turn, (Reply(text), None), Purpose.OFFER)


def my_bookings(turn: Turn) -> Answered:
    family = registration.get_family(turn.caregiver)
    return say_standing(turn, sessions.find_standing(turn.db, family, turn.now))


def say_standing(turn: Turn, standing: sessions.Standing) -> Answered:
    """The family's bookings with the year's count, in words."""
    found, count = standing.bookings, standing.year
    if not found:
        return Reply(words.no_bookings(count.year, count.attended, count.target)), None
    lines = [
        words.BookingLine(
            code=booking.code,
            title=booking.title,
            starts_at=booking.starts_at,
            station=booking.station,
            nickname=booking.nickname,
            state=booking.state,
            position=booking.position,
            offer_until=booking.offer_until,
            may_leave=sessions.may_leave(
                booking.state, booking.cancel_until, booking.starts_at, turn.now
            ),
            phone=booking.phone,
        )
        for booking in found
    ]
    return (
        Reply(words.my_bookings(lines, count.year, count.attended, count.target, turn.now)),
        None,
    )


def cancel(turn: Turn) -> Answered:
    """取消 CODE, 取消 CODE 糖糖, 取消 CODE 全部; without a code the bookings are shown."""
    family = registration.get_family(turn.caregiver)
    if not turn.argument:
        found = sessions.find_sign_ups(turn.db, family.id, after=turn.now)
        if not found:
            return my_bookings(turn)
        free = _may_leave(turn, found)
        if free is None:
            return Reply(words.cannot_come(found[0][0].session.station.phone)), None
        return Reply(words.say_which_to_cancel(free)), None
    code, _, rest = turn.argument.partition(" ")
    child = _child_named(family, rest) if rest and rest not in ALL else None
    if child is None and rest not in ALL:
        names = _signed_up_here(turn, family, code)
        if len(names) > 1:
            return Reply(words.which_to_cancel(code.upper(), names)), None
    rows = sessions.cancel_by_family(
        turn.db, caregiver=turn.caregiver, code=code, now=turn.now, child=child
    )
    session = sessions.get_session(turn.db, code)
    names = [child.nickname for _, child in rows]
    reply = Reply(words.cancelled(session.code, session.title, names))
    return year_plan.with_replacement(turn, reply), None


def _signed_up_here(turn: Turn, family: Family, code: str) -> list[str]:
    rows: list[tuple[SignUp, Child]] = sessions.find_sign_ups(turn.db, family.id, after=turn.now)
    return [child.nickname for found, child in rows if found.session.code == code.upper()]


def reschedule(turn: Turn) -> Answered:
    family = registration.get_family(turn.caregiver)
    found = sessions.find_sign_ups(turn.db, family.id, after=turn.now)
    free = _may_leave(turn, found)
    if found and free is None:
        return Reply(words.cannot_come(found[0][0].session.station.phone)), None
    return Reply(words.reschedule(free)), None


def _may_leave(turn: Turn, found: Sequence[tuple[SignUp, Child]]) -> str | None:
    """The code of the next session whose place can still be given back by a word."""
    for signed_up, _ in found:
        session = signed_up.session
        if sessions.may_leave(signed_up.state, session.cancel_until, session.starts_at, turn.now):
            return session.code
    return None
