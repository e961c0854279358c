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
