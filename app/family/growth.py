"""生长曲线: what was measured of a child, among the lines of the national standard."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import SHANGHAI, now
from app.dialogue.reading.measurements import Measures, read_measures
from app.family.growth_chart import as_image, growth_chart
from app.family.opening import database, family_of
from app.models import Child, Family
from app.rules.growth import Indicator, Measured, Standard, wants_a_look
from app.rules.people import Sex
from app.services import growth as service
from app.services.growth import Point
from app.words import growth as words

CHARTED = (Indicator.WEIGHT, Indicator.LENGTH)
LONGEST_FIELD = 12


def add_routes(family: Blueprint) -> None:
    family.get("/growth", endpoint="growth")(show)
    family.post("/growth", endpoint="record_growth")(record)


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture, and the same in words for whoever does not see it."""

    title: str
    image: str
    spoken: str


def show() -> ResponseReturnValue:
    from content.growth_standard import SOURCE, load_standard

    standard = load_standard()
    with database().reading() as db:
        family = family_of(db)
        child = _child_of(family, request.args.get("child", ""))
        children = [(one.id, one.nickname) for one in _born(family)]
        points = service.list_points(db, child=child, standard=standard) if child else []
        nickname, sex = (child.nickname, child.sex) if child else ("", None)
        child_id = child.id if child else None
    latest = points[-1] if points else None
    return render_template(
        "family/growth/growth.html",
        child_id=child_id,
        nickname=nickname,
        has_sex=sex is not None,
        children=children,
        points=list(reversed(points)),
        charts=_charts(standard, Sex(sex), points) if sex and points else [],
        latest=latest,
        advice=words.say_advice(latest.moved, wants_a_look(latest.placed)) if latest else "",
        say_point=words.say_point,
        source=SOURCE,
    )


def record() -> ResponseReturnValue:
    at = now()
    measures = _typed()
    with database().transaction() as db:
        child = _child_of(family_of(db), request.form.get("child", ""))
        if child is None:
            return redirect(url_for("family.growth"), 303)
        if measures is None:
            flash(words.NOT_READ, "bad")
        else:
            measured = Measured(
                measures.weight_grams, measures.length_millimetres, measures.head_millimetres
            )
            on = at.astimezone(SHANGHAI).date()
            service.record(db, child=child, measured=measured, on=on, now=at)
            flash(words.KEPT, "good")
        child_id = child.id
    return redirect(url_for("family.growth", child=child_id), 303)


def _typed() -> Measures | None:
    """The form's fields, read as a message would be: 7.2公斤 and 七点二 are numbers too."""
    parts = [
        f"{name}{value}"
        for field, name in (("weight", "体重"), ("length", "身高"), ("head", "头围"))
        if (value := request.form.get(field, "").strip()[:LONGEST_FIELD].lower())
    ]
    return read_measures(" ".join(parts)) if parts else None


def _born(family: Family) -> list[Child]:
    return [one for one in family.children if one.birth_date and one.lost_at is None]


def _child_of(family: Family, said: str) -> Child | None:
    """The family's child by its number, else the youngest; None where none is born."""
    born = _born(family)
    for one in born:
        if said == str(one.id):
            return one
    return max(born, key=lambda one: (one.birth_date, one.id), default=None)


def _charts(standard: Standard, sex: Sex, points: list[Point]) -> list[Chart]:
    charts = []
    for indicator in CHARTED:
        own = [
            (point.exact_months, placed.value)
            for point in points
            for placed in point.placed
            if placed.indicator is indicator
        ]
        if own:
            svg = growth_chart(indicator, standard[indicator, sex], own)
            spoken = words.say_chart(indicator, own)
            charts.append(Chart(words.NAMES[indicator], as_image(svg), spoken))
    return charts
