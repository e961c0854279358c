"""Brings a migrated PostgreSQL database back to how the migration left it, in milliseconds.

Emptying the tables takes 2 ms, a new database from a template 40 ms. What the migration put in
(the townships, say) is kept in a schema of its own and put back, even if a test changed it.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

# Everything that reset() needs stands in the schema `kept`, which no migration knows.
PREPARE = """
CREATE SCHEMA kept;
CREATE TABLE kept.tables AS
    SELECT tablename AS name, false AS has_rows FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version';
CREATE TABLE kept.sequences AS
    SELECT sequencename AS name, coalesce(last_value, start_value) AS value,
           last_value IS NOT NULL AS is_called
    FROM pg_sequences WHERE schemaname = 'public';
CREATE FUNCTION kept.reset() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    -- The audit log's own triggers would keep its rows.
    PERFORM set_config('session_replication_role', 'replica', true);
    FOR one IN SELECT name FROM kept.tables
               -- A table without a page has never held anything.
               WHERE pg_relation_size(format('public.%I', name)::regclass) > 0 LOOP
        EXECUTE format('DELETE FROM public.%I', one.name);
    END LOOP;
    FOR one IN SELECT name FROM kept.tables WHERE has_rows LOOP
        EXECUTE format('INSERT INTO public.%I OVERRIDING SYSTEM VALUE SELECT * FROM kept.%I',
                       one.name, 'rows_of_' || one.name);
    END LOOP;
    PERFORM setval(format('public.%I', name), value, is_called) FROM kept.sequences
    WHERE pg_sequence_last_value(format('public.%I', name)::regclass)
          IS DISTINCT FROM CASE WHEN is_called THEN value END;
END $$;
"""
OTHERS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# A test that leaves a transaction open would make the emptying wait for ever.
DISCONNECT = "SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid"


def remember(conninfo: str) -> None:
    """Keep what a freshly migrated database holds. Once per database, before any test."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(PREPARE)
        names = [str(row[0]) for row in connection.execute("SELECT name FROM kept.tables")]
        for name in names:
            kept = sql.Identifier("kept", f"rows_of_{name}")
            table = sql.Identifier("public", name)
            connection.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(kept, table))
            connection.execute(
                sql.SQL(
                    "UPDATE kept.tables SET has_rows = EXISTS (SELECT 1 FROM {}) WHERE name = {}"
                ).format(kept, sql.Literal(name))
            )


@dataclass
class Resetter:
    """Empties one database again and again, on one connection.

    The connection is kept, because a new one would first read the catalogue of every table:
    ten times the work of emptying them.
    """

    conninfo: str
    _connection: psycopg.Connection

    def others(self) -> set[int]:
        """The server's processes at which somebody else is connected."""
        try:
            return self._others()
        except psycopg.OperationalError:
            # The test before may have ended the server, or every connection to it.
            self._connection.close()
            self._connection = _connect(self.conninfo)
            return self._others()

    def _others(self) -> set[int]:
        return {int(pid) for (pid,) in self._connection.execute(OTHERS)}

    def reset(self, resting: Collection[int] = ()) -> None:
        """Put back what `remember` saw, with every sequence at its place.

        Others are cut off, but for those at the server's processes `resting`: nobody has a
        transaction open there.
        """
        if ended := self.others().difference(resting):
            self._connection.execute(DISCONNECT, (list(ended),))
        self._connection.execute("SELECT kept.reset()")

    def close(self) -> None:
        self._connection.close()


@contextmanager
def resetting(conninfo: str) -> Iterator[Resetter]:
    resetter = Resetter(conninfo, _connect(conninfo))
    yield resetter
    resetter.close()


def _connect(conninfo: str) -> psycopg.Connection:
    connection = psycopg.connect(conninfo, autocommit=True)
    # Foreign keys would dictate an order; only a superuser may do without them.
    connection.execute("SET session_replication_role = replica")
    return connection
