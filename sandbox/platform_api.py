"""The platform's API over HTTP: status 200 and an errcode, whatever happens."""

import json
import math
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Blueprint, Response, request
from pydantic import TypeAdapter, ValidationError

from sandbox import (
    customer_service,
    faults,
    js_sdk,
    letters,
    menu,
    oauth,
    qrcodes,
    quotas,
    template_messages,
    tokens,
)
from sandbox.errors import ApiError
from sandbox.line import Line
from sandbox.records import Fault
from sandbox.world import World

Payload = Mapping[str, object]
OK: Payload = {"errcode": 0, "errmsg": "ok"}


@dataclass(frozen=True)
class Call:
    """One request to the API."""

    path: str
    args: Mapping[str, str]
    body: bytes
    fault: Fault | None
    after: list[Callable[[], None]] = field(default_factory=list)
    """What to do once it is answered, outside of the lock."""


@dataclass(frozen=True)
class _TokenRequest:
    grant_type: str = ""
    appid: str = ""
    secret: str = ""
    force_refresh: bool = False


@dataclass(frozen=True)
class _One:
    openid: str
    lang: str = ""


@dataclass(frozen=True)
class _Batch:
    user_list: list[_One]


_BATCH: TypeAdapter[_Batch] = TypeAdapter(_Batch)
USERS_AT_ONCE = 100
_TOKEN_REQUEST: TypeAdapter[_TokenRequest] = TypeAdapter(_TokenRequest)

Handler = Callable[[World, Line, Call], Payload]


def _stable_token(world: World, line: Line, call: Call) -> Payload:
    try:
        wanted = _TOKEN_REQUEST.validate_json(call.body)
    except ValidationError:
        raise ApiError(47001) from None
    if wanted.grant_type != "client_credential":
        raise ApiError(40002)
    tokens.check_account(world.settings, wanted.appid, wanted.secret)
    token = tokens.issue_stable(world, forced=wanted.force_refresh)
    return {"access_token": token.value, "expires_in": math.ceil(token.ends_at - world.now())}


def _classic_token(world: World, line: Line, call: Call) -> Payload:
    if call.args.get("grant_type") != "client_credential":
        raise ApiError(40002)
    tokens.check_account(world.settings, call.args.get("appid", ""), call.args.get("secret", ""))
    token = tokens.issue_classic(world)
    return {"access_token": token.value, "expires_in": math.ceil(token.ends_at - world.now())}


def _custom_send(world: World, line: Line, call: Call) -> Payload:
    customer_service.send(world, call.body)
    return OK


def _template_send(world: World, line: Line, call: Call) -> Payload:
    job_status = call.fault.job_status if call.fault else ""
    outcome = template_messages.send_template(world, call.body, job_status)
    if not outcome.is_repeat:
        receipt = letters.template_receipt(
            world.settings, outcome.openid, outcome.msgid, outcome.status
        )
        call.after.append(lambda: line.deliver_later(receipt))
    return {**OK, "msgid": outcome.msgid}


def _bizsend(world: World, line: Line, call: Call) -> Payload:
    outcome = template_messages.send_subscribed(world, call.body)
    if not outcome.is_repeat:
        sent = letters.subscription_sent(
            world.settings, outcome.openid, outcome.template_id, outcome.msgid
        )
        call.after.append(lambda: line.deliver_later(sent))
    return {**OK, "msgid": outcome.msgid}


def _templates(world: World, line: Line, call: Call) -> Payload:
    rows = [
        {
            "template_id": template.id,
            "title": template.title,
            "primary_industry": "政府与公共事业",
            "deputy_industry": "公共事业",
            "content": "".join(
                f"{line_.label}:{{{{{line_.key}.DATA}}}}\n" for line_ in template.fields
            ),
            "example": "",
        }
        for template in world.state.templates.values()
        if template.kind == "template"
    ]
    return {"template_list": rows}


def _menu_create(world: World, line: Line, call: Call) -> Payload:
    menu.create(world, call.body)
    return OK


def _menu_get(world: World, line: Line, call: Call) -> Payload:
    return {"menu": {"button": menu.as_platform_json(menu.get(world))}}


def _menu_delete(world: World, line: Line, call: Call) -> Payload:
    menu.delete(world)
    return OK


