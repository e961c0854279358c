"""The staff's pages under /console/: a module and a template folder for each screen group."""

import structlog
from flask import Blueprint, Flask, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_bootstrap import Bootstrap5
from flask_limiter import Limiter
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, InternalServerError

from app.clock import now
from app.console import (
    account,
    accounts,
    audit_log,
    calendar,
    check_in,
    course,
    coverage,
    decisions,
    families,
    files,
    follow_ups,
    more,
    notices,
    operations,
    packs,
    second_factor,
    sessions,
    sheets,
    threads,
    timetable,
    today,
    unread,
    visit_board,
    visit_reports,
    visit_work,
    visitor_day,
    visits,
    walk_in_form,
)
from app.console.access import TABS_ON_A_PHONE, home_of, may, tabs_of
from app.console.signed_in import check_may_enter, current_role, load_signed_in
from app.security import Security
from app.words import visit_signs
from app.words.visit_words import code_word
from app.words.when import say_age, say_age_range, say_day, say_near, say_time, say_when

log = structlog.get_logger(__name__)

STATIC_SECONDS = 3600
PROBLEMS = (400, 403, 404, 405, 413, 429)


def init_console(app: Flask) -> None:
    """Register the console and its log-in on an application that was secured before."""
    security: Security = app.extensions["security"]
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_SECONDS
    if "bootstrap" not in app.extensions:
        Bootstrap5(app)
    login_manager = LoginManager(app)
    # Phones change their address between two taps; the cookie's epoch is what revokes it.
    login_manager.session_protection = None
    login_manager.user_loader(load_signed_in)
    app.register_blueprint(make_blueprint(security.limiter))


def make_blueprint(limiter: Limiter) -> Blueprint:
    """The console's routes; the log-in counts against the limiter."""
    console = Blueprint(
        "console",
        __name__,
        url_prefix="/console",
        template_folder="templates",
        static_folder="static",
    )
    console.before_request(_refuse_nul)
    console.before_request(check_may_enter)
    console.after_request(_keep_out_of_caches)
    console.context_processor(_page_words)
    for status in PROBLEMS:
        console.register_error_handler(status, _show_problem)
    console.register_error_handler(CSRFError, _show_problem)
    console.register_error_handler(DBAPIError, _show_outage)
    console.register_error_handler(InternalServerError, _show_outage)
    account.add_routes(console, limiter)
    today.add_routes(console)
    coverage.add_routes(console)
    course.add_routes(console)
    decisions.add_routes(console)
    sessions.add_routes(console)
    timetable.add_routes(console)
    check_in.add_routes(console)
    walk_in_form.add_routes(console)
    sheets.add_routes(console)
    calendar.add_routes(console)
    families.add_routes(console)
    follow_ups.add_routes(console)
    threads.add_routes(console)
    unread.add_routes(console)
    notices.add_routes(console)
    packs.add_routes(console)
    more.add_routes(console)
    visits.add_routes(console)
    visit_work.add_routes(console)
    visit_reports.add_routes(console)
    visit_board.add_routes(console)
    visitor_day.add_routes(console)
    second_factor.add_routes(console)
    files.add_routes(console)
    accounts.add_routes(console)
    audit_log.add_routes(console)
    operations.add_routes(console)
    # Last: what is no page of ours is answered in the console's own looks, after the log-in.
    console.add_url_rule("/<path:_unknown>", view_func=_show_nothing, endpoint="nothing")
    return console


def _show_nothing(_unknown: str) -> ResponseReturnValue:
    return _problem_page(404), 404


def _show_problem(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 400
    return _problem_page(status, is_stale_form=isinstance(error, CSRFError)), status


def _show_outage(error: Exception) -> ResponseReturnValue:
    """A page that needs neither the database nor the log-in."""
    log.error("page_failed", reason=type(error).__name__, endpoint=request.endpoint)
    return render_template("console/outage.html"), 503 if isinstance(error, DBAPIError) else 500


def _refuse_nul() -> None:
    """PostgreSQL's texts cannot hold the character NUL, and no person types it."""
    typed = (request.path, *request.args.values(), *request.form.values())
    if any("\0" in each for each in typed):
        abort(400)


def _problem_page(status: int, *, is_stale_form: bool = False) -> str:
    return render_template("console/problem.html", status=status, is_stale_form=is_stale_form)


def _keep_out_of_caches(response: Response) -> Response:
    # The back button after a log-out, on a shared tablet, must not show families again.
    if request.endpoint != "console.static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _may_see(endpoint: str) -> bool:
    return may(current_role(), endpoint, acts=False)


def _may_act(endpoint: str) -> bool:
    return may(current_role(), endpoint, acts=True)


def _page_words() -> dict[str, object]:
    """What the console's templates call on."""
    return {
        "now": now(),
        "may_act": _may_act,
        "may_see": _may_see,
        "tabs": tabs_of(current_role()) if current_user.is_authenticated else [],
        "tabs_on_a_phone": TABS_ON_A_PHONE,
        "home": home_of(current_role()) if current_user.is_authenticated else None,
        "visit_words": visit_signs,
        "code_word": code_word,
        "say_age": say_age,
        "say_age_range": say_age_range,
        "say_day": say_day,
        "say_near": say_near,
        "say_time": say_time,
        "say_when": say_when,
    }
