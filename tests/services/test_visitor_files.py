"""A file of visitors is taken whole, or refused with line, column and reason."""

from datetime import datetime, time
from typing import Any

import pytest
from sqlalchemy import select

from app.db import Database
from app.errors import ImportRefused
from app.models import Visitor
from tests.visiting import add_station, add_visitors, visitor_line


@pytest.mark.parametrize(
    "change, column, reason",
    [
        ({"phone": ""}, "phone", "missing"),
        ({"station": "XX"}, "station", "unknown_station"),
        ({"townships": "城桥镇 月亮镇"}, "townships", "unknown_township"),
        ({"weekdays": "0"}, "weekdays", "not_weekdays"),
        ({"starts": "24:00"}, "starts", "not_a_time_of_day"),
        ({"starts": "9点"}, "starts", "not_a_time_of_day"),
        # As a spreadsheet writes a day, and no clock does.
        ({"starts": "2026-12-31T25:61"}, "starts", "not_a_time_of_day"),
        ({"ends": "2026-12-31T12:60:00"}, "ends", "not_a_time_of_day"),
        ({"ends": "09:00"}, "ends", "ends_before_start"),
        ({"minutes": 421}, "visit_minutes", "visit_does_not_fit"),
        ({"minutes": 481}, "visit_minutes", "out_of_range"),
        ({"code": "v1"}, "code", "repeated_code"),
    ],
)
def test_a_bad_cell_is_refused_with_line_column_and_reason(
    database: Database, now: datetime, change: dict[str, Any], column: str, reason: str
) -> None:
    with database.transaction() as db:
        add_station(db)
    with pytest.raises(ImportRefused) as refused, database.transaction() as db:
        add_visitors(db, now, visitor_line("V1"), visitor_line(**({"code": "V2"} | change)))

    assert [(row.line, row.column, row.reason) for row in refused.value.rows] == [
        (3, column, reason)
    ]
    with database.reading() as db:
        assert db.scalars(select(Visitor.id)).all() == []


def test_a_time_as_a_spreadsheet_keeps_it_is_understood(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        add_station(db)
        add_visitors(db, now, visitor_line(starts="1900-01-01T08:30:00", ends="16：05"))
        visitor = db.scalars(select(Visitor)).one()
        assert (visitor.starts, visitor.ends) == (time(8, 30), time(16, 5))
