"""资料 in the API: what a child's age asks for, what there was, one pack to read, saved ones."""

from collections.abc import Mapping, Sequence
from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.sessions import child_with
from app.api.shapes import Done, Id, In, Out
from app.api.signed_in import calling, database, services
from app.clock import SHANGHAI, now
from app.models import Caregiver, PackPush
from app.services import pack_shelves, registration
from app.services import packs as service
from app.words import api as words
from app.words import packs as pack_words
from content.packs import Pack

TAG = Tag(name="资料", description="这个月龄的养育资料")
KNOWN = r"^[A-Za-z0-9_-]{1,40}$"
RATINGS: Mapping[int | None, Literal["up", "down"]] = {1: "up", -1: "down"}


class ShelfQuery(In):
    child: Id


class PackPath(BaseModel):
    pack_id: str = Field(pattern=KNOWN)


class RatingBody(In):
    rating: Literal["up", "down"]


class PackLine(Out):
    id: str
    title: str
    topic: str


class ShelfOut(Out):
    """What is to be read now, the current one first; and what this caregiver was given before."""

    items: list[PackLine]
    read: list[PackLine]
    """The latest first."""


class AgeOut(Out):
    """The packs that begin in one stretch of age."""

    age: str
    from_days: int
    until_days: int
    """Exclusive."""
    items: list[PackLine]


class PastOut(Out):
    """By age, the latest first: of all ages that the family's children have reached."""

    items: list[AgeOut]


class SavedOut(Out):
    """The latest first."""

    items: list[PackLine]


class PackOut(PackLine):
    """`body` is Markdown."""

    message: str
    body: str
    age: str
    sources: list[str]
    version: int
    is_signed_off: bool
    """False where the health authority still has to sign: say so beside the text."""
    is_past_review: bool
    """It is being looked through again: what a doctor says counts."""
    is_saved: bool
    may_rate: bool
    rating: Literal["up", "down"] | None


def add_routes(api: APIBlueprint) -> None:
    api.get("/packs", tags=[TAG], summary="该看的资料", responses={200: ShelfOut})(list_packs)
    api.get("/packs/past", tags=[TAG], summary="按月龄找", responses={200: PastOut})(list_past)
    api.get("/packs/saved", tags=[TAG], summary="收藏的", responses={200: SavedOut})(list_saved)
    api.get("/packs/<pack_id>", tags=[TAG], summary="读一份", responses={200: PackOut})(read)
    api.put("/packs/<pack_id>/rating", tags=[TAG], summary="有用没用", responses={200: Done})(rate)
    api.put("/packs/<pack_id>/saved", tags=[TAG], summary="收藏", responses={200: Done})(save)
    api.delete("/packs/<pack_id>/saved", tags=[TAG], summary="不收藏了", responses={200: Done})(
        unsave
    )


def list_packs(query: ShelfQuery) -> Response:
    """What this caregiver may read for one child today."""
    today = now().astimezone(SHANGHAI).date()
    library = services().library.packs
    with database().reading() as db:
        caregiver = calling(db)
        child = child_with(registration.get_family(caregiver), query.child)
        shelf = service.find_shelf(
            db, caregiver=caregiver, child=child, packs=library.values(), today=today
        )
        read = service.find_read(db, caregiver, child, library) if child.lost_at is None else ()
    found = [*([shelf.current] if shelf.current else []), *shelf.unread]
    return answer(ShelfOut(items=_lines(found), read=_lines(read)))


def _lines(packs: Sequence[Pack]) -> list[PackLine]:
    return [PackLine(id=one.id, title=one.title, topic=one.topic) for one in packs]


def list_past() -> Response:
    today = now().astimezone(SHANGHAI).date()
    with database().reading() as db:
        family = registration.get_family(calling(db))
        shelves = pack_shelves.find_past(db, services().library.packs, family.children, today)
    items = [
        AgeOut(
            age=pack_words.say_band(shelf.from_days, shelf.until_days),
            from_days=shelf.from_days,
            until_days=shelf.until_days,
            items=_lines(shelf.packs),
        )
        for shelf in shelves
    ]
    return answer(PastOut(items=items))


def list_saved() -> Response:
    with database().reading() as db:
        found = pack_shelves.find_saved(db, services().library.packs, calling(db))
    return answer(SavedOut(items=_lines(found)))


def _pack(db: Session, pack_id: str) -> Pack:
    pack = pack_shelves.find_readable(db, services().library.packs, pack_id)
    if pack is None:
        raise ApiRefusal(404, "not_found")
    return pack


def read(path: PackPath) -> Response:
    """Any pack that is in use. One of a child's age counts as read, and is not pushed any more."""
    at = now()
    with database().transaction() as db:
        caregiver = calling(db)
        pack = _pack(db, path.pack_id)
        pack_shelves.note_read(db, caregiver, pack, at)
        push = _given(db, caregiver, pack.id)
        shown = PackOut(
            id=pack.id,
            title=pack.title,
            topic=pack.topic,
            message=pack.message,
            body=pack.body,
            age=pack_words.age_of(pack.from_days, pack.until_days),
            sources=list(pack.sources),
            version=pack.version,
            is_signed_off=pack.is_signed_off,
            is_past_review=at.astimezone(SHANGHAI).date() > pack.review_by,
            is_saved=pack_shelves.has_saved(db, caregiver, pack.id),
            may_rate=push is not None,
            rating=RATINGS.get(push.rating) if push is not None else None,
        )
    return answer(shown)


def _given(db: Session, caregiver: Caregiver, pack_id: str) -> PackPush | None:
    """What the caregiver was given of a pack, by a message or by asking."""
    return db.scalars(
        select(PackPush)
        .where(
            PackPush.caregiver_id == caregiver.id,
            PackPush.pack_id == pack_id,
            PackPush.state == "sent",
        )
        .order_by(PackPush.id)
        .limit(1)
    ).first()


def rate(path: PackPath, body: RatingBody) -> Response:
    """Of a pack that this caregiver was given; the last word counts."""
    with database().transaction() as db:
        push = _given(db, calling(db), path.pack_id)
        if push is None:
            raise ApiRefusal(404, "not_found")
        service.rate(db, push, is_good=body.rating == "up", now=now())
    return answer(Done(message=words.thanks_for_rating()))


def save(path: PackPath) -> Response:
    """To be found again; a second time changes nothing."""
    with database().transaction() as db:
        caregiver = calling(db)
        pack_shelves.save(db, caregiver, _pack(db, path.pack_id), now())
    return answer(Done(message=pack_words.pack_saved()))


def unsave(path: PackPath) -> Response:
    with database().transaction() as db:
        pack_shelves.unsave(db, calling(db), path.pack_id)
    return answer(Done(message=pack_words.pack_unsaved()))
