"""Home visits in the chat: asking for one, choosing a time, answering, cancelling, rating."""

from datetime import date

from app.clock import SHANGHAI
from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.dates import DateFound, DateSpan, ImpossibleDate, LunarDate, find_date
from app.dialogue.reading.numerals import read_number
from app.dialogue.reading.times import DayPart, find_day_part
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.errors import HalfDayOffer
from app.models import HomeVisit
from app.rules.asking import Purpose
from app.rules.visit_slots import Half
from app.rules.visiting import VisitState
from app.services import home_visits, visit_claims, visit_diaries, visit_proposals
from app.services.home_visits import Wish
from app.services.registration import get_family
from app.words import home_visits as words
from handlers import visit_contact
from handlers.asking import with_ask

SHOWN = 6
"""Half-days in one message."""
PARTS = {DayPart.MORNING: Half.MORNING, DayPart.AFTERNOON: Half.AFTERNOON}


def ask(turn: Turn) -> Answered:
    """上门, 上门 2026-12-03 上午, 想请老师上门看看."""
    family = get_family(turn.caregiver)
    # 上门11月26日下午, 明天下午能上门吗: the day may stand anywhere.
    said = turn.argument or turn.text.replace("上门", " ", 1).strip()
    if said:
        found = find_date(said, turn.today, "future")
        if isinstance(found, DateFound):
            return _on_day(turn, found.value, _half(said))
        if isinstance(found, ImpossibleDate | LunarDate):
            return Reply(words.day_unclear(found.text)), None
        if isinstance(found, DateSpan):
            return _offer(turn, found.first)
    there = home_visits.find_open(turn.db, family.id)
    if there is not None:
        page = turn.page_link("visits")
        return Reply(f"{_line(there)}\n{words.bookings_tail()}\n{words.see_page(page)}"), None
    return _offer(turn, turn.today)


def _half(said: str) -> Half | None:
    part = find_day_part(said)
    return PARTS.get(part) if part else None


def _offer(turn: Turn, first: date) -> Answered:
    """Half-days to choose from, from a day on."""
    family = get_family(turn.caregiver)
    claim = visit_claims.find_claim(
        turn.db, family, max(first, turn.today), turn.now, or_later=True
    )
    found = visit_diaries.offers(turn.db, family.township_id, turn.now, first=claim.opens_on)
    found = found[:SHOWN]
    if not found:
        # Nobody goes there, or all are full for weeks: kept, and a person finds a time.
        return _request(turn, Wish(claim.opens_on, is_any=True))
    offers = [HalfDayOffer(one.day, one.half, one.free) for one in found]
    page = turn.page_link("visits")
    text = words.choices(offers, claim.child.nickname, claim.due_on, page)
    return Reply(text), _choosing(turn, offers)


def _choosing(turn: Turn, offers: list[HalfDayOffer]) -> Dialogue:
    draft = {str(place): f"{one.day} {one.half}" for place, one in enumerate(offers, 1)}
    return Dialogue("home_visits", "choose", turn.now, draft)


def _on_day(turn: Turn, day: date, half: Half | None) -> Answered:
    if half is None:
        family = get_family(turn.caregiver)
        offers = [
            HalfDayOffer(one.day, one.half, one.free)
            for one in visit_diaries.offers(
                turn.db, family.township_id, turn.now, first=day, count=1
            )
            if one.day == day
        ]
        if len(offers) > 1:
            visit_claims.find_claim(turn.db, family, day, turn.now)
            return Reply(words.which_half(day, offers)), _choosing(turn, offers)
    return _request(turn, Wish(day, half))


def _request(turn: Turn, wish: Wish) -> Answered:
    family = get_family(turn.caregiver)
    if home_visits.find_open(turn.db, family.id) is not None:
        return _wish_other(turn, wish)
    visit = home_visits.request(turn.db, caregiver=turn.caregiver, wish=wish, now=turn.now)
    claim = visit_claims.find_claim(turn.db, family, wish.day, turn.now)
    if visit.starts_at is None:
        return visit_contact.ask_after(turn, _without_time(turn, visit, wish))
    day = visit.starts_at.astimezone(SHANGHAI).date()
    text = words.requested(
        visit.child.nickname,
        visit.starts_at,
        visit.wished_half,
        claim.due_on if day > claim.due_on >= turn.today else None,
    )
    return visit_contact.ask_after(turn, text)


