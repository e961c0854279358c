"""Files in: a preview with every bad row, all or nothing, and undone."""

import io
import re
import time
from datetime import date, datetime

import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.db import Database
from app.models import (
    Child,
    Family,
    FamilyTerm,
    GuidanceSession,
    SignUp,
    Station,
    VisitDue,
    Visitor,
    VisitorLeave,
)
from app.services import visit_dues
from tests.console.browsing import text_of
from tests.console.conftest import Browse, Desk
from tests.console.test_access import token_of

HEADER = (
    "nickname,birth_date,sex,gestation_weeks,township,station,relation,contact_name,phone,need,"
    "consent_date"
)
TWO = (
    f"{HEADER}\n"
    "小米,2026-05-01,女,,城桥镇,CQ,mother,赵阿姨,021-5555-0001,是,2026-11-01\n"
    "小麦,2026-05-01,男,,城桥镇,CQ,mother,赵阿姨,021-5555-0001,是,2026-11-01\n"
    "阿福,2025/7/9,,34,堡镇,BH,,,,否,2026-11-02\n"
)


def hand_in(
    browser: FlaskClient, kind: str, content: str | bytes, name: str = "名单.csv"
) -> TestResponse:
    raw = content.encode() if isinstance(content, str) else content
    answer = browser.post(
        "/console/files",
        data={
            "csrf_token": token_of(browser),
            "kind": kind,
            "file": (io.BytesIO(raw), name),
        },
        content_type="multipart/form-data",
    )
    # The client spools a large upload into a file of its own, and leaves it open.
    answer.request.environ["wsgi.input"].close()
    return answer


def take(browser: FlaskClient, handed_in: TestResponse, act: str = "take") -> str:
    answer = browser.post(f"{handed_in.location}/{act}", data={"csrf_token": token_of(browser)})
    return text_of(browser.get(answer.location))


def count(database: Database, what: type[Family] | type[Child] | type[Station]) -> int:
    with database.reading() as db:
        return db.execute(select(func.count(what.id))).scalar_one()


def test_families_on_paper_are_looked_through_taken_found_and_undone(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("district")
    before = count(database, Family)
    handed_in = hand_in(browser, "families", TWO)
    assert "导入会新加2条" in text_of(browser.get(handed_in.location))
    assert count(database, Family) == before

    assert "导入好了" in take(browser, handed_in)
    assert count(database, Family) == before + 2
    assert "小米" in text_of(browser.get("/console/families?q=0001"))

    assert "撤销了" in take(browser, handed_in, "undo")
    assert count(database, Family) == before
    with database.reading() as db:
        left = select(func.count(FamilyTerm.id)).where(FamilyTerm.family_id > before)
        assert db.execute(left).scalar_one() == 0


def test_the_same_file_again_changes_nothing(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("district")
    only = "\n".join(TWO.splitlines()[:3])
    take(browser, hand_in(browser, "families", only))
    families = count(database, Family)
    again = hand_in(browser, "families", only)
    assert "导入会新加0条" in text_of(browser.get(again.location))
    take(browser, again)
    assert count(database, Family) == families


def test_every_bad_row_is_named_by_its_line_and_nothing_is_kept(
    browse: Browse, desk: Desk, database: Database
) -> None:
    bad = (
        f"{HEADER}\n"
        ",2026-05-01,,,城桥镇,CQ,,,,是,2026-11-01\n"
        "小米,昨天,,,城桥镇,CQ,,,,是,2026-11-01\n"
        "小米,2020-05-01,,,城桥镇,CQ,,,,是,2026-11-01\n"
        "小米,2026-05-01,,,不存在镇,XX,,,,也许,\n"
        "小豆,2026-05-01,,,城桥镇,CQ,,,,是,2027-11-01\n"
    )
    before = count(database, Family)
    answer = hand_in(browse("district"), "families", bad)
    shown = text_of(answer)
    assert answer.status_code == 422
    for said in (
        "第2行 nickname（小名）没有填写",
        "第3行 birth_date（生日）「昨天」不是日期",
        "第4行 birth_date（生日）「2020-05-01」已经满3岁",
        "第5行 township（乡镇）「不存在镇」",
        "第5行 station（站点）「XX」",
        "第5行 need（需求）「也许」",
        "第5行 consent_date（同意日期）没有填写",
        "第6行 consent_date（同意日期）「2027-11-01」日期还没到",
    ):
        assert said in shown, said
    assert count(database, Family) == before


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-8-sig", "utf-16"])
def test_files_of_other_encodings_are_read(browse: Browse, desk: Desk, encoding: str) -> None:
    browser = browse("district")
    handed_in = hand_in(browser, "families", TWO.encode(encoding))
    assert "导入会新加2条" in text_of(browser.get(handed_in.location))


def workbook(*rows: list[object], merge: str = "") -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_dates_of_a_spreadsheet_are_dates(browse: Browse, desk: Desk) -> None:
    born, signed = date(2026, 5, 1), date(2026, 11, 1)
    row: list[object] = ["小米", born, "女", 39, "城桥镇", "CQ", "", "", "", "是", signed]
    browser = browse("district")
    content = workbook(list(HEADER.split(",")), row)
    handed_in = hand_in(browser, "families", content, "名单.xlsx")
    assert "导入会新加1条" in text_of(browser.get(handed_in.location))


def test_merged_cells_are_named(browse: Browse, desk: Desk) -> None:
    content = workbook(list(HEADER.split(",")), ["小米"] * 11, merge="A2:B2")
    shown = text_of(hand_in(browse("district"), "families", content, "名单.xlsx"))
    assert "第2行" in shown
    assert "合并的单元格" in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "还没有选文件"),
        (HEADER, "只有表头"),
        (b"PK\x03\x04 no workbook", "打不开这个表格"),
        (b"\xd0\xcf\x11\xe0 old", "旧版 Excel"),
        ("a,b\n1,2\n", "缺少这一列"),
    ],
)
def test_what_is_no_such_file_is_said_to_be_none(
    browse: Browse, desk: Desk, content: str | bytes, said: str
) -> None:
    assert said in text_of(hand_in(browse("district"), "families", content))


