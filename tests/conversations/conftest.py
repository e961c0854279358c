"""People who talk to the service: through turns, database and Redis, without HTTP."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.clock import SHANGHAI
from app.config import Settings
from app.dialogue.message import Inbound, Kind, Reply, Window
from app.models import Station, Township
from app.services.audit import OPERATOR
from app.services.publishing import SessionRow, put_session
from app.wiring import Services, make_services
from handlers import HANDLERS


@dataclass
class Clock:
    """The time of a conversation; it moves only when a test says so."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def moves(self, **step: float) -> None:
        self.at += timedelta(**step)


@dataclass
class Person:
    """Somebody with a phone."""

    openid: str
    services: Services
    clock: Clock
    sent: int = 0
    heard: list[str] = field(default_factory=list)

    def says(self, text: str) -> str:
        """The words that come back."""
        return self.sends(Kind.TEXT, text=text, window=Window.WRITE)

    def taps(self, key: str) -> str:
        return self.sends(Kind.CLICK, event_key=key, window=Window.TAP)

    def follows(self, scene: str = "") -> str:
        return self.sends(Kind.SUBSCRIBE, event_key=scene, window=Window.TAP)

    def sends(
        self,
        kind: Kind,
        text: str = "",
        event_key: str = "",
        window: Window | None = None,
        key: str | None = None,
    ) -> str:
        self.sent += 1
        inbound = Inbound(
            key=key or hashlib.sha256(f"{self.openid} {self.sent}".encode()).hexdigest(),
            openid=self.openid,
            kind=kind,
            received_at=self.clock(),
            text=text,
            event_key=event_key,
            window=window,
        )
        reply = self.services.turns.handle(inbound) or Reply()
        assert len(reply.text.encode()) <= 2000, "longer than the platform takes"
        self.heard.append(reply.text)
        return reply.text


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def services(settings: Settings, clock: Clock) -> Iterator[Services]:
    services = make_services(settings, HANDLERS, clock=clock)
    yield services
    services.turns.close()
    services.redis.close()


@pytest.fixture
def person(services: Services, clock: Clock) -> Callable[[str], Person]:
    """A new person by openid."""
    return lambda openid: Person(openid, services, clock)


@pytest.fixture
def mother(person: Callable[[str], Person]) -> Person:
    return person("o-mother")


@pytest.fixture
def grandmother(person: Callable[[str], Person]) -> Person:
    return person("o-grandmother")


@pytest.fixture
def registered(mother: Person) -> Person:
    """A mother of 糖糖, born 2026-05-01: six months old."""
    mother.follows()
    mother.says("登记 糖糖 2026-05-01 女 城桥镇")
    assert "登记成功" in mother.says("同意")
    mother.says("需要")
    return mother


@dataclass
class Publisher:
    """Puts sessions into the timetable of a test."""

    services: Services
    clock: Clock

    def __call__(
        self,
        code: str,
        *,
        days: float = 7,
        places: int = 20,
        months: tuple[int, int] = (0, 36),
        confirm: str = "auto",
        opens_days: float = -30,
        cancel_hours: float = 24,
        title: str = "亲子抚触",
        station: str = "CQ",
        waiting_list: str = "no",
    ) -> None:
        starts = self.clock() + timedelta(days=days)
        row = SessionRow(
            code=code,
            title=title,
            kind="站点指导活动",
            level="station",
            station_code=station,
            starts_at=starts,
            ends_at=starts + timedelta(hours=1),
            places=places,
            min_months=months[0],
            max_months=months[1],
            confirm_mode=confirm,
            opens_at=self.clock() + timedelta(days=opens_days),
            closes_at=starts - timedelta(hours=1),
            cancel_until=starts - timedelta(hours=cancel_hours),
            waiting_list=waiting_list,
        )
        with self.services.database.transaction() as db:
            put_session(db, row, actor=OPERATOR, now=self.clock())


@pytest.fixture
def publish(services: Services, clock: Clock, station: str) -> Publisher:
    assert station
    return Publisher(services, clock)


@pytest.fixture
def station(services: Services) -> str:
    """The code of a guidance station in 城桥镇."""
    with services.database.transaction() as db:
        township = db.execute(select(Township).where(Township.name == "城桥镇")).scalar_one()
        db.add(
            Station(
                code="CQ",
                name="城桥早教指导站",
                kind="guidance_station",
                township_id=township.id,
                address="城桥镇南门路1号",
                phone="021-55550101",
                is_active=True,
            )
        )
    return "CQ"


@pytest.fixture
def spring(clock: Clock) -> None:
    """A Monday morning in March: most of the year is still ahead."""
    clock.at = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def mum(mother: Person, spring: None) -> Person:
    """A mother of 糖糖, born 2025-09-01: six months old in spring."""
    mother.follows()
    mother.says("登记 糖糖 2025-09-01 女 城桥镇")
    assert "登记成功" in mother.says("同意")
    mother.says("需要")
    return mother


@pytest.fixture
def year(publish: Publisher, spring: None) -> None:
    """A session every three weeks from spring on, twelve in all."""
    for number in range(1, 13):
        publish(f"CQ-{number}", days=21 * number)
