"""Deletes what nobody needs any more, and settles missed sessions, in short transactions."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.db import Database
from app.services import no_shows, tidying
from app.wiring import Services


def run(services: Services, now: datetime) -> str:
    """Empty the inbox of old callbacks, drop old invitations, mark what nobody came to."""
    callbacks = _all_batches(services.database, tidying.forget_callbacks, now)
    invitations = _all_batches(services.database, tidying.forget_invitations, now)
    answers = _all_batches(services.database, tidying.forget_answers, now)
    missed = _mark_missed(services.database, now)
    return (
        f"deleted {callbacks} callbacks, {invitations} invitations, {answers} answers; "
        f"marked {missed} places as missed"
    )


def _mark_missed(database: Database, now: datetime) -> int:
    """All that are found now; a session a transaction, as its row is locked."""
    total = 0
    while True:
        with database.reading() as db:
            unsettled = no_shows.find_unsettled(db, now)
        for session_id in unsettled:
            with database.transaction() as db:
                total += no_shows.mark_missed(db, session_id, now)
        if len(unsettled) < no_shows.BATCH:
            return total


def _all_batches(
    database: Database, forget: Callable[[Session, datetime], int], now: datetime
) -> int:
    total = 0
    while True:
        # A batch a transaction: caregivers' turns get in between.
        with database.transaction() as db:
            batch = forget(db, now)
        total += batch
        if batch < tidying.BATCH:
            return total
