"""The web authorisation: who opened a page, told to the page's server through a code."""

import hashlib
import secrets
from dataclasses import replace

from sandbox.errors import ApiError
from sandbox.records import OAuthCode, Person
from sandbox.world import World

CODE_SECONDS = 300
ACCESS_SECONDS = 7200


def issue_code(world: World, person: Person, scope: str, *, snapshot: bool = False) -> str:
    """A code for this person, good once within five minutes."""
    with world.lock:
        oldest = world.now() - 2 * CODE_SECONDS
        codes = world.state.oauth_codes
        for late in [value for value, code in codes.items() if code.made_at < oldest]:
            del codes[late]
        code = OAuthCode(
            code=secrets.token_urlsafe(24),
            openid=person.openid,
            scope=scope,
            made_at=world.now(),
            snapshot=snapshot or person.snapshot,
        )
        codes[code.code] = code
        world.changed.set()
        return code.code


def spend_code(world: World, value: str) -> OAuthCode:
    """Whose code it is. Call under the lock.

    Raises ApiError 41008 without a code, 40029 for an unknown or late one, 40163 for a used one.
    """
    if not value:
        raise ApiError(41008)
    code = world.state.oauth_codes.get(value)
    if code is None or world.now() - code.made_at >= CODE_SECONDS:
        raise ApiError(40029)
    if code.used:
        raise ApiError(40163)
    world.state.oauth_codes[value] = replace(code, used=True)
    world.changed.set()
    return code


def shown_openid(code: OAuthCode) -> str:
    """The openid that the page's server is told: a virtual one in snapshot mode."""
    if not code.snapshot:
        return code.openid
    return "oSnap" + hashlib.sha256(code.openid.encode()).hexdigest()[:23]


def mini_openid(openid: str) -> str:
    """The person's openid in the mini program: each app has its own."""
    return "oMini" + hashlib.sha256(f"mini {openid}".encode()).hexdigest()[:23]


def unionid(openid: str) -> str:
    """The person in all apps that are bound to one open platform."""
    return "oUnion" + hashlib.sha256(f"union {openid}".encode()).hexdigest()[:22]
