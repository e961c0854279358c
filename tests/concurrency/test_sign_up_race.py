"""Many families, few places, several processes: never one place too many."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.crypto import Cipher
from app.db import Database, make_engine
from app.models import Caregiver, Child, Family, GuidanceSession, SignUp, Station, Township
from app.rules.sign_up import SEATED
from tests.conftest import DATA_KEY

PROCESSES = 3
FAMILIES = 60
PLACES = 20


@pytest.fixture
def database(database_url: str, cipher: Cipher) -> Iterator[Database]:
    engine = make_engine(database_url, cipher)
    yield Database(engine)
    engine.dispose()


def arrange(database: Database, now: datetime) -> list[int]:
    """A session with 20 places, and 60 families that want one. Returns their caregivers."""
    with database.transaction() as db:
        township = db.execute(select(Township).limit(1)).scalar_one()
        station = Station(
            code="CQ",
            name="城桥早教指导站",
            kind="guidance_station",
            township_id=township.id,
            address="南门路1号",
            phone="021-55550101",
        )
        starts = now + timedelta(days=7)
        session = GuidanceSession(
            code="RUSH",
            title="亲子嘉年华",
            kind="亲子嘉年华",
            level="district",
            station=station,
            starts_at=starts,
            ends_at=starts + timedelta(hours=2),
            places=PLACES,
            places_taken=0,
            min_months=0,
            max_months=36,
            confirm_mode="auto",
            opens_at=now,
            closes_at=starts,
            cancel_until=starts,
            waiting_list="no",
            state="published",
            calendar_sequence=0,
            created_at=now,
            updated_at=now,
        )
        families = [Family(township=township, created_at=now) for _ in range(FAMILIES)]
        db.add_all([session, *families])
        db.flush()
        caregivers = [
            Caregiver(
                openid=f"o-{family.id}",
                family_id=family.id,
                is_following=True,
                pushes="on",
                created_at=now,
            )
            for family in families
        ]
        db.add_all(caregivers)
        db.add_all(
            Child(
                family_id=family.id,
                nickname="宝宝",
                birth_date=date(2026, 1, 1),
                created_at=now,
                updated_at=now,
            )
            for family in families
        )
        db.flush()
        return [caregiver.id for caregiver in caregivers]


def rush(url: str, caregivers: list[int], now: datetime, guard: str) -> Counter[str]:
    start = time.time() + 2.5
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.concurrency.rush",
                url,
                DATA_KEY,
                "RUSH",
                now.isoformat(),
                str(start),
                ",".join(str(each) for each in caregivers[place::PROCESSES]),
                guard,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for place in range(PROCESSES)
    ]
    answers: Counter[str] = Counter()
    for process in processes:
        out, _ = process.communicate(timeout=90)
        assert process.returncode == 0
        answers.update(json.loads(out))
    return answers


def seats(database: Database) -> tuple[int, int]:
    """What the counter says, and how many sign-ups really hold a seat."""
    with database.reading() as db:
        counted = db.execute(select(GuidanceSession.places_taken)).scalar_one()
        held = db.execute(
            select(func.count(SignUp.id)).where(SignUp.state.in_(SEATED))
        ).scalar_one()
    return counted, held


def test_sixty_families_asking_twice_get_exactly_twenty_places(
    database: Database, database_url: str, now: datetime
) -> None:
    caregivers = arrange(database, now)
    answers = rush(database_url, caregivers, now, guard="on")
    assert answers["placed"] == PLACES
    assert sum(answers.values()) == FAMILIES * 2
    assert seats(database) == (PLACES, PLACES)


def test_without_the_guard_the_same_rush_oversells(
    database: Database, database_url: str, now: datetime
) -> None:
    caregivers = arrange(database, now)
    answers = rush(database_url, caregivers, now, guard="off")
    assert answers["placed"] > PLACES
    assert seats(database)[1] > PLACES
