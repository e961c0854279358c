"""What the platform shows in a browser: the phone, QR codes, the web authorisation."""

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox import js_sdk, oauth, qrcodes
from sandbox.world import World

STATE = re.compile(r"[A-Za-z0-9]{0,128}")
COOKIE = "sandbox_openid"
"""Who opened the last link on the phone page; set by it for /connect alone."""


def make_blueprint(world: World) -> Blueprint:
    """The routes of the pages over this world."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/")
    def phone() -> str:
        console_url = urljoin(world.settings.callback, "/console/")
        return render_template(
            "phone.html", account_name=world.settings.account_name, console_url=console_url
        )

    @blueprint.get("/jweixin.js")
    def js_sdk_script() -> Response:
        return Response(js_sdk.script(world), content_type="text/javascript; charset=utf-8")

    @blueprint.get("/cgi-bin/showqrcode")
    def showqrcode() -> Response:
        code = world.state.codes.get(request.args.get("ticket", ""))
        if code is None:
            return Response("no such ticket", 404, mimetype="text/plain")
        return Response(qrcodes.picture(code), mimetype="image/png")

    @blueprint.get("/connect/oauth2/authorize")
    def authorize() -> BaseResponse | tuple[str, int] | str:
        back = request.args.get("redirect_uri", "")
        scope = request.args.get("scope", "")
        trouble = _find_trouble(world, back, scope)
        if trouble:
            return render_template("authorize.html", trouble=trouble, people=()), 400
        openid = request.args.get("openid") or request.cookies.get(COOKIE, "")
        person = world.state.people.get(openid)
        if person is None:
            people = list(world.state.people.values())[:20]
            query = urlencode(list(request.args.items(multi=True)))
            return render_template("authorize.html", trouble="", people=people, query=query)
        snapshot = request.args.get("snapshot") == "1"
        code = oauth.issue_code(world, person, scope, snapshot=snapshot)
        return redirect(_with_query(back, code=code, state=request.args.get("state", "")))

    return blueprint


def _find_trouble(world: World, back: str, scope: str) -> str:
    if request.args.get("appid") != world.settings.app_id:
        return "appid 参数错误"
    if request.args.get("response_type") != "code":
        return "response_type 参数错误"
    if scope not in ("snsapi_base", "snsapi_userinfo"):
        return "scope 参数错误或没有 scope 权限"
    if urlsplit(back).scheme not in ("http", "https"):
        return "redirect_uri 参数错误"
    # The account names one domain for its pages; here it is the one that answers the callback.
    if urlsplit(back).hostname != urlsplit(world.settings.callback).hostname:
        return "redirect_uri 域名与后台配置不一致，错误码：10003"
    if not STATE.fullmatch(request.args.get("state", "")):
        return "state 参数错误"
    return ""


def _with_query(url: str, **more: str) -> str:
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *more.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))
