"""Families, sessions and attendances for the coverage report, each made in one line."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Caregiver, Child, Family, GuidanceSession, SignUp, Station, Township


@dataclass
class World:
    """Families and sessions, each in one line."""

    db: Session
    made: int = 0

    def station(self, code: str, township: str) -> Station:
        found = self.db.scalars(select(Township).where(Township.name == township)).one()
        station = Station(
            code=code,
            name=f"{township}早教指导站",
            kind="guidance_station",
            township=found,
            address="示范路1号",
            phone="021-55550100",
        )
        self.db.add(station)
        self.db.flush()
        return station

    def family(
        self,
        station: Station,
        *born: date,
        need: bool | None = True,
        since: datetime = datetime(2025, 1, 1, tzinfo=SHANGHAI),
        belongs: bool = True,
    ) -> Family:
        self.made += 1
        family = Family(
            township_id=station.township_id,
            station_id=station.id if belongs else None,
            need=need,
            need_answered_at=None if need is None else since,
            created_at=since,
        )
        self.db.add(family)
        self.db.flush()
        self.db.add(
            Caregiver(
                openid=f"o-{self.made}", family_id=family.id, is_following=True, created_at=since
            )
        )
        self.db.add_all(
            Child(
                family_id=family.id,
                nickname=f"宝{number}",
                birth_date=day,
                created_at=since,
                updated_at=since,
            )
            for number, day in enumerate(born)
        )
        self.db.flush()
        return family

    def session(
        self, station: Station, starts_at: datetime, *, places: int = 20, state: str = "published"
    ) -> GuidanceSession:
        self.made += 1
        session = GuidanceSession(
            code=f"S-{self.made}",
            title="亲子抚触",
            kind="站点指导活动",
            level="station",
            station_id=station.id,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            places=places,
            places_taken=0,
            min_months=0,
            max_months=36,
            confirm_mode="auto",
            opens_at=starts_at - timedelta(days=60),
            closes_at=starts_at - timedelta(hours=2),
            cancel_until=starts_at - timedelta(hours=24),
            waiting_list="no",
            state=state,
            created_at=starts_at - timedelta(days=60),
            updated_at=starts_at - timedelta(days=60),
        )
        self.db.add(session)
        self.db.flush()
        return session

    def sign_up(
        self, family: Family, session: GuidanceSession, state: str = "attended", child: int = 0
    ) -> None:
        children = self.db.scalars(
            select(Child).where(Child.family_id == family.id).order_by(Child.id)
        ).all()
        caregiver = self.db.scalars(select(Caregiver).where(Caregiver.family_id == family.id)).one()
        self.db.add(
            SignUp(
                session_id=session.id,
                child_id=children[child].id,
                family_id=family.id,
                caregiver_id=caregiver.id,
                state=state,
                requested_at=session.opens_at,
            )
        )
        if state in ("requested", "confirmed", "offered", "attended", "no_show"):
            session.places_taken += 1
        self.db.flush()

    def attends(self, family: Family, station: Station, times: int, year: int = 2026) -> None:
        for number in range(times):
            at = datetime(year, 3, 1, 9, tzinfo=SHANGHAI) + timedelta(days=14 * number)
            self.sign_up(family, self.session(station, at))
