"""menu/create, menu/get, menu/delete: three buttons of up to five, checked as the platform does."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from sandbox.errors import ApiError
from sandbox.records import Button, MenuKind
from sandbox.world import World

TOP_BUTTONS, SUB_BUTTONS = 3, 5
NAME_BYTES, SUB_NAME_BYTES = 16, 60
KEY_BYTES, URL_BYTES = 128, 1024

_KINDS: dict[str, MenuKind] = {
    "click": "click",
    "view": "view",
    "scancode_push": "scancode_push",
    "scancode_waitmsg": "scancode_waitmsg",
    "location_select": "location_select",
}


@dataclass(frozen=True)
class _ButtonRequest:
    name: str
    type: str = ""
    key: str = ""
    url: str = ""
    sub_button: tuple["_ButtonRequest", ...] = ()


@dataclass(frozen=True)
class _MenuRequest:
    button: tuple[_ButtonRequest, ...]


@dataclass(frozen=True)
class _Codes:
    """The error code of each fault, on one level of the menu."""

    size: int
    type: int
    name: int
    key: int
    url: int


_TOP = _Codes(size=40016, type=40017, name=40018, key=40019, url=40020)
_SUB = _Codes(size=40023, type=40024, name=40025, key=40026, url=40027)
_REQUEST: TypeAdapter[_MenuRequest] = TypeAdapter(_MenuRequest)


def create(world: World, body: bytes) -> None:
    """Replaces the account's menu. Call under the lock. Raises ApiError for what is not allowed."""
    try:
        request = _REQUEST.validate_json(body)
    except ValidationError:
        raise ApiError(47001) from None
    if not 1 <= len(request.button) <= TOP_BUTTONS:
        raise ApiError(40016)
    world.state.menu = [_read_top(button) for button in request.button]
    world.changed.set()


def get(world: World) -> list[Button]:
    """The account's menu. Raises ApiError 46003 where there is none."""
    if world.state.menu is None:
        raise ApiError(46003)
    return world.state.menu


def delete(world: World) -> None:
    """Takes the menu away. Call under the lock."""
    world.state.menu = None
    world.changed.set()


def find(world: World, key: str) -> Button | None:
    """The button that bears this key."""
    for top in world.state.menu or ():
        for button in (top, *top.buttons):
            if button.kind is not None and button.key == key:
                return button
    return None


def as_platform_json(buttons: list[Button]) -> list[dict[str, object]]:
    """The buttons as menu/get returns them."""
    rows: list[dict[str, object]] = []
    for button in buttons:
        row: dict[str, object] = {"name": button.name}
        if button.kind is not None:
            row["type"] = button.kind
        if button.key:
            row["key"] = button.key
        if button.url:
            row["url"] = button.url
        row["sub_button"] = as_platform_json(list(button.buttons))
        rows.append(row)
    return rows


def _read_top(request: _ButtonRequest) -> Button:
    if not request.sub_button:
        return _read_leaf(request, _TOP, NAME_BYTES)
    _check_name(request.name, _TOP, NAME_BYTES)
    if len(request.sub_button) > SUB_BUTTONS:
        raise ApiError(40023)
    buttons = tuple(_read_leaf(sub, _SUB, SUB_NAME_BYTES) for sub in request.sub_button)
    return Button(name=request.name, buttons=buttons)


def _read_leaf(request: _ButtonRequest, codes: _Codes, name_bytes: int) -> Button:
    _check_name(request.name, codes, name_bytes)
    kind = _KINDS.get(request.type)
    if kind is None or request.sub_button:
        raise ApiError(codes.type)
    if kind == "view":
        is_address = request.url.startswith(("http://", "https://"))
        if not is_address or len(request.url.encode()) > URL_BYTES:
            raise ApiError(codes.url)
        return Button(name=request.name, kind=kind, url=request.url)
    if not request.key or len(request.key.encode()) > KEY_BYTES:
        raise ApiError(codes.key)
    return Button(name=request.name, kind=kind, key=request.key)


def _check_name(name: str, codes: _Codes, name_bytes: int) -> None:
    if not name or len(name.encode()) > name_bytes:
        raise ApiError(codes.name)
