"""Logging in with the code that the mini program gets from WeChat."""

from datetime import datetime

from flask import Response
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.shapes import In, Out
from app.api.signed_in import database, make_token, services
from app.clock import now
from app.services import people
from app.wechat.errors import PlatformError
from app.wechat.web_login import CodeSpent

TAG = Tag(name="登录", description="小程序的登录码换一个令牌，七天有效")
PER_ADDRESS = "60 per minute"


class LogIn(In):
    """What wx.login gave."""

    code: str = Field(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$")


class LoggedIn(Out):
    """The token goes into the header Authorization: Bearer …"""

    token: str
    expires_at: datetime
    is_registered: bool


def add_routes(api: APIBlueprint, limiter: Limiter) -> None:
    limited = limiter.limit(PER_ADDRESS, key_func=get_remote_address)(log_in)
    api.post("/log-in", tags=[TAG], summary="登录", responses={200: LoggedIn}, security=[])(limited)


def log_in(body: LogIn) -> Response:
    """The person of the code; the same one as in the official account where WeChat says so."""
    if not services().settings.wechat_mini_app_id:
        raise ApiRefusal(503, "no_mini_program")
    try:
        user = services().find_mini_user(body.code)
    except CodeSpent:
        raise ApiRefusal(401, "code_spent") from None
    except PlatformError:
        raise ApiRefusal(503, "platform_silent") from None
    at = now()
    with database().transaction() as db:
        caregiver = people.log_in_by_mini(db, openid=user.openid, unionid=user.unionid, now=at)
        token, expires_at = make_token(caregiver, at)
        is_registered = caregiver.family is not None and bool(caregiver.family.children)
    return answer(LoggedIn(token=token, expires_at=expires_at, is_registered=is_registered))
