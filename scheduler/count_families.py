"""Brings the rows that coverage reports add up to date."""

from datetime import datetime

from app.services import coverage_kept
from app.wiring import Services
from scheduler.batches import in_batches


def run(services: Services, now: datetime) -> str:
    """Count anew whose sign-ups, children, packs or visits changed since the last run."""
    counted = in_batches(
        services.database, coverage_kept.bring_up_to_date, now, size=coverage_kept.BATCH
    )
    return f"counted {counted} families anew"