def test_a_child_that_stands_there_twice_is_named(browse: Browse, desk: Desk) -> None:
    lines = TWO.splitlines()
    shown = text_of(hand_in(browse("district"), "families", "\n".join([*lines, lines[1]])))
    assert "第5行 nickname（小名）「小米」前面已经有这个宝宝" in shown


def test_a_family_with_which_something_happened_is_not_undone(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    browser = browse("district")
    handed_in = hand_in(browser, "families", TWO)
    take(browser, handed_in)
    with database.transaction() as db:
        child = next(c for c in db.scalars(select(Child)) if c.nickname == "小米")
        session = db.scalars(select(GuidanceSession)).one()
        db.add(
            SignUp(
                session_id=session.id,
                child_id=child.id,
                family_id=child.family_id,
                caregiver_id=child.family.caregivers[0].id,
                state="cancelled",
                requested_at=now,
            )
        )
    families = count(database, Family)
    assert "没有撤销" in take(browser, handed_in, "undo")
    assert count(database, Family) == families


def test_stations_new_and_changed_go_back_to_what_they_were(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("district")
    content = (
        "code,name,kind,township,address,phone\n"
        "CQ,改了名字,guidance_station,城桥镇,新路2号,021-5555-0100\n"
        "NEW,新站,guidance_station,堡镇,新路3号,021-5555-0103\n"
    )
    stations = count(database, Station)
    handed_in = hand_in(browser, "stations", content)
    take(browser, handed_in)
    assert "改了名字" in text_of(browser.get("/console/sessions/CQ-1"))
    assert "撤销了" in take(browser, handed_in, "undo")
    assert count(database, Station) == stations
    assert "改了名字" not in text_of(browser.get("/console/sessions/CQ-1"))


def test_what_somebody_changed_since_is_not_undone(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("district")
    content = (
        "code,name,kind,township,address,phone\n"
        "CQ,改了名字,guidance_station,城桥镇,新路2号,021-5555-0100\n"
    )
    handed_in = hand_in(browser, "stations", content)
    take(browser, handed_in)
    with database.transaction() as db:
        db.scalars(select(Station).where(Station.code == "CQ")).one().phone = "021-5555-0999"
    assert "没有撤销：CQ" in take(browser, handed_in, "undo")


def test_attendance_from_paper_is_entered_and_taken_back(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        session = db.scalars(select(GuidanceSession)).one()
        session.starts_at, session.ends_at = now.replace(hour=8), now.replace(hour=9)
    browser = browse("district")
    handed_in = hand_in(browser, "attendance", "session,nickname,phone\ncq-1,糖糖,13800001234\n")
    take(browser, handed_in)
    with database.reading() as db:
        assert db.get_one(SignUp, desk.sign_up_id).state == "attended"
    take(browser, handed_in, "undo")
    with database.reading() as db:
        assert db.get_one(SignUp, desk.sign_up_id).state == "confirmed"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("NOWHERE,糖糖,", "没有这个活动"),
        ("CQ-1,糖糖,", "没有这个活动，或者还没有开始"),
        (",糖糖,", "没有填写"),
    ],
)
def test_attendance_of_nothing_is_refused(browse: Browse, desk: Desk, row: str, said: str) -> None:
    content = f"session,nickname,phone\n{row}\n"
    assert said in text_of(hand_in(browse("district"), "attendance", content))


def test_a_file_is_taken_once(browse: Browse, desk: Desk, database: Database) -> None:
    browser = browse("district")
    handed_in = hand_in(browser, "families", TWO)
    take(browser, handed_in)
    families = count(database, Family)
    assert "已经有人导入了" in take(browser, handed_in)
    assert count(database, Family) == families


@pytest.mark.parametrize("kind", ["stations", "sessions", "visitors", "families", "attendance"])
def test_every_template_can_be_handed_in_as_it_is(browse: Browse, desk: Desk, kind: str) -> None:
    browser = browse("district")
    template = browser.get(f"/console/files/template/{kind}.csv").data
    header = template.decode("utf-8-sig").splitlines()[0].split(",")
    sheet = load_workbook(
        io.BytesIO(browser.get(f"/console/files/template/{kind}.xlsx").data)
    ).active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]] == header
    answer = hand_in(browser, kind, template)
    if kind == "attendance":  # its session has not begun
        assert answer.status_code == 422
    else:
        assert "导入会新加1条" in text_of(browser.get(answer.location)) or kind == "stations"


