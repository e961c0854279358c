"""Runs of characters that two texts share: nobody wants to read the same sentence twice."""

import re
from collections.abc import Iterator, Mapping

LONGEST_SHARED = 13
"""Characters; one more and it is the same sentence."""
NOT_COUNTED = re.compile(r"[^一-鿿0-9A-Za-z#]")
NAMES = re.compile(r"《[^》]*》|WS/T [\d—]+")
"""Names of documents are the same wherever they stand."""


def find_shared(texts: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Two names, and the run that the second shares with the first; each pair and run once."""
    first: dict[str, str] = {}
    for name, text in texts.items():
        run = ""
        other = ""
        for piece in _pieces(text):
            if first.setdefault(piece, name) != name:
                if run and first[piece] == other and run.endswith(piece[:-1]):
                    run += piece[-1]
                    continue
                if run:
                    yield other, name, run
                run, other = piece, first[piece]
            elif run:
                yield other, name, run
                run = ""
        if run:
            yield other, name, run


def _pieces(text: str) -> Iterator[str]:
    """Every run of one character too many. Punctuation does not make a sentence another."""
    size = LONGEST_SHARED + 1
    for line in re.split(r"\n(?=#)", NAMES.sub("#", text)):
        plain = NOT_COUNTED.sub("", line)
        for start in range(len(plain) - size + 1):
            piece = plain[start : start + size]
            if "#" not in piece:
                yield piece
