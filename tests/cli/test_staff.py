"""`staff add`: the password comes on standard input, one line."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.models import Staff
from app.services.staff import check_password, claim_attempt
from app.wiring import Services
from tests.cli.running import Run

PASSWORD = "correct horse battery"


@pytest.mark.usefixtures("demo")
def test_a_worker_can_log_in_with_the_password_given(
    run: Run, services: Services, tmp_path: Path
) -> None:
    done = run("staff", "add", "Wang", "--role", "worker", "--station", "CQ", stdin=PASSWORD + "\n")

    assert done.json["username"] == "wang"
    assert PASSWORD not in done.out + done.err
    with services.database.transaction() as db:
        staff = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        assert staff.station is not None
        assert (staff.role, staff.station.code) == ("worker", "CQ")
        attempt = claim_attempt(db, username="wang", now=staff.created_at)
    check_password(attempt, PASSWORD)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("line", "stdin", "error"),
    [
        (("wang", "--role", "district"), "", "password_missing"),
        (("wang", "--role", "district"), "\n", "password_missing"),
        (("wang", "--role", "district"), "short\n", "password_too_weak"),
        (("chengqiao", "--role", "district"), PASSWORD, "username_taken"),
        (("wang li", "--role", "district"), PASSWORD, "username_invalid"),
        (("wang", "--role", "worker", "--station", "NO"), PASSWORD, "station_unknown"),
        (("wang", "--role", "township", "--township", "无锡"), PASSWORD, "township_unknown"),
        (("wang", "--role", "worker"), PASSWORD, "station_missing"),
        (("wang", "--role", "township"), PASSWORD, "township_missing"),
    ],
)
def test_what_cannot_be_added_is_refused(
    run: Run, line: tuple[str, ...], stdin: str, error: str
) -> None:
    assert run("staff", "add", *line, stdin=stdin).error == error


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "line",
    [
        ("lead", "--role", "township", "--township", "堡"),
        ("lead", "--role", "visitor"),
        ("lead", "--role", "district"),
    ],
)
def test_every_role_can_be_added(run: Run, line: tuple[str, ...]) -> None:
    done = run("staff", "add", *line, stdin=PASSWORD, as_json=False)

    assert (done.code, done.out) == (0, f"added lead ({line[2]})\n")
