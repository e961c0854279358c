"""Engines kept from test to test, so that a statement is compiled once a worker.

A new engine has to compile every statement anew, and that is more work than most tests' own.
Those of a worker's two databases are therefore kept: emptied of connections before each test,
the same for whoever asks for the same database, keys and number of connections.
"""

from collections.abc import Callable
from threading import Lock

from sqlalchemy import Engine

import app.db
from app.crypto import Cipher

make_own_engine: Callable[..., Engine] = app.db.make_engine
"""One that is not kept: for a test that ends one engine while another is at work."""
_lasting: set[str] = set()
_one_at_a_time = Lock()
_kept: dict[tuple[str, str, int], Engine] = {}


def keep(url: str) -> None:
    """Of this database the engines are kept. It is another one now: nobody is connected to it."""
    _lasting.add(url)
    for (of, _key, _size), engine in _kept.items():
        if of == url:
            engine.dispose()


def make_engine(url: str, cipher: Cipher, pool_size: int = 10) -> Engine:
    """As app.db's own, which it stands for in everything that is imported after this module."""
    if url not in _lasting:
        return make_own_engine(url, cipher, pool_size)
    key = url, cipher.look_up(""), pool_size
    with _one_at_a_time:
        if key not in _kept:
            _kept[key] = make_own_engine(url, cipher, pool_size)
        vars(_kept[key].dialect)["yuban_cipher"] = cipher
        return _kept[key]


vars(app.db)["make_engine"] = make_engine
