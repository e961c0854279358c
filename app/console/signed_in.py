"""Who is signed in: kept in the cookie as id and epoch, looked up anew on every page."""

import contextlib
import secrets
from dataclasses import dataclass

from flask import abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from app.console.access import home_of, may
from app.db import Database
from app.models import Staff
from app.services.second_factor import is_owed
from app.services.staff import Role, find_logged_in

OPEN_TO_ALL = frozenset({"console.log_in", "console.log_in_code", "console.static"})
BEFORE_THE_SECOND_FACTOR = frozenset(
    {"console.second_factor", "console.confirm_second_factor", "console.log_out"}
)

SESSION_NAME = "log_in"
ENDED_SECONDS = 24 * 3600
"""Longer than any cookie lives: the idle time-out is eight hours."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What Flask-Login and the page header know of the staff member."""

    staff_id: int
    login_epoch: int
    username: str
    role: Role
    place: str
    """The station or township; empty for the district."""
    owes_second_factor: bool = False
    """Nothing is open to it before it has set one up."""

    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """What the cookie holds; another epoch makes it worthless."""
        return f"{self.staff_id}:{self.login_epoch}"


def database() -> Database:
    """The application's database, read at the edge only."""
    found: Database = current_app.extensions["yuban"].database
    return found


def signed_in_as(staff: Staff) -> SignedIn:
    place = staff.station.name if staff.station else ""
    return SignedIn(
        staff_id=staff.id,
        login_epoch=staff.login_epoch,
        username=staff.username,
        role=Role(staff.role),
        place=place or (staff.township.name if staff.township else ""),
        owes_second_factor=is_owed(staff, is_required=is_second_factor_required()),
    )


def is_second_factor_required() -> bool:
    """Whether accounts of the whole district must have a second factor here."""
    settings = current_app.extensions["yuban"].settings
    return bool(settings.console_second_factor == "required")


def name_session() -> None:
    """Give this log-in a name of its own, by which it alone can be ended."""
    session[SESSION_NAME] = secrets.token_urlsafe(16)


def end_session() -> None:
    """From now on a copy of this log-in's cookie is worth nothing."""
    with contextlib.suppress(RedisError):  # the cookie in this browser ends all the same
        _redis().set(_ended_key(), 1, ex=ENDED_SECONDS)


def _was_ended() -> bool:
    with contextlib.suppress(RedisError):
        return _redis().exists(_ended_key()) == 1
    return False


def _ended_key() -> str:
    return f"console:ended:{session.get(SESSION_NAME, '')}"


def _redis() -> Redis:
    found: Redis = current_app.extensions["yuban"].redis
    return found


def load_signed_in(cookie_id: str) -> SignedIn | None:
    """Flask-Login's loader; None where the account was closed, or the log-in ended."""
    staff_id, _, epoch = cookie_id.partition(":")
    if not (staff_id.isdecimal() and epoch.isdecimal()) or _was_ended():
        return None
    with database().reading() as db:
        staff = find_logged_in(db, staff_id=int(staff_id), login_epoch=int(epoch))
        g.staff_seen = staff
        return signed_in_as(staff) if staff else None


def check_may_enter() -> ResponseReturnValue | None:
    """Before each page: the log-in for strangers, 403 where access.py does not let the role in."""
    if request.endpoint in OPEN_TO_ALL:
        return None
    if not current_user.is_authenticated:
        asked_for = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("console.log_in", next=asked_for))
    if current_user.owes_second_factor and request.endpoint not in BEFORE_THE_SECOND_FACTOR:
        return redirect(url_for("console.second_factor"))
    acts = request.method not in ("GET", "HEAD")
    if may(current_role(), request.endpoint or "", acts=acts):
        return None
    home = home_of(current_role())
    if request.endpoint == "console.today" and home:
        return redirect(url_for(home))
    return abort(403)


def current_role() -> Role:
    """The role of whoever is signed in."""
    role: Role = current_user.role
    return role


def acting_staff(db: Session) -> Staff:
    """The signed-in staff member: for what acts, read inside the transaction that does it.

    Sends to the log-in where the account was closed since the page began. What only shows takes the
    row that was read for the log-in, some milliseconds before.
    """
    seen: Staff | None = g.get("staff_seen")
    if request.method in ("GET", "HEAD") and seen is not None and seen.id == current_user.staff_id:
        return db.merge(seen, load=False)
    staff = find_logged_in(db, staff_id=current_user.staff_id, login_epoch=current_user.login_epoch)
    if staff is None:
        logout_user()
        abort(redirect(url_for("console.log_in")))
    return staff
