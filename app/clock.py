"""The one place that reads the clock. Only edges call it: routes, commands, jobs."""

from datetime import datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The present instant, aware, in Asia/Shanghai."""
    return datetime.now(SHANGHAI)
