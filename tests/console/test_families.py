"""Families are found by what staff remember of them, and exported as they are shown."""

import csv
import io
import re
from datetime import datetime

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from app.console import listing
from app.db import Database
from app.models import AuditedFamily, AuditEntry, CaregiverLogIn, Family, Station
from devtools.environment import ROOT
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import lay_log_in, make_child


@pytest.fixture
def others(database: Database, desk: Desk, now: datetime) -> None:
    """Two more families of the station, one of which bears a formula for a name."""
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        make_child(db, "小豆子", now, station=station)
        formula = make_child(db, "豆豆", now, station=station)
        formula.family.contact_name = "=HYPERLINK(1)"


@pytest.mark.parametrize(
    "text",
    ["糖糖", "糖", "tang", "tangtang", "tang tang", "tt", "1234", "13800001234", "王阿姨", "唐唐"],
)
def test_a_family_is_found_by_name_pinyin_initials_or_telephone(
    browse: Browse, others: None, text: str
) -> None:
    shown = text_of(browse("wang").get("/console/families", query_string={"q": text}))
    assert "糖糖" in shown
    assert "小豆子" not in shown


@pytest.mark.parametrize("text", ["234", "9999", "美美", "%", "'; DROP TABLE families"])
def test_what_nobody_is_called_finds_nobody_and_says_what_to_try(
    browse: Browse, others: None, text: str
) -> None:
    shown = text_of(browse("wang").get("/console/families", query_string={"q": text}))
    assert "没有找到" in shown
    assert "小豆子" not in shown


def test_what_the_page_shows_is_what_both_files_hold(browse: Browse, others: None) -> None:
    browser = browse("wang")
    shown = text_of(browser.get("/console/families?q=dou"))
    text = browser.get("/console/families?q=dou&file=csv").data.decode("utf-8-sig")
    header, *rows = list(csv.reader(io.StringIO(text)))
    sheet = load_workbook(io.BytesIO(browser.get("/console/families?q=dou&file=xlsx").data)).active
    assert sheet is not None
    in_sheet = [["" if cell is None else str(cell) for cell in row] for row in sheet.values]

    assert in_sheet == [header, *rows]
    assert len(rows) == 2
    for row in rows:
        for cell in row:
            assert cell.removeprefix("'") in shown
    assert "糖糖" not in text


def test_a_name_that_is_a_formula_is_a_name_in_the_file(browse: Browse, others: None) -> None:
    browser = browse("wang")
    text = browser.get("/console/families?file=csv").data.decode("utf-8-sig")
    sheet = load_workbook(io.BytesIO(browser.get("/console/families?file=xlsx").data)).active
    assert sheet is not None
    assert "'=HYPERLINK(1)" in text
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize(
    "word", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", " =1", "\u3000＠a"]
)
def test_what_a_spreadsheet_would_reckon_is_a_word_in_every_file(word: str) -> None:
    """Every file that the console hands out is made by these two."""
    rows = list(csv.reader(io.StringIO(listing.csv_of([word], [[word]]).decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(listing.xlsx_of({"名单": [[word], [word]]}))).worksheets[0]

    assert all(cell.startswith("'") for row in rows for cell in row)
    assert all(str(cell.value).startswith("'") for row in sheet.iter_rows() for cell in row)
    writers = [
        path.name
        for path in (ROOT / "app").rglob("*.py")
        if re.search(r"csv\.writer|import Workbook", path.read_text(encoding="utf-8"))
    ]
    assert writers == ["listing.py"], "a file made elsewhere is nobody's to neutralise"


def test_filters_stand_in_the_address_and_a_strange_one_is_not_found(
    browse: Browse, others: None
) -> None:
    browser = browse("wang")
    assert "糖糖" in text_of(browser.get("/console/families?need=unknown&reach=wechat&age=under1"))
    assert "没有找到" in text_of(browser.get("/console/families?need=yes"))
    assert "没有找到" in text_of(browser.get("/console/families?progress=six"))
    assert browser.get("/console/families?need=perhaps").status_code == 404
    assert browser.get("/console/families?file=pdf").status_code == 404


def test_whose_names_a_page_has_shown_stands_in_the_audit_log(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browse("wang").get("/console/families?q=tt&file=csv")
    with database.reading() as db:
        (entry,) = db.scalars(select(AuditEntry).where(AuditEntry.subject_type == "export"))
        seen = db.scalars(select(AuditedFamily.family_id).where(AuditedFamily.entry_id == entry.id))
        assert list(seen) == [desk.family_id]


def test_a_familys_page_tells_what_happened_and_why(browse: Browse, desk: Desk) -> None:
    shown = text_of(browse("wang").get(f"/console/families/{desk.family_id}"))
    assert "亲子阅读分享会" in shown
    assert "待确认" in shown
    assert "发送时中断了，不知道有没有送到" in shown
    assert "紧急" in shown


def test_a_timeline_can_be_narrowed_to_one_topic(browse: Browse, desk: Desk) -> None:
    browser = browse("wang")
    shown = text_of(browser.get(f"/console/families/{desk.family_id}?topic=notice"))
    assert "发送时中断了" in shown
    assert "紧急" not in shown
    assert browser.get(f"/console/families/{desk.family_id}?topic=gossip").status_code == 404


def test_a_new_telephone_finds_the_family_and_the_old_one_no_longer(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("wang")
    path = f"/console/families/{desk.family_id}/contact"
    answer = send(browser, path, page=path, contact_name="李外婆", phone="021-5555 9876")
    assert answer.status_code == 302
    assert "联系人和电话已保存" in text_of(browser.get(answer.location))
    assert "糖糖" in text_of(browser.get("/console/families?q=9876"))
    assert "糖糖" not in text_of(browser.get("/console/families?q=1234"))
    with database.reading() as db:
        assert db.get_one(Family, desk.family_id).contact_name == "李外婆"


def test_what_is_no_telephone_is_not_taken(browse: Browse, desk: Desk, database: Database) -> None:
    path = f"/console/families/{desk.family_id}/contact"
    answer = send(browse("wang"), path, page=path, contact_name="王阿姨", phone="不告诉你")
    assert answer.status_code == 422
    assert "请填数字" in text_of(answer)
    with database.reading() as db:
        assert db.get_one(Family, desk.family_id).phone == "13800001234"


def test_a_lost_phone_is_logged_out_by_the_station_once_and_with_a_trace(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        lost, kept = (lay_log_in(db, desk.family_id, now) for _ in range(2))
    browser = browse("wang")
    address = f"/console/families/{desk.family_id}"
    assert "苹果手机" in text_of(browser.get(address))
    for said in ("那一处已经退出", "早已退出"):
        send(browser, f"{address}/log-ins/{lost}/end")
        assert said in text_of(browser.get(address))
    with database.reading() as db:
        assert db.get_one(CaregiverLogIn, lost).ended_at == now
        assert db.get_one(CaregiverLogIn, kept).ended_at is None
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "end_log_in")).one()
        assert (entry.actor_type, entry.after) == ("staff", "pages iphone")
