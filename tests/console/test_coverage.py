"""The coverage page shows each role its part, in the command's own numbers."""

import io
import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from app.cli import init_cli
from app.console.coverage_figures import table
from app.db import Database
from app.models import Family, Station, Township
from app.services import coverage_snapshots
from app.services.coverage import report
from tests.console.browsing import text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import make_child, make_session, make_sign_up

SEATS = 40
COLUMNS = 19


@pytest.fixture
def families(database: Database, desk: Desk, now: datetime) -> None:
    """In need: two of 城桥 (one attended six times), one of 堡镇; one of 城桥 has not said."""
    with database.transaction() as db:
        stations = {station.code: station for station in db.scalars(select(Station))}
        eager = make_child(db, "果果", now - timedelta(days=200), station=stations["CQ"])
        make_child(db, "乐乐", now, station=stations["CQ"])
        far = make_child(db, "安安", now, station=stations["BH"])
        for family in db.scalars(select(Family)):
            family.need = True
        db.flush()
        sugar = db.scalars(select(Family).order_by(Family.id)).first()
        assert sugar is not None
        sugar.need = None
        baozhen = db.scalars(select(Township).where(Township.name == "堡镇")).one()
        db.get_one(Family, far.family_id).township_id = baozhen.id
        for number in range(6):
            day = now - timedelta(days=30 * (number + 1))
            past = make_session(db, stations["CQ"], f"P-{number}", day)
            make_sign_up(db, past, eager, day, state="attended")
        make_session(db, stations["BH"], "BH-9", now + timedelta(days=9), places=SEATS)


def numbers(page: str) -> dict[str, list[str]]:
    """The cells of each row of the tables that bear the histogram, by the row's name."""
    rows = re.findall(r"<tr>\s*<th scope=\"row\">([^<]*)</th>(.*?)</tr>", page, re.DOTALL)
    cells = {
        name.strip(): [
            re.sub(r"<span.*?</span>|<[^>]*>", "", cell)
            for cell in re.findall(r"<td>(.*?)</td>", rest, re.DOTALL)
        ]
        for name, rest in rows
    }
    return {name: row for name, row in cells.items() if len(row) == COLUMNS}


def cells_of(row: dict[str, Any]) -> list[str]:
    """What the page has to show for one row of the command's answer."""

    def say(share: float | None) -> str:
        return "—" if share is None else f"{share:.1%}"

    histogram = row["attended_histogram"]
    return [
        str(row["families_in_need"]),
        say(row["share_reaching_6"]),
        say(row["share_reaching_12"]),
        say(row["share_reaching_6_prorated"]),
        *(str(histogram[column]) for column in ("0", "1", "2", "3", "4", "5", "6+", "12+")),
        str(row["families_not_answered"]),
        *(
            str(row[name])
            for name in (
                "newborns_in_need",
                "newborns_visited",
                "online_delivered",
                "online_opened",
                "course_enrolled",
                "course_completed",
            )
        ),
    ]


@pytest.mark.usefixtures("families")
def test_the_page_and_the_command_show_the_same_numbers(app: Flask, browse: Browse) -> None:
    init_cli(app)
    answer = app.test_cli_runner().invoke(
        args=["coverage", "--year", "2026", "--json"], catch_exceptions=False
    )
    told = json.loads(answer.stdout)

    shown = numbers(text_of(browse("district").get("/console/coverage")))

    assert told["total"]["families_in_need"] == 3
    assert told["total"]["share_reaching_6"] == 0.3333
    assert shown["合计"] == cells_of(told["total"])
    for row in told["townships"]:
        assert shown[row["township"]] == cells_of(row)
    with_families = [row for row in told["stations"] if row["name"] in shown]
    assert [row["station"] for row in with_families] == ["CQ", "BH"]
    for row in with_families:
        assert shown[row["name"]] == cells_of(row)


@pytest.mark.usefixtures("families")
def test_a_worker_sees_the_own_station_alone(browse: Browse) -> None:
    shown = numbers(text_of(browse("li").get("/console/coverage")))

    assert shown.keys() == {"堡镇早教指导站"}
    assert shown["堡镇早教指导站"][:2] == ["1", "0.0%"]


@pytest.mark.usefixtures("families")
def test_a_township_lead_sees_the_own_township(browse: Browse) -> None:
    shown = numbers(text_of(browse("lead").get("/console/coverage")))

    assert shown.keys() == {"城桥镇", "合计", "城桥镇早教指导站"}
    assert shown["城桥镇"] == shown["合计"]
    assert shown["城桥镇"][0] == "2"


