"""The card that a page becomes when somebody forwards it in WeChat: title, a sentence, a picture.

Only inside WeChat, and where WECHAT_JS_SDK_URL names the platform's script. The page comes without
waiting for anything of it: its own script asks here for a signature once the page is seen.
"""

import secrets
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, abort, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.family.looks import POLICY, static_url
from app.family.opening import services

SHARED = frozenset({"family.pack", "family.session", "family.lesson"})
"""Pages that are forwarded; whoever opens one is asked by WeChat who they are, like anybody."""
LONGEST_URL = 500


def add_routes(family: Blueprint) -> None:
    family.get("/share", endpoint="share")(signature)


def script_url() -> str:
    """The platform's script for the page at hand; empty where it has no card."""
    return platform_script() if request.endpoint in SHARED else ""


def platform_script() -> str:
    """The platform's script, for whoever is inside WeChat; empty for all others."""
    if "MicroMessenger" not in request.user_agent.string:
        return ""
    return services().settings.wechat_js_sdk_url


def allow_script(app: Flask, script: str) -> None:
    """Let the pages with a card, and no others, load the platform's one script."""
    if not script:
        return
    policy = {**POLICY, "script-src": f"'self' {script}"}
    for endpoint in SHARED:
        app.view_functions[endpoint] = under(policy, app.view_functions[endpoint])


def under(policy: Mapping[str, str], view: Callable[..., Any]) -> Callable[..., Any]:
    """The view for this application alone: the function itself belongs to every one."""

    @wraps(view)
    def shown(**given: object) -> object:
        return view(**given)

    vars(shown)["talisman_view_options"] = {"content_security_policy": dict(policy)}
    return shown


def signature() -> ResponseReturnValue:
    """What the page at `url` says to the platform's script; 404 where there is no card."""
    from app.wechat.js_tickets import sign

    settings = services().settings
    url = request.args.get("url", "").partition("#")[0]
    is_ours = url.startswith(f"{settings.public_url}{url_for('family.home')}")
    if not settings.wechat_js_sdk_url or not is_ours or len(url) > LONGEST_URL:
        abort(404)
    ticket = services().find_js_ticket()
    if ticket is None:
        abort(404)
    nonce, timestamp = secrets.token_urlsafe(12), int(now().timestamp())
    said: Mapping[str, object] = {
        "appId": settings.wechat_app_id,
        "nonceStr": nonce,
        "timestamp": timestamp,
        "signature": sign(ticket=ticket, nonce=nonce, timestamp=timestamp, url=url),
        "picture": settings.public_url + static_url("share.png"),
    }
    return dict(said)
