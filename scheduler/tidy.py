"""Deletes what nobody needs any more, and settles missed sessions, in short transactions."""

from datetime import datetime

from app.services import log_ins, no_shows, tidying
from app.wiring import Services
from scheduler.batches import in_batches, one_by_one


def run(services: Services, now: datetime) -> str:
    """Empty the inbox of old callbacks, drop old invitations, mark what nobody came to."""
    database = services.database
    callbacks = in_batches(database, tidying.forget_callbacks, now, size=tidying.BATCH)
    invitations = in_batches(database, tidying.forget_invitations, now, size=tidying.BATCH)
    answers = in_batches(database, tidying.forget_answers, now, size=tidying.BATCH)
    ended = in_batches(database, log_ins.forget, now, size=log_ins.BATCH)
    missed = one_by_one(
        database, no_shows.find_unsettled, no_shows.mark_missed, now, size=no_shows.BATCH
    )
    return (
        f"deleted {callbacks} callbacks, {invitations} invitations, {answers} answers and "
        f"{ended} log-ins; marked {missed} places as missed"
    )
