"""Stations, families, sign-ups and staff to put on a desk, each made in one line."""

from datetime import date, datetime, timedelta
from functools import cache
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    Caregiver,
    Certificate,
    Child,
    Family,
    FollowUp,
    GuidanceSession,
    HelpThread,
    HomeVisit,
    Learner,
    Notice,
    Referral,
    SignUp,
    Staff,
    Station,
    Township,
    VisitorLeave,
)
from app.models.notice_facts import SignUpConfirmed, dump_facts
from app.rules.identity import Device
from app.services import canned_answers, coverage_snapshots, file_imports, log_ins, visit_dues
from app.services.imports import Imported
from app.services.staff import HASHER, scope_of
from app.services.threads import open_thread
from tests.visiting import add_visitors, get_visitor, visitor_line

PASSWORD = "rice and congee"
_numbers = count(1)


def make_station(db: Session, code: str, *, township: str = "城桥镇") -> Station:
    station = Station(
        code=code,
        name=f"{township}早教指导站",
        kind="guidance_station",
        township=_get_township(db, township),
        address="示范路1号",
        phone="021-55550100",
    )
    db.add(station)
    db.flush()
    return station


@cache
def _password_hash() -> str:
    return HASHER.hash(PASSWORD)


def make_staff(
    db: Session,
    username: str,
    now: datetime,
    *,
    role: str = "worker",
    station: Station | None = None,
    township: str | None = None,
) -> Staff:
    """An account whose password is PASSWORD, hashed once for all: hashing is slow on purpose."""
    staff = Staff(
        username=username,
        password_hash=_password_hash(),
        role=role,
        station=station,
        township=_get_township(db, township) if township else None,
        is_active=True,
        failed_logins=0,
        login_epoch=0,
        created_at=now,
    )
    db.add(staff)
    db.flush()
    return staff


def _get_township(db: Session, name: str) -> Township:
    return db.scalars(select(Township).where(Township.name == name)).one()


def make_session(
    db: Session,
    station: Station,
    code: str,
    starts_at: datetime,
    *,
    places: int = 10,
    places_taken: int = 0,
    title: str = "亲子阅读分享会",
    state: str = "published",
) -> GuidanceSession:
    session = GuidanceSession(
        code=code,
        title=title,
        kind="亲子阅读分享会",
        level="station",
        station=station,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=90),
        places=places,
        places_taken=places_taken,
        min_months=0,
        max_months=35,
        confirm_mode="staff",
        opens_at=starts_at - timedelta(days=30),
        closes_at=starts_at - timedelta(hours=2),
        cancel_until=starts_at - timedelta(hours=4),
        waiting_list="no",
        state=state,
        created_at=starts_at - timedelta(days=30),
        updated_at=starts_at - timedelta(days=30),
    )
    db.add(session)
    db.flush()
    return session


def make_child(
    db: Session,
    nickname: str,
    now: datetime,
    *,
    station: Station | None = None,
    born: date | None = date(2026, 5, 1),
) -> Child:
    """A child in a family of its own, with a mother who follows the account."""
    family = Family(township=_get_township(db, "城桥镇"), station=station, created_at=now)
    db.add(family)
    db.flush()
    db.add(
        Caregiver(
            openid=f"openid-{next(_numbers)}",
            family_id=family.id,
            relation="mother",
            is_following=True,
            pushes="on",
            created_at=now,
        )
    )
    child = Child(
        family_id=family.id, nickname=nickname, birth_date=born, created_at=now, updated_at=now
    )
    db.add(child)
    db.flush()
    return child


def make_sign_up(
    db: Session,
    session: GuidanceSession,
    child: Child,
    now: datetime,
    *,
    state: str = "requested",
    decided_by: Staff | None = None,
    reason: str | None = None,
) -> SignUp:
    """A sign-up of the child's mother; where it holds a seat, the session counts it."""
    sign_up = SignUp(
        session_id=session.id,
        child_id=child.id,
        family_id=child.family_id,
        caregiver_id=mother_of(db, child).id,
        state=state,
        reason=reason,
        requested_at=now,
        decided_at=now if decided_by else None,
        decided_by=decided_by.id if decided_by else None,
    )
    db.add(sign_up)
    if state in ("requested", "confirmed", "attended"):
        session.places_taken += 1
    db.flush()
    return sign_up


def mother_of(db: Session, child: Child) -> Caregiver:
    return db.scalars(select(Caregiver).where(Caregiver.family_id == child.family_id)).one()


def make_follow_up(
    db: Session,
    now: datetime,
    *,
    kind: str = "human",
    child: Child | None = None,
    station: Station | None = None,
    detail: str = "想问问老师辅食怎么加",
) -> FollowUp:
    follow_up = FollowUp(
        kind=kind,
        caregiver_id=mother_of(db, child).id if child else None,
        station_id=station.id if station else None,
        detail=detail,
        created_at=now,
    )
    db.add(follow_up)
    db.flush()
    return follow_up


def make_thread(db: Session, child: Child, now: datetime, text: str) -> HelpThread:
    """The child's mother has asked for a person, with these words."""
    return open_thread(db, caregiver=mother_of(db, child), kind="person", text=text, now=now)


