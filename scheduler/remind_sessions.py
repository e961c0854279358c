"""Writes the reminders that are due, a session a transaction."""

from datetime import datetime

from app.services import reminders
from app.wiring import Services


def run(services: Services, now: datetime) -> str:
    """One pass as of a time; late or twice, it writes each reminder once, and no stale one."""
    with services.database.reading() as db:
        near = reminders.find_near(db, now)
    queued = 0
    for session_id in near:
        # Sign-ups and cancellations of the other sessions get in between.
        with services.database.transaction() as db:
            queued += reminders.queue_due(db, session_id, now)
    return f"queued {queued} reminders for {len(near)} sessions"
