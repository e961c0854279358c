"""Visitors, births and home visits of the demo data: one arranged, one asked for, one overdue."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Staff
from app.services import (
    home_contacts,
    home_visits,
    registration,
    visit_decisions,
    visit_diaries,
    visit_dues,
)
from app.services.audit import OPERATOR, SYSTEM
from app.services.home_visits import Wish
from app.services.visit_dues import BirthReport
from app.services.visitor_files import import_visitors

ARRANGED, ASKED, OVERDUE = "demo-family-7", "demo-family-8", "demo-family-9"


def load_visits(db: Session, visitors_file: bytes, now: datetime) -> int:
    """Take the visitors and let two of the newborn families ask; how many visitors there are."""
    taken = import_visitors(db, visitors_file, actor=OPERATOR, now=now)
    teacher = db.scalars(select(Staff).where(Staff.username == "chengqiao")).one()
    today = now.astimezone(SHANGHAI).date()
    for openid in (ARRANGED, ASKED, OVERDUE):
        caregiver = registration.find_caregiver(db, openid)
        if caregiver is None or caregiver.family is None:
            continue
        db.refresh(caregiver.family, ["children"])
        child = caregiver.family.children[0]
        assert child.birth_date is not None, "a newborn"
        report = BirthReport(discharged=child.birth_date + timedelta(days=3), weight_grams=2450)
        if openid != OVERDUE:
            visit_dues.report_birth(db, child=child, report=report, actor=SYSTEM, now=now)
            home_contacts.set_contact(
                db,
                family_id=caregiver.family.id,
                address="样例路18号301室",
                phone="021-5555-0300",
                actor=SYSTEM,
                now=now,
            )
            offers = visit_diaries.offers(db, caregiver.family.township_id, now, first=today)
            wish = Wish(offers[0].day, offers[0].half) if offers else Wish(today)
            visit = home_visits.request(db, caregiver=caregiver, wish=wish, now=now)
            if openid == ARRANGED and visit.starts_at is not None:
                visit_decisions.confirm(db, visit_id=visit.id, staff=teacher, now=now)
    return taken.added
