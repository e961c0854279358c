"""The same request again gets the same answer: a tap too many, or a line that broke off."""

import hashlib
from collections.abc import Callable

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.api.problems import ApiRefusal
from app.api.signed_in import calling, database
from app.clock import now
from app.models import ApiAnswer, Caregiver

REPLAYED = "Idempotency-Replayed"


class Key(BaseModel):
    """The header of everything that books: made by the app, new for each wish of the person."""

    model_config = ConfigDict(populate_by_name=True)

    key: str = Field(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9_-]{8,64}$",
        description="一次操作一个编号；断线重发时用同一个编号，不会办两次",
    )


Act = Callable[[Session, Caregiver], BaseModel]


def once(header: Key, act: Act, status: int = 200) -> Response:
    """Do it, or give again what was answered when it was done.

    The key is claimed in the transaction that does the work: a second request, even at the same
    moment, waits for the first. A refusal keeps nothing, and may be tried again.
    Raises ApiRefusal (422) for the key of another request.
    """
    digest = _digest()
    with database().transaction() as db:
        caregiver = calling(db)
        kept_id = _claim(db, caregiver.id, header.key, digest)
        if kept_id is None:
            return _again(db, caregiver.id, header.key, digest)
        body = act(db, caregiver).model_dump_json()
        db.execute(
            update(ApiAnswer).where(ApiAnswer.id == kept_id).values(status=status, body=body)
        )
    return Response(body, status, content_type="application/json")


def _digest() -> str:
    content = b"\n".join((request.method.encode(), request.path.encode(), request.get_data()))
    return hashlib.sha256(content).hexdigest()


def _claim(db: Session, caregiver_id: int, key: str, digest: str) -> int | None:
    insert = (postgresql if db.get_bind().dialect.name == "postgresql" else sqlite).insert
    return db.execute(
        insert(ApiAnswer)
        .values(
            caregiver_id=caregiver_id, key=key, request=digest, status=0, body="", created_at=now()
        )
        .on_conflict_do_nothing()
        .returning(ApiAnswer.id)
    ).scalar_one_or_none()


def _again(db: Session, caregiver_id: int, key: str, digest: str) -> Response:
    kept = db.execute(
        select(ApiAnswer).where(ApiAnswer.caregiver_id == caregiver_id, ApiAnswer.key == key)
    ).scalar_one()
    if kept.request != digest:
        raise ApiRefusal(422, "key_reused")
    response = Response(kept.body, kept.status, content_type="application/json")
    response.headers[REPLAYED] = "true"
    return response
