"""The databases that tests are given: migrated, empty, and as new for every test."""

import psycopg
import pytest
from sqlalchemy import Engine, text

from devtools.embedded_postgres import PostgresServer
from devtools.postgres_reset import Resetter


def test_a_test_begins_with_the_townships_and_nothing_else(engine: Engine) -> None:
    with engine.connect() as connection:
        townships = connection.execute(text("SELECT count(*) FROM townships")).scalar_one()
        families = connection.execute(text("SELECT count(*) FROM families")).scalar_one()

    assert (townships, families) == (18, 0)


@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_a_test_spoils_is_whole_for_the_next(engine: Engine, turn: str) -> None:
    with engine.begin() as connection:
        found = connection.execute(text("SELECT count(*) FROM townships")).scalar_one()
        connection.execute(text("DELETE FROM townships"))

    assert found == 18


def test_a_transaction_left_open_does_not_hold_up_the_next_test(
    migrated_postgres: PostgresServer, postgres_resetter: Resetter
) -> None:
    conninfo = migrated_postgres.conninfo("migrated")
    forgotten = psycopg.connect(conninfo)
    forgotten.execute("LOCK TABLE townships IN ACCESS EXCLUSIVE MODE")

    postgres_resetter.reset()

    with pytest.raises(psycopg.OperationalError):
        forgotten.execute("SELECT 1")
    forgotten.close()


def test_numbering_begins_anew_for_every_test(
    migrated_postgres: PostgresServer, postgres_resetter: Resetter
) -> None:
    conninfo = migrated_postgres.conninfo("migrated")
    next_family = "SELECT nextval(pg_get_serial_sequence('families', 'id'))"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(next_family)

    postgres_resetter.reset()

    with psycopg.connect(conninfo, autocommit=True) as connection:
        assert connection.execute(next_family).fetchone() == (1,)
