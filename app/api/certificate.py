"""结业证书 in the API: its number and name, the name written once, the picture to keep."""

from datetime import datetime

import structlog
from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, field_validator
from sqlalchemy.orm import Session

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.repeating import Key, once
from app.api.shapes import In, Out
from app.api.signed_in import calling, database, services
from app.clock import now
from app.models import Caregiver, Certificate, Learner
from app.services import course, course_certificates
from app.services.audit import Actor
from app.services.course_certificates import LONGEST_NAME
from app.words import course as words
from app.words import course_pages as pages

TAG = Tag(name="证书", description="七会学完的证书：写上名字，存成图片，别人可以核对")
PNG = {"description": "证书的图片", "content": {"image/png": {"schema": {"type": "string"}}}}

log = structlog.get_logger(__name__)


class NameBody(In):
    """As on the identity card: it is written once, and then only staff write another."""

    name: str = Field(min_length=2, max_length=LONGEST_NAME)

    @field_validator("name")
    @classmethod
    def _is_name(cls, given: str) -> str:
        tidy = " ".join(given.split())
        if not words.is_name(tidy):
            raise ValueError("no name")
        return tidy


class CertificateOut(Out):
    """What the learner earned; it stays with who has left the course."""

    code: str
    name: str | None
    """In full, for the learner; who checks the number sees it masked."""
    may_set_name: bool
    issued_at: datetime
    revoked_at: datetime | None
    """It counts no more, and its public page says so."""
    check_url: str
    """Where anybody checks the number."""
    message: str = ""


def add_routes(api: APIBlueprint) -> None:
    api.get("/course/certificate", tags=[TAG], summary="证书", responses={200: CertificateOut})(
        show_certificate
    )
    api.post(
        "/course/certificate/name",
        tags=[TAG],
        summary="写上名字",
        responses={200: CertificateOut},
    )(write_name)
    api.get("/course/certificate/picture", tags=[TAG], summary="证书图片", responses={200: PNG})(
        show_picture
    )


def _own(db: Session, caregiver: Caregiver) -> tuple[Learner, Certificate]:
    learner, found = course.get_certified(db, caregiver)
    if found is None:
        raise ApiRefusal(404, "no_certificate")
    return learner, found


def _certificate(learner: Learner, found: Certificate, message: str = "") -> CertificateOut:
    return CertificateOut(
        code=found.code,
        name=found.name,
        may_set_name=course_certificates.may_set_name(learner),
        issued_at=found.issued_at,
        revoked_at=found.revoked_at,
        check_url=_check_url(found.code),
        message=message,
    )


def _check_url(code: str) -> str:
    return course_certificates.check_url(services().settings.public_url, code)


def show_certificate() -> Response:
    with database().reading() as db:
        return answer(_certificate(*_own(db, calling(db))))


def write_name(header: Key, body: NameBody) -> Response:
    """Once; a name that stands there stays, and the answer says whose it is."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        learner, found = _own(db, caregiver)
        course.lock_learner(db, learner)
        if not course_certificates.may_set_name(learner):
            return _certificate(learner, found, words.name_kept(learner.name or ""))
        actor = Actor("caregiver", caregiver.id)
        course_certificates.set_name(db, learner, body.name, actor, now())
        return _certificate(learner, found, pages.name_written(body.name))

    return once(header, act)


def show_picture() -> Response:
    """To keep in the phone's album; 404 for one that was revoked."""
    # Drawing needs a library of its own: a worker is smaller until somebody graduates.
    from app.certificate_picture import PictureImpossible, draw

    with database().reading() as db:
        _, found = _own(db, calling(db))
    if found.revoked_at is not None:
        raise ApiRefusal(404, "no_certificate")
    try:
        png = draw(found.name, found.code, found.issued_at, _check_url(found.code))
    except PictureImpossible as impossible:
        log.error("certificate_not_drawn", reason=str(impossible))
        raise ApiRefusal(503, "no_picture") from None
    return Response(png, content_type="image/png")
