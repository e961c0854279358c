"""生长 in the API: what was measured of a child, and where it lies in the national standard."""

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
from app.api.shapes import Id, In, Out
from app.api.signed_in import calling, database
from app.clock import SHANGHAI, now
from app.models import Caregiver, Child
from app.rules.growth import (
    PLAUSIBLE_GRAMS,
    PLAUSIBLE_HEAD_MILLIMETRES,
    PLAUSIBLE_MILLIMETRES,
    Measured,
    wants_a_look,
)
from app.services import growth as service
from app.services import registration
from app.services.growth import Point
from app.words import growth as words

TAG = Tag(name="生长", description="体重、身长、头围，和国家标准放在一起看")


class GrowthQuery(In):
    child: Id


class MeasuresBody(In):
    """At least one measure; what was measured before on the same day stays beside it."""

    child: Id
    measured_on: date | None = None
    """Today, where it is left out; a day of the child's life, none to come."""
    weight_grams: int | None = Field(None, ge=PLAUSIBLE_GRAMS[0], le=PLAUSIBLE_GRAMS[1])
    length_millimetres: int | None = Field(
        None, ge=PLAUSIBLE_MILLIMETRES[0], le=PLAUSIBLE_MILLIMETRES[1]
    )
    head_millimetres: int | None = Field(
        None, ge=PLAUSIBLE_HEAD_MILLIMETRES[0], le=PLAUSIBLE_HEAD_MILLIMETRES[1]
    )


class PlacedOut(Out):
    """One measure among the standard's five levels, 0 the lowest: a band, never a verdict."""

    indicator: Literal[
        "weight_for_age",
        "length_height_for_age",
        "head_for_age_0_3y",
        "weight_for_length_0_2y",
        "weight_for_height_2_7y",
    ]
    value: float
    """Kilograms or centimetres."""
    level: int = Field(ge=0, le=4)


class PointOut(Out):
    measured_on: date
    age_months: int
    is_corrected: bool
    """The age counts from the due date: born before 37 weeks, and not yet two."""
    weight_grams: int | None
    length_millimetres: int | None
    head_millimetres: int | None
    placed: list[PlacedOut]
    """Empty where the child's sex is not known: the standard has a table for each."""


class GrowthOut(Out):
    """All that was measured of one child, the oldest first."""

    child: int
    items: list[PointOut]
    message: str
    """What the latest ones suggest, for the person; empty where nothing does."""


def add_routes(api: APIBlueprint) -> None:
    api.get("/growth", tags=[TAG], summary="量过的", responses={200: GrowthOut})(list_measures)
    api.post("/growth", tags=[TAG], summary="记一次", responses={201: GrowthOut})(record)


def list_measures(query: GrowthQuery) -> Response:
    with database().reading() as db:
        child = child_with(registration.get_family(calling(db)), query.child)
        return answer(_growth(db, child))


def record(header: Key, body: MeasuresBody) -> Response:
    """One row a day and child, whoever of the family measured."""
    measured = Measured(body.weight_grams, body.length_millimetres, body.head_millimetres)
    if measured == Measured():
        raise ApiRefusal(422, "nothing_measured")

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        child = child_with(registration.get_family(caregiver), body.child)
        at = now()
        today = at.astimezone(SHANGHAI).date()
        on = body.measured_on or today
        if child.birth_date is None or child.lost_at is not None:
            raise ApiRefusal(409, "not_born")
        if not child.birth_date <= on <= today:
            raise ApiRefusal(422, "day_out_of_range")
        service.record(db, child=child, measured=measured, on=on, now=at)
        return _growth(db, child)

    return once(header, act, 201)


def _growth(db: Session, child: Child) -> GrowthOut:
    # Its tables are read when somebody first measures.
    from content.growth_standard import load_standard

    points = service.list_points(db, child=child, standard=load_standard())
    latest = points[-1] if points else None
    advice = words.say_advice(latest.moved, wants_a_look(latest.placed)) if latest else ""
    return GrowthOut(child=child.id, items=[_point(one) for one in points], message=advice)


def _point(point: Point) -> PointOut:
    return PointOut(
        measured_on=point.measured_on,
        age_months=point.age_months,
        is_corrected=point.is_corrected,
        weight_grams=point.measured.weight_grams,
        length_millimetres=point.measured.length_millimetres,
        head_millimetres=point.measured.head_millimetres,
        placed=[
            PlacedOut(indicator=one.indicator.value, value=one.value, level=int(one.level))
            for one in point.placed
        ],
    )