def _without_time(turn: Turn, visit: HomeVisit, wish: Wish) -> str:
    """Kept for a person to find a time; with what can be had later, for who would rather choose."""
    family = get_family(turn.caregiver)
    visitors = turn.db.scalars(visit_diaries.covering(family.township_id)).all()
    later = visit_diaries.nearest_offers(turn.db, visitors, wish.day, wish.half, turn.now)
    return words.requested_without_time(visit.child.nickname, later, has_visitors=bool(visitors))


def _wish_other(turn: Turn, wish: Wish) -> Answered:
    wished = visit_proposals.wish_other_time(
        turn.db, caregiver=turn.caregiver, wish=wish, now=turn.now
    )
    text = words.wished(
        wished.visit.child.nickname,
        words.half_day(wish.day, wish.half),
        starts_at=wished.starts_at,
        keeps=wished.keeps,
        is_request=wished.is_request,
    )
    return Reply(text), None


def go_on(turn: Turn) -> Answered:
    """A number or a day after the choices; where to come after a request."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    if dialogue.step == "contact":
        return visit_contact.go_on(turn)
    chosen = _chosen(turn.text, dialogue.draft)
    if chosen is not None:
        day, _, part = chosen.partition(" ")
        return _request(turn, Wish(date.fromisoformat(day), Half(part)))
    found = find_date(turn.text, turn.today, "future")
    if isinstance(found, DateFound):
        return _on_day(turn, found.value, _half(turn.text))
    half = _half(turn.text)
    if half is not None:
        days = {value for value in dialogue.draft.values() if value.endswith(half)}
        if days:
            day = min(days).partition(" ")[0]
            return _request(turn, Wish(date.fromisoformat(day), half))
    if read_number(turn.text) is not None:
        return Reply(words.choose_again(len(dialogue.draft))), dialogue
    return ELSEWHERE


def _chosen(text: str, draft: dict[str, str]) -> str | None:
    number = read_number(text.removeprefix("第").rstrip("个号.。 "))
    return draft.get(str(number)) if number is not None else None


def cancel(turn: Turn) -> Answered:
    """取消上门."""
    visit = home_visits.cancel_by_family(turn.db, caregiver=turn.caregiver, now=turn.now)
    return Reply(words.cancelled(visit.starts_at)), None


def accept(turn: Turn) -> Answered:
    """接受上门: the time that staff offered."""
    visit = visit_proposals.answer_by_family(
        turn.db, caregiver=turn.caregiver, accepts=True, now=turn.now
    )
    assert visit.starts_at is not None, "a proposal has a time"
    assert visit.visitor is not None, "a proposal has a visitor"
    accepted = Reply(words.accepted(visit.starts_at, visit.visitor.name))
    return with_ask(turn, (accepted, None), Purpose.VISIT)


def turn_down(turn: Turn) -> Answered:
    """换时间, 不接受上门: the visit stays as it was, and other times are shown."""
    visit = visit_proposals.answer_by_family(
        turn.db, caregiver=turn.caregiver, accepts=False, now=turn.now
    )
    keeps = visit.starts_at if visit.state == VisitState.CONFIRMED else None
    return Reply(words.turned_down(keeps)), None


def has_proposal(turn: Turn) -> bool:
    """Whether 接受 could be meant for a visit: staff offered this family a time."""
    family = turn.caregiver.family
    return (
        family is not None
        and visit_proposals.find_proposal(turn.db, family.id, turn.now) is not None
    )


def booking_lines(turn: Turn) -> str:
    """The family's open visit for 我的预约; empty where there is none."""
    family = turn.caregiver.family
    there = home_visits.find_open(turn.db, family.id) if family else None
    return _line(there) if there is not None else ""


def _line(visit: HomeVisit) -> str:
    visitor = visit.visitor.name if visit.visitor else ""
    return words.booking_line(visit.child.nickname, visit.state, visit.starts_at, visitor)


def note_special(turn: Turn) -> Answered:
    """特殊需求, 特殊需求 听力: any child under 36 months."""
    living = visit_claims.living_children(get_family(turn.caregiver))
    if not living:
        return Reply(words.nobody_to_visit()), None
    if not turn.argument:
        return Reply(words.ask_special()), None
    children = [child for child in living if child.birth_date]
    named = [child for child in living if child.nickname in turn.argument]
    child = (named or children or living)[-1]
    category = "" if "不说" in turn.argument else turn.argument
    answer = visit_claims.note_special_need(
        turn.db,
        child=child,
        category=category,
        actor=visit_contact.actor_of(turn),
        now=turn.now,
    )
    return Reply(words.special_noted(child.nickname, answer)), None