def test_a_large_file_shows_that_it_is_at_work_and_is_taken_whole(
    browse: Browse, desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.file_imports.LARGE_ROWS", 2)
    browser = browse("district")
    before = count(database, Family)
    handed_in = hand_in(browser, "families", TWO)
    browser.post(f"{handed_in.location}/take", data={"csrf_token": token_of(browser)})
    for _ in range(100):
        shown = browser.get(handed_in.location)
        if "正在导入" not in re.sub("<title>.*?</title>", "", text_of(shown)):
            break
        assert shown.headers["Refresh"] == "3"
        time.sleep(0.1)
    assert "撤销这次导入" in text_of(shown)
    assert count(database, Family) == before + 2


@pytest.mark.long
def test_fifty_thousand_rows_are_looked_through_and_each_fault_named_by_its_line(
    browse: Browse, desk: Desk, database: Database
) -> None:
    line = "小米,2026-05-01,女,,城桥镇,CQ,mother,赵阿姨,,是,2026-11-01"
    rows = [line.replace("小米", f"宝{number}") for number in range(50_000)]
    rows[49_998] = rows[49_998].replace("城桥镇", "不在镇")
    shown = text_of(hand_in(browse("district"), "families", "\n".join([HEADER, *rows])))
    assert "第50000行 township（乡镇）「不在镇」" in shown
    more = "\n".join([HEADER, *rows, line, line])
    assert "行数太多" in text_of(hand_in(browse("district"), "families", more))


VISITORS = (
    "code,name,phone,station,townships,weekdays,starts,ends,visit_minutes,buffer_minutes\n"
    "V1,施老师,13800000001,CQ,城桥镇,1 2 3,09:00,16:00,60,30\n"
)


def visitor_states(database: Database) -> dict[str, tuple[str, str, bool, int]]:
    with database.reading() as db:
        return {
            visitor.code: (visitor.name, visitor.weekdays, visitor.is_active, len(visitor.covers))
            for visitor in db.scalars(select(Visitor))
        }


def test_visitors_new_and_changed_go_back_to_what_they_were(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("district")
    take(browser, hand_in(browser, "visitors", VISITORS))
    with database.transaction() as db:
        db.scalars(select(Visitor)).one().is_active = False
    before = visitor_states(database)
    changed = VISITORS.replace("施老师", "施慧").replace("城桥镇", "城桥镇 堡镇")
    changed += "V2,陆老师,13800000002,BH,堡镇,1,09:00,16:00,60,30\n"
    handed_in = hand_in(browser, "visitors", changed)
    take(browser, handed_in)
    assert visitor_states(database) == {
        "V1": ("施慧", "1 2 3", True, 2),
        "V2": ("陆老师", "1", True, 1),
    }
    assert "撤销了" in take(browser, handed_in, "undo")
    assert visitor_states(database) == before


def test_a_visitor_with_whom_something_was_arranged_is_not_undone(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    browser = browse("district")
    handed_in = hand_in(browser, "visitors", VISITORS)
    take(browser, handed_in)
    with database.transaction() as db:
        visitor = db.scalars(select(Visitor)).one()
        db.add(
            VisitorLeave(
                visitor_id=visitor.id,
                starts_at=now,
                ends_at=now.replace(hour=12),
                note="",
                set_at=now,
            )
        )
    assert "没有撤销：V1" in take(browser, handed_in, "undo")
    assert list(visitor_states(database)) == ["V1"]


def test_what_the_nightly_jobs_made_of_a_family_goes_with_it(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    browser = browse("district")
    before = count(database, Family)
    handed_in = hand_in(browser, "families", TWO.replace("2026-05-01", "2026-11-10"))
    take(browser, handed_in)
    with database.transaction() as db:
        assert visit_dues.plan_missing(db, after=0, now=now) is not None
        assert db.scalars(select(VisitDue)).all()
    assert "撤销了" in take(browser, handed_in, "undo")
    assert count(database, Family) == before


def test_a_good_file_is_counted_without_writing_a_family(
    browse: Browse, desk: Desk, database: Database
) -> None:
    line = "小米,2026-05-01,女,,城桥镇,CQ,mother,赵阿姨,,是,2026-11-01"
    rows = [line.replace("小米", f"宝{number}") for number in range(1_200)]
    browser = browse("district")
    before = count(database, Family)
    handed_in = hand_in(browser, "families", "\n".join([HEADER, *rows]))
    assert "导入会新加1200条" in text_of(browser.get(handed_in.location))
    assert count(database, Family) == before
    take(browser, handed_in)
    assert count(database, Family) == before + 1_200
    found = text_of(browser.get("/console/families?q=bao7"))
    assert "宝7" in found
    assert "撤销了" in take(browser, handed_in, "undo")
    assert count(database, Family) == before
