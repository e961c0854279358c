"""Staff accounts: who they are, how they log in, and what each of them may see.

Logging in takes two transactions, so that a guess is counted before it is checked and no
lock is held while the password is hashed:

    with database.transaction() as db:
        attempt = claim_attempt(db, username=username, now=now)
    check_password(attempt, password)
    with database.transaction() as db:
        staff = complete_log_in(db, attempt=attempt, password=password, now=now)
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from app.errors import (
    AccountLocked,
    BadCredentials,
    PasswordTooWeak,
    StationUnknown,
    TownshipUnknown,
    UsernameInvalid,
    UsernameTaken,
)
from app.models import Family, Staff, Station, Township
from app.services import audit
from app.services.audit import Actor

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200
MAX_USERNAME_LENGTH = 40
MAX_FAILURES = 5
LOCK_MINUTES = 15

# OWASP's Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane. The library's
# own default takes 64 MiB, which several log-ins at once would add to a worker's memory.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Role(StrEnum):
    WORKER = "worker"
    VISITOR = "visitor"
    TOWNSHIP = "township"
    DISTRICT = "district"
    EDITOR = "editor"
    """Writes packs, lessons and answers; sees no family."""
    AUDITOR = "auditor"
    """Sees what the district sees, and changes nothing."""


DISTRICT_ROLES = frozenset({Role.DISTRICT, Role.EDITOR, Role.AUDITOR})
"""Accounts whose reach is the whole district: these need a second factor."""


@dataclass(frozen=True, slots=True)
class StaffScope:
    """What one staff member may see: a worker their station, a township lead the township's
    stations, the district and its auditor all of them, others none."""

    staff_id: int
    role: Role
    station_id: int | None
    township_id: int | None

    @property
    def sees_all(self) -> bool:
        return self.role in (Role.DISTRICT, Role.AUDITOR)

    def stations(self) -> ColumnElement[bool]:
        """A condition for queries that join Station; true for the stations in scope."""
        match self.role:
            case Role.DISTRICT | Role.AUDITOR:
                return true()
            case Role.WORKER:
                return Station.id == self.station_id
            case Role.TOWNSHIP:
                return Station.township_id == self.township_id
            case _:
                return false()

    def families(self) -> ColumnElement[bool]:
        """A condition on Family: the families that belong to this staff member's care."""
        match self.role:
            case Role.DISTRICT | Role.AUDITOR:
                return true()
            case Role.WORKER:
                return Family.station_id == self.station_id
            case Role.TOWNSHIP:
                return Family.township_id == self.township_id
            case _:
                return false()


def scope_of(staff: Staff) -> StaffScope:
    return StaffScope(
        staff_id=staff.id,
        role=Role(staff.role),
        station_id=staff.station_id,
        township_id=staff.township_id,
    )


def normal_username(text: str) -> str:
    """The form in which usernames are stored and compared: no case, no full-width letters."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def add_staff(
    db: Session,
    *,
    username: str,
    password: str,
    role: str,
    station_code: str | None,
    township_name: str | None,
    now: datetime,
    actor: Actor,
) -> Staff:
    """A new account. A worker needs a station, a township lead a township.

    A township is found with or without its 镇 or 乡. Raises UsernameInvalid, UsernameTaken,
    StationUnknown, TownshipUnknown, PasswordTooWeak; ValueError where the role is none.
    """
    wanted_role = Role(role)
    name = normal_username(username)
    has_blanks = any(character == " " or not character.isprintable() for character in name)
    if not 1 <= len(name) <= MAX_USERNAME_LENGTH or has_blanks:
        raise UsernameInvalid(username, MAX_USERNAME_LENGTH)
    _check_strength(password, username=name)
    station = _find_station(db, station_code) if station_code else None
    if (station_code or wanted_role is Role.WORKER) and station is None:
        raise StationUnknown(station_code or "")
    township = _find_township(db, township_name) if township_name else None
    if (township_name or wanted_role is Role.TOWNSHIP) and township is None:
        raise TownshipUnknown(township_name or "")
    staff = Staff(
        username=name,
        password_hash=HASHER.hash(password),
        role=wanted_role.value,
        station_id=station.id if station else None,
        township_id=township.id if township else None,
        is_active=True,
        failed_logins=0,
        login_epoch=0,
        created_at=now,
    )
    # The unique key answers "taken", also when two operators add the same name at once.
    try:
        with db.begin_nested():
            db.add(staff)
            db.flush()
    except IntegrityError:
        raise UsernameTaken(name) from None
    audit.record(
        db,
        actor=actor,
        action="add_staff",
        subject_type="staff",
        subject_id=staff.id,
        after=wanted_role.value,
        now=now,
    )
    return staff


def change_password(
    db: Session, *, staff_id: int, password: str, now: datetime, actor: Actor
) -> None:
    """Store a new password; every browser that is logged in has to log in again.

    Raises PasswordTooWeak.
    """
    staff = db.scalars(select(Staff).where(Staff.id == staff_id).with_for_update()).one()
    _check_strength(password, username=staff.username)
    staff.password_hash = HASHER.hash(password)
    staff.login_epoch += 1
    staff.failed_logins = 0
    staff.locked_until = None
    audit.record(
        db,
        actor=actor,
        action="change_password",
        subject_type="staff",
        subject_id=staff_id,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One guess at a password, already counted. Whether the account exists stays inside."""

    staff_id: int | None
    password_hash: str
    attempts_left: int
    locked_until: datetime | None
    """Set where the account was locked before this attempt."""


