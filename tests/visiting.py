"""Visitors, newborns and visits for tests of every layer."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import HomeVisit, Staff, Station, Township, Visitor
from app.services.audit import OPERATOR
from app.services.visitor_files import import_visitors

HEAD = "code,name,phone,station,townships,weekdays,starts,ends,visit_minutes,buffer_minutes"


def visitor_line(
    code: str = "V1",
    *,
    name: str = "施老师",
    phone: str = "13800000001",
    station: str = "CQ",
    townships: str = "城桥镇",
    weekdays: str = "1 2 3 4 5",
    starts: str = "09:00",
    ends: str = "16:00",
    minutes: int = 60,
    buffer: int = 30,
) -> str:
    """One row of a visitors' file. By default two slots each morning, and three afterwards:
    9:00, 10:30, then 12:00, 13:30, 15:00."""
    cells = (code, name, phone, station, townships, weekdays, starts, ends, minutes, buffer)
    return ",".join(str(each) for each in cells)


def add_visitors(db: Session, now: datetime, *lines: str) -> None:
    content = "\n".join((HEAD, *(lines or (visitor_line(),)))).encode()
    import_visitors(db, content, actor=OPERATOR, now=now)


def add_station(db: Session, code: str = "CQ", township: str = "城桥镇") -> Station:
    station = Station(
        code=code,
        name=f"{township}早教指导站",
        kind="guidance_station",
        township=db.scalars(select(Township).where(Township.name == township)).one(),
        address="南门路1号",
        phone="021-55550101",
        is_active=True,
    )
    db.add(station)
    db.flush()
    return station


def add_staff(
    db: Session,
    username: str,
    now: datetime,
    *,
    role: str = "worker",
    station: str | None = "CQ",
    township: str | None = None,
) -> Staff:
    """An account that nobody can log in to: for services, which do not ask."""
    found = db.scalars(select(Station).where(Station.code == station)).one_or_none()
    home = db.scalars(select(Township).where(Township.name == township)).one_or_none()
    staff = Staff(
        username=username,
        password_hash="none",
        role=role,
        station_id=found.id if found else None,
        township_id=home.id if home else None,
        is_active=True,
        failed_logins=0,
        login_epoch=0,
        created_at=now,
    )
    db.add(staff)
    db.flush()
    return staff


def get_visitor(db: Session, code: str = "V1") -> Visitor:
    return db.scalars(select(Visitor).where(Visitor.code == code)).one()


def only_visit(db: Session) -> HomeVisit:
    return db.scalars(select(HomeVisit)).one()
