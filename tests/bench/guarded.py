"""The guarded update by itself: what one session's row bears, without anything around it."""

import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Update, update

from app.crypto import Cipher
from app.db import Database, make_engine
from app.models import GuidanceSession


def one_seat(code: str) -> Update:
    """The statement that takes a seat, where one is left."""
    return (
        update(GuidanceSession)
        .where(GuidanceSession.code == code, GuidanceSession.places_taken < GuidanceSession.places)
        .values(places_taken=GuidanceSession.places_taken + 1)
        .execution_options(synchronize_session=False)
    )


def updates_per_second(url: str, key: str, code: str, count: int, connections: int) -> float:
    """Committed updates of one session's counter, each in a transaction of its own."""
    engine = make_engine(url, Cipher((key,)), pool_size=connections)
    database = Database(engine)
    statement = one_seat(code)

    def take(_: int) -> None:
        with database.transaction() as db:
            db.execute(statement)

    with ThreadPoolExecutor(connections) as callers:
        list(callers.map(take, range(connections)))  # every connection is made once
        began = time.perf_counter()
        list(callers.map(take, range(count)))
        took = time.perf_counter() - began
    engine.dispose()
    return count / took