def _qrcode_create(world: World, line: Line, call: Call) -> Payload:
    code = qrcodes.create(world, call.body)
    payload: dict[str, object] = {"ticket": code.ticket, "url": code.url}
    if code.ends_at is not None:
        payload["expire_seconds"] = round(code.ends_at - code.made_at)
    return payload


def _user_info(world: World, line: Line, call: Call) -> Payload:
    return _info_of(world, call.args.get("openid", ""))


def _info_of(world: World, openid: str) -> Payload:
    person = world.state.people.get(openid)
    if person is None:
        raise ApiError(40003)
    if not person.following:
        return {"subscribe": 0, "openid": person.openid}
    return {
        "subscribe": 1,
        "openid": person.openid,
        "unionid": oauth.unionid(person.openid),
        # No name, no picture: the platform stopped giving them in December 2021.
        "nickname": "",
        "headimgurl": "",
        "sex": 0,
        "language": "zh_CN",
        "subscribe_time": int(person.followed_at),
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if person.scene else "ADD_SCENE_SEARCH",
        "qr_scene": 0,
        "qr_scene_str": person.scene,
    }


def _user_get(world: World, line: Line, call: Call) -> Payload:
    followers = [person.openid for person in world.state.people.values() if person.following]
    start = call.args.get("next_openid", "")
    if start in followers:
        followers = followers[followers.index(start) + 1 :]
    page = followers[:10_000]
    return {
        "total": sum(person.following for person in world.state.people.values()),
        "count": len(page),
        "data": {"openid": page},
        "next_openid": page[-1] if page else "",
    }


def _clear_quota(world: World, line: Line, call: Call) -> Payload:
    try:
        wanted = _TOKEN_REQUEST.validate_json(call.body)
    except ValidationError:
        raise ApiError(47001) from None
    if wanted.appid != world.settings.app_id:
        raise ApiError(40013)
    quotas.clear(world)
    return OK


def _js_ticket(world: World, line: Line, call: Call) -> Payload:
    if call.args.get("type") != "jsapi":
        raise ApiError(40097)
    return {**OK, "ticket": js_sdk.ticket(world), "expires_in": js_sdk.LIFE_SECONDS}


def _oauth_access_token(world: World, line: Line, call: Call) -> Payload:
    if call.args.get("grant_type") != "authorization_code":
        raise ApiError(40002)
    tokens.check_account(world.settings, call.args.get("appid", ""), call.args.get("secret", ""))
    code = oauth.spend_code(world, call.args.get("code", ""))
    payload: dict[str, object] = {
        "access_token": f"OAUTH_{code.code}",
        "expires_in": oauth.ACCESS_SECONDS,
        "refresh_token": f"REFRESH_{code.code}",
        "openid": oauth.shown_openid(code),
        "scope": code.scope,
    }
    if code.snapshot:
        payload["is_snapshotuser"] = 1
    return payload


def _jscode2session(world: World, line: Line, call: Call) -> Payload:
    if call.args.get("grant_type") != "authorization_code":
        raise ApiError(40002)
    settings = world.settings
    if call.args.get("appid", "") != settings.mini_app_id:
        raise ApiError(40013)
    if call.args.get("secret", "") != settings.mini_app_secret:
        raise ApiError(40125)
    code = oauth.spend_code(world, call.args.get("js_code", ""))
    return {
        "openid": oauth.mini_openid(code.openid),
        "session_key": "c2FuZGJveC1zZXNzaW9uLQ==",
        "unionid": oauth.unionid(code.openid),
    }


def _user_info_batchget(world: World, line: Line, call: Call) -> Payload:
    try:
        wanted = _BATCH.validate_json(call.body)
    except ValidationError:
        raise ApiError(47001) from None
    if not 0 < len(wanted.user_list) <= USERS_AT_ONCE:
        raise ApiError(40032)
    return {"user_info_list": [_info_of(world, one.openid) for one in wanted.user_list]}


@dataclass(frozen=True)
class _Endpoint:
    path: str
    method: str
    handle: Handler
    needs_token: bool = True
    is_counted: bool = True


