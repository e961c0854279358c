"""Freezes the coverage of the month that has ended."""

from datetime import datetime

from app.services import coverage_snapshots
from app.wiring import Services


def run(services: Services, now: datetime) -> str:
    """Take last month's snapshot where it is not taken yet."""
    with services.database.transaction() as db:
        month = coverage_snapshots.take(db, now)
    return f"froze {month:%Y-%m}" if month else "last month is frozen already"
