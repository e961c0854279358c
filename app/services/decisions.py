"""Guidance sessions from the staff's side: pending requests, decisions, attendance."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.errors import NotYours, ReasonMissing, SignUpAlreadyDecided, SignUpUnknown
from app.models import Caregiver, Child, Family, GuidanceSession, SignUp, Staff, Station, Township
from app.models.notice_facts import (
    SignUpCancelledByStaff,
    SignUpConfirmed,
    SignUpDeclined,
)
from app.rules.age import age_months
from app.rules.sign_up import ACTIVE, SignUpState, can_cancel
from app.services import plan_keeping, waiting_list
from app.services.audit import Actor, record
from app.services.families import matching
from app.services.seats import (
    change_state,
    get_session,
    held_on,
    lock_session,
    release_place,
    terms_of,
)
from app.services.sign_up_notices import tell, told
from app.services.staff import scope_of


@dataclass(frozen=True, slots=True)
class PendingSignUp:
    """A request that waits for a decision, with what the teacher wants to see beside it."""

    sign_up_id: int
    nickname: str
    age_months: int | None
    """On the session's day; None where the child was not born by then."""
    sex: str | None
    code: str
    title: str
    starts_at: datetime
    station: str
    township: str
    """The family's township."""
    requested_at: datetime
    places: int
    places_taken: int
    attended_this_year: int
    """Distinct sessions that the family attended in the session's calendar year."""
    missed_this_year: int
    """Sessions of that year that it had a place in and did not come to."""
    family_id: int
    is_own: bool
    """The family belongs to the staff member's care: its page can be opened."""
    session_id: int


def in_scope(staff: Staff) -> ColumnElement[bool]:
    """Which stations' rows this staff member may see: a condition on Station."""
    return scope_of(staff).stations() if staff.is_active else false()


def _pending(staff: Staff) -> Select[SignUp, Child, Township]:
    return (
        select(SignUp, Child, Township)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .join(Child, Child.id == SignUp.child_id)
        .join(Family, Family.id == SignUp.family_id)
        .join(Township, Township.id == Family.township_id)
        .where(SignUp.state == SignUpState.REQUESTED, in_scope(staff))
    )


def count_pending(db: Session, staff: Staff) -> int:
    """How many requests wait for this staff member."""
    statement = _pending(staff).with_only_columns(func.count(SignUp.id))
    return db.execute(statement).scalar_one()


@dataclass(frozen=True, slots=True)
class PendingQuery:
    """Which requests staff look for; a part that is empty asks for nothing."""

    text: str = ""
    """A child's or a family's name, pinyin or telephone, or a session's code."""
    station: str = ""
    """A station's code."""
    before: datetime | None = None
    """Asked for before then: those that have waited long."""
    starts_before: datetime | None = None


EVERY_REQUEST: Final = PendingQuery()


