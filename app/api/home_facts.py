"""What goes with home visits: where to ring, how it was, a birth, special needs, a loss."""

from datetime import date
from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.repeating import Key, once
from app.api.sessions import child_with
from app.api.shapes import Done, Id, In, Out, Words
from app.api.signed_in import calling, database, services
from app.clock import SHANGHAI, now
from app.dialogue.reading.home_contacts import read_home_contact
from app.models import Caregiver
from app.rules.visiting import HEAVIEST_GRAMS, LIGHTEST_GRAMS, first_window, risk_factors
from app.services import (
    home_contacts,
    losses,
    registration,
    visit_claims,
    visit_day,
    visit_dues,
)
from app.services.audit import Actor
from app.services.follow_ups import open_follow_up
from app.services.home_contacts import KnownContact
from app.services.visit_dues import BirthReport
from app.words import home_visits as words
from app.words import packs as pack_words

TAG = Tag(name="上门以前和以后", description="门牌电话、出生和出院、特殊需要、评价，以及不幸的消息")
SCORES = {"good": 1, "fair": 2, "bad": 3}
Said = Field("", max_length=200, pattern=r"^[^\x00]*$")


class ContactBody(In):
    """Whoever fills it in agrees to its use for visits; an empty field is deleted."""

    address: str = Field("", max_length=80, pattern=r"^[^\x00]*$")
    phone: str = Field("", max_length=30, pattern=r"^[^\x00]*$")


class ContactOut(Out):
    """Empty where it is not known."""

    address: str
    phone: str
    message: str = ""


class RatingBody(In):
    """Of the last visit; a bad one goes to a person."""

    rating: Literal["good", "fair", "bad"]
    words: str = Said


class ChildPath(BaseModel):
    child_id: Id


class BirthBody(In):
    """What is known; what is left out stays. `birth_date` where only a due date was known."""

    birth_date: date | None = None
    discharged_on: date | None = None
    gestation_weeks: int | None = Field(None, ge=22, le=42)
    weight_grams: int | None = Field(None, ge=LIGHTEST_GRAMS, le=HEAVIEST_GRAMS)
    is_multiple: bool | None = None


class BirthOut(Out):
    due_on: date
    """By when somebody comes at the latest."""
    is_high_risk: bool
    message: str


class SpecialBody(In):
    """In the family's own words, or empty: it need not be told."""

    category: Words = ""


class LossBody(In):
    """A child died, before birth or after. Everything that we send on our own ends at once."""

    sure: Literal[True]
    words: str = Said


def add_routes(api: APIBlueprint) -> None:
    api.get("/visit/contact", tags=[TAG], summary="门牌电话", responses={200: ContactOut})(
        show_contact
    )
    api.put("/visit/contact", tags=[TAG], summary="写门牌电话", responses={200: ContactOut})(
        set_contact
    )
    api.post("/visit/rating", tags=[TAG], summary="评价上门", responses={200: Done})(rate_visit)
    api.post(
        "/family/children/<int:child_id>/birth",
        tags=[TAG],
        summary="生了、出院了",
        responses={200: BirthOut},
    )(report_birth)
    api.put(
        "/family/children/<int:child_id>/special-need",
        tags=[TAG],
        summary="有特殊需要",
        responses={200: Done},
    )(note_special_need)
    api.post("/family/loss", tags=[TAG], summary="宝宝不在了", responses={200: Done})(report_loss)


def show_contact() -> Response:
    with database().reading() as db:
        family = registration.get_family(calling(db))
        return answer(_contact(home_contacts.read_contact(db, family.id)))


def _contact(known: KnownContact, message: str = "") -> ContactOut:
    return ContactOut(address=known.address, phone=known.phone, message=message)


def set_contact(body: ContactBody) -> Response:
    """Only for who comes and who arranges it; the same again changes nothing."""
    with database().transaction() as db:
        caregiver = calling(db)
        family = registration.get_family(caregiver)
        found = read_home_contact(body.address, body.phone)
        wanted = KnownContact(found.address or "", found.phone or "")
        if wanted != home_contacts.read_contact(db, family.id):
            home_contacts.set_contact(
                db,
                family_id=family.id,
                address=wanted.address,
                phone=wanted.phone,
                actor=Actor("caregiver", caregiver.id),
                evidence="mini program",
                now=now(),
            )
    return answer(_contact(wanted, words.contact_saved(wanted.address, wanted.phone)))


def rate_visit(header: Key, body: RatingBody) -> Response:
    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        family = registration.get_family(caregiver)
        at, score = now(), SCORES[body.rating]
        visit = visit_day.rate(db, family_id=family.id, score=score, said=body.words, now=at)
        if visit is None:
            raise ApiRefusal(404, "nothing_to_rate")
        if body.rating == "bad":
            open_follow_up(db, kind="complaint", caregiver=caregiver, detail=body.words, now=at)
        return Done(message=words.rated(score))

    return once(header, act)


def report_birth(path: ChildPath, header: Key, body: BirthBody) -> Response:
    """Born, or out of hospital: the visits that are owed are planned by it."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        at = now()
        child = child_with(registration.get_family(caregiver), path.child_id)
        if child.lost_at is not None or (child.birth_date is None and body.birth_date is None):
            raise ApiRefusal(409, "not_born")
        if body.birth_date is not None or body.gestation_weeks is not None:
            registration.correct_child(
                db,
                caregiver=caregiver,
                child=child,
                birth_date=body.birth_date or child.birth_date,
                gestation_weeks=body.gestation_weeks,
                now=at,
            )
        report = BirthReport(body.discharged_on, body.weight_grams, body.is_multiple)
        actor = Actor("caregiver", caregiver.id)
        newborn = visit_dues.report_birth(db, child=child, report=report, actor=actor, now=at)
        due, risks = first_window(newborn), sorted(risk_factors(newborn))
        is_owed = due.owed_until >= at.astimezone(SHANGHAI).date()
        said = words.born(
            child.nickname,
            newborn.born,
            newborn.discharged,
            risks,
            due.due_on if is_owed else None,
            is_in_hospital=False,
        )
        return BirthOut(due_on=due.due_on, is_high_risk=bool(risks), message=said)

    return once(header, act)


def note_special_need(path: ChildPath, body: SpecialBody) -> Response:
    """Kept encrypted, and only for who visits: the family is owed a visit."""
    with database().transaction() as db:
        caregiver = calling(db)
        child = child_with(registration.get_family(caregiver), path.child_id)
        noted = visit_claims.note_special_need(
            db,
            child=child,
            category=body.category,
            actor=Actor("caregiver", caregiver.id),
            now=now(),
        )
        return answer(Done(message=words.special_noted(child.nickname, noted)))


def report_loss(header: Key, body: LossBody) -> Response:
    """Nothing is asked; a person calls, gently."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        at = now()
        family = registration.get_family(caregiver)
        losses.stop_family(db, family, actor=Actor("caregiver", caregiver.id), now=at)
        open_follow_up(db, kind="loss", caregiver=caregiver, detail=body.words, now=at)
        return Done(message=pack_words.condolence(services().settings.service_phone))

    return once(header, act)
