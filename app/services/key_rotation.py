"""Every encrypted column rewritten under the newest data key, a batch at a time.

Works from the tables themselves, so that a column that is added tomorrow is not forgotten.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CursorResult, Table, Text, and_, literal, or_, select, tuple_, type_coerce
from sqlalchemy import update as update_
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Base, EncryptedText

BATCH = 500


def encrypted_tables() -> Iterator[tuple[Table, tuple[str, ...]]]:
    """Tables with the names of their encrypted columns."""
    for table in Base.metadata.sorted_tables:
        names = tuple(c.name for c in table.columns if isinstance(c.type, EncryptedText))
        if names:
            yield table, names


def rotate_batch(
    db: Session,
    *,
    table: Table,
    columns: tuple[str, ...],
    after: tuple[Any, ...] | None,
    cipher: Cipher,
) -> tuple[int, tuple[Any, ...] | None]:
    """How many values were rewritten, and the primary key to go on after; None at the end.

    A value that somebody else writes meanwhile is theirs: they use the newest key anyway.
    Raises cryptography.fernet.InvalidToken where no key opens a value.
    """
    keys = tuple(table.primary_key.columns)
    # As the tokens that are stored, not as what they say.
    tokens = [type_coerce(table.columns[name], Text).label(name) for name in columns]
    statement = select(*keys, *tokens).order_by(*keys).limit(BATCH)
    if after is not None:
        statement = statement.where(tuple_(*keys) > tuple_(*map(literal, after)))
    rows = db.execute(statement).all()
    rewritten = 0
    for row in rows:
        key, stored = row[: len(keys)], dict(zip(columns, row[len(keys) :], strict=True))
        for name, token in stored.items():
            if token is None or cipher.is_newest(token):
                continue
            stays = and_(*(column == value for column, value in zip(keys, key, strict=True)))
            column = type_coerce(table.columns[name], Text)
            done = db.execute(
                update_(table)
                .where(stays, column == token)
                .values({name: type_coerce(literal(cipher.rotate(token)), Text)})
            )
            assert isinstance(done, CursorResult)
            rewritten += done.rowcount
    last = tuple(rows[-1][: len(keys)]) if len(rows) == BATCH else None
    return rewritten, last


def count_older(db: Session, cipher: Cipher) -> int:
    """How many values still need an older key: none, when it may be thrown away."""
    older = 0
    for table, columns in encrypted_tables():
        tokens = [type_coerce(table.columns[name], Text) for name in columns]
        statement = select(*tokens).where(or_(*(token.is_not(None) for token in tokens)))
        for row in db.execute(statement.execution_options(yield_per=BATCH)):
            older += sum(1 for token in row if token is not None and not cipher.is_newest(token))
    return older
