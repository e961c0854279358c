"""The trained model, kept in a file: made where it is missing or its examples have changed.

Training takes half a minute, reading the file a tenth of one; as a program, this module makes
the file when the project is set up. The file lies under `var/` beside
the project, or in the system's folder for temporary files where that cannot be written; it can be
deleted at any time.
"""

import fcntl
import hashlib
import json
import mmap
import os
import subprocess
import sys
import tempfile
import threading
from array import array
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from app.dialogue.understanding.model import Model, Trained
from app.dialogue.understanding.numbered import Numbered, packed
from content import examples

ROOT: Final = Path(__file__).resolve().parents[3]
SHARPNESS: Final = 1.5
"""Meant to make what is said with 0.8 or more right 98 times in 100; `./dev bench understanding`
says how near that is."""
_SHAPED_BY: Final = (
    "understanding/cutter.py",
    "understanding/features.py",
    "understanding/training.py",
    "understanding/kept.py",
    "understanding/numbered.py",
    "reading/plain.py",
    "reading/spellings.py",
    "../rules/pinyin.py",
    "../rules/syllables.txt",
)
"""Code whose change makes another model."""
_ALIGNED: Final = 8
"""Each part of the file begins at a multiple of so many bytes."""
_KEPT_FILES: Final = 3
"""Files of older examples that stay: branches of one project share a folder."""


_loading: Final = threading.Lock()


def the_model() -> Model:
    """The model of this process, read or trained when first asked for."""
    # Many turns may ask for it at once, the first ones: one of them loads, the others wait.
    with _loading:
        return _load()


@lru_cache(maxsize=1)
def _load() -> Model:
    return Model(load_or_train(_folder(), is_apart=True), SHARPNESS)


def load_or_train(folder: Path, *, is_apart: bool = False) -> Trained:
    """The kept model, or a new one, which is kept. Raises ExamplesBroken.

    Trained `is_apart`, in a process of its own, it leaves nothing behind in this one.
    """
    path = folder / f"{_fingerprint()[:16]}.model"
    found = _read(path)
    if found is not None:
        return found
    with open(folder / "lock", "w", encoding="ascii") as lock:
        # Several processes start at once: one trains, the others wait and read.
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _read(path)
        if found is None:
            if is_apart:
                _train_apart(path)
            found = _read(path) or _train(path)
            _tidy(folder)
    return found


def _train_apart(path: Path) -> None:
    """Train in a process of its own: 100 MB of dictionary would stay in a web worker's memory."""
    module = "app.dialogue.understanding.kept"
    subprocess.run([sys.executable, "-m", module, str(path)], cwd=ROOT, check=False)


def _train(path: Path) -> Trained:
    # Late: only a first start pays for the trainer.
    from app.dialogue.understanding.training import train

    found = train(examples.load_examples())
    _write(path, found)
    return found


def _folder() -> Path:
    folder = ROOT / "var" / "understanding"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"yuban-understanding-{os.getuid()}"
        folder.mkdir(exist_ok=True)
    return folder


def _fingerprint() -> str:
    digest = hashlib.sha256(examples.fingerprint().encode())
    digest.update(version("jieba").encode())
    for name in _SHAPED_BY:
        digest.update((ROOT / "app" / "dialogue" / name).read_bytes())
    return digest.hexdigest()


def _write(path: Path, trained: Trained) -> None:
    table = packed(trained.places)
    table += bytes(-len(table) % _ALIGNED)
    head = json.dumps(
        {
            "labels": trained.labels,
            "words": dict(trained.words),
            "features": len(trained.places),
            "table": len(table),
        },
        ensure_ascii=False,
    ).encode()
    head += b" " * (-len(head) % _ALIGNED)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(len(head).to_bytes(_ALIGNED, "little"))
        file.write(head)
        file.write(table)
        array("f", trained.weights).tofile(file)
    os.chmod(file.name, 0o644)  # whoever serves may be another user than who trained
    os.replace(file.name, path)


def _read(path: Path) -> Trained | None:
    """None where there is no such file, or one that was cut short."""
    try:
        with path.open("rb") as file:
            # Mapped: all workers look into the same pages, and few of them are ever asked for.
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        table_at = _ALIGNED + int.from_bytes(mapped[:_ALIGNED], "little")
        head = json.loads(bytes(mapped[_ALIGNED:table_at]))
        weights_at = table_at + head["table"]
        places = Numbered(mapped[table_at:weights_at], head["features"])
        weights = mapped[weights_at:].cast("f")
        if len(weights) != len(places) * len(head["labels"]):
            return None
    except (OSError, TypeError, ValueError, KeyError, IndexError):
        return None
    return Trained(tuple(head["labels"]), places, weights, head["words"])


def _tidy(folder: Path) -> None:
    kept = sorted(folder.glob("*.model"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[_KEPT_FILES:]:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _train(Path(sys.argv[1]))
    else:
        load_or_train(_folder())
