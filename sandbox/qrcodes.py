"""qrcode/create and showqrcode: codes that carry a scene to the callback."""

import base64
import io
import secrets
from dataclasses import dataclass

import segno
from pydantic import TypeAdapter, ValidationError

from sandbox.errors import ActionError, ApiError
from sandbox.records import QrCode
from sandbox.world import World

TEMPORARY_SECONDS = 2_592_000
DEFAULT_SECONDS = 60
"""A temporary code's life where the request names none."""
PERMANENT_CODES = 100_000
SCENE_CHARACTERS = 64


@dataclass(frozen=True)
class _Scene:
    scene_str: str | None = None
    scene_id: int | None = None


@dataclass(frozen=True)
class _ActionInfo:
    scene: _Scene


@dataclass(frozen=True)
class _QrRequest:
    action_name: str
    action_info: _ActionInfo
    expire_seconds: int | None = None


_REQUEST: TypeAdapter[_QrRequest] = TypeAdapter(_QrRequest)


def create(world: World, body: bytes) -> QrCode:
    """A new code. Call under the lock. Raises ApiError 40052, 40053, 45009 or 47001."""
    try:
        request = _REQUEST.validate_json(body)
    except ValidationError:
        raise ApiError(47001) from None
    is_permanent = request.action_name in ("QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE")
    if not is_permanent and request.action_name not in ("QR_SCENE", "QR_STR_SCENE"):
        raise ApiError(40052)
    now = world.now()
    if is_permanent:
        permanent = sum(code.ends_at is None for code in world.state.codes.values())
        if permanent >= PERMANENT_CODES:
            raise ApiError(45009)
    seconds = request.expire_seconds or DEFAULT_SECONDS
    if not 0 < seconds <= TEMPORARY_SECONDS:
        raise ApiError(40053)
    ticket = base64.b64encode(secrets.token_bytes(72)).decode()
    code = QrCode(
        ticket=ticket,
        scene=_read_scene(request),
        url="http://weixin.qq.com/q/" + secrets.token_urlsafe(16),
        made_at=now,
        ends_at=None if is_permanent else now + seconds,
    )
    world.state.codes[ticket] = code
    world.changed.set()
    return code


def find_scene(world: World, scene: str) -> QrCode | None:
    """The newest code with this scene. Raises ActionError where that one has run out."""
    codes = [code for code in world.state.codes.values() if code.scene == scene]
    if not codes:
        return None
    newest = codes[-1]
    if newest.ends_at is not None and newest.ends_at <= world.now():
        raise ActionError("this code has run out", status=410)
    return newest


def picture(code: QrCode) -> bytes:
    """The code as a PNG, 430 pixels or so wide, as the platform serves it."""
    out = io.BytesIO()
    segno.make(code.url, error="m", micro=False).save(out, kind="png", scale=13, border=2)
    return out.getvalue()


def _read_scene(request: _QrRequest) -> str:
    scene = request.action_info.scene
    if request.action_name in ("QR_STR_SCENE", "QR_LIMIT_STR_SCENE"):
        if not scene.scene_str or len(scene.scene_str) > SCENE_CHARACTERS:
            raise ApiError(40053)
        return scene.scene_str
    if scene.scene_id is None or scene.scene_id < 1:
        raise ApiError(40053)
    if request.action_name == "QR_LIMIT_SCENE" and scene.scene_id > PERMANENT_CODES:
        raise ApiError(40053)
    return str(scene.scene_id)
