"""Stations and sessions from files: whole or not at all, every fault by its line."""

import io
from datetime import datetime, timedelta

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from app.clock import SHANGHAI
from app.db import Database
from app.errors import BadRow, ImportRefused
from app.models import AuditEntry, GuidanceSession, Station
from app.services import import_files, imports
from app.services.audit import OPERATOR
from app.services.imports import (
    SESSION_COLUMNS,
    Imported,
    import_sessions,
    import_stations,
    read_instant,
)
from app.words.imports import FILE_REASONS, ROW_REASONS, say_refused, say_warnings
from devtools.environment import ROOT

STATIONS = (
    "code,name,kind,township,address,phone\n"
    "CQ,城桥镇早教指导站,guidance_station,城桥镇,样例路1号,021-5555-0101\n"
    "BUS,指导流动车,guidance_bus,新村,,\n"
)
SESSION = {
    "code": "cq-1206",
    "title": "小手抓一抓",
    "kind": "站点指导活动",
    "level": "station",
    "station": "CQ",
    "starts_at": "2026-12-06 09:30",
    "ends_at": "2026-12-06T10:30",
    "places": "12",
    "min_months": "6",
    "max_months": "12",
    "confirm_mode": "staff",
    "opens_at": "2026-11-20T00:00:00+00:00",
    "closes_at": "2026/12/5 21:30",
    "cancel_until": "2026-12-05T12:00+08:00",
    "waiting_list": "first_come",
}


def sessions_csv(*changes: dict[str, str]) -> bytes:
    lines = [",".join(SESSION_COLUMNS)]
    lines += [",".join((SESSION | change).values()) for change in changes]
    return "\n".join(lines).encode()


def take_stations(database: Database, text: str, now: datetime) -> Imported:
    with database.transaction() as db:
        return import_stations(db, text.encode(), actor=OPERATOR, now=now)


def take_sessions(database: Database, content: bytes, now: datetime) -> Imported:
    with database.transaction() as db:
        return import_sessions(db, content, actor=OPERATOR, now=now)


def refused_stations(database: Database, text: str, now: datetime) -> tuple[BadRow, ...]:
    with pytest.raises(ImportRefused) as refusal:
        take_stations(database, text, now)
    # Raises where a reason has no words.
    assert say_refused(refusal.value.rows)
    return refusal.value.rows


def refused_sessions(database: Database, content: bytes, now: datetime) -> tuple[BadRow, ...]:
    with pytest.raises(ImportRefused) as refusal:
        take_sessions(database, content, now)
    # Raises where a reason has no words.
    assert say_refused(refusal.value.rows)
    return refusal.value.rows


def station_codes(database: Database) -> list[str]:
    with database.reading() as db:
        return list(db.scalars(select(Station.code).order_by(Station.code)))


def session_of(database: Database, code: str) -> GuidanceSession:
    with database.reading() as db:
        session = db.scalars(select(GuidanceSession).where(GuidanceSession.code == code)).one()
        db.expunge(session)
        return session


def test_kinds_are_taken_as_the_stations_own_lists_name_them(
    database: Database, now: datetime
) -> None:
    take_stations(database, STATIONS.replace("guidance_bus", "流动车"), now)
    with database.reading() as db:
        bus = db.scalars(select(Station).where(Station.code == "BUS")).one()
        assert bus.kind == "guidance_bus"


def test_every_other_word_for_a_choice_is_one_of_the_choices() -> None:
    for said, choices in (
        (imports.STATION_KINDS_SAID, imports.STATION_KINDS),
        (imports.LEVELS_SAID, imports.LEVELS),
        (imports.CONFIRM_MODES_SAID, imports.CONFIRM_MODES),
        (imports.WAITING_LISTS_SAID, imports.WAITING_LISTS),
    ):
        assert {*said.values()} == {*choices}


def test_stations_are_taken_with_or_without_the_townships_last_character(
    database: Database, now: datetime
) -> None:
    taken = take_stations(database, STATIONS, now)

    assert taken == Imported(added=2, updated=0, unchanged=0)
    with database.reading() as db:
        stations = {station.code: station for station in db.scalars(select(Station))}
        assert stations["CQ"].township.name == "城桥镇"
        assert stations["BUS"].township.name == "新村乡"
        assert stations["BUS"].kind == "guidance_bus"
        assert stations["CQ"].phone == "021-5555-0101"


def test_a_code_that_exists_is_updated_and_an_equal_row_left_alone(
    database: Database, now: datetime
) -> None:
    take_stations(database, STATIONS, now)

    again = take_stations(database, STATIONS.replace("样例路1号", "样例路2号"), now)

    assert again == Imported(added=0, updated=1, unchanged=1)
    with database.reading() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        assert station.address == "样例路2号"
        audited = db.scalars(
            select(AuditEntry.action).where(AuditEntry.subject_id == station.id)
        ).all()
        assert audited == ["put_station", "put_station"]


