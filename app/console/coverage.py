"""How far the promise to the families in need is kept: pages, files, and who is behind a number."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.clock import SHANGHAI, now
from app.console import charts, coverage_figures, listing
from app.console.coverage_figures import FIGURES, names_of, say_share, shown, stations_of, table
from app.console.families import FAMILIES
from app.console.listing import Cell, Filter
from app.console.signed_in import acting_staff, database
from app.rules.our_times import read_day
from app.rules.small_cells import is_small
from app.services import coverage_families, coverage_snapshots, desk, families
from app.services.coverage import Report, report
from app.services.families import FamilyQuery
from app.services.staff import StaffScope, scope_of
from app.words.coverage import AREAS, DEFINITIONS, LEVELS

FIRST_YEAR = 2020
"""The city's plan that the promise comes from begins with it."""
MOST_WARNED = 3
"""Townships short of seats that have a sentence each; the others stand in the table below."""
WHICH = {
    "in_need": "有需求的",
    **{bar: f"来过{bar}次的" for bar in coverage_figures.HISTOGRAM},
    "not_answered": "没回答有没有需求的",
    "short": "今年还差次数的",
}


def add_routes(console: Blueprint) -> None:
    console.get("/coverage", endpoint="coverage")(show_coverage)
    console.get("/coverage/families", endpoint="coverage_families")(show_families)
    console.get("/coverage/report", endpoint="coverage_report")(show_report)
    console.get("/coverage/months", endpoint="coverage_months")(show_months)
    console.get("/coverage/months/<month>", endpoint="coverage_month")(show_month)


def _asked_year(at: datetime) -> int:
    this_year = at.astimezone(SHANGHAI).year
    year = request.args.get("year", this_year, type=int)
    if not FIRST_YEAR <= year <= this_year + 1:
        abort(404)
    return year


def show_coverage() -> ResponseReturnValue:
    """The asked year's numbers for what the staff member may see."""
    at = now()
    year = _asked_year(at)
    with database().reading() as db:
        scope = scope_of(acting_staff(db))
        found = report(db, year=year, now=at, scope=scope)
    return _page(found, at, month=None)


def _page(found: Report, at: datetime, *, month: date | None) -> str:
    return render_template(
        "console/coverage/coverage.html",
        report=found,
        month=month,
        this_year=at.astimezone(SHANGHAI).year,
        figures=FIGURES,
        shown=shown,
        townships=names_of(found) if found.townships else [],
        stations=stations_of(found),
        station_codes={row.name or "没有分到指导站": row.station or "-" for row in found.stations},
        shares=charts.shares(found) if any(row.families_in_need for row in found.townships) else "",
        histogram=charts.histogram(found) if found.total.families_in_need else "",
        say_share=say_share,
        behind=_addresses_of(found.year),
        most_warned=MOST_WARNED,
        definitions=DEFINITIONS,
        levels=LEVELS,
        areas=AREAS,
    )


def _addresses_of(year: int) -> Callable[..., str]:
    """The address of the families behind a number: behind("6+", township="城桥镇").

    A page has hundreds; asking the router for each would cost more than all their rows.
    """
    first = url_for("console.coverage_families", year=year)

    def behind(which: str, township: str = "", station: str = "") -> str:
        asked = {"which": which, "township": township, "station": station}
        return f"{first}&{urlencode({name: value for name, value in asked.items() if value})}"

    return behind


@dataclass(frozen=True, slots=True)
class _Behind:
    """Which number's families are asked for."""

    year: int
    which: str
    township: str
    station: str


def show_families() -> ResponseReturnValue:
    """The families behind a number, for those who may see them."""
    at = now()
    asked_for = _Behind(
        year=_asked_year(at),
        which=request.args.get("which", "in_need"),
        township=request.args.get("township", "")[:20],
        station=request.args.get("station", "")[:32],
    )
    if asked_for.which not in WHICH:
        abort(404)
    place = {"year": str(asked_for.year)}
    place |= {"township": asked_for.township} if asked_for.township else {}
    place |= {"station": asked_for.station} if asked_for.station else {}
    screen = replace(
        FAMILIES,
        endpoint="coverage_families",
        title=f"{asked_for.year}年{asked_for.township}{WHICH[asked_for.which]}家庭",
        filters=(Filter("which", "哪些家庭", WHICH),),
        place=place,
    )
    asked = listing.read(screen)
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        rows = families.find(
            db,
            scope,
            FamilyQuery(text=asked.text),
            limit=asked.limit,
            offset=asked.offset,
            now=at,
            only=_condition(db, scope, asked_for, at),
        )
        desk.record_view(
            db,
            scope,
            page="export" if asked.file else "families",
            subject_id=scope.station_id,
            now=at,
            families=[family.id for family in rows[: asked.limit - 1]],
        )
    return listing.answer(
        screen, asked, rows, "console/coverage/families.html", year=asked_for.year
    )


