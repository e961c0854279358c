"""Attendance as the staff enter it: a tap at the door, the paper sheet, walk-ins, who is missing.

The family's own scan is app/services/family_check_in.py; both end in attendance.attend.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.errors import NotYours, SignUpUnknown
from app.models import Caregiver, Child, Family, GuidanceSession, SignUp
from app.rules.age import age_months
from app.rules.search_terms import terms_of_query
from app.rules.session_life import check_can_check_in, check_can_hold
from app.rules.sign_up import ACTIVE, SessionState, SignUpState, fits_age
from app.services import attendance, plan_keeping, publishing, rosters
from app.services.audit import Actor
from app.services.families import matching
from app.services.rosters import Roster
from app.services.seats import change_state, held_on, lock_session, terms_of
from app.services.staff import StaffScope

EXPECTED = (SignUpState.CONFIRMED, SignUpState.REQUESTED)
"""Who has a seat and was not checked in: the rows of the paper sheet."""
MAX_FOUND = 20
WHOLE_NUMBER = 11
"""Digits of a telephone: who says them all has the family before them."""
_DIGITS = re.compile(r"(.*\D)(\d{4,})")


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """What a tap did."""

    nickname: str
    was_done: bool
    """False where the child was checked in before; `at` and `by` then tell when and by whom."""
    at: datetime | None
    by: str | None


@dataclass(frozen=True, slots=True)
class SheetEntered:
    attended: int
    missing: int


@dataclass(frozen=True, slots=True)
class WalkInCandidate:
    """A registered child of that name, with what tells it from others of the same name."""

    child_id: int
    family_id: int
    nickname: str
    age_months: int | None
    relations: tuple[str, ...]
    township: str
    fits: bool
    is_here: bool
    """Checked in already."""


def get_roster(db: Session, scope: StaffScope, code: str, now: datetime) -> Roster:
    """The session and its sign-ups, for checking in.

    Raises SessionUnknown, SessionStepNotAllowed, CheckInTooEarly.
    """
    roster = rosters.get_roster(db, scope, code, now)
    session = roster.session
    midnight = session.starts_at.astimezone(SHANGHAI).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    check_can_check_in(session.code, SessionState(session.state), midnight, now)
    return roster


def check_in(
    db: Session, scope: StaffScope, code: str, sign_up_id: int, *, now: datetime
) -> CheckedIn:
    """One child of the session is here; a second tap says who was first.

    Raises SessionUnknown, SignUpUnknown (also for another session's), SessionStepNotAllowed,
    CheckInTooEarly, TransitionNotAllowed.
    """
    get_roster(db, scope, code, now)
    sign_up, child, caregiver = _get(db, code, sign_up_id)
    status = rosters.find_sign_up(db, scope, sign_up_id)
    if sign_up.state == SignUpState.ATTENDED and status is not None:
        return CheckedIn(child.nickname, was_done=False, at=status.at, by=status.by)
    _attend(db, scope, code, caregiver, child, now)
    return CheckedIn(child.nickname, was_done=True, at=now, by=None)


def undo(db: Session, scope: StaffScope, code: str, sign_up_id: int, *, now: datetime) -> str:
    """Take a check-in back, and give the child's nickname. Raises as check_in does."""
    get_roster(db, scope, code, now)
    _, child, caregiver = _get(db, code, sign_up_id)
    attendance.attend(
        db,
        session_code=code,
        caregiver=caregiver,
        child=child,
        actor=Actor("staff", scope.staff_id),
        now=now,
        undo=True,
    )
    return child.nickname


def enter_sheet(
    db: Session,
    scope: StaffScope,
    code: str,
    *,
    came: Collection[int],
    rest_is_missing: bool,
    now: datetime,
) -> SheetEntered:
    """The paper sheet, in one go: who came; and, where asked, everybody else as missing.

    Children that were checked in already stay so. Once somebody came and the rest is entered,
    the session counts as held. Raises as check_in does; nothing is kept then.
    """
    roster = get_roster(db, scope, code, now)
    lock_session(db, roster.session.id)
    if rest_is_missing and roster.session.state == SessionState.PUBLISHED:
        check_can_hold(code, SessionState.PUBLISHED, roster.session.ends_at, now)
    expected = _expected(db, roster.session.id)
    unknown = set(came) - {sign_up.id for sign_up, _, _ in expected} - _settled(db, roster)
    if unknown:
        raise SignUpUnknown(code)
    attended = missing = 0
    lost: set[int] = set()
    for sign_up, child, caregiver in expected:
        if sign_up.id in came:
            _attend(db, scope, code, caregiver, child, now)
            attended += 1
        elif rest_is_missing and sign_up.state == SignUpState.CONFIRMED:
            # Who was never confirmed was never expected: no fault of the family's.
            actor = Actor("staff", scope.staff_id)
            change_state(db, sign_up, SignUpState.NO_SHOW, actor, now)
            missing += 1
            lost.add(sign_up.family_id)
    db.flush()
    plan_keeping.replace_lost(db, lost, now)
    if rest_is_missing and roster.session.state == SessionState.PUBLISHED:
        anybody = any(row.state is SignUpState.ATTENDED for row in roster.rows)
        if attended or anybody:
            publishing.mark_held(db, code, actor=Actor("staff", scope.staff_id), now=now)
    return SheetEntered(attended, missing)


def find_walk_ins(
    db: Session, scope: StaffScope, code: str, nickname: str, *, now: datetime
) -> list[WalkInCandidate]:
    """Registered children of exactly this nickname: in the station's township, or anywhere for
    a session that is for more than the township. Who fits and lives near comes first.

    Exactly, so that nobody leafs through other stations' families. The last digits of the
    family's telephone behind it narrow the search, and the whole number finds anywhere.
    Raises as check_in does.
    """
    name, digits = _with_digits(nickname)
    wanted = {_plain(nickname), _plain(name)} - {""}
    get_roster(db, scope, code, now)
    if not wanted:
        return []
    session = publishing.find_session(db, code)
    assert session is not None, "its roster was just read"
    statement = (
        select(Child)
        .join(Child.family)
        .options(
            contains_eager(Child.family).joinedload(Family.township),
            contains_eager(Child.family).selectinload(Family.caregivers),
        )
        .where(Child.erased_at.is_(None), Child.lost_at.is_(None))
        .order_by(Child.id)
    )
    if session.level in ("station", "township") and len(digits) < WHOLE_NUMBER:
        statement = statement.where(Family.township_id == session.station.township_id)
    # Nicknames are encrypted, each row differently: the index of the search says which to read,
    # where it knows the name at all, and they are compared here.
    if terms_of_query(nickname) is not None:
        statement = statement.where(matching(nickname))
    found = [child for child in db.scalars(statement) if _plain(child.nickname) in wanted]
    here = set(
        db.scalars(
            select(SignUp.child_id).where(
                SignUp.session_id == session.id, SignUp.state == SignUpState.ATTENDED
            )
        )
    )
    own = session.station.township_id
    found.sort(key=lambda child: (child.family.township_id != own, child.id))
    candidates = [_candidate(child, session, child.id in here) for child in found]
    return sorted(candidates, key=lambda each: not each.fits)[:MAX_FOUND]


def walk_in(
    db: Session, scope: StaffScope, code: str, child_id: int, *, now: datetime, said: str = ""
) -> CheckedIn:
    """A registered child came: with a sign-up or without, it is checked in.

    `said` is what it was found by. Raises as check_in does; NotYours for a child that
    find_walk_ins would not give.
    """
    get_roster(db, scope, code, now)
    child = db.get(Child, child_id)
    allowed = child is not None and any(
        candidate.child_id == child_id
        for candidate in find_walk_ins(db, scope, code, said or child.nickname, now=now)
    )
    if child is None or not allowed:
        raise NotYours()
    before = db.scalars(
        select(SignUp)
        .join(SignUp.session)
        .where(
            GuidanceSession.code == code.upper(),
            SignUp.child_id == child_id,
            SignUp.state.in_(ACTIVE),
        )
    ).one_or_none()
    if before is not None:
        return check_in(db, scope, code, before.id, now=now)
    caregiver = db.scalars(
        select(Caregiver).where(Caregiver.family_id == child.family_id).order_by(Caregiver.id)
    ).first()
    if caregiver is None:
        raise NotYours()
    _attend(db, scope, code, caregiver, child, now)
    return CheckedIn(child.nickname, was_done=True, at=now, by=None)


def _attend(
    db: Session, scope: StaffScope, code: str, caregiver: Caregiver, child: Child, now: datetime
) -> None:
    attendance.attend(
        db,
        session_code=code,
        caregiver=caregiver,
        child=child,
        actor=Actor("staff", scope.staff_id),
        now=now,
    )


def _get(db: Session, code: str, sign_up_id: int) -> tuple[SignUp, Child, Caregiver]:
    found = db.execute(
        select(SignUp, Child, Caregiver)
        .join(SignUp.session)
        .join(Child, Child.id == SignUp.child_id)
        .join(Caregiver, Caregiver.id == SignUp.caregiver_id)
        .where(SignUp.id == sign_up_id, GuidanceSession.code == code.upper())
    ).one_or_none()
    if found is None:
        raise SignUpUnknown(code)
    sign_up, child, caregiver = found
    return sign_up, child, caregiver


def _expected(db: Session, session_id: int) -> list[tuple[SignUp, Child, Caregiver]]:
    rows = db.execute(
        rosters.sign_ups_of(session_id)
        .where(SignUp.state.in_((*EXPECTED, SignUpState.NO_SHOW)))
        .execution_options(populate_existing=True)
    )
    return [(sign_up, child, caregiver) for sign_up, child, caregiver, _ in rows]


def _settled(db: Session, roster: Roster) -> set[int]:
    """Sign-ups that a colleague, or the family's own scan, checked in since the page was read."""
    return set(
        db.scalars(
            select(SignUp.id).where(
                SignUp.session_id == roster.session.id, SignUp.state == SignUpState.ATTENDED
            )
        )
    )


def _candidate(child: Child, session: GuidanceSession, is_here: bool) -> WalkInCandidate:
    day, born = held_on(session), child.birth_date
    return WalkInCandidate(
        child_id=child.id,
        family_id=child.family_id,
        nickname=child.nickname,
        age_months=None if born is None or born > day else age_months(born, day),
        relations=tuple(
            caregiver.relation for caregiver in child.family.caregivers if caregiver.relation
        ),
        township=child.family.township.name,
        fits=fits_age(terms_of(session), born, day),
        is_here=is_here,
    )


def _with_digits(said: str) -> tuple[str, str]:
    """A nickname, and the digits of a telephone behind it; those are empty where there are none."""
    found = _DIGITS.fullmatch(said.strip())
    return (found[1], found[2]) if found else (said, "")


def _plain(nickname: str) -> str:
    """The form in which nicknames are compared: no blanks, no case, no full-width letters."""
    return "".join(unicodedata.normalize("NFKC", nickname).casefold().split())
