"""`demo load` fills an empty database once, with data that a newcomer can try everything on."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from time_machine import travel

from app.config import Settings
from app.crypto import Cipher
from app.demo import DEMO_LOGINS, load_once
from app.models import Entitlement, Family, GuidanceSession, SignUp, Station
from app.rules.townships import TOWNSHIPS
from app.services.staff import check_password, claim_attempt, complete_log_in
from app.wiring import Services
from tests.cli.running import Run


def test_demo_data_is_loaded_once(run: Run) -> None:
    first, second = run("demo", "load"), run("demo", "load")

    assert first.code == second.code == 0
    assert first.json["loaded"] is True
    assert first.json["stations"] == 22
    assert first.json["families"] == 9
    assert second.json == {"loaded": False}


def test_a_database_in_use_is_left_alone(run: Run, services: Services, now: datetime) -> None:
    with services.database.transaction() as db:
        db.add(Family(township_id=1, created_at=now))

    assert run("demo", "load", as_json=False).out == (
        "the database is in use already: nothing was loaded\n"
    )
    with services.database.reading() as db:
        assert db.scalars(select(Station.id)).all() == []


def test_every_township_has_a_station(run: Run, services: Services) -> None:
    run("demo", "load")

    with services.database.reading() as db:
        served = {station.township.name for station in db.scalars(select(Station))}
    assert served == set(TOWNSHIPS)


def test_no_telephone_and_no_openid_could_be_a_real_one(run: Run, services: Services) -> None:
    run("demo", "load")

    with services.database.reading() as db:
        phones = db.scalars(select(Station.phone)).all()
    assert all(phone.startswith("021-5555-01") for phone in phones)


# Sessions lie on weekdays of coming weeks: the day of the week must not matter.
@pytest.mark.parametrize("days", range(7))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sessions_of_every_kind_wait_on_any_day(
    run: Run, services: Services, now: datetime, days: int
) -> None:
    today = now.replace(hour=23, minute=59) + timedelta(days=days)
    with travel(today, tick=False):
        assert run("demo", "load").code == 0

    with services.database.reading() as db:
        ahead = db.scalars(select(GuidanceSession).where(GuidanceSession.starts_at > today)).all()
        pending = db.scalar(select(func.count()).where(SignUp.state == "requested"))
        attended = db.scalar(select(func.count()).where(SignUp.state == "attended"))
        years = {
            row.year: (row.sessions, row.home_visits) for row in db.scalars(select(Entitlement))
        }
        assert {session.confirm_mode for session in ahead} == {"auto", "staff"}
        assert any(session.places_taken == session.places for session in ahead)
        assert any(session.opens_at > today for session in ahead)
        assert sum(session.opens_at <= today < session.closes_at for session in ahead) >= 12
        assert max(session.starts_at for session in ahead) <= today + timedelta(weeks=7)
    assert pending
    assert pending >= 4
    assert attended == 3
    assert years == {2026: (6, 1), 2027: (6, 1)}


@pytest.mark.parametrize("login", DEMO_LOGINS, ids=lambda login: login.username)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_demo_log_in_opens_the_console(
    services: Services, settings: Settings, now: datetime, login: tuple[str, str, str]
) -> None:
    username, password, what = login
    assert load_once(settings)
    assert not load_once(settings)

    with services.database.transaction() as db:
        attempt = claim_attempt(db, username=username, now=now)
    check_password(attempt, password)
    with services.database.transaction() as db:
        staff = complete_log_in(db, attempt=attempt, password=password, now=now)
        role = "visitor" if "上门" in what else "worker" if "老师" in what else "district"
        assert staff.role == role
        assert (staff.station is not None) == (staff.role == "worker")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_demo_data_is_sound_to_the_doctor(run: Run, cipher: Cipher) -> None:
    run("demo", "load")

    assert run("doctor").json["ok"] is True
