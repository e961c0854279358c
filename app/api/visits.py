"""上门 in the API: choosing a time, who comes and the word at the door, moving, cancelling.

What goes with visits (where to ring, how it was, a birth) is in home_facts.
"""

from datetime import UTC, date, datetime
from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.repeating import Key, once
from app.api.shapes import Done, In, Out
from app.api.signed_in import calling, database
from app.clock import SHANGHAI, now
from app.models import Caregiver, HomeVisit, VisitProposal
from app.rules.visit_slots import HORIZON_DAYS, Half
from app.rules.visiting import OPEN, VisitState
from app.services import (
    home_visits,
    registration,
    visit_diaries,
    visit_overview,
    visit_proposals,
    visitors,
)
from app.services.home_visits import Wish
from app.words import home_visits as words
from app.words.visit_words import code_word
from app.words.when import say_when

TAG = Tag(name="上门", description="选时间、看谁来和暗号、改期、取消")
SHOWN = 12
SLOT_DAYS = 14
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
PHOTO = {
    "description": "来的老师的照片",
    "content": {
        kind: {"schema": {"type": "string"}} for kind in ("image/jpeg", "image/png", "image/webp")
    },
}


class TimesQuery(In):
    first: date | None = None
    """The first day to look at; today where it is left out."""


class HalfDay(Out):
    day: date
    half: Half
    free: int


class HalfDays(Out):
    items: list[HalfDay]


class DaySlots(Out):
    day: date
    starts_at: list[datetime]
    """Beginnings that somebody can come at."""


class Slots(Out):
    """Two weeks' days; days on which nobody is free are left out."""

    items: list[DaySlots]


class VisitBody(In):
    """One of the three: a day (perhaps its half), a beginning, or whenever a person finds one."""

    day: date | None = None
    half: Half | None = None
    starts_at: AwareDatetime | None = Field(None, ge=EARLIEST, le=LATEST)
    any_time: bool = False

    def wish(self, today: date) -> Wish:
        """Raises ApiRefusal (422) where it is none of them, or several."""
        given = (self.day is not None) + (self.starts_at is not None) + self.any_time
        if given != 1 or (self.half is not None and self.day is None):
            raise ApiRefusal(422, "one_time")
        if self.starts_at is not None:
            return Wish(self.starts_at.astimezone(SHANGHAI).date(), starts_at=self.starts_at)
        return Wish(self.day or today, self.half, is_any=self.any_time)


class AnswerBody(In):
    answer: Literal["accept", "decline"]


class ProposalOut(Out):
    """Another time that staff ask about; the visit keeps its own until it is answered."""

    starts_at: datetime
    ends_at: datetime
    visitor: str
    until: datetime
    """To be answered before."""


class VisitOut(Out):
    """The family's visit that is asked for or arranged."""

    state: str
    child: str
    starts_at: datetime | None
    ends_at: datetime | None
    visitor: str | None
    visitor_phone: str | None
    code_word: str | None
    """What the visitor says at the door."""
    has_photo: bool
    may_change: bool
    """Until the visitor is on the way."""
    proposal: ProposalOut | None
    message: str = ""


class PastVisitOut(Out):
    child: str
    state: str
    starts_at: datetime | None
    visitor: str | None


class OwedOut(Out):
    child: str
    due_on: date
    is_high_risk: bool


class VisitsOut(Out):
    """Visits that were, the latest first, and what the family is still owed."""

    items: list[PastVisitOut]
    owed: list[OwedOut]


def add_routes(api: APIBlueprint) -> None:
    api.get("/visit/times", tags=[TAG], summary="能来的半天", responses={200: HalfDays})(list_times)
    api.get("/visit/slots", tags=[TAG], summary="能来的钟点", responses={200: Slots})(list_slots)
    api.get("/visits", tags=[TAG], summary="以前的上门", responses={200: VisitsOut})(list_visits)
    api.get("/visit/photo", tags=[TAG], summary="来的是谁", responses={200: PHOTO})(show_photo)
    api.post("/visit/answer", tags=[TAG], summary="老师问的时间", responses={200: VisitOut})(
        answer_proposal
    )
    api.get("/visit", tags=[TAG], summary="我家的上门", responses={200: VisitOut})(show_visit)
    api.post("/visit", tags=[TAG], summary="申请上门", responses={201: VisitOut})(request_visit)
    api.post("/visit/other-time", tags=[TAG], summary="想换时间", responses={200: VisitOut})(
        wish_other_time
    )
    api.delete("/visit", tags=[TAG], summary="取消上门", responses={200: Done})(cancel_visit)


def list_times(query: TimesQuery) -> Response:
    """Half-days on which somebody could come, the nearest first."""
    at = now()
    today = at.astimezone(SHANGHAI).date()
    with database().reading() as db:
        family = registration.get_family(calling(db))
        first = max(query.first or today, today)
        if (first - today).days > HORIZON_DAYS:
            return answer(HalfDays(items=[]))
        found = visit_diaries.offers(db, family.township_id, at, first=first)[:SHOWN]
    return answer(
        HalfDays(items=[HalfDay(day=one.day, half=one.half, free=one.free) for one in found])
    )


