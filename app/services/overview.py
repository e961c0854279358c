"""What is stored about one family, as operators read it.

The field names are those of the published JSON: scripts hold on to them.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.models import (
    Caregiver,
    Certificate,
    Child,
    Consent,
    GuidanceSession,
    HelpThread,
    Learner,
    Measurement,
    SignUp,
)
from app.rules.age import age_months
from app.services import log_ins, subscriptions
from app.services.log_ins import LoggedIn
from app.services.pack_ledger import PushRow, pushes_of
from app.services.registration import find_caregiver
from app.services.sessions import YearCount, year_count
from app.services.visit_overview import FamilyVisit, OwedVisit, family_visits, owed_visits


@dataclass(frozen=True, slots=True)
class CaregiverRow:
    openid: str | None
    relation: str | None
    is_following: bool
    pushes: str
    followed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChildRow:
    id: int
    nickname: str
    birth_date: date | None
    due_date: date | None
    sex: str | None
    gestation_weeks: int | None
    age_months: int | None
    """None before birth."""


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    child: str
    measured_on: date
    weight_grams: int | None
    length_millimetres: int | None
    head_millimetres: int | None


@dataclass(frozen=True, slots=True)
class ConsentRow:
    child: str | None
    caregiver: str | None
    """The openid of who consented."""
    purpose: str
    version: str
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """What a caregiver allowed of one subscription template of the platform."""

    openid: str
    template: str
    sends_left: int
    lasting: bool
    refused_at: datetime | None
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class FamilySignUp:
    session: str
    title: str
    station: str
    starts_at: datetime
    ends_at: datetime
    child: str
    state: str
    reason: str | None
    signed_up_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class CourseProgress:
    module: int | None
    lessons_passed: int
    completed: bool
    certificate: str | None


NO_COURSE = CourseProgress(module=None, lessons_passed=0, completed=False, certificate=None)


@dataclass(frozen=True, slots=True)
class LearnerRow:
    """One learner of the family, whoever asks."""

    id: int
    openid: str | None
    relation: str | None
    module: int
    lessons_passed: int
    completed: bool
    certificate: str | None
    revoked: bool
    enrolled_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A conversation with a person; its words stand in the console alone."""

    id: int
    openid: str | None
    kind: str
    """person or complaint."""
    state: str
    """waiting, answered or closed."""
    opened_at: datetime
    answered_at: datetime | None
    escalated_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class FamilyOverview:
    family: int | None
    """None where the caregiver has registered no child yet."""
    township: str | None
    station: str | None
    need: bool | None
    caregivers: tuple[CaregiverRow, ...]
    children: tuple[ChildRow, ...]
    consents: tuple[ConsentRow, ...]
    year: YearCount
    signups: tuple[FamilySignUp, ...]
    pushes: tuple[PushRow, ...]
    visits: tuple[FamilyVisit, ...]
    visits_owed: tuple[OwedVisit, ...]
    course: CourseProgress
    """Of the caregiver who was asked for; learners are all of the family's."""
    learners: tuple[LearnerRow, ...]
    measurements: tuple[MeasurementRow, ...]
    threads: tuple[ThreadRow, ...]
    subscriptions: tuple[SubscriptionRow, ...]
    log_ins: tuple[LoggedIn, ...]
    """Where the caregivers of the family are logged in to app and pages."""


def find_family(db: Session, openid: str, now: datetime) -> FamilyOverview | None:
    """All that is kept of this caregiver's family; None where nobody has this openid."""
    caregiver = find_caregiver(db, openid)
    if caregiver is None:
        return None
    family = caregiver.family
    learners = _learners(db, family.id) if family else ()
    return FamilyOverview(
        family=family.id if family else None,
        township=family.township.name if family else None,
        station=family.station.code if family and family.station else None,
        need=family.need if family else None,
        caregivers=tuple(
            CaregiverRow(
                openid=one.openid,
                relation=one.relation,
                is_following=one.is_following,
                pushes=one.pushes,
                followed_at=one.followed_at,
            )
            for one in (family.caregivers if family else [caregiver])
        ),
        children=tuple(_child_row(child, now) for child in (family.children if family else [])),
        consents=_consents(db, caregiver),
        # No family has the number 0: without one the count is of nothing.
        year=year_count(db, family.id if family else 0, now),
        signups=_sign_ups(db, family.id) if family else (),
        pushes=pushes_of(db, family.id) if family else (),
        visits=family_visits(db, family.id) if family else (),
        visits_owed=tuple(owed_visits(db, family.id)) if family else (),
        course=next((_as_progress(one) for one in learners if one.openid == openid), NO_COURSE),
        learners=learners,
        measurements=_measurements(db, family.id) if family else (),
        threads=_threads(db, caregiver),
        subscriptions=_subscriptions(db, caregiver),
        log_ins=tuple(log_ins.of_caregivers(db, _of_whom(caregiver), now)),
    )


def _of_whom(caregiver: Caregiver) -> ColumnElement[bool]:
    """The caregivers of the family; the one alone who belongs to none."""
    if caregiver.family_id is None:
        return Caregiver.id == caregiver.id
    return Caregiver.family_id == caregiver.family_id


