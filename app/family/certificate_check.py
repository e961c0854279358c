"""/certificates/<code>: anybody checks a certificate; it tells the masked name and no more."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter

from app.family import looks
from app.family.opening import database
from app.services.course_certificates import CHECK_PATH, find_public

PER_ADDRESS = "60 per minute"
"""Nobody checks so many; whoever guesses numbers would need longer than the world."""
LONGEST_CODE = 40


def make_blueprint(limiter: Limiter) -> Blueprint:
    """The public page; it has no cookie, no log-in and no form that changes anything."""
    check = Blueprint("certificates", __name__, template_folder="templates")
    limiter.limit(PER_ADDRESS)(check)
    check.add_url_rule(CHECK_PATH, view_func=_ask, endpoint="ask")
    check.add_url_rule(f"{CHECK_PATH}<path:code>", view_func=_show, endpoint="show")
    check.after_request(looks.finish)
    for view in (_ask, _show):
        vars(view).setdefault("talisman_view_options", {})["content_security_policy"] = looks.POLICY
    return check


def _ask() -> ResponseReturnValue:
    code = request.args.get("code", "").strip()
    if code:
        return _page(code)
    return render_template("family/course/check.html", style=looks.STYLE, code="", found=None)


def _show(code: str) -> ResponseReturnValue:
    return _page(code)


def _page(code: str) -> ResponseReturnValue:
    found = None
    if len(code) <= LONGEST_CODE and "\0" not in code:
        with database().reading() as db:
            found = find_public(db, code)
    page = render_template(
        "family/course/check.html", style=looks.STYLE, code=code[:LONGEST_CODE], found=found
    )
    return page, 200 if found else 404
