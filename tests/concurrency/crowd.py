"""A session, many families, and processes that let them all ask at once."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.db import Database
from app.models import (
    AuditEntry,
    Caregiver,
    Child,
    Consent,
    Family,
    GuidanceSession,
    SignUp,
    Station,
    Township,
)
from app.services import family_index
from tests.concurrency.rush import Answer, Message, Order

CODE = "RUSH"
PROCESSES = 2
"""As many as this service's web server starts by itself."""
READY_SECONDS = 60
DONE_SECONDS = 300


def openid(number: int) -> str:
    return f"o-{number}"


def says(number: int, text: str) -> Message:
    """A message of family `number`."""
    key = hashlib.sha256(f"{number} {text}".encode()).hexdigest()
    return Message(openid(number), text, key)


def settle(database: Database, now: datetime, *, families: int, places: int, waits: str) -> None:
    """One session, and families 1 … n, each with a caregiver and a child."""
    with database.transaction() as db:
        township = db.execute(select(Township).limit(1)).scalar_one()
        station = Station(
            code="CQ",
            name="城桥早教指导站",
            kind="guidance_station",
            township_id=township.id,
            address="南门路1号",
            phone="021-55550101",
        )
        starts = now + timedelta(days=7)
        session = GuidanceSession(
            code=CODE,
            title="亲子嘉年华",
            kind="亲子嘉年华",
            level="district",
            station=station,
            starts_at=starts,
            ends_at=starts + timedelta(hours=2),
            places=places,
            places_taken=0,
            min_months=0,
            max_months=36,
            confirm_mode="auto",
            opens_at=now,
            closes_at=starts,
            cancel_until=starts,
            waiting_list=waits,
            state="published",
            calendar_sequence=0,
            created_at=now,
            updated_at=now,
        )
        db.add(session)
        db.flush()
        _move_in(db, township.id, families, now)


def _move_in(db: Session, township_id: int, families: int, now: datetime) -> None:
    ids = range(1, families + 1)
    db.execute(
        insert(Family),
        [{"id": each, "township_id": township_id, "created_at": now} for each in ids],
    )
    db.execute(
        insert(Caregiver),
        [
            {
                "id": each,
                "openid": openid(each),
                "family_id": each,
                "is_following": True,
                "pushes": "on",
                "created_at": now,
            }
            for each in ids
        ],
    )
    db.execute(
        insert(Child),
        [
            {
                "id": each,
                "family_id": each,
                "nickname": "糖糖",
                "birth_date": date(2026, 1, 1),
                "created_at": now,
                "updated_at": now,
            }
            for each in ids
        ],
    )
    db.execute(
        insert(Consent),
        [
            {
                "caregiver_id": each,
                "child_id": each,
                "purpose": "registration",
                "version": "1",
                "evidence": "同意",
                "given_at": now,
            }
            for each in ids
        ],
    )
    # Rows that come in bulk are found by staff only when the index was made.
    after: int | None = 0
    while after is not None:
        _, after = family_index.rebuild_batch(db, after=after)


def rush(
    order: Order,
    messages: Sequence[Message],
    processes: int = PROCESSES,
    module: str = "tests.concurrency.rush",
) -> list[Answer]:
    """All messages at once, dealt out to processes in turn; the answers, in no order."""
    running = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                module,
                json.dumps(asdict(order) | {"messages": [asdict(each) for each in share]}),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for place in range(processes)
        if (share := messages[place::processes])
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    start = time.time() + 0.5
    outputs = []
    for process in running:
        assert process.stdin is not None
        process.stdin.write(f"{start}\n")
        process.stdin.flush()
    for process in running:
        out, _ = process.communicate(timeout=DONE_SECONDS)
        assert process.returncode == 0
        outputs.append(out)
    return [Answer(**each) for out in outputs for each in json.loads(out)]


def percentile(answers: Sequence[Answer], share: float) -> float:
    """Seconds that this share of the answers stayed under."""
    seconds = sorted(answer.seconds for answer in answers)
    return seconds[min(len(seconds) - 1, int(len(seconds) * share))]


@dataclass(frozen=True)
class Told:
    """The session's story, as the audit trail tells it."""

    most_seats: int
    jumps: tuple[int, ...]
    """Sign-ups that were seated while somebody before them still waited."""


def replay(db: Session) -> Told:
    """Seats and queue, step by step: rows are written in the order of the session's lock."""
    since = dict(db.execute(select(SignUp.id, SignUp.waitlisted_at)).all())
    steps = db.execute(
        select(AuditEntry.subject_id, AuditEntry.after)
        .where(AuditEntry.subject_type == "sign_up")
        .order_by(AuditEntry.id)
    )
    return story([(sign_up_id or 0, after or "") for sign_up_id, after in steps], since)


def story(steps: Sequence[tuple[int, str]], since: dict[int, datetime | None]) -> Told:
    """What these steps, (sign-up, new state), amount to."""
    seated: set[int] = set()
    waiting: set[int] = set()
    jumps = []
    most = 0
    for sign_up_id, state in steps:
        was_waiting = sign_up_id in waiting
        waiting.discard(sign_up_id)
        if state == "waitlisted":
            waiting.add(sign_up_id)
        elif state in ("confirmed", "offered"):
            first = min(waiting, key=lambda each: (since[each], each), default=None)
            is_new = sign_up_id not in seated
            before = first is not None and (
                not was_waiting or (since[first], first) < (since[sign_up_id], sign_up_id)
            )
            if is_new and before:
                jumps.append(sign_up_id)
            seated.add(sign_up_id)
        else:
            seated.discard(sign_up_id)
        most = max(most, len(seated))
    return Told(most, tuple(jumps))
