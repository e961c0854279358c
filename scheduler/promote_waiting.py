"""Ends offers that have run out, offers free seats to who is next in line, and tells those
who still wait at the cut-off that no seat will come."""

from datetime import datetime

from app.services import waiting_ended, waiting_list
from app.wiring import Services


def run(services: Services, now: datetime) -> str:
    """One session a transaction, each decided by what is stored under its lock.

    Late, twice or in two processes at once: what is settled already is found settled.
    """
    with services.database.reading() as db:
        sessions = waiting_list.find_to_promote(db, now)
    ended = offered = 0
    for session_id in sessions:
        with services.database.transaction() as db:
            settled, made = waiting_list.promote_locked(db, session_id, now)
        ended, offered = ended + settled, offered + made
    with services.database.reading() as db:
        over = waiting_ended.find_ended(db, now)
    told = 0
    for session_id in over:
        with services.database.transaction() as db:
            told += waiting_ended.tell_ended(db, session_id, now)
    return f"ended {ended} offers, made {offered}, told {told} that it is over"