def _wanted(query: PendingQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.text:
        is_code = GuidanceSession.code == query.text.upper()
        conditions.append(or_(matching(query.text), is_code))
    if query.station:
        conditions.append(Station.code == query.station)
    if query.before is not None:
        conditions.append(SignUp.requested_at < query.before)
    if query.starts_before is not None:
        conditions.append(GuidanceSession.starts_at < query.starts_before)
    return conditions


def pending(
    db: Session,
    staff: Staff,
    *,
    limit: int = 50,
    offset: int = 0,
    query: PendingQuery = EVERY_REQUEST,
) -> list[PendingSignUp]:
    """Requests that wait, the oldest first."""
    rows = list(
        db.execute(
            _pending(staff)
            .where(*_wanted(query))
            .add_columns(scope_of(staff).families().label("is_own"))
            .options(contains_eager(SignUp.session).contains_eager(GuidanceSession.station))
            .order_by(SignUp.requested_at, SignUp.id)
            .limit(limit)
            .offset(offset)
        )
    )
    families = [(found.family_id, found.session) for found, _, _, _ in rows]
    attended = _counted(db, families, SignUpState.ATTENDED)
    missed = _counted(db, families, SignUpState.NO_SHOW)
    return [
        PendingSignUp(
            sign_up_id=found.id,
            nickname=child.nickname,
            age_months=_age_on(child, found.session),
            sex=child.sex,
            code=found.session.code,
            title=found.session.title,
            starts_at=found.session.starts_at,
            station=found.session.station.name,
            township=township.name,
            requested_at=found.requested_at,
            places=found.session.places,
            places_taken=found.session.places_taken,
            attended_this_year=attended.get((found.family_id, held_on(found.session).year), 0),
            missed_this_year=missed.get((found.family_id, held_on(found.session).year), 0),
            family_id=found.family_id,
            is_own=is_own,
            session_id=found.session_id,
        )
        for found, child, township, is_own in rows
    ]


def _age_on(child: Child, session: GuidanceSession) -> int | None:
    day = held_on(session)
    born = child.birth_date
    return None if born is None or born > day else age_months(born, day)


def _counted(
    db: Session, families: list[tuple[int, GuidanceSession]], state: SignUpState
) -> dict[tuple[int, int], int]:
    """Distinct sessions in a state by (family, calendar year), in one query."""
    if not families:
        return {}
    years = {held_on(session).year for _, session in families}
    start = datetime(min(years), 1, 1, tzinfo=SHANGHAI)
    end = datetime(max(years) + 1, 1, 1, tzinfo=SHANGHAI)
    rows = db.execute(
        select(SignUp.family_id, SignUp.session_id, GuidanceSession.starts_at)
        .join(SignUp.session)
        .where(
            SignUp.family_id.in_({family_id for family_id, _ in families}),
            SignUp.state == state,
            GuidanceSession.starts_at >= start,
            GuidanceSession.starts_at < end,
        )
        .distinct()
    )
    counts: dict[tuple[int, int], int] = {}
    for family_id, _, starts_at in rows:
        key = (family_id, starts_at.astimezone(SHANGHAI).year)
        counts[key] = counts.get(key, 0) + 1
    return counts


def _lock(db: Session, sign_up_id: int, staff: Staff) -> tuple[SignUp, Child]:
    """The sign-up as it is now, its session held. Raises SignUpUnknown, NotYours."""
    row = db.execute(
        select(SignUp.session_id, Station.id)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .where(SignUp.id == sign_up_id)
    ).one_or_none()
    if row is None:
        raise SignUpUnknown(str(sign_up_id))
    session_id, station_id = row
    allowed = db.execute(
        select(Station.id).where(Station.id == station_id, in_scope(staff))
    ).scalar_one_or_none()
    if allowed is None:
        raise NotYours()
    lock_session(db, session_id)
    found, child = db.execute(
        select(SignUp, Child)
        .join(Child, Child.id == SignUp.child_id)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .options(contains_eager(SignUp.session).contains_eager(GuidanceSession.station))
        .where(SignUp.id == sign_up_id)
        .execution_options(populate_existing=True)
    ).one()
    return found, child


def _check_undecided(db: Session, sign_up: SignUp) -> None:
    """Raises SignUpAlreadyDecided with who was faster, and when."""
    if sign_up.state == SignUpState.REQUESTED:
        return
    decider = db.get(Staff, sign_up.decided_by) if sign_up.decided_by else None
    raise SignUpAlreadyDecided(
        state=sign_up.state, by=decider.username if decider else None, at=sign_up.decided_at
    )


def confirm(db: Session, *, sign_up_id: int, staff: Staff, now: datetime) -> SignUp:
    """The requested place is the family's, and the family is told.

    Raises SignUpUnknown, NotYours, SignUpAlreadyDecided.
    """
    found, child = _lock(db, sign_up_id, staff)
    _check_undecided(db, found)
    change_state(db, found, SignUpState.CONFIRMED, Actor("staff", staff.id), now)
    tell(db, _confirmed(found, child, now), found, now)
    return found


def _confirmed(sign_up: SignUp, child: Child, now: datetime) -> SignUpConfirmed:
    may = can_cancel(terms_of(sign_up.session), now)
    return SignUpConfirmed(**told(sign_up, child), can_cancel=may)


def decline(db: Session, *, sign_up_id: int, staff: Staff, reason: str, now: datetime) -> SignUp:
    """The request is turned down with a reason that the family is told; its seat is free.

    Raises SignUpUnknown, NotYours, SignUpAlreadyDecided, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    found, child = _lock(db, sign_up_id, staff)
    _check_undecided(db, found)
    change_state(
        db, found, SignUpState.DECLINED, Actor("staff", staff.id), now, reason=reason.strip()
    )
    facts = SignUpDeclined(**told(found, child), reason=reason.strip())
    tell(db, facts, found, now)
    waiting_list.promote(db, found.session, now)
    plan_keeping.replace_lost(db, [found.family_id], now)
    return found


def cancel_by_staff(
    db: Session, *, sign_up_id: int, staff: Staff, reason: str, now: datetime
) -> SignUp:
    """A place, an offer or a wait is taken back with a reason that the family is told.

    Raises SignUpUnknown, NotYours, TransitionNotAllowed, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    found, child = _lock(db, sign_up_id, staff)
    change_state(
        db, found, SignUpState.CANCELLED, Actor("staff", staff.id), now, reason=reason.strip()
    )
    facts = SignUpCancelledByStaff(**told(found, child), reason=reason.strip())
    tell(db, facts, found, now)
    waiting_list.promote(db, found.session, now)
    plan_keeping.replace_lost(db, [found.family_id], now)
    return found


def override_seat(
    db: Session, *, sign_up_id: int, staff: Staff, reason: str, now: datetime
) -> SignUp:
    """A waiting child gets a seat beyond the places, with a reason for the audit trail.

    The seat is none of the session's places: it takes none, and frees none when it is given
    back. Raises SignUpUnknown, NotYours, TransitionNotAllowed, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    found, child = _lock(db, sign_up_id, staff)
    change_state(
        db,
        found,
        SignUpState.CONFIRMED,
        Actor("staff", staff.id),
        now,
        reason=reason.strip(),
        is_override=True,
    )
    tell(db, _confirmed(found, child, now), found, now)
    return found


def waive_no_shows(
    db: Session, *, family_id: int, staff: Staff, reason: str, now: datetime
) -> Family:
    """Sessions that this family missed up to now no longer delay its sign-ups.

    By staff of the family's station, or of one where it missed a session.
    Raises NotYours, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    missed_there = (
        select(GuidanceSession.station_id)
        .join(SignUp, SignUp.session_id == GuidanceSession.id)
        .where(SignUp.family_id == family_id, SignUp.state == SignUpState.NO_SHOW)
    )
    family = db.execute(
        select(Family)
        .where(
            Family.id == family_id,
            exists(
                select(Station.id)
                .where(
                    or_(Station.id == Family.station_id, Station.id.in_(missed_there)),
                    in_scope(staff),
                )
                .correlate(Family)
            ),
        )
        .with_for_update(key_share=True)
    ).scalar_one_or_none()
    if family is None:
        raise NotYours()
    family.no_shows_waived_at = now
    record(
        db,
        actor=Actor("staff", staff.id),
        action="waive_no_shows",
        subject_type="family",
        subject_id=family.id,
        now=now,
        reason=reason.strip(),
    )
    return family


def attend(
    db: Session,
    *,
    session_code: str,
    caregiver: Caregiver,
    child: Child,
    actor: Actor,
    now: datetime,
    undo: bool = False,
) -> SignUp:
    """Enter that a child was there, also of a past session and without a sign-up; or undo it.

    Raises SessionUnknown, SignUpUnknown (undo of what was not entered),
    TransitionNotAllowed.
    """
    session = get_session(db, session_code)
    lock_session(db, session.id)
    session = get_session(db, session_code, fresh=True)
    found = db.execute(
        select(SignUp)
        .where(
            SignUp.session_id == session.id,
            SignUp.child_id == child.id,
            SignUp.state.in_(ACTIVE | {SignUpState.NO_SHOW}),
        )
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if undo:
        if found is None or found.state != SignUpState.ATTENDED:
            raise SignUpUnknown(session.code)
        undone = SignUpState.CANCELLED if found.is_walk_in else SignUpState.CONFIRMED
        _set_attendance(db, found, undone, actor, now)
        return found
    if found is None:
        found = SignUp(
            session_id=session.id,
            child_id=child.id,
            family_id=child.family_id,
            caregiver_id=caregiver.id,
            state=SignUpState.ATTENDED,
            is_walk_in=True,
            requested_at=now,
            decided_at=now,
            decided_by=actor.id if actor.type == "staff" else None,
        )
        db.add(found)
        db.flush()
        record(
            db,
            actor=actor,
            action="walk_in",
            subject_type="sign_up",
            subject_id=found.id,
            now=now,
            after=SignUpState.ATTENDED,
        )
    elif found.state in (SignUpState.WAITLISTED, SignUpState.OFFERED):
        _walk_in_instead(db, found, actor, now)
        waiting_list.promote(db, session, now)
    elif found.state != SignUpState.ATTENDED:
        change_state(db, found, SignUpState.ATTENDED, actor, now)
    return found


def _walk_in_instead(db: Session, sign_up: SignUp, actor: Actor, now: datetime) -> None:
    """Who still waits for a seat and is there all the same: a walk-in, as without a sign-up."""
    was = sign_up.state
    if was == SignUpState.OFFERED:
        release_place(db, sign_up.session_id)
    sign_up.is_walk_in = True
    sign_up.state = SignUpState.ATTENDED
    sign_up.decided_at = now
    sign_up.decided_by = actor.id if actor.type == "staff" else None
    record(
        db,
        actor=actor,
        action="walk_in",
        subject_type="sign_up",
        subject_id=sign_up.id,
        now=now,
        before=was,
        after=SignUpState.ATTENDED,
    )


def _set_attendance(
    db: Session, sign_up: SignUp, to: SignUpState, actor: Actor, now: datetime
) -> None:
    """Undo a check-in: a walk-in's row ends, a signed-up family's place is as before."""
    was = sign_up.state
    sign_up.state = to
    sign_up.decided_at = now
    record(
        db,
        actor=actor,
        action="undo_attendance",
        subject_type="sign_up",
        subject_id=sign_up.id,
        now=now,
        before=was,
        after=to,
    )
