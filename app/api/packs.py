"""资料 in the API: what a child's age asks for, one pack to read, and what is thought of it."""

from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy import select

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.sessions import child_with
from app.api.shapes import Done, Id, In, Out
from app.api.signed_in import calling, database, services
from app.clock import SHANGHAI, now
from app.models import PackPush
from app.services import packs as service
from app.services import registration
from app.words import api as words

TAG = Tag(name="资料", description="这个月龄的养育资料")
KNOWN = r"^[A-Za-z0-9_-]{1,40}$"


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
    """The current one first; nothing where no pack is for this age."""

    items: list[PackLine]


class PackOut(PackLine):
    """`body` is Markdown."""

    message: str
    body: str
    sources: list[str]
    version: int


def add_routes(api: APIBlueprint) -> None:
    api.get("/packs", tags=[TAG], summary="该看的资料", responses={200: ShelfOut})(list_packs)
    api.get("/packs/<pack_id>", tags=[TAG], summary="读一份", responses={200: PackOut})(read)
    api.put("/packs/<pack_id>/rating", tags=[TAG], summary="有用没用", responses={200: Done})(rate)


def list_packs(query: ShelfQuery) -> Response:
    """What this caregiver may read for one child today."""
    today = now().astimezone(SHANGHAI).date()
    with database().reading() as db:
        caregiver = calling(db)
        child = child_with(registration.get_family(caregiver), query.child)
        packs = services().library.packs.values()
        shelf = service.find_shelf(db, caregiver=caregiver, child=child, packs=packs, today=today)
    found = [*([shelf.current] if shelf.current else []), *shelf.unread]
    return answer(
        ShelfOut(items=[PackLine(id=one.id, title=one.title, topic=one.topic) for one in found])
    )


def read(path: PackPath) -> Response:
    """Any pack that is in use; the same for everybody, of whatever age the child is."""
    today = now().astimezone(SHANGHAI).date()
    with database().reading() as db:
        calling(db)
    pack = services().library.packs.get(path.pack_id)
    if pack is None or not pack.is_pushed(today):
        raise ApiRefusal(404, "not_found")
    return answer(
        PackOut(
            id=pack.id,
            title=pack.title,
            topic=pack.topic,
            message=pack.message,
            body=pack.body,
            sources=list(pack.sources),
            version=pack.version,
        )
    )


def rate(path: PackPath, body: RatingBody) -> Response:
    """Of a pack that this caregiver was given; the last word counts."""
    with database().transaction() as db:
        caregiver = calling(db)
        push = db.scalars(
            select(PackPush)
            .where(
                PackPush.caregiver_id == caregiver.id,
                PackPush.pack_id == path.pack_id,
                PackPush.state == "sent",
            )
            .order_by(PackPush.id)
            .limit(1)
        ).first()
        if push is None:
            raise ApiRefusal(404, "not_found")
        service.rate(db, push, is_good=body.rating == "up", now=now())
    return answer(Done(message=words.thanks_for_rating()))
