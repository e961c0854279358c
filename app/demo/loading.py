"""Loads the made-up stations, sessions, staff and families of content/demo."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.db import Database
from app.demo import DEMO_LOGINS
from app.demo.learning import enrol_learners
from app.demo.visits import load_visits
from app.models import Caregiver, Child, Entitlement, Family, Station
from app.services import registration
from app.services.attendance import attend
from app.services.audit import OPERATOR, SYSTEM
from app.services.imports import import_stations
from app.services.publishing import SessionRow, put_session
from app.services.sessions import (
    DEFAULT_HOME_VISITS_A_YEAR,
    DEFAULT_SESSIONS_A_YEAR,
    sign_up,
)
from app.services.staff import Role, add_staff
from app.words.registration import CONSENT_PURPOSE, CONSENT_VERSION
from content.library import load_library

FOLDER = Path(__file__).resolve().parents[2] / "content" / "demo"
FIRST_ENTITLED_YEAR = 2026
STATION_OF_WORKER = {"chengqiao": "CQ", "baozhen": "BZ"}
VISITORS = frozenset({"v01"})
"""The other demo log-ins look after the whole district."""


@dataclass(frozen=True, slots=True)
class Loaded:
    stations: int
    sessions: int
    families: int


def load(database: Database, now: datetime) -> Loaded | None:
    """Load everything in one transaction; None where there are stations or families already.

    Sessions lie around `now`: some weeks back, and up to six weeks ahead.
    """
    with database.transaction() as db:
        if db.scalars(select(Station.id).limit(1)).first() is not None:
            return None
        if db.scalars(select(Family.id).limit(1)).first() is not None:
            return None
        _entitle(db, now)
        content = (FOLDER / "stations.csv").read_bytes()
        stations = import_stations(db, content, actor=OPERATOR, now=now)
        rows = [_session_row(cells, now) for cells in _read("sessions.csv")]
        for row in rows:
            put_session(db, row, actor=OPERATOR, now=now)
        _add_staff(db, now)
        families = _register_families(db, now)
        load_visits(db, (FOLDER / "visitors.csv").read_bytes(), now)
        enrol_learners(db, load_library().course, FOLDER / "learners.csv", now)
        return Loaded(stations.added, len(rows), families)


def _read(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _entitle(db: Session, now: datetime) -> None:
    for year in range(FIRST_ENTITLED_YEAR, now.astimezone(SHANGHAI).year + 2):
        if db.get(Entitlement, year) is None:
            db.add(
                Entitlement(
                    year=year,
                    sessions=DEFAULT_SESSIONS_A_YEAR,
                    home_visits=DEFAULT_HOME_VISITS_A_YEAR,
                )
            )


def _session_row(cells: dict[str, str], now: datetime) -> SessionRow:
    """A session of the file, its week counted from the coming Monday."""
    starts_at = _starts_at(cells, now)
    return SessionRow(
        code=cells["code"],
        title=cells["title"],
        kind=cells["kind"],
        level=cells["level"],
        station_code=cells["station"],
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=int(cells["minutes"])),
        places=int(cells["places"]),
        min_months=int(cells["min_months"]),
        max_months=int(cells["max_months"]),
        confirm_mode=cells["confirm_mode"],
        opens_at=starts_at - timedelta(days=int(cells["opens_days_before"])),
        closes_at=starts_at - timedelta(hours=int(cells["closes_hours_before"])),
        cancel_until=starts_at - timedelta(hours=int(cells["cancel_hours_before"])),
        waiting_list=cells["waiting_list"],
    )


def _starts_at(cells: dict[str, str], now: datetime) -> datetime:
    today = now.astimezone(SHANGHAI).date()
    monday = today + timedelta(days=7 - today.weekday())
    day = monday + timedelta(weeks=int(cells["week"]), days=int(cells["weekday"]) - 1)
    return datetime.combine(day, time.fromisoformat(cells["start"]), SHANGHAI)


def _add_staff(db: Session, now: datetime) -> None:
    for login in DEMO_LOGINS:
        station = STATION_OF_WORKER.get(login.username)
        add_staff(
            db,
            username=login.username,
            password=login.password,
            role=_role_of(login.username),
            station_code=station,
            township_name=None,
            now=now,
            actor=OPERATOR,
        )


def _role_of(username: str) -> Role:
    if username in VISITORS:
        return Role.VISITOR
    return Role.WORKER if username in STATION_OF_WORKER else Role.DISTRICT


def _register_families(db: Session, now: datetime) -> int:
    """Every child of the file with its sign-ups and attendances; how many families those are."""
    openids: set[str] = set()
    for cells in _read("children.csv"):
        openids.add(cells["caregiver"])
        caregiver = registration.find_caregiver(db, cells["caregiver"])
        if caregiver is None:
            caregiver = registration.follow(db, cells["caregiver"], now)
            caregiver.relation = cells["relation"]
        child = _register(db, caregiver, cells, now)
        if cells["need"]:
            db.expire(caregiver)
            registration.set_need(db, caregiver=caregiver, need=cells["need"] == "yes", now=now)
        for code in cells["attended"].split():
            attend(db, session_code=code, caregiver=caregiver, child=child, actor=SYSTEM, now=now)
        for code in cells["requests"].split():
            sign_up(db, caregiver=caregiver, child=child, code=code, now=now)
    return len(openids)


def _register(db: Session, caregiver: Caregiver, cells: dict[str, str], now: datetime) -> Child:
    day = _day(cells, now)
    is_born = int(cells["days_old"]) >= 0
    draft = registration.ChildDraft(
        nickname=cells["nickname"],
        birth_date=day if is_born else None,
        due_date=None if is_born else day,
        sex=cells["sex"] or None,
        gestation_weeks=int(cells["gestation_weeks"]) if cells["gestation_weeks"] else None,
        township=cells["township"],
    )
    consent = registration.ConsentGiven(
        purpose=CONSENT_PURPOSE, version=CONSENT_VERSION, evidence="demo data: nobody consented"
    )
    return registration.register_child(
        db, caregiver=caregiver, draft=draft, consent=consent, now=now
    )


def _day(cells: dict[str, str], now: datetime) -> date:
    return now.astimezone(SHANGHAI).date() - timedelta(days=int(cells["days_old"]))
