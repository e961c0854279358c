"""What lies on the staff's desk besides sign-ups: follow-ups, and notices gone astray.

Every query takes a StaffScope and shows nothing outside it. Lists take a limit and an
offset; ask for one row more than a page to learn whether there is a next one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError
from sqlalchemy import (
    ColumnElement,
    String,
    case,
    cast,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session, contains_eager

from app.errors import NotYours
from app.models import Caregiver, Family, FollowUp, GuidanceSession, Notice, SignUp, Staff, Station
from app.models.notice_facts import NoticeFacts, load_facts
from app.services import audit, dead_letters
from app.services.audit import Actor
from app.services.families import matching
from app.services.staff import StaffScope

NOTICE_STATES = ("queued", "sending", "waiting", "sent", "failed", "skipped", "unknown")
NOTICE_STATES_TO_LOOK_AT = ("unknown", "failed")
"""Nobody but a person can settle these."""


def record_view(
    db: Session,
    scope: StaffScope,
    *,
    page: str,
    subject_id: int | None,
    now: datetime,
    families: Collection[int] = (),
) -> None:
    """Note in the audit log that a staff member saw families on a page, and which ones."""
    audit.record(
        db,
        actor=Actor("staff", scope.staff_id),
        action="view",
        subject_type=page,
        subject_id=subject_id,
        now=now,
        families=families,
    )


@dataclass(frozen=True, slots=True)
class DeskFollowUp:
    """Something a person has to look at, or has looked at."""

    id: int
    kind: str
    detail: str
    created_at: datetime
    station: str | None
    relation: str | None
    family_id: int | None
    nicknames: tuple[str, ...]
    """The family's children; empty where no family is known."""
    done_at: datetime | None
    done_by: str | None
    """The username; None where it is open."""


@dataclass(frozen=True, slots=True)
class FollowUpQuery:
    """Which follow-ups staff look for; a part that is empty asks for nothing."""

    show: str = "open"
    """open, done or all."""
    text: str = ""
    kind: str = ""
    station: str = ""
    """A station's code."""


@dataclass(frozen=True, slots=True)
class FinishedFollowUp:
    by: str | None
    at: datetime
    was_open: bool
    """False where somebody had finished it before; `by` and `at` then tell who and when."""


@dataclass(frozen=True, slots=True)
class FollowUpCount:
    open: int
    emergencies: int


def _follow_ups_in(scope: StaffScope) -> ColumnElement[bool]:
    if scope.sees_all:
        return true()
    return FollowUp.station_id.in_(select(Station.id).where(scope.stations()))


OPEN_FOLLOW_UPS: Final = FollowUpQuery()