def _condition(db: Session, scope: StaffScope, asked: _Behind, at: datetime) -> ColumnElement[bool]:
    return coverage_families.behind(
        db,
        year=asked.year,
        now=at,
        scope=scope,
        which=asked.which,
        township=asked.township,
        station=asked.station,
    )


def show_report() -> ResponseReturnValue:
    """The yearly report: a page to print, or a workbook; for inside, or for outside."""
    at = now()
    year = _asked_year(at)
    is_masked = request.args.get("for", "outside") != "inside"
    with database().reading() as db:
        scope = scope_of(acting_staff(db))
        found = report(db, year=year, now=at, scope=scope)
    sheets = _sheets(found, is_masked=is_masked)
    if request.args.get("file") == "xlsx":
        name = f"coverage-{year}-{'outside' if is_masked else 'inside'}.xlsx"
        return listing.download(listing.xlsx_of(sheets), name)
    return render_template(
        "console/coverage/report.html",
        report=found,
        sheets=sheets,
        is_masked=is_masked,
        show_cell=listing.show_cell,
    )


def _sheets(found: Report, *, is_masked: bool) -> dict[str, list[list[Cell]]]:
    """The report's tables by name: the page and the workbook are made of these."""
    total = [("合计", found.total)]
    forecast: list[list[Cell]] = [["乡镇", "还差户数", "还差人次", "剩余名额"]]
    for row in found.townships:
        short = row.forecast.families_short
        hides = is_masked and is_small(short)
        forecast.append(
            [
                row.township,
                coverage_figures.HIDDEN if hides else short,
                coverage_figures.HIDDEN if hides else row.forecast.sessions_owed,
                row.forecast.seats_left,
            ]
        )
    held: list[list[Cell]] = [["级别", "种类", "场次", "签到人次"]]
    held += [
        [LEVELS.get(one.level, one.level), one.kind, one.sessions, one.attendances]
        for one in found.sessions_held
    ]
    areas: list[list[Cell]] = [["服务内容", "场次"]]
    areas += [[AREAS.get(one.topic, one.topic), one.sessions] for one in found.areas]
    about: list[list[Cell]] = [
        ["说明", "内容"],
        ["年份", str(found.year)],
        ["统计时间", found.as_of],
        ["口径版本", found.definitions_version],
        [
            "用途",
            "对外：5户以下的数、能推出这些数的数，写成＊" if is_masked else "区内使用，不对外",
        ],
        ["没有在用站点的乡镇", "、".join(found.townships_without_station) or "没有"],
        *_definitions(),
    ]
    special: list[list[Cell]] = [["特殊需求家庭", "已上门", "等几天（中位数）"]]
    if found.special_needs is not None:
        needs = found.special_needs
        hides_all = is_masked and is_small(needs.families)
        # Who was not visited is told by what is left, too.
        small = is_small(needs.served) or is_small(needs.families - needs.served)
        hides = hides_all or (is_masked and small)
        special.append(
            [
                coverage_figures.HIDDEN if hides_all else needs.families,
                coverage_figures.HIDDEN if hides else needs.served,
                coverage_figures.HIDDEN if hides else needs.median_wait_days,
            ]
        )
    return {
        "总数": table(total, "范围", is_masked=is_masked),
        "乡镇": table(names_of(found), "乡镇", is_masked=is_masked),
        "站点": table(stations_of(found), "指导站", is_masked=is_masked),
        "还差": forecast,
        "办过的活动": held,
        "服务内容": areas,
        "特殊需求": special,
        "口径": about,
    }


def _definitions() -> list[list[Cell]]:
    return [[title, words] for title, words in DEFINITIONS]


def show_months() -> ResponseReturnValue:
    """The months that are frozen."""
    with database().reading() as db:
        acting_staff(db)
        taken = coverage_snapshots.taken(db)
    return render_template("console/coverage/months.html", taken=taken)


def show_month(month: str) -> ResponseReturnValue:
    """One month as it was frozen."""
    try:
        first = read_day(f"{month}-01")
    except ValueError:
        abort(404)
    with database().reading() as db:
        acting_staff(db)
        found = coverage_snapshots.find(db, first)
    if found is None:
        abort(404)
    return _page(found, now(), month=first)
