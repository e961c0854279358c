"""A file of records that only a holder of the DATA_KEY can read, and nobody can change unseen.

A first line says what it is. Each line after it is one Fernet token over a chunk: its number,
then compressed lines of JSON. The last chunk says so, so that a file that was cut off is known.
"""

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import InvalidToken

from app.crypto import Cipher

HEADING = b"yuban-backup 1\n"
CHUNK_BYTES = 1_000_000
"""Before compression: what writing and reading hold in memory at a time."""
LONGEST_LINE = 8 * CHUNK_BYTES
LAST = "last"

Record = list[Any]


@dataclass
class BackupUnreadable(Exception):
    """A file that cannot be restored from: missing, not_a_backup, other_key, damaged or cut_off."""

    reason: str
    detail: str = ""


def write(path: Path, records: Iterable[Record], cipher: Cipher) -> None:
    """Write all records under a passing name, then give the file its own: never half a backup.

    Readable by its owner only. Raises OSError where the disk will not take it; the passing
    file is then removed, and what had the name before is still there.
    """
    passing = path.with_name(f".{path.name}.{os.getpid()}.part")
    handle = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(HEADING)
            for number, (chunk, is_last) in enumerate(_chunks(records)):
                mark = LAST if is_last else "more"
                sealed = zlib.compress(f"{number} {mark}\n{chunk}".encode(), 6)
                file.write(cipher.seal(sealed) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        passing.replace(path)
    except BaseException:
        passing.unlink(missing_ok=True)
        raise


def _chunks(records: Iterable[Record]) -> Iterator[tuple[str, bool]]:
    lines: list[str] = []
    size = 0
    for record in records:
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        lines.append(line)
        size += len(line)
        if size >= CHUNK_BYTES:
            yield "\n".join(lines), False
            lines, size = [], 0
    yield "\n".join(lines), True


def read(path: Path, cipher: Cipher) -> Iterator[Record]:
    """The records in their order, a chunk in memory at a time.

    Raises BackupUnreadable where the file is none of ours, was sealed with another key, was
    changed, or ends too early; then possibly after some records.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupUnreadable("missing", error.strerror or "") from None
    with file:
        if file.readline(len(HEADING)) != HEADING:
            raise BackupUnreadable("not_a_backup")
        number = 0
        while line := file.readline(LONGEST_LINE):
            head, _, body = _open(line, cipher, number).partition("\n")
            said, _, mark = head.partition(" ")
            if said != str(number):
                raise BackupUnreadable("damaged", f"chunk {number}")
            for record in body.split("\n") if body else ():
                yield json.loads(record)
            if mark == LAST:
                if file.read(1):
                    raise BackupUnreadable("damaged", "after the end")
                return
            number += 1
        raise BackupUnreadable("cut_off")


def _open(line: bytes, cipher: Cipher, number: int) -> str:
    try:
        return zlib.decompress(cipher.unseal(line.rstrip(b"\n"))).decode()
    except InvalidToken:
        # The first chunk tells a wrong key from damage: damage seldom hits it alone.
        reason = "other_key" if number == 0 and line.endswith(b"\n") else "damaged"
        raise BackupUnreadable(reason, f"chunk {number}") from None
