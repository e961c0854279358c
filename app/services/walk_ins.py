"""A family that nobody has registered stands at the door: taken in there, and checked in.

Staff enter what the sign-in sheet says. The family is one like any other, without WeChat so
far: with the invitation's code its people join it later, and this attendance is theirs.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Caregiver, Child, GuidanceSession, SignUp
from app.rules.sign_up import SignUpState
from app.services import attendance, audit, check_in, publishing, registration
from app.services.audit import Actor
from app.services.check_in import CheckedIn
from app.services.families import matching
from app.services.family_files import digits_of
from app.services.registration import ChildDraft, ConsentGiven
from app.services.seats import lock_session
from app.services.staff import StaffScope


@dataclass(frozen=True, slots=True)
class NewFamily:
    """What a family at the door tells."""

    nickname: str
    born_in: date
    """The first day of the child's month of birth: the sheet asks for no day."""
    phone: str
    need: bool
    """Whether the family wants guidance."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    done: CheckedIn
    invitation: str
    """The code by which the family's people join from WeChat."""


def take_in(
    db: Session,
    scope: StaffScope,
    code: str,
    new: NewFamily,
    consent: ConsentGiven,
    *,
    now: datetime,
) -> TakenIn | CheckedIn:
    """Register the family at the session's station and check its child in.

    A child that is registered with this telephone already, wherever that was, is checked in and
    not registered again: CheckedIn says so, also where the form was sent twice.
    Raises as check_in.get_roster and registration.check_child.
    """
    check_in.get_roster(db, scope, code, now)
    session = publishing.find_session(db, code)
    assert session is not None, "its roster was just read"
    # Locked first, so that two taps at once come one after the other.
    lock_session(db, session.id)
    known = _find_known(db, new)
    if known is not None:
        return _come_again(db, scope, session, known, now)
    caregiver = Caregiver(
        openid=None,
        is_following=False,
        pushes="on",
        scanned_station=session.station,
        created_at=now,
    )
    db.add(caregiver)
    db.flush()
    child = registration.register_child(
        db,
        caregiver=caregiver,
        draft=_draft(new, session),
        consent=consent,
        now=now,
    )
    family = registration.get_family(caregiver)
    family.phone = new.phone
    family.station = session.station
    registration.set_need(db, caregiver=caregiver, need=new.need, now=now)
    actor = Actor("staff", scope.staff_id)
    audit.record(
        db,
        actor=actor,
        action="register_at_the_door",
        subject_type="family",
        subject_id=family.id,
        now=now,
        after=session.code,
    )
    attendance.attend(db, session_code=code, caregiver=caregiver, child=child, actor=actor, now=now)
    invitation = registration.invite(db, caregiver=caregiver, now=now)
    return TakenIn(CheckedIn(child.nickname, True, now, None), invitation.code)


def _draft(new: NewFamily, session: GuidanceSession) -> ChildDraft:
    return ChildDraft(
        nickname=new.nickname,
        birth_date=new.born_in,
        due_date=None,
        sex=None,
        gestation_weeks=None,
        township=session.station.township.name,
    )


def _find_known(db: Session, new: NewFamily) -> Child | None:
    """The child of this nickname in a family of this telephone, whose people are there."""
    children = db.scalars(
        select(Child)
        .join(Child.family)
        .where(matching(new.phone), Child.erased_at.is_(None), Child.lost_at.is_(None))
        .order_by(Child.id)
    )
    for child in children:
        is_theirs = digits_of(child.family.phone or "") == digits_of(new.phone)
        if is_theirs and child.nickname == new.nickname and child.family.caregivers:
            return child
    return None


def _come_again(
    db: Session, scope: StaffScope, session: GuidanceSession, child: Child, now: datetime
) -> CheckedIn:
    is_here = db.scalars(
        select(SignUp.id).where(
            SignUp.session_id == session.id,
            SignUp.child_id == child.id,
            SignUp.state == SignUpState.ATTENDED,
        )
    ).first()
    if is_here is not None:
        return CheckedIn(child.nickname, was_done=False, at=None, by=None)
    attendance.attend(
        db,
        session_code=session.code,
        caregiver=child.family.caregivers[0],
        child=child,
        actor=Actor("staff", scope.staff_id),
        now=now,
    )
    return CheckedIn(child.nickname, was_done=True, at=now, by=None)
