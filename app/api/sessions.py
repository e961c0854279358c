"""活动 in the API: finding, signing up, waiting, giving back."""

from datetime import datetime
from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.repeating import Key, once
from app.api.shapes import (
    Code,
    Done,
    Id,
    In,
    SessionOut,
    SessionPage,
    SignUpList,
    SignUpOut,
    Words,
)
from app.api.signed_in import calling, database, services
from app.clock import now
from app.models import Caregiver, Child, Family, SignUp
from app.rules.sign_up import SignUpState
from app.rules.townships import TOWNSHIPS
from app.services import plan_keeping, registration, sessions, waiting_list
from app.services.sessions import OpenSession, Wanted
from app.words import pages as words

TAG = Tag(name="活动", description="找活动、报名、候补、取消")
MOST = 500
CANCELS = frozenset({SignUpState.CONFIRMED, SignUpState.REQUESTED, SignUpState.WAITLISTED})


class Query(In):
    """What the list is narrowed to; as it is, the sessions that fit the family's children."""

    township: Words = ""
    kind: Words = ""
    months: int | None = Field(None, ge=0, le=36)
    any_age: bool = False
    page: int = Field(1, ge=1, le=MOST)
    page_size: int = Field(20, ge=1, le=50)


class SessionPath(BaseModel):
    code: Code


class SignUpBody(In):
    """Siblings together: both or neither."""

    children: list[Id] = Field(min_length=1, max_length=10)


class CancelQuery(In):
    child: Id | None = None
    """One child's place; without it all that the family has there."""


class OfferBody(In):
    answer: Literal["accept", "decline"]


def add_routes(api: APIBlueprint) -> None:
    api.get("/sessions", tags=[TAG], summary="近期活动", responses={200: SessionPage})(
        list_sessions
    )
    api.get("/sessions/<code>", tags=[TAG], summary="一场活动", responses={200: SessionOut})(
        show_session
    )
    api.get("/sign-ups", tags=[TAG], summary="我的预约", responses={200: SignUpList})(list_sign_ups)
    api.post("/sessions/<code>/sign-ups", tags=[TAG], summary="报名", responses={201: SignUpList})(
        sign_up
    )
    api.delete("/sessions/<code>/sign-ups", tags=[TAG], summary="取消报名", responses={200: Done})(
        cancel
    )
    api.post(
        "/sessions/<code>/offer", tags=[TAG], summary="接受或放弃名额", responses={200: SignUpList}
    )(answer_offer)


def family_or_none(caregiver: Caregiver) -> Family | None:
    family = caregiver.family
    return family if family is not None and family.children else None


def child_with(family: Family, child_id: int) -> Child:
    """Raises ApiRefusal (404) for a child that is not of this family, or nobody's."""
    for child in family.children:
        if child.id == child_id:
            return child
    raise ApiRefusal(404, "not_found")


def list_sessions(query: Query) -> Response:
    """Own township first, then by time."""
    wanted, at = Wanted(query.township, query.kind, query.months, query.any_age), now()
    with database().reading() as db:
        family = family_or_none(calling(db))
        found = sessions.find_open(db, family, at, limit=MOST, wanted=wanted)
        kinds = list(sessions.find_kinds(db, at))
    start = (query.page - 1) * query.page_size
    items = [_session_out(one) for one in found[start : start + query.page_size]]
    return answer(
        SessionPage(
            items=items,
            page=query.page,
            page_size=query.page_size,
            total=len(found),
            kinds=kinds,
            townships=list(TOWNSHIPS),
        )
    )


def show_session(path: SessionPath) -> Response:
    """Also after its closing or cancelling."""
    with database().reading() as db:
        found = sessions.find_one(db, family_or_none(calling(db)), path.code, now())
    return answer(_session_out(found))


def _session_out(one: OpenSession) -> SessionOut:
    return SessionOut(
        code=one.code,
        title=one.title,
        kind=one.kind,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        station=one.station,
        township=one.township,
        address=one.address,
        phone=one.phone,
        min_months=one.min_months,
        max_months=one.max_months,
        places_left=one.places_left,
        waiting=one.waiting,
        can_wait=one.can_wait,
        opens_at=one.opens_at,
        closes_at=one.closes_at,
        cancel_until=one.cancel_until,
        is_cancelled=one.is_cancelled,
        fits=list(one.fits),
        signed_up=list(one.signed_up),
    )


def list_sign_ups() -> Response:
    """What is still to come, by time."""
    with database().reading() as db:
        family = registration.get_family(calling(db))
        rows = sessions.find_sign_ups(db, family.id, after=now())
        return answer(_list(db, rows))


def _list(db: Session, rows: list[tuple[SignUp, Child]], message: str = "") -> SignUpList:
    places = waiting_list.places_in_line(db, [each for each, _ in rows])
    items = [_sign_up_out(each, child, places.get(each.id)) for each, child in rows]
    return SignUpList(items=items, message=message)


def _sign_up_out(found: SignUp, child: Child, position: int | None) -> SignUpOut:
    until: datetime | None = found.offer_expires_at if found.state == "offered" else None
    session, at = found.session, now()
    may_leave = sessions.may_leave(found.state, session.cancel_until, session.starts_at, at)
    return SignUpOut.model_validate(
        {
            "session": session.code,
            "title": session.title,
            "starts_at": session.starts_at,
            "ends_at": session.ends_at,
            "station": session.station.name,
            "address": session.station.address,
            "child": child.nickname,
            "child_id": child.id,
            "can_cancel": found.state in CANCELS and may_leave and at < session.starts_at,
            "state": str(found.state),
            "position": position,
            "offer_expires_at": until,
            "calendar_url": services().calendar_links.url(found.id),
        }
    )


def sign_up(path: SessionPath, header: Key, body: SignUpBody) -> Response:
    """A seat for each child, or a place in the waiting list; all of them, or none."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        family = registration.get_family(caregiver)
        children = [child_with(family, one) for one in dict.fromkeys(body.children)]
        made = sessions.sign_up_together(
            db, caregiver=caregiver, children=children, code=path.code, now=now()
        )
        rows = list(zip(made, children, strict=True))
        places = waiting_list.places_in_line(db, made)
        positions = [places[each.id] for each in made if each.id in places]
        names = [child.nickname for child in children]
        return _list(db, rows, words.signed_up(made[0].state, names, positions))

    return once(header, act, 201)


def cancel(path: SessionPath, query: CancelQuery) -> Response:
    """Free until the deadline; a place in the waiting list at any time."""
    at = now()
    with database().transaction() as db:
        caregiver = calling(db)
        family = registration.get_family(caregiver)
        child = child_with(family, query.child) if query.child is not None else None
        rows = sessions.cancel_by_family(
            db, caregiver=caregiver, code=path.code, now=at, child=child
        )
        names = [whose.nickname for _, whose in rows]
        db.flush()
        has_more = bool(plan_keeping.replace_missing(db, family, at))
    return answer(Done(message=words.cancelled(names, has_replacement=has_more)))


def answer_offer(path: SessionPath, header: Key, body: OfferBody) -> Response:
    """Take the seat that the waiting list offers, or leave it to the next."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        takes = body.answer == "accept"
        decide = waiting_list.accept if takes else waiting_list.decline
        rows = decide(db, caregiver=caregiver, code=path.code, now=now())
        names = [child.nickname for _, child in rows]
        return _list(db, rows, words.accepted(names) if takes else words.declined(names))

    return once(header, act)
