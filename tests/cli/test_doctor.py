"""`doctor` reports, and its exit code tells scripts whether to worry."""

import pytest

from app.wiring import Services
from tests.cli.running import Run


@pytest.mark.usefixtures("demo")
def test_sound_data_exits_with_nothing_to_say(run: Run) -> None:
    done = run("doctor")

    assert (done.code, done.err) == (0, "")
    assert done.json["ok"] is True
    assert {"name": "schema_is_current", "ok": True, "broken": []} in done.json["checks"]
    assert all(set(check) == {"name", "ok", "broken"} for check in done.json["checks"])


@pytest.mark.usefixtures("demo")
def test_broken_data_is_named_and_exits_with_one(run: Run, services: Services) -> None:
    with services.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE guidance_sessions SET places_taken = 7 WHERE code = 'CQ-12'"
        )

    done = run("doctor")

    assert done.code == 1
    assert done.error == "data_broken"
    assert done.json["ok"] is False
    faults = {check["name"]: check["broken"] for check in done.json["checks"] if not check["ok"]}
    assert faults == {"places_taken_equals_seats_held": ["session:CQ-12"]}


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_many_faults_are_counted_in_the_line_and_listed_in_the_report(
    run: Run, services: Services
) -> None:
    with services.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE guidance_sessions SET code = lower(code)")

    done = run("doctor", as_json=False)

    assert done.code == 1
    assert "session:bus-11, session:bus-12, session:bz-11 and 18 more" in done.err
    assert "BROKEN  sessions_are_in_order" in done.out


def test_a_database_without_tables_is_broken_too(run: Run) -> None:
    run("db", "downgrade", "base")

    done = run("doctor")

    assert done.error == "database_empty"
    assert done.json["checks"] == [
        {"name": "schema_is_current", "ok": False, "broken": ["revision:None"]}
    ]
    assert run("db", "upgrade").code == 0
