"""Brings the sums up to date that reports of coverage and of packs are added up from."""

from datetime import datetime

from app.services import coverage_kept, pack_totals
from app.wiring import Services
from scheduler.batches import in_batches


def run(services: Services, now: datetime) -> str:
    """Count anew whose sign-ups, children or visits changed; add up what became of packs."""
    with services.database.transaction() as db:
        changes = pack_totals.bring_up_to_date(db)
    counted = in_batches(
        services.database, coverage_kept.bring_up_to_date, now, size=coverage_kept.BATCH
    )
    return f"counted {counted} families anew, added {changes} changes of packs"
