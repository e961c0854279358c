"""`jobs` lists what it is handed, and runs one of them as of a time."""

from dataclasses import replace
from datetime import datetime

import pytest

from app.clock import SHANGHAI
from app.wiring import Job, Services
from scheduler.timetable import JOBS
from tests.cli.running import Run

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def runs() -> list[datetime]:
    return []


@pytest.fixture
def services(services: Services, runs: list[datetime]) -> Services:
    def note(_services: Services, now: datetime) -> str:
        runs.append(now)
        return "noted"

    return replace(services, jobs=(Job("note", "* * * * *", "notes the time", note), *JOBS))


def test_the_timetable_is_listed(run: Run) -> None:
    rows = run("jobs", "list").json

    assert rows[0] == {"name": "note", "schedule": "* * * * *", "does": "notes the time"}
    assert {"send_notices", "tidy"} <= {row["name"] for row in rows}
    assert run("jobs", "list", as_json=False).out.startswith("note  * * * * *  notes the time\n")


@pytest.mark.parametrize(
    "as_of", ["2026-12-06T09:30", "2026-12-06 09:30", "2026-12-06T01:30:00+00:00"]
)
def test_a_job_runs_as_of_the_time_given(run: Run, runs: list[datetime], as_of: str) -> None:
    done = run("jobs", "run", "note", "--now", as_of)

    assert done.json == {"name": "note", "now": "2026-12-06T09:30:00+08:00", "outcome": "noted"}
    assert runs == [datetime(2026, 12, 6, 9, 30, tzinfo=SHANGHAI)]


def test_a_job_runs_now_where_no_time_is_given(run: Run, runs: list[datetime]) -> None:
    before = datetime.now(SHANGHAI)

    assert run("jobs", "run", "note", as_json=False).out == "note: noted\n"
    assert before <= runs[0] <= datetime.now(SHANGHAI)


def test_an_unknown_job_is_refused_with_those_there_are(run: Run) -> None:
    done = run("jobs", "run", "everything")

    assert done.error == "job_unknown"
    assert "note, send_notices, " in done.err
    assert ", tidy" in done.err


def test_the_real_jobs_run(run: Run) -> None:
    assert run("jobs", "run", "tidy").json["outcome"].startswith("deleted 0")
    assert run("jobs", "run", "send_notices").json["outcome"].startswith("took 0")