def make_notice(
    db: Session,
    child: Child,
    now: datetime,
    *,
    state: str = "unknown",
    subject: str = "family:1",
    reason: str | None = None,
    text: str | None = None,
) -> Notice:
    number = next(_numbers)
    facts = SignUpConfirmed(
        nickname=child.nickname,
        code="CQ-1",
        title="亲子阅读分享会",
        starts_at=now + timedelta(days=3),
        place="城桥镇早教指导站",
        address="示范路1号",
        phone="021-55550100",
    )
    notice = Notice(
        caregiver_id=mother_of(db, child).id,
        kind=facts.kind,
        subject=subject,
        dedupe_key=f"desk-world:{number}",
        facts=dump_facts(facts),
        state=state,
        reason=reason,
        text=text,
        priority=10,
        queued_at=now,
        due_at=now,
    )
    db.add(notice)
    db.flush()
    return notice


def make_graduate(db: Session, child: Child, now: datetime) -> Certificate:
    """The child's mother has completed the course; her certificate."""
    mother = child.family.caregivers[0]
    learner = Learner(
        family_id=child.family_id,
        caregiver_id=mother.id,
        relation=mother.relation,
        name="王秀英",
        enrolled_at=now,
        module=7,
        lessons_passed=0,
        moved_at=now,
        nudges=0,
        completed_at=now,
        open_answers="",
    )
    db.add(learner)
    db.flush()
    certificate = Certificate(
        learner_id=learner.id,
        course_version="2026",
        code="ABCD-EFGH-2345",
        name="王秀英",
        issued_at=now,
    )
    db.add(certificate)
    db.flush()
    return certificate


def lay_log_in(db: Session, family_id: int, now: datetime) -> int:
    """The mother's telephone, logged in to the pages; the number of that."""
    mother = db.scalars(select(Caregiver).where(Caregiver.family_id == family_id)).first()
    assert mother is not None
    return log_ins.begin(db, mother, way="pages", device=Device.IPHONE, now=now).id


def lay_visit(db: Session, family_id: int, now: datetime) -> dict[str, object]:
    """The family's newborn has a visit arranged, with one to set off, and a referral of before.

    `v1` is whose visit it is; `v9` goes about in another township.
    """
    station = db.scalars(select(Station).where(Station.code == "CQ")).one()
    elsewhere = db.scalars(select(Station).where(Station.code == "BH")).one()
    teacher = db.scalars(select(Staff).where(Staff.username == "wang")).one()
    add_visitors(
        db,
        now,
        visitor_line(),
        visitor_line("V9", name="陆老师", station="BH", townships="堡镇"),
    )
    make_staff(db, "v1", now, role="visitor", station=station)
    make_staff(db, "v9", now, role="visitor", station=elsewhere)
    visitor = get_visitor(db)
    visitor.photo, visitor.photo_type = b"\x89PNG\r\n\x1a\n", "image/png"
    child = db.scalars(select(Child).where(Child.family_id == family_id)).one()
    child.birth_date = now.date() - timedelta(days=7)
    visit_dues.plan_child(db, child, now)
    starts = (now + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    visit = HomeVisit(
        family_id=family_id,
        child_id=child.id,
        caregiver_id=mother_of(db, child).id,
        kind="guidance",
        purpose="newborn",
        state="confirmed",
        visitor_id=visitor.id,
        starts_at=starts,
        ends_at=starts + timedelta(hours=1),
        busy_until=starts + timedelta(minutes=90),
        code_word=5,
        moves=0,
        requested_at=now,
        decided_at=now,
        decided_by=teacher.id,
    )
    db.add(visit)
    db.flush()
    leave = VisitorLeave(
        visitor_id=visitor.id,
        starts_at=now + timedelta(days=20),
        ends_at=now + timedelta(days=21),
        note="",
        set_by=teacher.id,
        set_at=now,
    )
    referral = Referral(
        visit_id=visit.id,
        child_id=child.id,
        urgency="soon",
        signs="jaundice",
        referred_to="崇明医院",
        check_on=starts.date(),
        created_at=now,
    )
    db.add_all((leave, referral))
    db.flush()
    return {
        "child_id": child.id,
        "visit_id": visit.id,
        "visitor_id": visitor.id,
        "leave_id": leave.id,
        "referral_id": referral.id,
    }


def lay_district(db: Session, now: datetime) -> dict[str, object]:
    """What is the district's alone: last month's snapshot, and a file that was looked through."""
    coverage_snapshots.take(db, now)
    staff = db.scalars(select(Staff).where(Staff.username == "district")).one()
    content = b"code,name,kind,township,address,phone\n"
    counted = Imported(added=0, updated=0, unchanged=0)
    kept = file_imports.keep(
        db, "stations", "stations.csv", content, counted, staff_id=staff.id, now=now
    )
    district = scope_of(staff)
    canned_answers.keep(db, district, "请看公众号里的资料。", now)
    (answer,) = canned_answers.at_hand(db, district)
    return {"import_id": kept, "answer_id": answer.id}
