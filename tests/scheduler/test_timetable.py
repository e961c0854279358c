"""The timetable as a whole."""

import re
from datetime import UTC, datetime

import pytest

from app.services.timekeeping import next_tick
from app.wiring import Job
from scheduler.runner import trigger_of
from scheduler.timetable import JOBS


def test_names_are_unique() -> None:
    names = [job.name for job in JOBS]

    assert len(names) == len(set(names))
    assert {"send_notices", "tidy"} <= set(names)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: str(job.name))
def test_weekdays_are_written_as_words(job: Job) -> None:
    """Numbers mean other days to the scheduler than to cron."""
    weekday = job.schedule.split()[4]

    assert re.fullmatch(r"\*|[a-z]{3}([,-][a-z]{3})*", weekday)
    assert trigger_of(job) is not None
    assert job.does


def test_ticks_are_by_shanghais_time() -> None:
    (tidy,) = [job for job in JOBS if job.name == "tidy"]

    tick = next_tick(tidy.schedule, datetime(2026, 11, 21, 19, 19, tzinfo=UTC))

    assert tick == datetime(2026, 11, 21, 19, 20, tzinfo=UTC)
    assert next_tick(tidy.schedule, tick) == datetime(2026, 11, 22, 19, 20, tzinfo=UTC)
