"""The record's form as the browser sends it, read into the record."""

from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from app.rules.visit_record import VisitRecord

NUMBERS = ("weight_grams", "temperature", "breaths", "pulse")
CHOICES = ("feeding", "jaundice", "cord")
LISTS = ("danger", "advised")


def read_record(form: MultiDict[str, str]) -> VisitRecord:
    """The record. Raises pydantic.ValidationError where a value is none of its kind.

    Fields of a child bear its number: temperature-12. An empty field is not measured.
    """
    children = [_child(form, number) for number in form.getlist("child")]
    fields: dict[str, Any] = {"children": children, "advice": form.getlist("advice")}
    for name in ("sleep", "mother", "vaccinations"):
        fields[name] = form.get(name) or None
    fields["note"] = form.get("note", "").strip()
    fields["referred_to"] = form.get("referred_to", "").strip()
    fields["next_on"] = _day(form.get("next_on", ""))
    return VisitRecord.model_validate(fields)


def _child(form: MultiDict[str, str], number: str) -> dict[str, Any]:
    child: dict[str, Any] = {"child_id": number}
    for name in (*NUMBERS, *CHOICES):
        child[name] = form.get(f"{name}-{number}", "").strip() or None
    for name in LISTS:
        child[name] = form.getlist(f"{name}-{number}")
    return child


def _day(text: str) -> date | str | None:
    # What is no date is left to the record's own check.
    return text.strip() or None
