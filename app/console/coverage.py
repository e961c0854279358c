"""How far the promise to the families in need is kept: the coverage report on a page."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from app.clock import SHANGHAI, now
from app.console.signed_in import acting_staff, database
from app.rules.coverage import BARS
from app.services.coverage import Counts, report
from app.services.staff import scope_of

FIRST_YEAR = 2020
"""The city's plan that the promise comes from begins with it."""

HISTOGRAM_COLUMNS = (*(str(count) for count in range(BARS[0])), *(f"{bar}+" for bar in BARS))


def add_routes(console: Blueprint) -> None:
    console.get("/coverage", endpoint="coverage")(show_coverage)


def show_coverage() -> ResponseReturnValue:
    """The asked year's numbers for what the staff member may see."""
    at = now()
    this_year = at.astimezone(SHANGHAI).year
    year = request.args.get("year", this_year, type=int)
    if not FIRST_YEAR <= year <= this_year + 1:
        abort(404)
    with database().reading() as db:
        found = report(db, year=year, now=at, scope=scope_of(acting_staff(db)))
    return render_template(
        "console/coverage/coverage.html",
        report=found,
        this_year=this_year,
        first_year=FIRST_YEAR,
        columns=HISTOGRAM_COLUMNS,
        stations=[row for row in found.stations if _has_families(row)],
        say_share=say_share,
    )


def say_share(share: float | None) -> str:
    """83.3%, or — where there is no family to have a share of."""
    return "—" if share is None else f"{share:.1%}"


def _has_families(row: Counts) -> bool:
    return bool(row.families_in_need or row.families_not_answered)
