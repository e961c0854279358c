"""上门 in the API: choosing a half-day, who comes and the word at the door, moving, cancelling."""

from datetime import date, datetime

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.repeating import Key, once
from app.api.shapes import Done, In, Out
from app.api.signed_in import calling, database
from app.clock import SHANGHAI, now
from app.models import Caregiver, HomeVisit
from app.rules.visit_slots import HORIZON_DAYS, Half
from app.services import home_visits, registration, visit_diaries, visit_proposals
from app.services.home_visits import Wish
from app.words import home_visits as words
from app.words.visit_words import code_word

TAG = Tag(name="上门", description="选时间、看谁来和暗号、改期、取消")
SHOWN = 12


class TimesQuery(In):
    first: date | None = None
    """The first day to look at; today where it is left out."""


class HalfDay(Out):
    day: date
    half: Half
    free: int


class HalfDays(Out):
    items: list[HalfDay]


class VisitBody(In):
    day: date
    half: Half | None = None


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
    message: str = ""


def add_routes(api: APIBlueprint) -> None:
    api.get("/visit/times", tags=[TAG], summary="能来的半天", responses={200: HalfDays})(list_times)
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


def _find(db: Session, caregiver: Caregiver) -> HomeVisit:
    visit = home_visits.find_open(db, registration.get_family(caregiver).id)
    if visit is None:
        raise ApiRefusal(404, "no_visit")
    return visit


def _visit_out(visit: HomeVisit, message: str = "") -> VisitOut:
    is_known = visit.state != "requested" and visit.visitor is not None
    visitor = visit.visitor if is_known else None
    return VisitOut(
        state=visit.state,
        child=visit.child.nickname,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        visitor=visitor.name if visitor else None,
        visitor_phone=visitor.phone if visitor else None,
        code_word=code_word(visit.code_word) if visitor else None,
        message=message,
    )


def show_visit() -> Response:
    with database().reading() as db:
        return answer(_visit_out(_find(db, calling(db))))


def request_visit(header: Key, body: VisitBody) -> Response:
    """The best visitor's time is held from now on, until staff confirm."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        wish = Wish(body.day, body.half)
        visit = home_visits.request(db, caregiver=caregiver, wish=wish, now=now())
        db.flush()
        name = visit.child.nickname
        if visit.starts_at is None:
            said = words.requested_without_time(name, (), has_visitors=False)
        else:
            said = words.requested(name, visit.starts_at, visit.wished_half, None)
        return _visit_out(visit, said)

    return once(header, act, 201)


def wish_other_time(header: Key, body: VisitBody) -> Response:
    """The old time stays until the new one holds."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        _find(db, caregiver)
        wish = Wish(body.day, body.half)
        wished = visit_proposals.wish_other_time(db, caregiver=caregiver, wish=wish, now=now())
        said = words.wished(
            wished.visit.child.nickname,
            words.half_day(body.day, body.half),
            starts_at=wished.starts_at,
            keeps=wished.keeps,
            is_request=wished.is_request,
        )
        return _visit_out(wished.visit, said)

    return once(header, act)


def cancel_visit() -> Response:
    """As long as the visitor is not on the way."""
    with database().transaction() as db:
        visit = home_visits.cancel_by_family(db, caregiver=calling(db), now=now())
        said = words.cancelled(visit.starts_at)
    return answer(Done(message=said))
