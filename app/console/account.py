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
    load_signed_in,
    name_session,
    signed_in_as,
)
from app.errors import AccountLocked, BadCredentials
from app.services import audit, second_factor
from app.services.staff import (
    LOCK_MINUTES,
    MAX_FAILURES,
    check_password,
    claim_attempt,
    complete_log_in,
)

HALF = "half_logged_in"
HALF_SECONDS = 600
"""How long after the password the code may be given."""
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
    console.add_url_rule(
        "/login/code",
        endpoint="log_in_code",
        view_func=limited(log_in_code),
        methods=["GET", "POST"],
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
        user, has_code = _signed_in(form.username.data or "", form.password.data or "")
    except (BadCredentials, AccountLocked):
        # One sentence for a wrong name, a wrong password and a lock: a stranger learns
        # neither which accounts exist nor whether a guess was right.
        return _page(form, is_refused=True), 401
    # A session that was planted before the log-in is worth nothing after it.
    session.clear()
    if has_code:
        session[HALF] = [user.get_id(), int(now().timestamp()), asked_for]
        return redirect(url_for("console.log_in_code"))
    return _enter(user, asked_for)


def _enter(user: SignedIn, asked_for: str) -> ResponseReturnValue:
    login_user(user)
    name_session()
    session.permanent = True
    return redirect(asked_for)


def log_in_code() -> ResponseReturnValue:
    """The second half of a log-in: the code, or a recovery code."""
    cookie_id, since, asked_for = session.get(HALF, ["", 0, ""])
    user = load_signed_in(cookie_id)
    if user is None or now().timestamp() - since > HALF_SECONDS:
        session.pop(HALF, None)
        return redirect(url_for("console.log_in"))
    if request.method == "GET":
        return render_template("console/account/code.html", is_refused=False)
    try:
        with database().transaction() as db:
            is_right = second_factor.check(
                db, user.staff_id, request.form.get("code", "")[:40], now=now()
            )
    except AccountLocked:
        is_right = False
    if not is_right:
        return render_template("console/account/code.html", is_refused=True), 401
    session.clear()
    return _enter(user, _page_of_ours(asked_for))


def _page(form: LogInForm, *, is_refused: bool = False) -> str:
    return render_template(
        "console/account/log_in.html",
        form=form,
        is_refused=is_refused,
        max_failures=MAX_FAILURES,
        lock_minutes=LOCK_MINUTES,
    )


def _signed_in(username: str, password: str) -> tuple[SignedIn, bool]:
    """Who the password lets in, and whether a second factor is to be asked for."""
    with database().transaction() as db:
        attempt = claim_attempt(db, username=username, now=now())
    check_password(attempt, password)
    with database().transaction() as db:
        staff = complete_log_in(db, attempt=attempt, password=password, now=now())
        return signed_in_as(staff), staff.totp_confirmed_at is not None


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
