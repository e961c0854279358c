"""Engines kept from test to test, so that a statement is compiled once a worker.

A new engine has to compile every statement anew, and that is more work than most tests' own.
Those of a worker's two databases are therefore kept, the same for whoever asks for the same
database, keys and number of connections. PostgreSQL's connections are kept as well: each new one
is a process that reads the catalogue anew, for most of the time that a test takes.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from threading import Lock
from weakref import WeakSet

import psycopg
from sqlalchemy import Engine, QueuePool, event

import app.db
from app.crypto import Cipher

make_own_engine: Callable[..., Engine] = app.db.make_engine
"""One that is not kept: for a test that ends one engine while another is at work."""
_lasting: set[str] = set()
_one_at_a_time = Lock()
_kept: dict[tuple[str, str, int], Engine] = {}
_connected: dict[Engine, WeakSet[psycopg.Connection]] = {}


def keep(url: str) -> None:
    """Of this database the engines are kept. It is another one now: nobody is connected to it."""
    _lasting.add(url)
    for engine in _of(url):
        _let_go(engine)


def keep_connected(url: str, alive: Collection[int]) -> list[int]:
    """As `keep`, of a PostgreSQL database that is emptied rather than made anew.

    `alive` are the server's processes that there are. Those at which a connection rests that may
    be used again come back. No test finds more than one at rest: an engine that has another
    number, has not been given back every one or has had one cut off, loses them all.
    """
    _lasting.add(url)
    resting: list[int] = []
    for engine in _of(url):
        pids = {each.info.backend_pid for each in _connected[engine] if not each.closed}
        assert isinstance(engine.pool, QueuePool)
        if len(pids) == 1 and engine.pool.checkedout() == 0 and pids <= set(alive):
            resting += pids
        else:
            _let_go(engine)
    return resting


def give_back(engine: Engine) -> None:
    """The test is done with it: it is ended, unless it is kept."""
    if engine not in _kept.values():
        engine.dispose()


def _of(url: str) -> Iterator[Engine]:
    return (engine for (of, _key, _size), engine in _kept.items() if of == url)


def _let_go(engine: Engine) -> None:
    engine.dispose()
    _connected[engine] = WeakSet()


def _note_connections(engine: Engine) -> None:
    _connected[engine] = WeakSet()

    @event.listens_for(engine, "connect")
    def _note(connection: object, _entry: object) -> None:
        if isinstance(connection, psycopg.Connection):
            _connected[engine].add(connection)
        if isinstance(connection, sqlite3.Connection):
            # The last to close a file writes it down for good, and waits for the disk: the next
            # test throws it away.
            connection.execute("PRAGMA synchronous = OFF")


def make_engine(url: str, cipher: Cipher, pool_size: int = 10) -> Engine:
    """As app.db's own, which it stands for in everything that is imported after this module."""
    if url not in _lasting:
        return make_own_engine(url, cipher, pool_size)
    key = url, cipher.look_up(""), pool_size
    with _one_at_a_time:
        if key not in _kept:
            _kept[key] = make_own_engine(url, cipher, pool_size)
            _note_connections(_kept[key])
        vars(_kept[key].dialect)["yuban_cipher"] = cipher
        return _kept[key]


vars(app.db)["make_engine"] = make_engine
