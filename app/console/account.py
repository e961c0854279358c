"""Logging in and out."""

from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask import Response as FlaskResponse
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_login import current_user, login_user, logout_user
from wtforms import Form, PasswordField, StringField
from wtforms.validators import InputRequired

from app.clock import now
from app.console.signed_in import (
    SignedIn,
    database,
    end_session,
    name_session,
    signed_in_as,
)
from app.errors import AccountLocked, BadCredentials
from app.services import audit
from app.services.staff import (
    LOCK_MINUTES,
    MAX_FAILURES,
    check_password,
    claim_attempt,
    complete_log_in,
)

FAILURES_PER_ADDRESS = "30 per 5 minutes"
"""A whole station may share one address: only refused log-ins count."""


class LogInForm(Form):
    username = StringField("用户名", [InputRequired("请填写用户名。")])
    password = PasswordField("密码", [InputRequired("请填写密码。")])


def add_routes(console: Blueprint, limiter: Limiter) -> None:
    limited = limiter.limit(FAILURES_PER_ADDRESS, methods=["POST"], deduct_when=_was_refused)
    console.add_url_rule(
        "/login", endpoint="log_in", view_func=limited(log_in), methods=["GET", "POST"]
    )
    console.post("/logout", endpoint="log_out")(log_out)


def _was_refused(response: FlaskResponse) -> bool:
    return response.status_code == 401


def log_in() -> ResponseReturnValue:
    """The log-in page; a POST with the right password goes on to the page asked for."""
    asked_for = _page_of_ours(request.args.get("next", ""))
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(asked_for)
    form = LogInForm(request.form)
    if request.method == "GET":
        return _page(form)
    if not form.validate():
        return _page(form), 400
    try:
        user = _signed_in(form.username.data or "", form.password.data or "")
    except (BadCredentials, AccountLocked):
        # One sentence for a wrong name, a wrong password and a lock: a stranger learns
        # neither which accounts exist nor whether a guess was right.
        return _page(form, is_refused=True), 401
    # A session that was planted before the log-in is worth nothing after it.
    session.clear()
    login_user(user)
    name_session()
    session.permanent = True
    return redirect(asked_for)


def _page(form: LogInForm, *, is_refused: bool = False) -> str:
    return render_template(
        "console/account/log_in.html",
        form=form,
        is_refused=is_refused,
        max_failures=MAX_FAILURES,
        lock_minutes=LOCK_MINUTES,
    )


def _signed_in(username: str, password: str) -> SignedIn:
    with database().transaction() as db:
        attempt = claim_attempt(db, username=username, now=now())
    check_password(attempt, password)
    with database().transaction() as db:
        staff = complete_log_in(db, attempt=attempt, password=password, now=now())
        return signed_in_as(staff)


def log_out() -> ResponseReturnValue:
    """End this browser's session."""
    with database().transaction() as db:
        audit.record(
            db,
            actor=audit.Actor("staff", current_user.staff_id),
            action="log_out",
            subject_type="staff",
            subject_id=current_user.staff_id,
            now=now(),
        )
    end_session()
    logout_user()
    session.clear()
    return redirect(url_for("console.log_in"))


def _page_of_ours(target: str) -> str:
    """The target where it is a page of the console, else the first page."""
    parts = urlsplit(target.replace("\\", "/"))
    if parts.scheme or parts.netloc or not parts.path.startswith("/console/"):
        return url_for("console.today")
    return target