def _subscriptions(db: Session, caregiver: Caregiver) -> tuple[SubscriptionRow, ...]:
    return tuple(
        SubscriptionRow(
            openid=one.openid,
            template=one.template_id,
            sends_left=one.held.sends_left,
            lasting=one.held.is_lasting,
            refused_at=one.held.refused_at,
            asked_at=one.held.asked_at,
        )
        for one in subscriptions.of_caregivers(db, _of_whom(caregiver))
    )


def _threads(db: Session, caregiver: Caregiver) -> tuple[ThreadRow, ...]:
    """Of the whole family; who belongs to none may have asked for a person, too."""
    ids = [one.id for one in caregiver.family.caregivers] if caregiver.family else [caregiver.id]
    rows = db.execute(
        select(HelpThread, Caregiver.openid)
        .join(Caregiver, Caregiver.id == HelpThread.caregiver_id)
        .where(HelpThread.caregiver_id.in_(ids))
        .order_by(HelpThread.id)
    )
    return tuple(
        ThreadRow(
            id=one.id,
            openid=openid,
            kind=one.kind,
            state="closed" if one.closed_at else "waiting" if one.waiting_since else "answered",
            opened_at=one.opened_at,
            answered_at=one.answered_at,
            escalated_at=one.escalated_at,
            closed_at=one.closed_at,
        )
        for one, openid in rows
    )


def _measurements(db: Session, family_id: int) -> tuple[MeasurementRow, ...]:
    rows = db.execute(
        select(Measurement, Child)
        .join(Child, Child.id == Measurement.child_id)
        .where(Child.family_id == family_id)
        .order_by(Child.id, Measurement.measured_on)
    )
    return tuple(
        MeasurementRow(
            child=child.nickname,
            measured_on=one.measured_on,
            weight_grams=one.weight_grams,
            length_millimetres=one.length_millimetres,
            head_millimetres=one.head_millimetres,
        )
        for one, child in rows
    )


def _learners(db: Session, family_id: int) -> tuple[LearnerRow, ...]:
    """The family's learners, each with the latest certificate."""
    rows = db.execute(
        select(Learner, Caregiver.openid, Certificate)
        .outerjoin(Caregiver, Caregiver.id == Learner.caregiver_id)
        .outerjoin(Certificate, Certificate.learner_id == Learner.id)
        .where(Learner.family_id == family_id)
        .order_by(Learner.id, Certificate.id)
    )
    latest = {learner.id: (learner, openid, found) for learner, openid, found in rows}
    return tuple(
        LearnerRow(
            id=learner.id,
            openid=openid,
            relation=learner.relation,
            module=learner.module,
            lessons_passed=learner.lessons_passed,
            completed=learner.completed_at is not None,
            certificate=found.code if found else None,
            revoked=found is not None and found.revoked_at is not None,
            enrolled_at=learner.enrolled_at,
            left_at=learner.left_at,
        )
        for learner, openid, found in latest.values()
    )


def _as_progress(learner: LearnerRow) -> CourseProgress:
    return CourseProgress(
        module=learner.module,
        lessons_passed=learner.lessons_passed,
        completed=learner.completed,
        certificate=None if learner.revoked else learner.certificate,
    )


def _child_row(child: Child, now: datetime) -> ChildRow:
    born, today = child.birth_date, now.astimezone(SHANGHAI).date()
    return ChildRow(
        id=child.id,
        nickname=child.nickname,
        birth_date=born,
        due_date=child.due_date,
        sex=child.sex,
        gestation_weeks=child.gestation_weeks,
        age_months=None if born is None or born > today else age_months(born, today),
    )


def _consents(db: Session, caregiver: Caregiver) -> tuple[ConsentRow, ...]:
    """Those of everybody in the family, or of the caregiver alone."""
    statement = (
        select(Consent, Child, Caregiver.openid)
        .join(Caregiver, Caregiver.id == Consent.caregiver_id)
        .outerjoin(Child, Child.id == Consent.child_id)
        .order_by(Consent.given_at, Consent.id)
    )
    if caregiver.family_id is None:
        statement = statement.where(Caregiver.id == caregiver.id)
    else:
        statement = statement.where(Caregiver.family_id == caregiver.family_id)
    return tuple(
        ConsentRow(
            child=child.nickname if child else None,
            caregiver=openid,
            purpose=consent.purpose,
            version=consent.version,
            given_at=consent.given_at,
            withdrawn_at=consent.withdrawn_at,
        )
        for consent, child, openid in db.execute(statement)
    )


def _sign_ups(db: Session, family_id: int) -> tuple[FamilySignUp, ...]:
    rows = db.execute(
        select(SignUp, Child)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .join(Child, Child.id == SignUp.child_id)
        .options(contains_eager(SignUp.session).contains_eager(GuidanceSession.station))
        .where(SignUp.family_id == family_id)
        .order_by(GuidanceSession.starts_at, SignUp.id)
    )
    return tuple(
        FamilySignUp(
            session=found.session.code,
            title=found.session.title,
            station=found.session.station.code,
            starts_at=found.session.starts_at,
            ends_at=found.session.ends_at,
            child=child.nickname,
            state=found.state,
            reason=found.reason,
            signed_up_at=found.requested_at,
            decided_at=found.decided_at,
        )
        for found, child in rows
    )
