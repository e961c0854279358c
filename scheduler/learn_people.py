"""Asks the platform who the account's followers are in the district's other apps."""

from datetime import datetime

import structlog
from redis.exceptions import RedisError

from app.services import people
from app.wechat.errors import PlatformError
from app.wiring import Services

BATCHES = 5
"""Batches of a hundred in one run: the rest comes ten minutes later."""

log = structlog.get_logger(__name__)


def run(services: Services, now: datetime) -> str:
    """Where there is a mini program: UnionIDs of followers who have none here yet."""
    if not services.settings.wechat_mini_app_id:
        return "no mini program"
    learnt, before = 0, None
    for _ in range(BATCHES):
        with services.database.reading() as db:
            asked = people.find_without_unionid(db, before=before)
        if not asked:
            break
        before = asked[-1][0]
        try:
            said = services.ask_unionids([openid for _, openid in asked])
        except (PlatformError, RedisError) as error:
            log.warning("people_not_told", error=repr(error))
            break
        if not said:
            # The account is bound to no open platform: asking on would bring nothing.
            break
        with services.database.transaction() as db:
            learnt += people.learn_all(db, said, now)
    return f"learnt {learnt}"