def list_slots(query: TimesQuery) -> Response:
    """Beginnings over two weeks; for an open visit, its own time counts as free."""
    at = now()
    today = at.astimezone(SHANGHAI).date()
    with database().reading() as db:
        family = registration.get_family(calling(db))
        first = max(query.first or today, today)
        there = db.scalars(visit_diaries.covering(family.township_id)).all()
        if not there or (first - today).days > HORIZON_DAYS:
            return answer(Slots(items=[]))
        visit = home_visits.find_open(db, family.id)
        found = visit_diaries.find_available(
            db, there, first, SLOT_DAYS, at, leaving_out=visit.id if visit else None
        )
    days: dict[date, set[datetime]] = {}
    for slot in found.slots:
        days.setdefault(slot.starts_at.date(), set()).add(slot.starts_at)
    items = [DaySlots(day=day, starts_at=sorted(times)) for day, times in sorted(days.items())]
    return answer(Slots(items=items))


def _find(db: Session, caregiver: Caregiver) -> HomeVisit:
    visit = home_visits.find_open(db, registration.get_family(caregiver).id)
    if visit is None:
        raise ApiRefusal(404, "no_visit")
    return visit


def _visit_out(db: Session, visit: HomeVisit, message: str = "") -> VisitOut:
    is_known = visit.state != VisitState.REQUESTED and visit.visitor is not None
    visitor = visit.visitor if is_known else None
    return VisitOut(
        state=visit.state,
        child=visit.child.nickname,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        visitor=visitor.name if visitor else None,
        visitor_phone=visitor.phone if visitor else None,
        code_word=code_word(visit.code_word) if visitor else None,
        has_photo=visitor is not None and visitor.photo_type is not None,
        may_change=visit.state in (VisitState.REQUESTED, VisitState.CONFIRMED),
        proposal=_proposal(visit_proposals.find_proposal(db, visit.family_id, now())),
        message=message,
    )


def _proposal(found: VisitProposal | None) -> ProposalOut | None:
    if found is None:
        return None
    return ProposalOut(
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        visitor=found.visitor.name,
        until=found.expires_at,
    )


def show_visit() -> Response:
    with database().reading() as db:
        return answer(_visit_out(db, _find(db, calling(db))))


def list_visits() -> Response:
    with database().reading() as db:
        family = registration.get_family(calling(db))
        past = [
            PastVisitOut(
                child=one.child,
                state=one.state,
                starts_at=one.starts_at,
                visitor=one.visitor_name,
            )
            for one in reversed(visit_overview.family_visits(db, family.id))
            if one.state not in OPEN and one.kind == "guidance"
        ]
        owed = [
            OwedOut(child=one.child, due_on=one.due_on, is_high_risk=one.is_high_risk)
            for one in visit_overview.owed_visits(db, family.id)
        ]
    return answer(VisitsOut(items=past, owed=owed))


def show_photo() -> Response:
    """Who will stand at the door of this family's own visit; nobody else's picture."""
    with database().reading() as db:
        visit = _find(db, calling(db))
        shown = visit.state != VisitState.REQUESTED and visit.visitor_id
        found = visitors.find_photo(db, shown) if shown else None
    if found is None:
        raise ApiRefusal(404, "no_photo")
    return Response(found[0], content_type=found[1])


def request_visit(header: Key, body: VisitBody) -> Response:
    """The best visitor's time is held from now on, until staff confirm."""
    at = now()
    wish = body.wish(at.astimezone(SHANGHAI).date())

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        visit = home_visits.request(db, caregiver=caregiver, wish=wish, now=at)
        db.flush()
        name = visit.child.nickname
        if visit.starts_at is None:
            said = words.requested_without_time(name, (), has_visitors=False)
        else:
            said = words.requested(name, visit.starts_at, visit.wished_half, None)
        return _visit_out(db, visit, said)

    return once(header, act, 201)


def wish_other_time(header: Key, body: VisitBody) -> Response:
    """The old time stays until the new one holds."""
    at = now()
    wish = body.wish(at.astimezone(SHANGHAI).date())

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        _find(db, caregiver)
        wished = visit_proposals.wish_other_time(db, caregiver=caregiver, wish=wish, now=at)
        said = words.wished(
            wished.visit.child.nickname,
            _say_wish(wish),
            starts_at=wished.starts_at,
            keeps=wished.keeps,
            is_request=wished.is_request,
        )
        return _visit_out(db, wished.visit, said)

    return once(header, act)


def _say_wish(wish: Wish) -> str:
    if wish.is_any:
        return words.other_time()
    return say_when(wish.starts_at) if wish.starts_at else words.half_day(wish.day, wish.half)


def answer_proposal(header: Key, body: AnswerBody) -> Response:
    """Take the time that staff ask about, or turn it down; turned down, all is as it was."""
    accepts = body.answer == "accept"

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        visit = visit_proposals.answer_by_family(
            db, caregiver=caregiver, accepts=accepts, now=now()
        )
        said = words.answered(
            accepts=accepts,
            starts_at=visit.starts_at,
            visitor=visit.visitor.name if visit.visitor else "",
            is_kept=visit.state == VisitState.CONFIRMED,
        )
        return _visit_out(db, visit, said)

    return once(header, act)


def cancel_visit() -> Response:
    """As long as the visitor is not on the way."""
    with database().transaction() as db:
        visit = home_visits.cancel_by_family(db, caregiver=calling(db), now=now())
        said = words.cancelled(visit.starts_at)
    return answer(Done(message=said))
