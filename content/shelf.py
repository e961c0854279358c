"""The library in use: loaded when first wanted, and anew when a file has changed."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from content.front_matter import Fault
    from content.library import Library

CONTENT = Path(__file__).resolve().parent
FOLDERS = ("packs", "course", "faq")
"""The folders that are watched."""
LOOK_AGAIN_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Shelf:
    """Keeps the last good library.

    Broken content is refused at the first load. Later the last good library keeps serving, the
    faults are logged once a change, and `faults` tells of them.
    """

    def __init__(
        self, folder: Path = CONTENT, *, look_again_seconds: float = LOOK_AGAIN_SECONDS
    ) -> None:
        self.folder = folder
        self._look_again_seconds = look_again_seconds
        self._library: Library | None = None
        self._seen: frozenset[tuple[str, int, int]] = frozenset()
        self._looked_at = 0.0
        self._faults: tuple[Fault, ...] = ()
        self._lock = Lock()

    @property
    def library(self) -> "Library":
        """The library as of a few seconds ago. Raises ContentBroken where none was ever good."""
        library = self._library
        if library is None:
            with self._lock:
                # Whoever waited here finds it loaded.
                return self._library or self._load()
        is_time = monotonic() - self._looked_at >= self._look_again_seconds
        # One thread looks; the others go on with what there is.
        if is_time and self._lock.acquire(blocking=False):
            try:
                return self._look_again(library)
            finally:
                self._lock.release()
        return library

    @property
    def faults(self) -> "tuple[Fault, ...]":
        """What is wrong with the files that lie there now; empty where they are in use."""
        return self._faults

    def _load(self) -> "Library":
        # A command that needs no content does without the parser.
        from content.library import load_library

        self._seen = frozenset(_marks(self.folder))
        self._library = load_library(self.folder)
        self._looked_at = monotonic()
        return self._library

    def _look_again(self, library: "Library") -> "Library":
        from content.front_matter import ContentBroken
        from content.library import load_library

        self._looked_at = monotonic()
        seen = frozenset(_marks(self.folder))
        if seen == self._seen:
            return library
        self._seen = seen
        try:
            self._library = load_library(self.folder)
        except ContentBroken as broken:
            self._faults = broken.faults
            log.error("content_refused", faults=[str(fault) for fault in broken.faults[:20]])
            return library
        self._faults = ()
        log.info("content_loaded", packs=len(self._library.packs))
        return self._library


def _marks(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Name, time and size of every file that belongs to the content."""
    for name in FOLDERS:
        try:
            entries = list(os.scandir(folder / name))
        except FileNotFoundError:
            continue
        for entry in entries:
            try:
                status = entry.stat()
            except FileNotFoundError:
                continue  # an editor has just put another in its place
            if entry.is_file():
                yield f"{name}/{entry.name}", status.st_mtime_ns, status.st_size
