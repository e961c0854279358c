"""./dev bench signups: how many sign-ups one session takes in a second, without HTTP.

Two processes with the service inside, as two web workers are, and every family asks once: whole
turns with Redis and the database, each a transaction that writes all that a sign-up writes.
Beside them, in turns, the same processes and callers with nothing but the guarded update of the
session's counter. Afterwards the seats are counted, and the doctor looks at everything.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.clock import now
from app.crypto import Cipher
from app.db import Database, make_engine
from app.migrating import upgrade
from app.models import GuidanceSession, SignUp
from app.rules.sign_up import SEATED
from app.services.doctor import examine
from devtools import embedded_redis
from devtools.environment import ROOT, socket_folder
from tests.bench.engines import database, look_after
from tests.concurrency import crowd
from tests.concurrency.rush import Answer, Order
from tests.conftest import DATA_KEY

ROUNDS = 3
LEFT_OUT = 50
"""Families that find it full: that no seat is given twice can only be seen where they run out."""


@dataclass(frozen=True, slots=True)
class Row:
    """One engine."""

    engine: str
    families: int
    places: int
    sign_ups_per_second: float
    spread: float
    """Highest less lowest of the rounds."""
    bare_per_second: float
    bare_spread: float
    ratio_to_bare: float
    exact: bool
    """In every round each place was given once: the counter, the rows and the winners agree."""
    doctor_ok: bool


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="./dev bench signups", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--families", type=int, default=1000)
    asked = parser.parse_args(arguments)
    engines = (asked.engine,) if asked.engine else ("sqlite", "postgresql")
    rows = [_measure(engine, asked.families) for engine in engines]
    if asked.json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    print(f"sign-ups of one session, without HTTP; {ROUNDS} rounds, median (spread)")
    for row in rows:
        print(
            f"{row.engine:12}{row.sign_ups_per_second:>7.0f}/s (±{row.spread / 2:.0f})"
            f"   bare update {row.bare_per_second:.0f}/s (±{row.bare_spread / 2:.0f})"
            f"   {row.ratio_to_bare:.2f} of it; seats {'exact' if row.exact else 'WRONG'},"
            f" doctor {'clean' if row.doctor_ok else 'NOT CLEAN'}"
        )


def _measure(engine: str, families: int) -> Row:
    opened = now() - timedelta(minutes=1)
    places = families - LEFT_OUT
    cipher = Cipher((DATA_KEY,))
    with tempfile.TemporaryDirectory() as name, database(engine, Path(name)) as url:
        folder = Path(name)
        door = socket_folder(ROOT, folder) / f"bench-{folder.name}.sock"
        made = make_engine(url, cipher)
        upgrade(made)
        opener = Database(made)
        crowd.settle(opener, opened, families=families, places=places, waits="no")
        with opener.transaction() as db:
            _more_sessions(db)
        look_after(made)
        ours, bare, exact = [], [], []
        with embedded_redis.serving(folder / "redis", door):
            for turn in range(ROUNDS):
                order = Order(
                    database_url=url,
                    redis_url=f"unix://{door}?db=0",
                    now=now().isoformat(),
                    code=_code(turn),
                    guarded=True,
                    messages=(),
                )
                said = [crowd.says(each, f"报名 {order.code}") for each in range(1, families + 1)]
                answers = crowd.rush(order, said)
                ours.append(_per_second(answers))
                exact.append(_is_exact(opener, order.code, places, answers))
                alone = replace(order, code=_code(turn, bare=True))
                taken = crowd.rush(alone, said, module="tests.bench.bare_update")
                bare.append(_per_second(taken))
        with opener.transaction() as db:
            _without_bare(db)
        with opener.reading() as db:
            report = examine(db, cipher=cipher, now=now())
        made.dispose()
    return Row(
        engine=engine,
        families=families,
        places=places,
        sign_ups_per_second=round(statistics.median(ours), 1),
        spread=round(max(ours) - min(ours), 1),
        bare_per_second=round(statistics.median(bare), 1),
        bare_spread=round(max(bare) - min(bare), 1),
        ratio_to_bare=round(statistics.median(ours) / statistics.median(bare), 3),
        exact=all(exact),
        doctor_ok=all(check.ok for check in report.checks),
    )


def _code(turn: int, *, bare: bool = False) -> str:
    return f"{'BARE' if bare else 'ROUND'}{turn}"


def _more_sessions(db: Session) -> None:
    """Two like the first a round: one for the service, one for the bare update."""
    first = db.execute(select(GuidanceSession)).scalar_one()
    values = {
        column.key: getattr(first, column.key)
        for column in GuidanceSession.__table__.columns
        if column.key not in ("id", "code")
    }
    for turn in range(ROUNDS):
        db.add(GuidanceSession(**values, code=_code(turn)))
        db.add(GuidanceSession(**values, code=_code(turn, bare=True)))


def _without_bare(db: Session) -> None:
    """What the bare update counted has no sign-ups behind it: the doctor would say so."""
    for session in db.execute(
        select(GuidanceSession).where(GuidanceSession.code.startswith("BARE"))
    ).scalars():
        session.places_taken = 0


def _per_second(answers: Sequence[Answer]) -> float:
    return len(answers) / max(answer.seconds for answer in answers)


def _is_exact(opened: Database, code: str, places: int, answers: Sequence[Answer]) -> bool:
    won = sum("报名成功" in answer.text for answer in answers)
    full = sum("名额已满" in answer.text for answer in answers)
    with opened.reading() as db:
        session = db.execute(
            select(GuidanceSession).where(GuidanceSession.code == code)
        ).scalar_one()
        held = db.execute(
            select(func.count(SignUp.id)).where(
                SignUp.session_id == session.id, SignUp.state.in_(SEATED)
            )
        ).scalar_one()
        counted = session.places_taken
    return (won, counted, held, full) == (places, places, places, len(answers) - places)
