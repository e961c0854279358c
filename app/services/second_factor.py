"""The second factor of a log-in: a code of six digits that changes every 30 seconds (TOTP).

Whoever has lost the telephone uses a recovery code, once; whoever has lost those too is helped
by another district account, or by the operator.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.errors import AccountLocked, SecondFactorWrong
from app.models import RecoveryCode, Staff
from app.services import audit
from app.services.audit import Actor
from app.services.staff import DISTRICT_ROLES, LOCK_MINUTES, MAX_FAILURES, Role

STEP_SECONDS = 30
"""RFC 6238's default, and what every authenticator takes."""
STEPS_ASIDE = 1
"""A telephone's clock may be half a minute off; RFC 6238 5.2 recommends one step."""
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
RECOVERY_LENGTH = 16
ISSUER = "Yuban"


def is_owed(staff: Staff, *, is_required: bool) -> bool:
    """Whether this account has to set up its second factor before it goes on."""
    return is_required and Role(staff.role) in DISTRICT_ROLES and staff.totp_confirmed_at is None


def begin(db: Session, staff_id: int) -> str:
    """The key to put into an authenticator; the same until it is confirmed with a code."""
    from pyotp import random_base32  # late: few pages need it

    staff = _lock(db, staff_id)
    if staff.totp_confirmed_at is not None or staff.totp_secret is None:
        staff.totp_secret, staff.totp_confirmed_at = random_base32(), None
    return staff.totp_secret


def address(secret: str, username: str) -> str:
    """The otpauth: address that an authenticator scans."""
    from pyotp import TOTP

    return TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def confirm(db: Session, staff_id: int, code: str, *, now: datetime) -> list[str]:
    """The second factor counts from now on; gives the recovery codes, which are shown once.

    Raises SecondFactorWrong.
    """
    staff = _lock(db, staff_id)
    step = _step_of(staff, code, now)
    if step is None:
        raise SecondFactorWrong()
    staff.totp_confirmed_at, staff.totp_last_step = now, step
    db.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes = [
        "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    db.add_all(RecoveryCode(staff_id=staff_id, code_hash=_hash(code)) for code in codes)
    _record(db, staff_id, Actor("staff", staff_id), "second_factor_on", now)
    return ["-".join(code[at : at + 4] for at in range(0, RECOVERY_LENGTH, 4)) for code in codes]


def check(db: Session, staff_id: int, code: str, *, now: datetime) -> bool:
    """Whether the code, or a recovery code, is right; a wrong one is counted.

    Commit in either case: a guess that were rolled back would be no guess. After MAX_FAILURES
    the account is locked. Raises AccountLocked.
    """
    staff = _lock(db, staff_id)
    if staff.locked_until is not None and now < staff.locked_until:
        raise AccountLocked(staff.locked_until)
    step = _step_of(staff, code, now)
    if step is not None:
        staff.totp_last_step = step
    elif not _use_recovery_code(db, staff_id, code, now):
        staff.failed_logins += 1
        if staff.failed_logins >= MAX_FAILURES:
            staff.locked_until = now + timedelta(minutes=LOCK_MINUTES)
        _record(db, staff_id, Actor("staff", staff_id), "second_factor_wrong", now)
        return False
    staff.failed_logins, staff.locked_until = 0, None
    return True


def turn_off(db: Session, staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget the second factor: the next log-in asks to set up a new one where it is required."""
    staff = _lock(db, staff_id)
    staff.totp_secret = staff.totp_confirmed_at = staff.totp_last_step = None
    staff.login_epoch += 1
    db.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    _record(db, staff_id, actor, "second_factor_off", now)


def _lock(db: Session, staff_id: int) -> Staff:
    return db.scalars(select(Staff).where(Staff.id == staff_id).with_for_update()).one()


def _step_of(staff: Staff, code: str, now: datetime) -> int | None:
    """The step whose code this is; None for a wrong one and for one that was used."""
    from pyotp import TOTP
    from pyotp.utils import strings_equal

    if staff.totp_secret is None:
        return None
    typed = "".join(mark for mark in code if mark.isdigit())
    totp = TOTP(staff.totp_secret, interval=STEP_SECONDS)
    current = int(now.timestamp()) // STEP_SECONDS
    for step in range(current - STEPS_ASIDE, current + STEPS_ASIDE + 1):
        is_used = staff.totp_last_step is not None and step <= staff.totp_last_step
        if strings_equal(totp.at(step * STEP_SECONDS), typed) and not is_used:
            return step
    return None


def _use_recovery_code(db: Session, staff_id: int, code: str, now: datetime) -> bool:
    typed = "".join(mark for mark in code.casefold() if mark.isalnum())
    used = db.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.code_hash == _hash(typed),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    ).scalar_one_or_none()
    if used is not None:
        _record(db, staff_id, Actor("staff", staff_id), "recovery_code_used", now)
    return used is not None


def _hash(code: str) -> str:
    """A code has 79 random bits: its plain hash cannot be guessed back."""
    return hashlib.sha256(code.encode()).hexdigest()


def _record(db: Session, staff_id: int, actor: Actor, action: str, now: datetime) -> None:
    audit.record(db, actor=actor, action=action, subject_type="staff", subject_id=staff_id, now=now)
