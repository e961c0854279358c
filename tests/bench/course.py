"""./dev bench course: the course with ten thousand learners.

A lesson asked for in the chat, the learner's page of petals, and what the console shows of it to a
district account, which sees everything: whole turns and whole pages through the application in
this process, on both engines. The bar is 200 ms for 95 of 100 answers; a turn of the course costs
the processor about what 我的预约 costs it, and the last column says how much more.
"""

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from flask.testing import FlaskClient
from sqlalchemy import event, insert, select
from sqlalchemy.orm import Session

from app.clock import now as real_now
from app.config import Settings
from app.db import Database
from app.dialogue.message import Inbound, Kind, Window
from app.factory import create_app
from app.family.opening import CAREGIVER, LOG_IN, MARK
from app.migrating import upgrade
from app.models import (
    Caregiver,
    CaregiverLogIn,
    Child,
    Family,
    Learner,
    LessonPass,
    ModulePass,
    Practice,
    QuizAttempt,
    Station,
    Township,
)
from app.prepared import Prepared
from app.rules.identity import Device, mark_of
from app.services import log_ins, staff
from app.services.audit import OPERATOR
from app.wiring import Services, make_services
from content.lessons import Course
from devtools import embedded_postgres, embedded_redis
from devtools.environment import ROOT, socket_folder
from handlers import HANDLERS
from tests.bench.__main__ import CREDENTIALS, DATA_KEY

LEARNERS = 10_000
ROUNDS = 40
TURN_ROUNDS = 120
WARM = 3
BAR_MS = 200.0
PASSWORD = "rice and congee"
BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    engine: str
    what: str
    median_ms: float
    p95_ms: float
    cpu_ms: float
    """Of this process, an answer: what the machine's other work does not disturb."""
    queries: int
    within_bar: bool
    beside: float | None = None
    """CPU of this turn by that of 我的预约, asked in turn with it."""


def settle(db: Session, course: Course, learners: int, at: datetime) -> None:
    """Learners of every township, from the first lesson to the last, some of them stuck.

    Everybody passes in order; every third needed a second try; the first letters given go round,
    so that each lesson's answers come in all their sets.
    """
    townships = db.scalars(select(Township.id).order_by(Township.id)).all()
    stations = [
        Station(
            code=f"S{number}",
            name=f"第{number}指导站",
            kind="guidance_station",
            township_id=township,
            address="南门路1号",
            phone="021-55550101",
            is_active=True,
        )
        for number, township in enumerate(townships, 1)
    ]
    db.add_all(stations)
    db.flush()
    ids = range(1, learners + 1)
    homes = {each: stations[each % len(stations)] for each in ids}
    began = at - timedelta(days=90)
    db.execute(
        insert(Family),
        [
            {
                "id": each,
                "township_id": homes[each].township_id,
                "station_id": homes[each].id,
                "need": True,
                "created_at": began,
            }
            for each in ids
        ],
    )
    db.execute(
        insert(Caregiver),
        [
            {
                "id": each,
                "openid": openid(each),
                "family_id": each,
                "relation": "grandmother",
                "is_following": True,
                "pushes": "on",
                "created_at": began,
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
                "nickname": f"糖糖{each}",
                "birth_date": at.date() - timedelta(days=200 + each % 600),
                "created_at": began,
                "updated_at": began,
            }
            for each in ids
        ],
    )
    total = len(course.lessons)
    passed = {each: min(total, each % (total + 8)) for each in ids}
    db.execute(
        insert(Learner),
        [
            {
                "id": each,
                "family_id": each,
                "caregiver_id": each,
                "relation": "grandmother",
                "enrolled_at": began,
                "module": course.lessons[min(passed[each], total - 1)].module,
                "lessons_passed": passed[each],
                "moved_at": at - timedelta(days=each % 40, minutes=each % 60),
                "nudges": 0,
                "open_answers": "",
            }
            for each in ids
        ],
    )
    _fill(db, LessonPass, _passes(course, passed, began))
    _fill(db, ModulePass, _module_passes(course, passed, began))
    _fill(db, Practice, _practices(course, passed, began))
    _fill(db, QuizAttempt, _attempts(course, passed, began))


