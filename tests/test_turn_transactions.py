"""Database.turn and prepared statements: what begins when, and what comes back."""

import threading
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import bindparam, func, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import Database
from app.late_transaction import begin_writing, connection_of, late_transaction
from app.models import AuditEntry, Caregiver, Child, Family, Township
from app.prepared import Loader, Prepared
from app.services import audit, registration
from app.services.seats import lock_session

MOTHER = "o-mother"


def has_begun(db: Session) -> bool:
    late = late_transaction(db)
    assert late is not None, "a turn's transaction is a late one"
    return late.has_begun


def note(db: Session, now: datetime) -> None:
    audit.record(db, actor=audit.SYSTEM, action="test", subject_type="test", subject_id=1, now=now)


def notes(database: Database) -> int:
    with database.reading() as db:
        return db.execute(select(func.count(AuditEntry.id))).scalar_one()


@pytest.fixture
def family(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        township = db.execute(select(Township).limit(1)).scalar_one()
        family = Family(township=township, need=True, created_at=now)
        db.add(Caregiver(openid=MOTHER, family=family, is_following=True, created_at=now))
        for nickname in ("糖糖", "豆豆"):
            child = Child(nickname=nickname, birth_date=date(2026, 1, 31))
            child.created_at = child.updated_at = now
            family.children.append(child)


def test_reading_begins_nothing(database: Database) -> None:
    with database.turn() as db:
        db.execute(select(Township)).all()
        assert registration.find_caregiver(db, "nobody") is None
        assert not has_begun(db)


def test_a_lock_begins_the_transaction(database: Database) -> None:
    with database.turn() as db:
        lock_session(db, 1)
        assert has_begun(db)


def test_a_flush_begins_the_transaction(database: Database, now: datetime) -> None:
    with database.turn() as db:
        db.add(Caregiver(openid=MOTHER, is_following=True, created_at=now))
        assert not has_begun(db)
        db.flush()
        assert has_begun(db)


def test_what_was_written_is_kept_at_the_end(database: Database, now: datetime) -> None:
    with database.turn() as db:
        note(db, now)
    assert notes(database) == 1


class Stop(Exception):
    """What a test ends a transaction with."""


def write_and_stop(db: Session, now: datetime) -> None:
    note(db, now)
    note(db, now)
    raise Stop


def test_an_error_takes_back_all_that_was_written(database: Database, now: datetime) -> None:
    with pytest.raises(Stop), database.turn() as db:
        write_and_stop(db, now)
    assert notes(database) == 0


def test_a_savepoint_takes_back_only_its_own(database: Database, now: datetime) -> None:
    with database.turn() as db:
        note(db, now)
        savepoint = db.begin_nested()
        note(db, now)
        savepoint.rollback()
    assert notes(database) == 1


def test_a_statement_alone_is_kept_whatever_comes_after(database: Database, now: datetime) -> None:
    def write_alone_and_stop(db: Session) -> None:
        late = late_transaction(db)
        assert late is not None
        with late.alone():
            note(db, now)
        raise Stop

    with pytest.raises(Stop), database.turn() as db:
        write_alone_and_stop(db)
    assert notes(database) == 1


def test_after_a_turn_a_connection_begins_as_usual(database: Database, now: datetime) -> None:
    for _ in range(3):
        with database.turn() as db:
            db.execute(select(Township)).all()
    with pytest.raises(Stop), database.transaction() as db:
        write_and_stop(db, now)
    assert notes(database) == 0


def test_a_turn_that_reads_does_not_wait_for_who_writes(database: Database, now: datetime) -> None:
    read = threading.Event()

    def look() -> None:
        with database.turn() as db:
            db.execute(select(Township)).all()
        read.set()

    with database.transaction() as db:
        note(db, now)
        reader = threading.Thread(target=look)
        reader.start()
        was_read = read.wait(20)
    reader.join()
    assert was_read


def test_writers_in_turns_count_one_after_another(database: Database, family: None) -> None:
    """Each reads before its first statement that locks, and again behind it."""

    def add_a_week() -> None:
        with database.turn() as db:
            db.execute(select(Child.birth_date).where(Child.id == 1)).scalar_one()
            born = db.execute(
                select(Child.birth_date).where(Child.id == 1).with_for_update()
            ).scalar_one()
            assert born is not None
            db.execute(
                update(Child).where(Child.id == 1).values(birth_date=born + timedelta(weeks=1))
            )

    threads = [threading.Thread(target=add_a_week) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as db:
        assert db.get_one(Child, 1).birth_date == date(2026, 1, 31) + timedelta(weeks=8)


def test_a_prepared_row_has_the_types_of_its_columns(
    database: Database, family: None, now: datetime
) -> None:
    find = Prepared(
        select(
            Child.nickname,
            Child.birth_date,
            Child.due_date,
            Child.created_at,
            Family.need,
            func.count(Child.id),
        )
        .select_from(Child)
        .join(Child.family)
        .where(Child.created_at >= bindparam("since"), Child.nickname != literal_column("''"))
        .group_by(Child.id, Family.id)
        .order_by(Child.id)
    )
    with database.turn() as db:
        rows = find.all(db, since=now)
        assert find.first(db, since=now + timedelta(seconds=1)) is None
    assert rows == [
        ("糖糖", date(2026, 1, 31), None, now, True, 1),
        ("豆豆", date(2026, 1, 31), None, now, True, 1),
    ]
    assert rows[0][3].utcoffset() == timedelta(hours=8)


def test_a_prepared_statements_error_is_sqlalchemys(database: Database, now: datetime) -> None:
    township = Prepared(insert(Township).values(id=bindparam("id"), name=bindparam("name")))

    def write_twice(db: Session) -> None:
        note(db, now)
        township.run(db, id=1, name="城桥镇")

    with pytest.raises(IntegrityError) as error, database.turn() as db:
        write_twice(db)
    assert "城桥镇" not in str(error.value.params)
    assert notes(database) == 0


def test_a_list_that_expands_is_refused(database: Database) -> None:
    with database.turn() as db, pytest.raises(AssertionError, match="expand"):
        Prepared(select(Child.id).where(Child.id.in_([1, 2]))).all(db)


def test_the_found_caregiver_is_what_the_orm_would_load(database: Database, family: None) -> None:
    with database.turn() as db:
        found = registration.find_caregiver(db, MOTHER)
        assert found is not None
        assert found.family is not None
        quick = [
            {key: value for key, value in vars(each).items() if not key.startswith("_")}
            for each in (*found.family.children, found.family, found)
        ]
        assert found.has_waiting is False
        assert found.family.township.name == "城桥镇"
        assert found.family.station is None
        assert [child.family for child in found.family.children] == [found.family] * 2
    with database.reading() as db:
        loaded = db.execute(select(Caregiver).where(Caregiver.openid == MOTHER)).scalar_one()
        assert loaded.family is not None
        for each, values in zip(
            (*loaded.family.children, loaded.family, loaded), quick, strict=True
        ):
            columns = {column.key for column in Loader(type(each)).columns}
            assert columns <= set(values) | {"has_waiting"}
            assert {key: getattr(each, key) for key in columns} == {
                key: values[key] for key in columns
            }


def test_what_was_changed_in_the_turn_is_not_overwritten(database: Database, family: None) -> None:
    with database.turn() as db:
        found = registration.find_caregiver(db, MOTHER)
        assert found is not None
        found.relation = "mother"
        again = registration.find_caregiver(db, MOTHER)
        assert again is found
        assert again.relation == "mother"
    with database.reading() as db:
        assert db.execute(select(Caregiver.relation)).scalar_one() == "mother"


def test_a_prepared_statement_outlasts_what_is_rolled_back(
    database: Database, now: datetime
) -> None:
    """The driver would have the server forget what it has prepared."""
    find = Prepared(select(Township.name).where(Township.id == bindparam("id")))

    def read_write_and_stop(db: Session) -> None:
        assert find.all(db, id=0) == []
        write_and_stop(db, now)

    for _ in range(8):
        with pytest.raises(Stop), database.transaction() as db:
            read_write_and_stop(db)
    with database.turn() as db:
        assert find.all(db, id=0) == []


def ask_often_and_stop(db: Session, connections: set[int]) -> None:
    assert registration.find_caregiver(db, MOTHER) is not None
    connections.add(id(connection_of(db).connection.driver_connection))
    begin_writing(connection_of(db))
    # More than the five times after which psycopg prepares by itself.
    for _ in range(8):
        db.execute(select(Township.name).where(Township.id == 1)).all()
    raise Stop


def test_what_was_prepared_outlives_a_transaction_that_was_rolled_back(
    database: Database, now: datetime, family: None
) -> None:
    """psycopg's own preparing would have the server forget ours: it is off, and stays off."""
    connections: set[int] = set()
    for _ in range(2):
        with pytest.raises(Stop), database.turn() as db:
            ask_often_and_stop(db, connections)
    assert len(connections) == 1, "the second turn is to meet what the first left"
    with database.turn() as db:
        assert registration.find_caregiver(db, MOTHER) is not None


def test_several_are_read_together_as_each_would_have_been(
    database: Database, now: datetime, family: None
) -> None:
    with database.transaction() as db:
        db.add(Caregiver(openid="o-alone", is_following=True, created_at=now))
    with database.turn() as db:
        read = registration.read_caregivers(db, ["o-alone", "o-nobody", MOTHER])
        assert not has_begun(db)
    assert set(read) == {"o-alone", MOTHER}
    for openid, rows in read.items():
        with database.turn() as db:
            put = registration.put_caregiver(db, rows)
            assert put in db
            children = put.family.children if put.family else []
            told = (put.openid, put.has_waiting, [child.nickname for child in children])
            assert registration.find_caregiver(db, openid) is put
        assert told == (openid, False, ["糖糖", "豆豆"] if openid == MOTHER else [])


def test_what_was_put_into_a_session_is_written_where_it_is_changed(
    database: Database, family: None
) -> None:
    with database.turn() as db:
        found = registration.find_caregiver(db, MOTHER)
        assert found is not None
        assert found.family is not None
        found.relation = "外婆"
        found.family.children[1].nickname = "豆子"
    with database.reading() as db:
        again = registration.find_caregiver(db, MOTHER)
        assert again is not None
        assert again.family is not None
        assert again.relation == "外婆"
        assert [child.nickname for child in again.family.children] == ["糖糖", "豆子"]
