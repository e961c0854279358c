"""The pages under /family/ that caregivers open from the chat: one module a topic.

How a topic adds its pages stands in docs/architecture.md, "A page for families".
"""

import structlog
from flask import Blueprint, Flask, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, InternalServerError

from app.clock import now
from app.errors import DomainError, NotRegistered
from app.family import (
    certificate_check,
    course,
    growth,
    home,
    log_in,
    log_ins,
    looks,
    my_family,
    packs,
    privacy,
    sessions,
    share_card,
    subscriptions,
    text_size,
    visits,
    year_plan,
)
from app.family.cookies import SessionsByPath
from app.family.opening import find_opener
from app.security import Security
from app.words.errors import say_error
from app.words.when import say_age, say_age_range, say_day, say_near, say_time, say_when

log = structlog.get_logger(__name__)

PER_ADDRESS = "600 per minute"
"""A whole town may share one mobile operator's address."""
PROBLEMS = (400, 403, 404, 405, 413, 429)


def init_family(app: Flask) -> None:
    """Register the pages on an application that was secured before."""
    security: Security = app.extensions["security"]
    app.session_interface = SessionsByPath()
    app.register_blueprint(make_blueprint(security.limiter))
    app.register_blueprint(certificate_check.make_blueprint(security.limiter))
    looks.allow_style(app)
    script = app.extensions["yuban"].settings.wechat_js_sdk_url
    share_card.allow_script(app, script)
    subscriptions.allow_script(app, script)


def make_blueprint(limiter: Limiter) -> Blueprint:
    """The pages' routes."""
    family = Blueprint(
        "family",
        __name__,
        url_prefix="/family",
        template_folder="templates",
        static_folder="static",
    )
    limiter.limit(PER_ADDRESS)(family)
    family.before_request(_refuse_nul)
    family.before_request(find_opener)
    family.after_request(looks.finish)
    family.context_processor(_page_words)
    for status in PROBLEMS:
        family.register_error_handler(status, _show_problem)
    family.register_error_handler(CSRFError, _show_problem)
    family.register_error_handler(DomainError, _show_refusal)
    family.register_error_handler(DBAPIError, _show_outage)
    family.register_error_handler(InternalServerError, _show_outage)
    log_in.add_routes(family)
    text_size.add_routes(family)
    visits.add_routes(family)
    home.add_routes(family)
    packs.add_routes(family)
    growth.add_routes(family)
    course.add_routes(family)
    sessions.add_routes(family)
    year_plan.add_routes(family)
    my_family.add_routes(family)
    log_ins.add_routes(family)
    privacy.add_routes(family)
    subscriptions.add_routes(family)
    share_card.add_routes(family)
    # Last: what is no page of ours is answered in the pages' own looks.
    family.add_url_rule("/<path:_unknown>", view_func=_show_nothing, endpoint="nothing")
    return family


def _show_nothing(_unknown: str) -> ResponseReturnValue:
    return render_template("family/problem.html", status=404), 404


def _show_problem(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 400
    is_stale_form = isinstance(error, CSRFError)
    page = render_template("family/problem.html", status=status, is_stale_form=is_stale_form)
    return page, status


def _show_refusal(error: DomainError) -> ResponseReturnValue:
    """A service said no: its sentence, and a way on. Nothing was changed."""
    log.info("page_refused", error=type(error).__name__, endpoint=request.endpoint)
    is_new = isinstance(error, NotRegistered)
    page = render_template("family/refusal.html", sentence=say_error(error), is_new=is_new)
    return page, 409


def _show_outage(error: Exception) -> ResponseReturnValue:
    log.error("page_failed", reason=type(error).__name__, endpoint=request.endpoint)
    page = render_template("family/outage.html")
    return page, 503 if isinstance(error, DBAPIError) else 500


def _refuse_nul() -> None:
    """PostgreSQL's texts cannot hold the character NUL, and no person types it."""
    typed = (request.path, *request.args.values(), *request.form.values())
    if any("\0" in each for each in typed):
        abort(400)


def _page_words() -> dict[str, object]:
    """What the pages' templates call on."""
    return {
        "now": now(),
        "style": looks.STYLE,
        "static_url": looks.static_url,
        "share_script": share_card.script_url(),
        "text_size": text_size.chosen(),
        "tabs": home.tabs(),
        "say_age": say_age,
        "say_age_range": say_age_range,
        "say_day": say_day,
        "say_near": say_near,
        "say_time": say_time,
        "say_when": say_when,
    }
