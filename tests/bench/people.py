"""Families, sessions and bookings for the benchmarks, put in directly."""

from datetime import date, datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.models import (
    Caregiver,
    Child,
    Family,
    GuidanceSession,
    SignUp,
    Station,
    Township,
)

SESSIONS = 40


RUSHES = 3
"""Sessions that everybody asks for at once, one a round."""
BARE = "BARE"


def one_session(number: int) -> str:
    """The code of the session that everybody asks for in this round."""
    return f"ONE-{number}"


def openid(number: int) -> str:
    return f"o-bench-{number:06d}"


def settle(db: Session, families: int, now: datetime) -> None:
    """`families` with one child each, 40 coming sessions, and two bookings of every family."""
    township = db.execute(select(Township).limit(1)).scalar_one()
    station = Station(
        code="BENCH",
        name="早教指导站",
        kind="guidance_station",
        township_id=township.id,
        address="南门路1号",
        phone="021-55550101",
    )
    db.add(station)
    db.flush()
    sessions = [
        _session(f"B-{number}", number, station.id, families, now) for number in range(SESSIONS)
    ]
    db.add_all(sessions)
    for number in range(RUSHES):
        rush = _session(one_session(number), number, station.id, families, now)
        rush.opens_at = now  # with all that is looked at in a session's first hours
        rush.waiting_list = "first_come"
        db.add(rush)
    bare = _session(BARE, 0, station.id, families, now)
    bare.places = 1_000_000
    db.add(bare)
    db.flush()
    ids = list(range(1, families + 1))
    family = {"township_id": township.id, "station_id": station.id, "created_at": now}
    db.execute(insert(Family), [family | {"id": each} for each in ids])
    db.execute(
        insert(Caregiver),
        [
            {
                "id": each,
                "openid": openid(each),
                "family_id": each,
                "is_following": True,
                "pushes": "on",
                "created_at": now,
            }
            for each in ids
        ],
    )
    db.execute(
        insert(Child),
        [
            {
                "id": each,
                "family_id": each,
                "nickname": "糖糖",
                "birth_date": date(2026, 1, 1) + timedelta(days=each % 200),
                "created_at": now,
                "updated_at": now,
            }
            for each in ids
        ],
    )
    db.execute(
        insert(SignUp),
        [
            {
                "session_id": sessions[1 + (each + more) % (SESSIONS - 1)].id,
                "child_id": each,
                "family_id": each,
                "caregiver_id": each,
                "state": "confirmed",
                "is_walk_in": False,
                "requested_at": now,
            }
            for each in ids
            for more in (0, 7)
        ],
    )


def _session(
    code: str, number: int, station_id: int, families: int, now: datetime
) -> GuidanceSession:
    starts = now + timedelta(days=3 + number)
    return GuidanceSession(
        code=code,
        title="亲子抚触",
        kind="站点指导活动",
        level="station",
        station_id=station_id,
        starts_at=starts,
        ends_at=starts + timedelta(hours=1),
        places=families * 2,
        places_taken=0,
        min_months=0,
        max_months=36,
        confirm_mode="auto",
        opens_at=now - timedelta(days=1),
        closes_at=starts,
        cancel_until=starts,
        waiting_list="no",
        state="published",
        calendar_sequence=0,
        created_at=now,
        updated_at=now,
    )