def test_every_bad_row_is_named_and_nothing_is_stored(database: Database, now: datetime) -> None:
    faulty = (
        "code,name,kind,township,address,phone\n"
        "CQ,城桥镇早教指导站,guidance_station,城桥镇,样例路1号,021-5555-0101\n"
        "C Q,,guidance_post,朱家角镇,,call me\n"
        "cq,又一个,guidance_station,城桥镇,,\n"
    )

    rows = refused_stations(database, faulty, now)

    assert rows == (
        BadRow(3, "code", "bad_code", "C Q"),
        BadRow(3, "name", "missing", ""),
        BadRow(3, "kind", "unknown_station_kind", "guidance_post"),
        BadRow(3, "township", "unknown_township", "朱家角镇"),
        BadRow(3, "phone", "not_a_phone", "call me"),
        BadRow(4, "code", "repeated_code", "cq"),
    )
    assert station_codes(database) == []


def test_no_more_than_fifty_faults_are_listed(database: Database, now: datetime) -> None:
    faulty = "code,name,kind,township,address,phone\n" + ",,,,x,\n" * 40

    assert len(refused_stations(database, faulty, now)) == import_files.MAX_BAD_ROWS == 50


def test_a_session_is_stored_with_its_times_in_shanghai(database: Database, now: datetime) -> None:
    take_stations(database, STATIONS, now)

    taken = take_sessions(database, sessions_csv({}), now)

    session = session_of(database, "CQ-1206")
    assert taken == Imported(added=1, updated=0, unchanged=0)
    assert session.starts_at == datetime(2026, 12, 6, 9, 30, tzinfo=SHANGHAI)
    assert session.ends_at == datetime(2026, 12, 6, 10, 30, tzinfo=SHANGHAI)
    assert session.opens_at == datetime(2026, 11, 20, 8, 0, tzinfo=SHANGHAI)
    assert session.closes_at == datetime(2026, 12, 5, 21, 30, tzinfo=SHANGHAI)
    assert session.cancel_until == datetime(2026, 12, 5, 12, 0, tzinfo=SHANGHAI)
    assert (session.places, session.min_months, session.max_months) == (12, 6, 12)
    assert (session.confirm_mode, session.waiting_list) == ("staff", "first_come")
    assert (session.level, session.kind, session.state) == ("station", "站点指导活动", "published")


def test_a_session_that_exists_is_updated_and_an_equal_one_left_alone(
    database: Database, now: datetime
) -> None:
    take_stations(database, STATIONS, now)
    take_sessions(database, sessions_csv({}, {"code": "CQ-1207"}), now)

    later = now + timedelta(hours=1)
    again = take_sessions(database, sessions_csv({"places": "20"}, {"code": "CQ-1207"}), later)

    assert again == Imported(added=0, updated=1, unchanged=1)
    assert session_of(database, "CQ-1206").places == 20
    assert session_of(database, "CQ-1207").updated_at == now


def test_fewer_places_leave_a_mark_that_excuses_what_was_given_before(
    database: Database, now: datetime
) -> None:
    take_stations(database, STATIONS, now)
    take_sessions(database, sessions_csv({}), now)

    take_sessions(database, sessions_csv({"places": "8"}), now)

    with database.reading() as db:
        cuts = db.execute(
            select(AuditEntry.before, AuditEntry.after).where(AuditEntry.action == "cut_places")
        ).all()
    assert [tuple(cut) for cut in cuts] == [("12", "8")]


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"code": ""}, "code", "missing"),
        ({"code": "活动一"}, "code", "bad_code"),
        ({"code": "A" * 33}, "code", "bad_code"),
        ({"title": ""}, "title", "missing"),
        ({"title": "长" * 81}, "title", "too_long"),
        ({"kind": ""}, "kind", "missing"),
        ({"level": "county"}, "level", "unknown_level"),
        ({"station": "NOWHERE"}, "station", "unknown_station"),
        ({"station": ""}, "station", "missing"),
        ({"starts_at": ""}, "starts_at", "missing"),
        ({"starts_at": "明天上午"}, "starts_at", "not_a_time"),
        ({"starts_at": "2026-12-06"}, "starts_at", "not_a_time"),
        ({"starts_at": "2026-02-30 09:00"}, "starts_at", "not_a_time"),
        ({"starts_at": "2026-12-06 25:00"}, "starts_at", "not_a_time"),
        ({"starts_at": "0001-01-01T00:00+14:00"}, "starts_at", "not_a_time"),
        ({"places": "-1"}, "places", "out_of_range"),
        ({"places": "10001"}, "places", "out_of_range"),
        ({"places": "twelve"}, "places", "not_a_whole_number"),
        ({"places": "12.5"}, "places", "not_a_whole_number"),
        ({"places": ""}, "places", "missing"),
        ({"min_months": "-1"}, "min_months", "out_of_range"),
        ({"max_months": "100"}, "max_months", "out_of_range"),
        ({"max_months": "5"}, "max_months", "months_out_of_order"),
        ({"confirm_mode": "maybe"}, "confirm_mode", "unknown_confirm_mode"),
        ({"waiting_list": "lottery"}, "waiting_list", "unknown_waiting_list"),
        ({"ends_at": "2026-12-06 09:30"}, "ends_at", "ends_before_start"),
        ({"closes_at": "2026-11-20T08:00"}, "closes_at", "closes_before_opening"),
        ({"closes_at": "2026-12-06 09:31"}, "closes_at", "closes_after_start"),
        ({"cancel_until": "2026-12-06 09:31"}, "cancel_until", "cancel_after_start"),
    ],
)
def test_a_bad_cell_is_refused_with_line_column_and_reason(
    database: Database, now: datetime, change: dict[str, str], column: str, reason: str
) -> None:
    take_stations(database, STATIONS, now)

    rows = refused_sessions(database, sessions_csv({"code": "CQ-1"}, change), now)

    assert rows == (BadRow(3, column, reason, change[column]),)
    with database.reading() as db:
        assert db.scalars(select(GuidanceSession.id)).all() == []


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"places": "１２"}, 12),
        ({"places": "0"}, 0),
        ({"places": "12.0"}, 12),
        ({"confirm_mode": "Staff", "level": "STATION"}, 12),
        ({"closes_at": "2026-12-06 09:30", "cancel_until": "2026-12-06 09:30"}, 12),
        ({"min_months": "12"}, 12),
        ({"kind": "别的活动"}, 12),
        ({"station": "cq"}, 12),
    ],
)
def test_what_is_just_allowed_is_taken(
    database: Database, now: datetime, change: dict[str, str], places: int
) -> None:
    take_stations(database, STATIONS, now)

    take_sessions(database, sessions_csv(change), now)

    assert session_of(database, "CQ-1206").places == places


