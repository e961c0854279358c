"""Chinese text cut into words: jieba with a small dictionary and the words of our field.

jieba's own dictionary takes 100 MB. Only words that some example holds can tell one intent from
another, so only those are kept: the cutter takes 2 MB.
"""

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from app.importing import instead
from content.examples import domain_words

DOMAIN_FREQUENCY: Final = 5000

Words = Mapping[str, int]
"""Words and how often they are met; prefixes of words with 0."""


class Cutter:
    """Cuts text by a dictionary that it is given."""

    def __init__(self, words: Words) -> None:
        tokenizer = _jieba().Tokenizer()
        # Only read: a copy would be another half of a megabyte.
        tokenizer.FREQ = words
        tokenizer.total = sum(words.values()) or 1
        tokenizer.initialized = True
        self._tokenizer: Any = tokenizer

    def cut(self, text: str) -> list[str]:
        """The words of a text, in order; nothing is lost."""
        return list(self._tokenizer.cut(text, HMM=False))


def full_dictionary() -> dict[str, int]:
    """jieba's whole dictionary with our words: 100 MB, for training alone."""
    path = Path(str(_jieba().__file__)).parent / "dict.txt"
    with path.open(encoding="utf-8") as file:
        words = dict(_word(line) for line in file)
    for word in domain_words():
        words[word] = max(words.get(word, 0), DOMAIN_FREQUENCY)
    return _with_prefixes(words)


def dictionary_of(texts: Iterable[str], full: Words) -> dict[str, int]:
    """The part of the dictionary that cuts these texts, and our own words."""
    cutter = Cutter(full)
    met = {word for text in texts for word in cutter.cut(text)} | set(domain_words())
    return _with_prefixes({word: full[word] for word in sorted(met) if full.get(word)})


def _word(line: str) -> tuple[str, int]:
    word, frequency = line.split(" ")[:2]
    return word, int(frequency)


def _with_prefixes(words: dict[str, int]) -> dict[str, int]:
    for word in list(words):
        for end in range(1, len(word)):
            words.setdefault(word[:end], 0)
    return words


def _jieba() -> ModuleType:
    """jieba, imported where first used, without what it never needs here.

    That is the 200 ms and the warning of pkg_resources, and 3 MB of tables that guess words
    which no dictionary holds.
    """
    with warnings.catch_warnings(), instead("pkg_resources", None), _no_guessing():
        warnings.simplefilter("ignore")
        return import_module("jieba")


@contextmanager
def _no_guessing() -> Iterator[None]:
    if "jieba" in sys.modules:
        yield
        return
    with instead("jieba.finalseg", ModuleType("jieba.finalseg")):
        yield
