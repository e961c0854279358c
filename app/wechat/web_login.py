"""Who opened a page: the code that the platform's web authorisation hands over, exchanged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.config import Settings
from app.wechat.errors import AnswerLost, ApiRefused

if TYPE_CHECKING:
    from app.wechat.platform import Platform

SPENT_CODES = frozenset({40029, 40163, 41008})
"""A code that is unknown, too old, used before, or not there."""
CODE_LENGTH = 256


class CodeSpent(Exception):
    """The code is not good, or not good any more; a new one is asked for without harm."""


@dataclass(frozen=True, slots=True)
class Opener:
    """Who opened the page."""

    openid: str
    is_virtual: bool
    """Of the platform's snapshot mode: the openid belongs to nobody and is never kept."""


def find_opener(settings: Settings, code: str) -> Opener:
    """Whose code this is. Raises CodeSpent, or PlatformError where the platform is no help."""
    if not 0 < len(code) <= CODE_LENGTH:
        raise CodeSpent
    platform = _platform(settings, settings.wechat_app_id)
    try:
        answer = platform.get(
            "sns/oauth2/access_token",
            [
                ("appid", settings.wechat_app_id),
                ("secret", settings.wechat_app_secret.get_secret_value()),
                ("code", code),
                ("grant_type", "authorization_code"),
            ],
        )
    except ApiRefused as error:
        if error.code in SPENT_CODES:
            raise CodeSpent from None
        raise
    finally:
        platform.close()
    openid = answer.get("openid")
    if not isinstance(openid, str) or not openid:
        raise AnswerLost("unreadable")
    return Opener(openid, is_virtual=answer.get("is_snapshotuser") == 1)


@dataclass(frozen=True, slots=True)
class MiniUser:
    """Who logs in to the mini program."""

    openid: str
    """Of the mini program: another one than the account's."""
    unionid: str | None


def _platform(settings: Settings, app_id: str) -> "Platform":
    from app.wechat.platform import Platform  # late: a web worker calls nobody before a log-in

    return Platform(settings.wechat_api_url, app_id)


def find_mini_user(settings: Settings, code: str) -> MiniUser:
    """Whose code wx.login gave. Raises as find_opener does."""
    platform = _platform(settings, settings.wechat_mini_app_id)
    try:
        answer = platform.get(
            "sns/jscode2session",
            [
                ("appid", settings.wechat_mini_app_id),
                ("secret", settings.wechat_mini_app_secret.get_secret_value()),
                ("js_code", code),
                ("grant_type", "authorization_code"),
            ],
        )
    except ApiRefused as error:
        if error.code in SPENT_CODES:
            raise CodeSpent from None
        raise
    finally:
        platform.close()
    openid, unionid = answer.get("openid"), answer.get("unionid")
    if not isinstance(openid, str) or not openid:
        raise AnswerLost("unreadable")
    return MiniUser(openid, unionid if isinstance(unionid, str) and unionid else None)
