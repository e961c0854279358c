"""Reminds families of home visits: the evening before, and two hours before."""

from datetime import datetime

from app.services import visit_reminding
from app.wiring import Services

BATCH = 50


def run(services: Services, now: datetime) -> str:
    """One pass as of a time; late or twice, it writes each reminder once, and no stale one."""
    with services.database.reading() as db:
        near = visit_reminding.find_near(db, now)
    queued = 0
    for start in range(0, len(near), BATCH):
        # A batch a transaction: staff's decisions get in between.
        with services.database.transaction() as db:
            queued += visit_reminding.remind(db, near[start : start + BATCH], now)
    return f"queued {queued} reminders for {len(near)} visits"