@pytest.mark.usefixtures("families")
def test_where_the_seats_suffice_nobody_is_warned(browse: Browse) -> None:
    page = text_of(browse("district").get("/console/coverage"))

    # 乐乐's family owes six; the one coming session at 城桥 has ten places, one of them taken.
    assert "城桥镇：" not in page
    assert "请尽快加开活动" not in page


@pytest.mark.usefixtures("families")
def test_the_warning_names_families_sessions_and_seats(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        make_child(db, "豆豆", now, station=station)
        for family in db.scalars(select(Family)):
            family.need = True

    page = text_of(browse("district").get("/console/coverage"))

    assert "城桥镇：3户家庭还差17人次，本镇只剩9个名额" in page


@pytest.mark.usefixtures("families")
def test_last_year_has_no_forecast(browse: Browse) -> None:
    page = text_of(browse("district").get("/console/coverage?year=2025"))

    assert "2025年进度" in page
    assert "今年剩下的" not in page


@pytest.mark.parametrize("year", ["1999", "2100"])
def test_a_year_out_of_reach_is_no_page(browse: Browse, year: str) -> None:
    response = browse("district").get(f"/console/coverage?year={year}")
    assert response.status_code == HTTPStatus.NOT_FOUND


def test_a_year_that_is_none_shows_this_year(browse: Browse) -> None:
    assert "2026年进度" in text_of(browse("district").get("/console/coverage?year=abc"))


@pytest.mark.usefixtures("families")
def test_the_workbook_holds_what_the_page_shows(browse: Browse) -> None:
    browser = browse("district")
    shown = numbers(text_of(browser.get("/console/coverage")))
    content = browser.get("/console/coverage/report?for=inside&file=xlsx").data
    book = load_workbook(io.BytesIO(content))
    in_book = {
        str(name): [str(cell) for cell in cells]
        for sheet in ("乡镇", "站点")
        for name, *cells in book[sheet].iter_rows(min_row=2, values_only=True)
    }
    assert shown == in_book


@pytest.mark.usefixtures("families")
def test_the_families_behind_a_number_are_as_many_as_it_says(
    browse: Browse, database: Database
) -> None:
    browser = browse("district")
    page = text_of(browser.get("/console/coverage"))
    links = re.findall(r'<a href="(/console/coverage/families\?[^"]+)">(\d+)', page)
    assert len(links) > 10
    for path, number in links:
        listed = text_of(browser.get(path.replace("&amp;", "&")))
        assert listed.count('role="rowheader"') == int(number), path


@pytest.mark.usefixtures("families")
def test_the_families_behind_a_number_are_the_own_stations_only(browse: Browse) -> None:
    listed = text_of(browse("li").get("/console/coverage/families?year=2026&which=in_need"))
    assert "安安" in listed
    assert "果果" not in listed
    assert browse("li").get("/console/coverage/families?which=rich").status_code == 404


@pytest.mark.usefixtures("families")
def test_what_leaves_the_district_hides_small_numbers(browse: Browse) -> None:
    browser = browse("district")
    outside = text_of(browser.get("/console/coverage/report"))
    assert "<td>＊</td>" in outside
    assert "33.3%" not in outside
    assert "33.3%" in text_of(browser.get("/console/coverage/report?for=inside"))


@pytest.mark.usefixtures("families")
def test_a_small_number_is_not_told_by_its_column(database: Database, now: datetime) -> None:
    with database.reading() as db:
        found = report(db, year=2026, now=now)
    newborns = (2, 9, 30)
    rows = [
        (each.township, replace(each, newborns_in_need=count))
        for each, count in zip(found.townships, newborns, strict=False)
    ]
    header, *body = table([*rows, ("合计", found.total)], "乡镇", is_masked=True)
    column = header.index("新生儿家庭")
    assert [row[column] for row in body[:3]] == ["＊", "＊", 30], "the total less the others"


@pytest.mark.usefixtures("families")
def test_a_month_stays_as_it_was_frozen(browse: Browse, database: Database, now: datetime) -> None:
    with database.transaction() as db:
        assert coverage_snapshots.take(db, now) == date(2026, 10, 1)
        assert coverage_snapshots.take(db, now) is None
    with database.transaction() as db:
        for family in db.scalars(select(Family)):
            family.need = False
    browser = browse("district")
    assert "2026年10月" in text_of(browser.get("/console/coverage/months"))
    assert numbers(text_of(browser.get("/console/coverage/months/2026-10")))["合计"][0] == "3"
    assert numbers(text_of(browser.get("/console/coverage")))["合计"][0] == "0"
    assert browser.get("/console/coverage/months/2026-09").status_code == 404
    assert browser.get("/console/coverage/months/soon").status_code == 404
    assert browse("wang").get("/console/coverage/months/2026-10").status_code == 403
