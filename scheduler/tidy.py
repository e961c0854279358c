"""Deletes what nobody needs any more, in short transactions."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.db import Database
from app.services import tidying
from app.wiring import Services


def run(services: Services, now: datetime) -> str:
    """Empty the inbox of old callbacks, and drop used and expired invitations."""
    callbacks = _all_batches(services.database, tidying.forget_callbacks, now)
    invitations = _all_batches(services.database, tidying.forget_invitations, now)
    return f"deleted {callbacks} callbacks, {invitations} invitations"


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
