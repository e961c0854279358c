"""What the platform shows in a browser: the phone, QR codes, the web authorisation."""

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox import js_sdk, oauth, qrcodes
from sandbox.actions import Act, Phones
from sandbox.errors import ActionError
from sandbox.records import Template
from sandbox.world import World

STATE = re.compile(r"[A-Za-z0-9]{0,128}")
COOKIE = "sandbox_openid"
"""Who opened the last link on the phone page; set by it for /connect alone."""


MOST_ASKED = 3
"""Templates in one question."""


def make_blueprint(world: World, phones: Phones) -> Blueprint:
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
            return _who()
        snapshot = request.args.get("snapshot") == "1"
        code = oauth.issue_code(world, person, scope, snapshot=snapshot)
        return redirect(_with_query(back, code=code, state=request.args.get("state", "")))

    @blueprint.get("/connect/subscribe")
    def ask_consent() -> tuple[str, int] | str:
        """What the phone shows when a page's button was tapped."""
        templates = _asked_templates(world)
        if not templates or not _is_own_page(world, request.args.get("back", "")):
            return render_template("authorize.html", trouble="模板或页面不对", people=()), 400
        openid = request.args.get("openid") or request.cookies.get(COOKIE, "")
        person = world.state.people.get(openid)
        if person is None:
            return _who()
        return render_template("subscribe.html", person=person, templates=templates, answers=None)

    @blueprint.post("/connect/subscribe")
    def answer_consent() -> tuple[str, int] | str:
        """The answer goes to the callback as an event, and to the page that asked."""
        templates = _asked_templates(world)
        person = world.state.people.get(request.form.get("openid", ""))
        back = request.args.get("back", "")
        if person is None or not templates or not _is_own_page(world, back):
            return render_template("authorize.html", trouble="模板或页面不对", people=()), 400
        accepts = request.form.get("answer") == "accept"
        answers = {}
        try:
            for template in templates:
                act = Act(template_id=template.id, accept=accepts, wait=False)
                phones.act(person.openid, "subscribe_consent", act, "")
                answers[template.id] = f'{{"status":"{"accept" if accepts else "reject"}"}}'
        except ActionError as error:
            return render_template("authorize.html", trouble=str(error), people=()), 409
        return render_template(
            "subscribe.html", person=person, templates=templates, answers=answers, back=back
        )

    def _who() -> str:
        people = list(world.state.people.values())[:20]
        query = urlencode(list(request.args.items(multi=True)))
        return render_template(
            "authorize.html", trouble="", people=people, query=query, path=request.path
        )

    return blueprint


def _asked_templates(world: World) -> list[Template]:
    """Of ?template=ID,ID; none where one of them is no subscription template, or too many."""
    ids = request.args.get("template", "").split(",")
    found = [world.state.templates.get(each) for each in ids]
    asked = [one for one in found if one is not None and one.kind != "template"]
    return asked if len(asked) == len(ids) <= MOST_ASKED else []


def _is_own_page(world: World, origin: str) -> bool:
    """Whether the page that asks is of the account's one domain."""
    return urlsplit(origin).hostname == urlsplit(world.settings.callback).hostname


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
