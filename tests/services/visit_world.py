"""A township with visitors, a teacher and newborn families, for the services' tests."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Caregiver, Child, Consent, Family, Staff, Township
from app.services import visit_dues
from tests.visiting import add_staff, add_station, add_visitors, visitor_line


@dataclass
class Town:
    teacher: Staff
    family_ids: list[int]

    def mother(self, db: Session, number: int = 0) -> Caregiver:
        wanted = Caregiver.family_id == self.family_ids[number]
        return db.scalars(select(Caregiver).where(wanted)).one()

    def family(self, db: Session, number: int = 0) -> Family:
        return db.scalars(select(Family).where(Family.id == self.family_ids[number])).one()

    def child(self, db: Session, number: int = 0) -> Child:
        wanted = Child.family_id == self.family_ids[number]
        return db.scalars(select(Child).where(wanted).order_by(Child.id)).first() or _none()


def _none() -> Child:
    raise AssertionError("this family has no child")


def add_family(
    db: Session, now: datetime, born: date | None, *, openid: str, township: str = "城桥镇"
) -> Family:
    """A family of the station CQ with a mother who follows, a child, and what it is owed."""
    place = db.scalars(select(Township).where(Township.name == township)).one()
    teacher = db.scalars(select(Staff).where(Staff.username == "wang")).one()
    family = Family(township_id=place.id, station_id=teacher.station_id, need=True, created_at=now)
    db.add(family)
    db.flush()
    mother = Caregiver(
        openid=openid, family_id=family.id, is_following=True, pushes="on", created_at=now
    )
    child = Child(
        family_id=family.id,
        nickname="糖糖",
        birth_date=born,
        due_date=None if born else now.date(),
        created_at=now,
        updated_at=now,
    )
    db.add_all([mother, child])
    db.flush()
    db.add(
        Consent(
            caregiver_id=mother.id,
            child_id=child.id,
            purpose="child_data",
            version="1",
            given_at=now,
            evidence="同意",
        )
    )
    visit_dues.plan_child(db, child, now)
    return family


def settle(db: Session, now: datetime, *, families: int = 1, visitors: int = 1) -> Town:
    """A station, its teacher wang, visitors V1 …, and families with newborns of four days."""
    add_station(db)
    teacher = add_staff(db, "wang", now)
    add_visitors(
        db,
        now,
        *(visitor_line(f"V{n}", phone=f"1380000000{n % 10}") for n in range(1, visitors + 1)),
    )
    born = (now - timedelta(days=4)).date()
    made = [add_family(db, now, born, openid=f"o-{number}") for number in range(families)]
    return Town(teacher, [family.id for family in made])
