"""The log-in that nobody sees: to WeChat, which knows who taps, and back with a code."""

import secrets
from urllib.parse import urlencode, urlsplit

import structlog
from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.config import Settings
from app.family.opening import CAREGIVER, database, forget, remember, services
from app.services.registration import find_caregiver
from app.wechat.errors import PlatformError
from app.wechat.web_login import CodeSpent

STATES = "states"
STATES_KEPT = 5
"""Pages that may be on their way to WeChat and back at once, in as many tabs."""

log = structlog.get_logger(__name__)


def add_routes(family: Blueprint) -> None:
    family.get("/enter", endpoint="enter")(enter)
    family.get("/back", endpoint="back")(back)
    family.post("/leave", endpoint="leave")(leave)


def enter() -> ResponseReturnValue:
    """To WeChat, with a state that only this browser can bring back."""
    settings = services().settings
    wanted = page_of_ours(request.args.get("next", ""))
    if settings.has_real_platform and "MicroMessenger" not in request.user_agent.string:
        return render_template("family/outside.html", address=_whole_address(wanted)), 403
    state = secrets.token_hex(16)
    kept = list(session.get(STATES, []))[1 - STATES_KEPT :]
    session[STATES] = [*kept, [state, wanted]]
    return redirect(authorize_url(settings, state))


def authorize_url(settings: Settings, state: str) -> str:
    """The platform's page, with its parameters in the order that it insists on."""
    query = urlencode(
        [
            ("appid", settings.wechat_app_id),
            ("redirect_uri", f"{settings.public_url}/family/back"),
            ("response_type", "code"),
            ("scope", "snsapi_base"),
            ("state", state),
        ]
    )
    return f"{settings.authorize_url}?{query}#wechat_redirect"


def back() -> ResponseReturnValue:
    """Back from WeChat: the state is ours, the code is spent, the page that was wanted opens."""
    wanted = _claim_state(request.args.get("state", ""))
    if wanted is None:
        if CAREGIVER in session:  # the back button, after all went well
            return redirect(url_for("family.home"))
        return _again(url_for("family.home"), 400)
    try:
        opener = services().find_opener(request.args.get("code", ""))
    except CodeSpent:
        return _again(wanted, 400)
    except PlatformError as error:
        log.warning("opener_not_told", error=repr(error))
        return render_template("family/silent.html", wanted=wanted), 503
    if opener.is_virtual:
        # The openid belongs to nobody: it is neither kept nor looked up.
        return render_template("family/snapshot.html", wanted=wanted), 403
    with database().transaction() as db:
        caregiver = find_caregiver(db, opener.openid)
        if caregiver is None:
            return render_template("family/stranger.html", wanted=wanted), 403
        remember(db, caregiver)
    return redirect(wanted)


def leave() -> ResponseReturnValue:
    """Forget who opened the pages in this browser: for a phone that was lent."""
    with database().transaction() as db:
        forget(db)
    return render_template("family/left.html")


def _claim_state(state: str) -> str | None:
    """The page that was wanted when this state left; each state comes back once."""
    kept = list(session.get(STATES, []))
    for pair in kept:
        known, wanted = pair
        if state and secrets.compare_digest(known.encode(), state.encode()):
            kept.remove(pair)
            session[STATES] = kept
            return str(wanted)
    return None


def _again(wanted: str, status: int) -> ResponseReturnValue:
    return render_template("family/again.html", wanted=wanted), status


def page_of_ours(target: str) -> str:
    """The target where it is one of these pages, else the first of them."""
    parts = urlsplit(target.replace("\\", "/"))
    is_ours = not (parts.scheme or parts.netloc) and parts.path.startswith("/family/")
    passing = ("/family/enter", "/family/back", "/family/leave", "/family/text-size")
    return target if is_ours and parts.path not in passing else url_for("family.home")


def _whole_address(path: str) -> str:
    return services().settings.public_url + path
