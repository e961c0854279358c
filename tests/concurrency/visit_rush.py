"""A process that lets its share of families ask for a visit at the same moment."""

import contextlib
import sys
from unittest.mock import patch

from sqlalchemy import text

from app.rules import visit_slots
from app.services import visit_diaries
from app.wiring import Services
from tests.concurrency.rush import play, say


def trust(services: Services, stack: contextlib.ExitStack) -> None:
    """The mistakes that the lock prevents: to trust a diary read before, and nothing behind it."""
    with services.database.reading() as db:
        seen = db.execute(text("SELECT count(*) FROM home_visits")).scalar_one()
    assert seen == 0, "everybody has read an empty diary"
    stack.enter_context(patch.object(visit_diaries, "lock_visitors", lambda *_: None))
    stack.enter_context(patch.object(visit_slots, "is_free", lambda *_: True))


if __name__ == "__main__":
    play(sys.argv[1], say, trust)