def openid(number: int) -> str:
    return f"oBench-granny-{number:07d}"


def _fill(db: Session, model: type, rows: Iterator[dict[str, object]]) -> None:
    batch: list[dict[str, object]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            db.execute(insert(model), batch)
            batch = []
    if batch:
        db.execute(insert(model), batch)


def _passes(course: Course, passed: dict[int, int], at: datetime) -> Iterator[dict[str, object]]:
    for learner, lessons in passed.items():
        for number, lesson in enumerate(course.lessons[:lessons]):
            yield {
                "learner_id": learner,
                "lesson": lesson.id,
                "version": lesson.version,
                "passed_at": at + timedelta(days=number),
            }


def _whole_modules(course: Course, lessons: int) -> Iterator[int]:
    ids = {lesson.id for lesson in course.lessons[:lessons]}
    for module in course.modules:
        if ids.issuperset(lesson.id for lesson in course.of_module(module.number)):
            yield module.number


def _module_passes(
    course: Course, passed: dict[int, int], at: datetime
) -> Iterator[dict[str, object]]:
    for learner, lessons in passed.items():
        for module in _whole_modules(course, lessons):
            yield {"learner_id": learner, "module": module, "passed_at": at}


def _practices(course: Course, passed: dict[int, int], at: datetime) -> Iterator[dict[str, object]]:
    for learner, lessons in passed.items():
        for module in _whole_modules(course, lessons):
            yield {"learner_id": learner, "module": module, "kind": "text", "at": at}


def _attempts(course: Course, passed: dict[int, int], at: datetime) -> Iterator[dict[str, object]]:
    for learner, lessons in passed.items():
        for number, lesson in enumerate(course.lessons[:lessons]):
            right = "".join(lesson.right)
            needs_two = (learner + number) % 3 == 0
            first = _letters(learner * 7 + number) if needs_two else right
            for turn, letters in enumerate((first, right) if needs_two else (first,)):
                yield {
                    "learner_id": learner,
                    "lesson": lesson.id,
                    "version": lesson.version,
                    "quiz": lesson.quiz_key,
                    "answers": letters,
                    "correct": sum(a == b for a, b in zip(letters, right, strict=True)),
                    "is_passed": letters == right,
                    "is_first": turn == 0,
                    "at": at + timedelta(days=number),
                }


def _letters(number: int) -> str:
    """One of the 27 sets of three letters."""
    return "".join("ABC"[number // place % 3] for place in (1, 3, 9))


@contextmanager
def _wired(engine: str, folder: Path) -> Iterator[Services]:
    """Services over a migrated, empty database."""
    socket = socket_folder(ROOT, folder) / "course.sock"
    with embedded_redis.serving(folder, socket), _database(engine, folder) as url:
        settings = Settings.model_validate(
            {
                "database_url": url,
                "redis_url": f"unix://{socket}?db=0",
                "secret_key": "a secret only for the benchmark",
                "data_key": DATA_KEY,
                "console_second_factor": "optional",
                "wechat_api_url": "http://127.0.0.1:9",
                **{name.lower(): value for name, value in CREDENTIALS.items()},
            }
        )
        services = make_services(settings, HANDLERS)
        upgrade(services.database.engine)
        yield services
        services.turns.close()
        services.database.engine.dispose()
        services.redis.close()


@contextmanager
def _database(engine: str, folder: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    with embedded_postgres.serving(ROOT) as server:
        server.create_database("bench")
        yield server.url("bench")


def analyse(database: Database) -> None:
    """What PostgreSQL does by itself a minute after so many rows came in."""
    engine = database.engine
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        vacuum = engine.dialect.name == "postgresql"
        connection.exec_driver_sql("VACUUM ANALYZE" if vacuum else "ANALYZE")


def _log_in(db: Session, learners: int, at: datetime) -> None:
    """Every learner's telephone is logged in to the pages, by a log-in of the learner's number."""
    db.execute(
        insert(CaregiverLogIn),
        [
            {
                "id": number,
                "caregiver_id": number,
                "way": "pages",
                "device": Device.ANDROID,
                "logged_in_at": at,
                "expires_at": at + log_ins.PAGES_LAST,
            }
            for number in range(1, learners + 1)
        ],
    )


class _Asking:
    """One thing asked again and again, by another learner each time where it is a learner's."""

    def __init__(self, services: Services, learners: int) -> None:
        self._services = services
        self._learners = learners
        self._sent = count(1)
        self._opened: list[int] = []
        self._app = create_app(services, commands=False)
        self._staff = self._logged_in()

    def lesson_turn(self) -> None:
        """A lesson that lies open from now on: the turn writes that down."""
        self._opened.append(self._says("下一课"))

    def lesson_again_turn(self) -> None:
        self._says("下一课", self._opened.pop(0))

    def progress_turn(self) -> None:
        self._says("课程进度")

    def other_read_turn(self) -> None:
        self._says("我的预约")

    def progress_page(self) -> None:
        number = next(self._sent) % self._learners + 1
        client = self._app.test_client()
        with client.session_transaction("/family/") as kept:
            kept[CAREGIVER], kept[MARK] = number, mark_of(openid(number))
            kept[LOG_IN] = number
        page = client.get("/family/course").get_data(as_text=True)
        assert "学过" in page, "the petals"

    def learners_page(self) -> None:
        self._shows("/console/course")

    def stuck_page(self) -> None:
        self._shows("/console/course?state=stuck&page=3")

    def one_station_page(self) -> None:
        self._shows("/console/course?station=S3&module=2")

    def stations_page(self) -> None:
        self._shows("/console/course/stations")

    def questions_page(self) -> None:
        self._shows("/console/course/questions")

    def _says(self, text: str, learner: int | None = None) -> int:
        """Who said it: the next learner where none is given."""
        number = next(self._sent)
        learner = learner or number % self._learners + 1
        inbound = Inbound(
            key=f"{number:064x}",
            openid=openid(learner),
            kind=Kind.TEXT,
            received_at=real_now(),
            text=text,
            event_key="",
            window=Window.WRITE,
        )
        assert self._services.turns.handle(inbound) is not None
        return learner

    def _shows(self, path: str) -> None:
        answer = self._staff.get(path)
        assert answer.status_code == 200, path

    def _logged_in(self) -> FlaskClient:
        client = self._app.test_client()
        page = client.get("/console/login").get_data(as_text=True)
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        form = {"csrf_token": token, "username": "bench", "password": PASSWORD}
        assert client.post("/console/login", data=form).status_code in (302, 303)
        return client


Asked = tuple[str, Callable[[], object]]


def measure_turns(engine: str, services: Services, asked: Sequence[Asked]) -> list[Row]:
    """Chat turns, one of each kind in every round, so that the machine's moods meet them alike.

    The last is what the others are compared with.
    """
    taken: list[list[tuple[float, float, int]]] = [[] for _ in asked]
    for turn in range(WARM + TURN_ROUNDS):
        for place, (_, ask) in enumerate(asked):
            once = _ask(services, ask)
            if turn >= WARM:
                taken[place].append(once)
    rows = [_row(engine, what, times) for (what, _), times in zip(asked, taken, strict=True)]
    base = statistics.median(cpu for _, cpu, _ in taken[-1])
    return [
        replace(row, beside=round(statistics.median(cpu for _, cpu, _ in times) / base, 2))
        for row, times in zip(rows, taken, strict=True)
    ]


def measure(engine: str, services: Services, what: str, ask: Callable[[], object]) -> Row:
    # The first ones compile statements and templates.
    taken = [_ask(services, ask) for _ in range(WARM + ROUNDS)][WARM:]
    return _row(engine, what, taken)


def _ask(services: Services, ask: Callable[[], object]) -> tuple[float, float, int]:
    """Once: milliseconds, those of the processor, and statements."""
    statements = 0
    run = Prepared._run

    def note(*_: object) -> None:
        nonlocal statements
        statements += 1

    def note_prepared(prepared: Prepared, *given: Any) -> Any:
        note()
        return run(prepared, *given)

    listened = services.database.engine
    event.listen(listened, "before_cursor_execute", note)
    try:
        with patch.object(Prepared, "_run", note_prepared):
            began, began_cpu = time.perf_counter(), time.process_time()
            ask()
            taken = time.perf_counter() - began, time.process_time() - began_cpu
    finally:
        event.remove(listened, "before_cursor_execute", note)
    return taken[0] * 1000, taken[1] * 1000, statements


def _row(engine: str, what: str, taken: Sequence[tuple[float, float, int]]) -> Row:
    times = sorted(one for one, _, _ in taken)
    p95 = times[int(len(times) * 0.95)]
    return Row(
        engine=engine,
        what=what,
        median_ms=round(statistics.median(times), 1),
        p95_ms=round(p95, 1),
        cpu_ms=round(statistics.median(cpu for _, cpu, _ in taken), 1),
        queries=round(sum(statements for _, _, statements in taken) / len(taken)),
        within_bar=p95 <= BAR_MS,
    )


def run(engines: Sequence[str], learners: int) -> list[Row]:
    rows = []
    for engine in engines:
        with tempfile.TemporaryDirectory() as folder, _wired(engine, Path(folder)) as services:
            with services.database.transaction() as db:
                settle(db, services.library.course, learners, real_now())
                _log_in(db, learners, real_now())
                staff.add_staff(
                    db,
                    username="bench",
                    password=PASSWORD,
                    role=staff.Role.DISTRICT,
                    station_code=None,
                    township_name=None,
                    actor=OPERATOR,
                    now=real_now(),
                )
            analyse(services.database)
            asking = _Asking(services, learners)
            rows += measure_turns(
                engine,
                services,
                (
                    ("chat: 下一课", asking.lesson_turn),
                    ("chat: 下一课, again", asking.lesson_again_turn),
                    ("chat: 课程进度", asking.progress_turn),
                    ("chat: 我的预约, to compare", asking.other_read_turn),
                ),
            )
            rows += [
                measure(engine, services, what, ask)
                for what, ask in (
                    ("learner's page of petals", asking.progress_page),
                    ("staff: learners", asking.learners_page),
                    ("staff: who is stuck, page 3", asking.stuck_page),
                    ("staff: one station, one module", asking.one_station_page),
                    ("staff: stations", asking.stations_page),
                    ("staff: hardest questions", asking.questions_page),
                )
            ]
    return rows


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="./dev bench course")
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--learners", type=int, default=LEARNERS)
    asked = parser.parse_args(arguments)
    logging.disable(logging.INFO)
    engines = [asked.engine] if asked.engine else ["sqlite", "postgresql"]
    rows = run(engines, asked.learners)
    if asked.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
        return
    print(f"{asked.learners} learners; bar: p95 within {BAR_MS:.0f} ms")
    for row in rows:
        print(
            f"{row.engine:<11} {row.what:<32} median {row.median_ms:6.1f} ms   "
            f"p95 {row.p95_ms:6.1f} ms   CPU {row.cpu_ms:6.1f} ms   {row.queries:>2} queries   "
            f"{'ok' if row.within_bar else 'TOO SLOW'}"
            f"{f'   {row.beside:.2f} of 我的预约' if row.beside else ''}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
