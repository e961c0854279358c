"""One process of a rush: many families ask for the same session at the same moment.

Run as a program with the arguments of `main`; prints one JSON line with what was answered.
"""

import contextlib
import json
import sys
import threading
import time
from datetime import datetime
from unittest.mock import patch

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Database, make_engine
from app.errors import AlreadySignedUp, SessionFull
from app.models import Caregiver, Child, GuidanceSession
from app.services import sessions

THINKING_SECONDS = 0.05


def trusting_take_place(db: Session, session: GuidanceSession) -> None:
    """The mistake that the guarded update prevents: to trust a count that was read before."""
    db.execute(
        update(GuidanceSession)
        .where(GuidanceSession.id == session.id)
        .values(places_taken=GuidanceSession.places_taken + 1)
        .execution_options(synchronize_session=False)
    )


def look_first(database: Database, code: str) -> None:
    """Count, then think for a moment. Raises SessionFull."""
    with database.reading() as db:
        session = sessions.get_session(db, code)
        if session.places_taken >= session.places:
            raise SessionFull(code, session.places)
    time.sleep(THINKING_SECONDS)


def ask(database: Database, caregiver_id: int, code: str, now: datetime, guarded: bool) -> str:
    """One family's request."""
    try:
        if not guarded:
            look_first(database, code)
        with database.transaction() as db:
            caregiver = db.get_one(Caregiver, caregiver_id)
            child = db.execute(
                select(Child).where(Child.family_id == caregiver.family_id)
            ).scalar_one()
            sessions.sign_up(db, caregiver=caregiver, child=child, code=code, now=now)
    except SessionFull:
        return "full"
    except AlreadySignedUp:
        return "already"
    return "placed"


def main(url: str, key: str, code: str, at: str, start: str, ids: str, guard: str) -> None:
    """Ask for every caregiver, each from two threads, from `start` (epoch seconds) on."""
    database = Database(make_engine(url, Cipher((key,)), pool_size=4))
    now = datetime.fromisoformat(at)
    answers: list[str] = []

    def one(caregiver_id: int) -> None:
        time.sleep(max(0.0, float(start) - time.time()))
        answers.append(ask(database, caregiver_id, code, now, guarded=guard == "on"))

    threads = [threading.Thread(target=one, args=(int(each),)) for each in ids.split(",") * 2]
    with contextlib.ExitStack() as stack:
        if guard == "off":
            stack.enter_context(patch.object(sessions, "_take_place", trusting_take_place))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sys.stdout.write(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
