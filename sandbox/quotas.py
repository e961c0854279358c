"""How often each API may be called in a Beijing day."""

from datetime import UTC, datetime, timedelta, timezone

from sandbox.errors import ApiError
from sandbox.world import World

BEIJING = timezone(timedelta(hours=8))

PER_DAY: dict[str, int] = {
    "/cgi-bin/token": 2_000,
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/message/subscribe/bizsend": 100_000,
    "/cgi-bin/menu/create": 1_000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/menu/delete": 1_000,
    "/cgi-bin/qrcode/create": 100_000,
    "/cgi-bin/user/info": 5_000_000,
}
CLEARINGS_A_MONTH = 10


def count(world: World, path: str) -> None:
    """Counts one call. Call under the lock. Raises ApiError 45009 past the day's limit."""
    key = f"{path} {_beijing(world).date().isoformat()}"
    limit = limit_of(world, path)
    called = world.state.calls.get(key, 0)
    if limit is not None and called >= limit:
        raise ApiError(45009)
    world.state.calls[key] = called + 1
    world.changed.set()


def limit_of(world: World, path: str) -> int | None:
    """The daily limit of an API; None where there is none."""
    return world.state.limits.get(path, PER_DAY.get(path))


def called_today(world: World) -> dict[str, int]:
    """Calls of this Beijing day by path."""
    today = _beijing(world).date().isoformat()
    with world.lock:
        calls = dict(world.state.calls)
    return {key.split(" ")[0]: called for key, called in calls.items() if key.endswith(f" {today}")}


def clear(world: World) -> None:
    """Forgets this day's calls. Call under the lock. Raises ApiError 48006 past 10 a month."""
    month = _beijing(world).strftime("%Y-%m")
    cleared = world.state.quota_clearings.get(month, 0)
    if cleared >= CLEARINGS_A_MONTH:
        raise ApiError(48006)
    world.state.quota_clearings[month] = cleared + 1
    world.state.calls.clear()
    world.changed.set()


def _beijing(world: World) -> datetime:
    return datetime.fromtimestamp(world.now(), UTC).astimezone(BEIJING)