def claim_attempt(db: Session, *, username: str, now: datetime) -> Attempt:
    """Count a guess before it is checked, so that guesses at once cannot pass uncounted.

    Commit before going on. An unknown name gets an attempt too, against a hash that no
    password has, and writes as much: neither the time nor the answer tells it from a known one.
    """
    staff = db.scalars(
        select(Staff).where(Staff.username == normal_username(username)).with_for_update()
    ).one_or_none()
    if staff is None or not staff.is_active:
        attempt = Attempt(
            staff_id=None,
            password_hash=_hash_of_nothing(),
            attempts_left=MAX_FAILURES - 1,
            locked_until=None,
        )
    elif staff.locked_until is not None and now < staff.locked_until:
        attempt = Attempt(
            staff_id=staff.id,
            password_hash=staff.password_hash,
            attempts_left=0,
            locked_until=staff.locked_until,
        )
    else:
        # A lock that has run out starts a new count.
        failures = 1 if staff.locked_until is not None else staff.failed_logins + 1
        staff.failed_logins = failures
        staff.locked_until = (
            now + timedelta(minutes=LOCK_MINUTES) if failures >= MAX_FAILURES else None
        )
        attempt = Attempt(
            staff_id=staff.id,
            password_hash=staff.password_hash,
            attempts_left=MAX_FAILURES - failures,
            locked_until=None,
        )
    audit.record(
        db,
        actor=Actor("staff", attempt.staff_id),
        action="try_log_in",
        subject_type="staff",
        subject_id=attempt.staff_id,
        now=now,
    )
    return attempt


def check_password(attempt: Attempt, password: str) -> None:
    """Hash and compare; takes tens of milliseconds, so hold no transaction meanwhile.

    Raises AccountLocked, also where the password is right, or BadCredentials.
    """
    is_right = True
    try:
        HASHER.verify(attempt.password_hash, password[:MAX_PASSWORD_LENGTH])
    except (VerifyMismatchError, InvalidHashError):
        is_right = False
    if attempt.locked_until is not None:
        raise AccountLocked(attempt.locked_until)
    if attempt.staff_id is None or not is_right or len(password) > MAX_PASSWORD_LENGTH:
        raise BadCredentials(attempts_left=attempt.attempts_left)


def complete_log_in(db: Session, *, attempt: Attempt, password: str, now: datetime) -> Staff:
    """The staff member, after check_password: the count is cleared, an old hash renewed.

    Raises BadCredentials where the account was closed or its password changed meanwhile.
    """
    staff = db.scalars(
        select(Staff).where(Staff.id == attempt.staff_id, Staff.is_active).with_for_update()
    ).one_or_none()
    if staff is None or staff.password_hash != attempt.password_hash:
        raise BadCredentials(attempts_left=attempt.attempts_left)
    # With a second factor the count goes on until that is right, too.
    if staff.totp_confirmed_at is None:
        staff.failed_logins = 0
        staff.locked_until = None
    staff.last_login_at = now
    if HASHER.check_needs_rehash(staff.password_hash):
        staff.password_hash = HASHER.hash(password)
    audit.record(
        db,
        actor=Actor("staff", staff.id),
        action="log_in",
        subject_type="staff",
        subject_id=staff.id,
        now=now,
    )
    return staff


def find_logged_in(db: Session, *, staff_id: int, login_epoch: int) -> Staff | None:
    """The staff member of a session cookie, with station and township loaded.

    None where the account was closed, or the cookie revoked, since it was given.
    """
    return db.scalars(
        select(Staff)
        .where(Staff.id == staff_id, Staff.is_active, Staff.login_epoch == login_epoch)
        .options(joinedload(Staff.station), joinedload(Staff.township))
    ).one_or_none()


def _check_strength(password: str, *, username: str) -> None:
    is_long_enough = MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH
    if not is_long_enough or normal_username(password) == username:
        raise PasswordTooWeak(MIN_PASSWORD_LENGTH)


def _find_station(db: Session, code: str) -> Station | None:
    return db.scalars(select(Station).where(Station.code == code.strip())).one_or_none()


def _find_township(db: Session, name: str) -> Township | None:
    wanted = name.strip()
    return db.scalars(
        select(Township).where(Township.name.in_([wanted, wanted + "镇", wanted + "乡"]))
    ).one_or_none()


@cache
def _hash_of_nothing() -> str:
    return HASHER.hash("no account has this password")
