"""`stations import` and `sessions import`: whole files, and refusals that name the line."""

from pathlib import Path

import pytest

from app.services.import_files import MAX_BYTES
from tests.cli.running import Run

STATIONS = (
    "code,name,kind,township,address,phone\n"
    "CQ,城桥镇早教指导站,guidance_station,城桥镇,样例路1号,021-5555-0101\n"
)
SESSIONS = (
    "code,title,kind,level,station,starts_at,ends_at,places,min_months,max_months,confirm_mode,"
    "opens_at,closes_at,cancel_until,waiting_list\n"
    "CQ-1206,小手抓一抓,站点指导活动,station,CQ,2026-12-06T09:30,2026-12-06T10:30,2,6,12,staff,"
    "2026-11-01T08:00,2026-12-05T20:00,2026-12-05T20:00,no\n"
)


def written(folder: Path, text: str) -> str:
    path = folder / "导入.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_files_are_taken_and_taken_again(run: Run, tmp_path: Path) -> None:
    stations = run("stations", "import", written(tmp_path, STATIONS)).json
    assert (stations["added"], stations["updated"], stations["unchanged"]) == (1, 0, 0)
    done = run("sessions", "import", written(tmp_path, SESSIONS), as_json=False)
    assert (done.code, done.out) == (0, "sessions: 1 new, 0 updated, 0 unchanged\n")
    again = run("sessions", "import", written(tmp_path, SESSIONS.replace(",2,6,", ",3,6,")))
    assert again.json["updated"] == 1
    roster = run("roster", "cq-1206").json
    assert (roster["session"], roster["places"], roster["taken"]) == ("CQ-1206", 3, 0)
    assert roster["starts_at"] == "2026-12-06T09:30:00+08:00"
    assert roster["signups"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_refused_file_names_every_bad_line_in_one_line(run: Run, tmp_path: Path) -> None:
    text = STATIONS + "BZ,堡镇站,station,堡镇,,\nXH,新河镇站,guidance_station,无锡,,\n"

    done = run("stations", "import", written(tmp_path, text))

    assert done.error == "import_refused"
    assert "第3行 kind（种类）「station」" in done.err
    assert "第4行 township（乡镇）「无锡」" in done.err
    assert [(fault["line"], fault["reason"]) for fault in done.json["error"]["details"]] == [
        (3, "unknown_station_kind"),
        (4, "unknown_township"),
    ]
    # Nothing of it was stored, not even the good line.
    assert run("sessions", "import", written(tmp_path, SESSIONS)).error == "import_refused"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_is_no_table_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_bytes(b"x" * (MAX_BYTES + 1))

    assert run("stations", "import", written(tmp_path, "")).error == "file_unreadable"
    assert run("stations", "import", str(path)).error == "file_unreadable"
    assert run("stations", "import", str(tmp_path)).error == "bad_parameter"
