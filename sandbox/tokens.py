"""Access tokens: the stable kind and the classic kind, which know nothing of each other."""

import re
import secrets
from dataclasses import replace

from sandbox.errors import ApiError
from sandbox.records import Token
from sandbox.settings import Settings
from sandbox.world import World

LIFE_SECONDS = 7200
RENEWAL_SECONDS = 300
"""In its last five minutes a stable token is replaced, and both are good."""
FORCED_A_DAY = 20
FORCED_APART_SECONDS = 30
KEPT = 50

_SHAPE = re.compile(r"[A-Za-z0-9_-]{60,512}")


def check_account(settings: Settings, appid: str, secret: str) -> None:
    """Raises ApiError where id or secret are missing or wrong."""
    if not appid:
        raise ApiError(41002)
    if appid != settings.app_id:
        raise ApiError(40013)
    if not secret:
        raise ApiError(41004)
    if not secrets.compare_digest(secret.encode(), settings.app_secret.encode()):
        raise ApiError(40125)


def issue_stable(world: World, *, forced: bool) -> Token:
    """The current stable token, or a new one. Call under the lock.

    Raises ApiError 45011 for forced refreshes less than 30 s apart, 45009 past 20 a day.
    """
    state, now = world.state, world.now()
    current = state.stable_tokens[-1] if state.stable_tokens else None
    if forced:
        _count_forced(world, now)
        state.stable_tokens = [replace(token, dropped=True) for token in state.stable_tokens]
    elif current and not current.dropped and current.ends_at - now > RENEWAL_SECONDS:
        return current
    token = _new_token(now)
    state.stable_tokens = [*state.stable_tokens[-KEPT:], token]
    world.changed.set()
    return token


def issue_classic(world: World) -> Token:
    """A new classic token; those before it stop working. Call under the lock."""
    state = world.state
    token = _new_token(world.now())
    dropped = [replace(old, dropped=True) for old in state.classic_tokens[-KEPT:]]
    state.classic_tokens = [*dropped, token]
    world.changed.set()
    return token


def check(world: World, value: str | None) -> None:
    """Raises ApiError 41001, 40014, 42001 or 40001 where the token is not good now."""
    if not value:
        raise ApiError(41001)
    if not _SHAPE.fullmatch(value):
        raise ApiError(40014)
    for token in (*world.state.stable_tokens, *world.state.classic_tokens):
        if token.value == value:
            if token.ends_at <= world.now():
                raise ApiError(42001)
            if token.dropped:
                raise ApiError(40001)
            return
    raise ApiError(40001)


def expire_all(world: World) -> None:
    """Ends every token now, as if two hours had passed."""
    with world.lock:
        now = world.now()
        state = world.state
        state.stable_tokens = [_ended(token, now) for token in state.stable_tokens]
        state.classic_tokens = [_ended(token, now) for token in state.classic_tokens]
        world.changed.set()


def _ended(token: Token, now: float) -> Token:
    return replace(token, ends_at=min(token.ends_at, now))


def _new_token(now: float) -> Token:
    # The platform asks for room for 512 characters and hands out about 136.
    value = "SBX_" + secrets.token_urlsafe(99)
    return Token(value=value, issued_at=now, ends_at=now + LIFE_SECONDS)


def _count_forced(world: World, now: float) -> None:
    recent = [at for at in world.state.forced_refreshes if now - at < 86_400]
    if recent and now - recent[-1] < FORCED_APART_SECONDS:
        raise ApiError(45011)
    if len(recent) >= FORCED_A_DAY:
        raise ApiError(45009)
    world.state.forced_refreshes = [*recent, now]