def list_follow_ups(
    db: Session,
    scope: StaffScope,
    *,
    limit: int = 50,
    offset: int = 0,
    query: FollowUpQuery = OPEN_FOLLOW_UPS,
) -> list[DeskFollowUp]:
    """Emergencies first, then the oldest; what is done: the latest first.

    What has no station lies with the district.
    """
    conditions = [_follow_ups_in(scope)]
    if query.show != "all":
        is_open = FollowUp.done_at.is_(None)
        conditions.append(is_open if query.show == "open" else ~is_open)
    if query.text:
        conditions.append(matching(query.text))
    if query.kind:
        conditions.append(FollowUp.kind == query.kind)
    if query.station:
        conditions.append(Station.code == query.station)
    is_emergency = case((FollowUp.kind == "emergency", 0), else_=1)
    order = (
        (is_emergency, FollowUp.created_at, FollowUp.id)
        if query.show == "open"
        else (FollowUp.id.desc(),)
    )
    rows = db.execute(
        select(FollowUp, Station.name, Staff.username)
        .outerjoin(Station, Station.id == FollowUp.station_id)
        .outerjoin(Staff, Staff.id == FollowUp.done_by)
        .outerjoin(FollowUp.caregiver)
        .outerjoin(Caregiver.family)
        .where(*conditions)
        .options(
            contains_eager(FollowUp.caregiver)
            .contains_eager(Caregiver.family)
            .selectinload(Family.children)
        )
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    return [
        DeskFollowUp(
            id=follow_up.id,
            kind=follow_up.kind,
            detail=follow_up.detail,
            created_at=follow_up.created_at,
            station=station,
            relation=follow_up.caregiver.relation if follow_up.caregiver else None,
            family_id=follow_up.caregiver.family_id if follow_up.caregiver else None,
            nicknames=_nicknames(follow_up.caregiver),
            done_at=follow_up.done_at,
            done_by=username,
        )
        for follow_up, station, username in rows
    ]


def count_follow_ups(db: Session, scope: StaffScope) -> FollowUpCount:
    """How many wait, and how many of them are emergencies."""
    emergency = case((FollowUp.kind == "emergency", 1))
    total, emergencies = db.execute(
        select(func.count(FollowUp.id), func.count(emergency)).where(
            FollowUp.done_at.is_(None), _follow_ups_in(scope)
        )
    ).one()
    return FollowUpCount(open=total, emergencies=emergencies)


def finish_follow_up(
    db: Session, scope: StaffScope, follow_up_id: int, *, now: datetime
) -> FinishedFollowUp:
    """Mark it as dealt with, or tell who did before. Raises NotYours, also for no such id."""
    finished = db.execute(
        update(FollowUp)
        .where(FollowUp.id == follow_up_id, FollowUp.done_at.is_(None), _follow_ups_in(scope))
        .values(done_at=now, done_by=scope.staff_id)
        .returning(FollowUp.kind, FollowUp.detail)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if finished is not None:
        if finished.kind in dead_letters.ABOUT_NOTICES:
            dead_letters.settle_by_task(db, finished.detail, now)
        audit.record(
            db,
            actor=Actor("staff", scope.staff_id),
            action="finish",
            subject_type="follow_up",
            subject_id=follow_up_id,
            before=finished.kind,
            now=now,
        )
    row = db.execute(
        select(FollowUp.done_at, Staff.username)
        .outerjoin(Staff, Staff.id == FollowUp.done_by)
        .where(FollowUp.id == follow_up_id, _follow_ups_in(scope))
    ).one_or_none()
    if row is None or row.done_at is None:
        raise NotYours()
    return FinishedFollowUp(by=row.username, at=row.done_at, was_open=finished is not None)


def reopen_follow_up(db: Session, scope: StaffScope, follow_up_id: int, *, now: datetime) -> None:
    """It was marked as dealt with by mistake; a second time changes nothing. Raises NotYours."""
    reopened = db.execute(
        update(FollowUp)
        .where(FollowUp.id == follow_up_id, FollowUp.done_at.is_not(None), _follow_ups_in(scope))
        .values(done_at=None, done_by=None)
        .returning(FollowUp.kind)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if reopened is not None:
        audit.record(
            db,
            actor=Actor("staff", scope.staff_id),
            action="reopen",
            subject_type="follow_up",
            subject_id=follow_up_id,
            after=reopened,
            now=now,
        )
        return
    there = select(FollowUp.id).where(FollowUp.id == follow_up_id, _follow_ups_in(scope))
    if db.scalar(there) is None:
        raise NotYours()


def _nicknames(caregiver: Caregiver | None) -> tuple[str, ...]:
    if caregiver is None or caregiver.family is None:
        return ()
    return tuple(child.nickname for child in caregiver.family.children)


@dataclass(frozen=True, slots=True)
class DeskNotice:
    id: int
    family_id: int | None
    kind: str
    relation: str | None
    nicknames: tuple[str, ...]
    facts: NoticeFacts | None
    """None where the stored ones cannot be read: such a notice has failed and says so."""
    text: str | None
    """As it was sent; None where it was not, and the facts say what it is about."""
    state: str
    reason: str | None
    channel: str | None
    queued_at: datetime
    sent_at: datetime | None


def _notices_in(scope: StaffScope) -> ColumnElement[bool]:
    """Notices to the station's own families, and about sign-ups for the station's sessions."""
    if scope.sees_all:
        return true()
    stations = select(Station.id).where(scope.stations())
    home = func.coalesce(Family.station_id, Caregiver.scanned_station_id)
    ours = select(Caregiver.id).outerjoin(Caregiver.family).where(home.in_(stations))
    # Each is read once and looked up in: asked of every notice by itself it is ten times the work.
    about_our_sessions = (
        select("sign_up:" + cast(SignUp.id, String))
        .join(SignUp.session)
        .where(GuidanceSession.station_id.in_(stations))
    )
    return or_(Notice.caregiver_id.in_(ours), Notice.subject.in_(about_our_sessions))


def list_notices(
    db: Session,
    scope: StaffScope,
    *,
    states: tuple[str, ...],
    text: str = "",
    settled: bool = True,
    limit: int = 50,
    offset: int = 0,
) -> list[DeskNotice]:
    """Notices in these states, the newest first; with those that somebody has dealt with."""
    # Which they are first, and whose they are then: on the last of a thousand pages nobody is
    # looked up who is not shown.
    page = select(Notice.id).where(
        Notice.state.in_(states),
        true() if settled else Notice.settled_at.is_(None),
        _notices_in(scope),
    )
    if text:
        page = page.join(Notice.caregiver).join(Caregiver.family).where(matching(text))
    # Their numbers grow with time: the newest are found without sorting all of a year.
    shown = page.order_by(Notice.id.desc()).limit(limit).offset(offset).subquery()
    notices = db.scalars(
        select(Notice)
        .join(shown, shown.c.id == Notice.id)
        .join(Notice.caregiver)
        .outerjoin(Caregiver.family)
        .options(
            contains_eager(Notice.caregiver)
            .contains_eager(Caregiver.family)
            .selectinload(Family.children)
        )
        .order_by(Notice.id.desc())
    )
    return [
        DeskNotice(
            id=notice.id,
            family_id=notice.caregiver.family_id,
            kind=notice.kind,
            relation=notice.caregiver.relation,
            nicknames=_nicknames(notice.caregiver),
            facts=_facts_of(notice),
            text=notice.text,
            state=notice.state,
            reason=notice.reason,
            channel=notice.channel,
            queued_at=notice.queued_at,
            sent_at=notice.sent_at,
        )
        for notice in notices
    ]


def count_notices(
    db: Session, scope: StaffScope, states: tuple[str, ...], *, settled: bool = True
) -> int:
    """How many notices are in these states; with those that somebody has dealt with."""
    return db.execute(
        select(func.count(Notice.id)).where(
            Notice.state.in_(states),
            true() if settled else Notice.settled_at.is_(None),
            _notices_in(scope),
        )
    ).scalar_one()


def _facts_of(notice: Notice) -> NoticeFacts | None:
    try:
        return load_facts(notice.facts)
    except ValidationError:
        return None