def test_a_workbook_with_real_dates_and_numbers_is_taken(database: Database, now: datetime) -> None:
    take_stations(database, STATIONS, now)
    cells: dict[str, object] = {
        **SESSION,
        "starts_at": datetime.fromisoformat("2026-12-06 09:30"),
        "places": 12,
        "min_months": 6.0,
    }
    book = Workbook()
    book.worksheets[0].append(list(cells))
    book.worksheets[0].append(list(cells.values()))
    file = io.BytesIO()
    book.save(file)

    take_sessions(database, file.getvalue(), now)

    session = session_of(database, "CQ-1206")
    assert session.starts_at == datetime(2026, 12, 6, 9, 30, tzinfo=SHANGHAI)
    assert (session.places, session.min_months) == (12, 6)


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-06T09:30",
        "2026-12-06 09:30:00",
        "2026-12-06T09:30:00+08:00",
        "2026-12-06T01:30Z",
        "20261206T0930",
        "2026/12/6 9:30",
        "2026.12.06 09:30",
    ],
)
def test_the_same_time_is_read_in_many_spellings(text: str) -> None:
    assert read_instant(text) == datetime(2026, 12, 6, 9, 30, tzinfo=SHANGHAI)


def test_words_are_kept_for_no_reason_that_is_never_given() -> None:
    code = (path for path in (ROOT / "app").rglob("*.py") if path.parent.name != "words")
    source = "".join(path.read_text(encoding="utf-8") for path in code)

    assert [reason for reason in ROW_REASONS if f'"{reason}"' not in source] == []
    assert [reason for reason in FILE_REASONS if f'"{reason}"' not in source] == []


def test_a_past_session_and_places_below_those_taken_are_taken_and_pointed_out(
    database: Database, now: datetime
) -> None:
    take_stations(database, STATIONS, now)
    take_sessions(database, sessions_csv({}), now)
    code = "CQ-1206"
    with database.transaction() as db:
        session = db.scalars(select(GuidanceSession)).one()
        session.places_taken = 5

    taken = take_sessions(database, sessions_csv({"places": "3"}), now)

    assert taken.past == ()
    assert taken.overfull == (imports.Overfull(code, 3, 5),)
    later = session_of(database, code).ends_at
    again = take_sessions(database, sessions_csv({"places": "30"}), later)
    assert again.past == (code,)
    assert again.overfull == ()
    said = say_warnings(
        taken.past, [(each.code, each.places, each.taken) for each in taken.overfull]
    )
    assert said == [
        f"注意：{code}改成3个名额，已经有5个孩子占着；谁也不会被取消，空到3个以下才会再放名额。"
    ]
    assert say_warnings(again.past, []) == [
        f"注意：{code}的时间已经过去，家长报不了名；日期写错了请改好再导入。"
    ]


@pytest.mark.parametrize(
    "state, reason", [("cancelled", "session_cancelled"), ("held", "session_held")]
)
def test_a_session_that_is_over_is_refused_by_its_line(
    database: Database, now: datetime, state: str, reason: str
) -> None:
    take_stations(database, STATIONS, now)
    take_sessions(database, sessions_csv({}), now)
    with database.transaction() as db:
        db.scalars(select(GuidanceSession)).one().state = state
    # As it stands it may be in the file: whole timetables are handed in again.
    assert take_sessions(database, sessions_csv({}), now).unchanged == 1
    changed = sessions_csv({"code": "CQ-1200"}, {"places": "13"})

    (row,) = refused_sessions(database, changed, now)

    assert (row.line, row.column, row.reason) == (3, "code", reason)
    with database.reading() as db:
        assert db.scalars(select(GuidanceSession.code)).all() == ["CQ-1206"]
