"""Logging in with the code that the mini program gets from WeChat."""

from datetime import datetime
from typing import Literal

from flask import Response
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.shapes import Done, Id, In, Out
from app.api.signed_in import calling, calling_by, database, make_token, services
from app.clock import now
from app.models import Caregiver
from app.rules.identity import Device
from app.services import log_ins, people
from app.services.audit import Actor
from app.wechat.errors import PlatformError
from app.wechat.web_login import CodeSpent
from app.words import pages as words

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


class LogInOut(Out):
    """One device on which the caller is logged in."""

    id: int
    way: Literal["app", "pages"]
    device: Device
    logged_in_at: datetime
    expires_at: datetime
    is_this: bool
    """The one that asks."""


class LogInList(Out):
    items: list[LogInOut]


class LogInPath(BaseModel):
    log_in_id: Id


def add_routes(api: APIBlueprint, limiter: Limiter) -> None:
    limited = limiter.limit(PER_ADDRESS, key_func=get_remote_address)(log_in)
    api.post("/log-in", tags=[TAG], summary="登录", responses={200: LoggedIn}, security=[])(limited)
    api.get("/log-ins", tags=[TAG], summary="在哪里登录着", responses={200: LogInList})(show_all)
    api.delete("/log-ins/<int:log_in_id>", tags=[TAG], summary="退出一处", responses={200: Done})(
        end
    )


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
        token, expires_at = make_token(db, caregiver, at)
        is_registered = caregiver.family is not None and bool(caregiver.family.children)
    return answer(LoggedIn(token=token, expires_at=expires_at, is_registered=is_registered))


def show_all() -> Response:
    """The devices on which the caller is logged in, in the app and on the pages."""
    with database().reading() as db:
        caller = calling(db)
        found = log_ins.of_caregivers(db, Caregiver.id == caller.id, now())
    return answer(
        LogInList(
            items=[
                LogInOut.model_validate(
                    {
                        "id": one.id,
                        "way": one.way,
                        "device": one.device,
                        "logged_in_at": one.logged_in_at,
                        "expires_at": one.expires_at,
                        "is_this": one.id == calling_by(),
                    }
                )
                for one in found
            ]
        )
    )


def end(path: LogInPath) -> Response:
    """That device has to log in anew; one's own is a log-out."""
    with database().transaction() as db:
        caller = calling(db)
        log_ins.end(
            db,
            path.log_in_id,
            whose=Caregiver.id == caller.id,
            actor=Actor("caregiver", caller.id),
            now=now(),
        )
    return answer(Done(message=words.log_in_ended()))