ENDPOINTS = (
    _Endpoint("/cgi-bin/stable_token", "POST", _stable_token, needs_token=False),
    _Endpoint("/cgi-bin/token", "GET", _classic_token, needs_token=False),
    _Endpoint("/cgi-bin/message/custom/send", "POST", _custom_send),
    _Endpoint("/cgi-bin/message/template/send", "POST", _template_send),
    _Endpoint("/cgi-bin/message/subscribe/bizsend", "POST", _bizsend),
    _Endpoint("/cgi-bin/template/get_all_private_template", "GET", _templates),
    _Endpoint("/cgi-bin/menu/create", "POST", _menu_create),
    _Endpoint("/cgi-bin/menu/get", "GET", _menu_get),
    _Endpoint("/cgi-bin/menu/delete", "*", _menu_delete),
    _Endpoint("/cgi-bin/qrcode/create", "POST", _qrcode_create),
    _Endpoint("/cgi-bin/user/info", "GET", _user_info),
    _Endpoint("/cgi-bin/user/info/batchget", "POST", _user_info_batchget),
    _Endpoint("/cgi-bin/user/get", "GET", _user_get),
    # Counting the call that empties the counters would leave one behind.
    _Endpoint("/cgi-bin/clear_quota", "POST", _clear_quota, is_counted=False),
    _Endpoint("/cgi-bin/ticket/getticket", "GET", _js_ticket),
    _Endpoint("/sns/oauth2/access_token", "GET", _oauth_access_token, needs_token=False),
    _Endpoint("/sns/jscode2session", "GET", _jscode2session, needs_token=False),
)


def make_blueprint(world: World, line: Line) -> Blueprint:
    """The routes of the API over this world."""
    blueprint = Blueprint("platform_api", __name__)
    for endpoint in ENDPOINTS:
        blueprint.add_url_rule(
            endpoint.path,
            endpoint=endpoint.path.strip("/").replace("/", "_"),
            view_func=_view(world, line, endpoint),
            methods=["GET", "POST"],
        )
    return blueprint


def _view(world: World, line: Line, endpoint: _Endpoint) -> Callable[[], Response]:
    def view() -> Response:
        body = request.get_data()
        fault = faults.take(world, endpoint.path, _addressee(body, request.args))
        if fault is not None and faults.refuses(fault):
            time.sleep(fault.delay_seconds)
            return _refuse(fault)
        call = Call(endpoint.path, request.args, body, fault)
        payload = _answer(world, line, endpoint, call)
        for act in call.after:
            act()
        if fault is not None:
            # Taken, and then silence: what a time-out leaves the caller with.
            time.sleep(fault.delay_seconds)
            if fault.drop == "after":
                return _cut()
            if fault.garbage == "after":
                return _garbage()
        return _json(payload)

    return view


def _answer(world: World, line: Line, endpoint: _Endpoint, call: Call) -> Payload:
    try:
        if endpoint.method not in ("*", request.method):
            raise ApiError(43001 if endpoint.method == "GET" else 43002)
        with world.lock:
            if endpoint.needs_token:
                tokens.check(world, call.args.get("access_token"))
            if endpoint.is_counted:
                quotas.count(world, endpoint.path)
            if endpoint.method == "POST" and not call.body:
                raise ApiError(44002)
            return endpoint.handle(world, line, call)
    except ApiError as error:
        return {"errcode": error.errcode, "errmsg": error.errmsg}


def _addressee(body: bytes, args: Mapping[str, str]) -> str:
    """The openid that a call is about, for faults that wait for one person."""
    try:
        parsed = json.loads(body) if body else {}
    except ValueError:
        parsed = {}
    touser = parsed.get("touser") if isinstance(parsed, dict) else None
    return touser if isinstance(touser, str) else args.get("openid", "")


def _refuse(fault: Fault) -> Response:
    if fault.drop == "before":
        return _cut()
    if fault.garbage == "before":
        return _garbage()
    if fault.http_status is not None:
        return Response("Service Unavailable", fault.http_status, mimetype="text/plain")
    error = ApiError(fault.errcode or -1)
    return _json({"errcode": error.errcode, "errmsg": error.errmsg})


def _garbage() -> Response:
    return Response("<html><body>502 Bad Gateway</body></html>", mimetype="text/html")


def _cut() -> Response:
    """Ends the connection under the caller, who gets no answer at all."""
    for name in ("gunicorn.socket", "werkzeug.socket"):
        connection = request.environ.get(name)
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
            return Response(status=500)
    raise RuntimeError("this server gives no access to the connection: it cannot be cut")


def _json(payload: Payload) -> Response:
    return Response(
        json.dumps(payload, ensure_ascii=False), content_type="application/json; encoding=utf-8"
    )
