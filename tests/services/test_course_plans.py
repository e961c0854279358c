"""What staff ask of ten thousand learners is read from indexes: the engines' own plans say so.

Of a table with a few hundred rows a planner rightly reads all; PostgreSQL is told not to, so that
its plan shows whether an index could serve. `./dev bench course` measures.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.db import Database
from app.services import course_desk
from app.services.course_desk import LearnerQuery
from app.services.staff import Role, StaffScope
from content.library import load_library
from tests.bench.course import analyse, settle

WHOLE_SORT = re.compile(r"(?<!Incremental )Sort  \(")
"""Of rows with the same instant an incremental one is no matter."""
COURSE = load_library().course
DISTRICT = StaffScope(staff_id=1, role=Role.DISTRICT, station_id=None, township_id=None)
WORKER = StaffScope(staff_id=2, role=Role.WORKER, station_id=3, township_id=None)


@pytest.fixture
def learners(database: Database, now: datetime) -> Database:
    with database.transaction() as db:
        settle(db, COURSE, 300, now)
    analyse(database)
    return database


@contextmanager
def _heard(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that run meanwhile, with what is put into them."""
    heard: list[tuple[str, Any]] = []

    def note(*call: object) -> None:
        heard.append((str(call[2]), call[3]))

    event.listen(database.engine, "before_cursor_execute", note)
    yield heard
    event.remove(database.engine, "before_cursor_execute", note)


def plan_of(database: Database, ask: Callable[[Session], object]) -> str:
    """How the engine goes about the first statement of what is asked."""
    with _heard(database) as heard, database.reading() as db:
        ask(db)
    statement, values = next(each for each in heard if each[0].startswith("SELECT"))
    is_postgres = database.engine.dialect.name == "postgresql"
    with database.engine.connect() as connection:
        if is_postgres:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if is_postgres else "EXPLAIN QUERY PLAN"
        rows = connection.exec_driver_sql(f"{explain} {statement}", values)
        return "\n".join(str(row[-1]) for row in rows)


def test_the_hardest_questions_are_counted_in_an_index_alone(learners: Database) -> None:
    plan = plan_of(learners, lambda db: course_desk.hardest_questions(db, DISTRICT, COURSE))
    assert "ix_quiz_attempts_first" in plan
    assert "COVERING INDEX" in plan or "Index Only Scan" in plan
    assert "TEMP B-TREE" not in plan
    assert WHOLE_SORT.search(plan) is None, plan


def test_a_stations_questions_are_found_by_its_learners(learners: Database) -> None:
    plan = plan_of(learners, lambda db: course_desk.hardest_questions(db, WORKER, COURSE))
    assert "ix_families_station_id" in plan
    assert "ix_quiz_attempts_learner_id_lesson" in plan or "ix_quiz_attempts_first" in plan


@pytest.mark.parametrize("state", ["", "stuck"])
def test_a_page_of_learners_is_read_in_its_order(
    learners: Database, now: datetime, state: str
) -> None:
    query = LearnerQuery(state=state)
    plan = plan_of(
        learners, lambda db: course_desk.find(db, DISTRICT, query, limit=51, offset=0, now=now)
    )
    assert "ix_learners_moved_at" in plan or "ix_learners_stuck" in plan
    assert "TEMP B-TREE" not in plan
    assert WHOLE_SORT.search(plan) is None, plan


def test_whoever_sees_all_counts_as_whoever_sees_every_station(
    learners: Database, now: datetime
) -> None:
    with learners.reading() as db:
        whole = course_desk.hardest_questions(db, DISTRICT, COURSE)
        parts = [
            course_desk.hardest_questions(db, StaffScope(2, Role.WORKER, station, None), COURSE)
            for station in range(1, 19)
        ]
        standing = course_desk.by_module(db, DISTRICT, now)
        by_station = [
            course_desk.by_module(db, StaffScope(2, Role.WORKER, station, None), now)
            for station in range(1, 19)
        ]
    answered = {(one.lesson, one.number): (one.answered, one.wrong) for one in whole}
    for (lesson, number), counted in answered.items():
        found = [
            one for part in parts for one in part if (one.lesson, one.number) == (lesson, number)
        ]
        assert counted == (sum(o.answered for o in found), sum(o.wrong for o in found))
    assert [one.learning for one in standing] == [
        sum(part[place].learning for part in by_station) for place in range(7)
    ]
