"""A table of what families say for a day or an hour, written before the readers were widened."""

from datetime import datetime
from pathlib import Path

import pytest

from app.clock import SHANGHAI
from app.dialogue.reading.slots import read_slots

MESSAGES = Path(__file__).parent / "messages"
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=SHANGHAI)


def _table(name: str) -> list[tuple[str, str]]:
    lines = (MESSAGES / name).read_text(encoding="utf-8").splitlines()
    return [(said, wanted) for said, _, wanted in (line.partition("\t") for line in lines)]


@pytest.mark.parametrize("said, wanted", _table("dates.tsv"))
def test_what_is_said_for_a_day_is_that_day(said: str, wanted: str) -> None:
    assert " ".join(day.isoformat() for day in read_slots(said, NOW).dates) == wanted


@pytest.mark.parametrize("said, wanted", _table("times.tsv"))
def test_what_is_said_for_an_hour_is_that_hour(said: str, wanted: str) -> None:
    found = read_slots(said, NOW).times
    assert " ".join(time.isoformat(timespec="minutes")[:16] for time in found) == wanted


def _fresh(name: str) -> list[tuple[datetime, str, str]]:
    rows = [line.split("\t") for line in (MESSAGES / name).read_text(encoding="utf-8").splitlines()]
    return [
        (datetime.fromisoformat(f"{day}T10:00+08:00"), said, wanted) for day, said, wanted in rows
    ]


def test_fresh_days_each_read_on_a_day_of_its_own() -> None:
    wrong = {
        said: found
        for now, said, wanted in _fresh("fresh_dates.tsv")
        if (found := " ".join(day.isoformat() for day in read_slots(said, now).dates)) != wanted
    }
    assert wrong == {}


def test_fresh_hours_each_read_on_a_day_of_its_own() -> None:
    wrong = {
        said: found
        for now, said, wanted in _fresh("fresh_times.tsv")
        if (found := " ".join(f"{time:%Y-%m-%dT%H:%M}" for time in read_slots(said, now).times))
        != wanted
    }
    assert wrong == {}
