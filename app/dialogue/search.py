"""Which reviewed text answers a question: the short answers first, then the packs, the course.

Texts are compared by their words and pairs of characters, rare ones counting more. What a child's
age has outgrown counts less. Nothing is made up: below a likeness we say that we do not know.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import log, sqrt
from threading import Lock
from typing import Final, TypeVar

from app.dialogue.understanding.features import levelled
from content.faq import Faq
from content.lessons import Lesson
from content.library import Library
from content.packs import Pack

SURE_LIKENESS: Final = 0.42
"""A short answer this like the question is given."""
PACK_LIKENESS: Final = 0.3
"""A pack this like the question is offered."""
LESSON_LIKENESS: Final = 0.45
"""A lesson of the course this like the question is named, where no pack is."""
IN_MESSAGE: Final = 0.7
IN_PAGE: Final = 0.5
SAME_TOPIC: Final = 1.35
OTHER_TOPIC: Final = 0.75
OUTGROWN: Final = 0.7

_COMMON: Final = frozenset("的了吗呢啊吧是有我你他她娃会在就也都还不一个好几哪能要,.?!") | {
    "怎么",
    "怎么办",
    "什么",
    "可以",
    "怎么样",
    "多少",
    "如何",
    "请问",
    "老师",
    "你们",
    "这个",
}
_FILLING: Final = frozenset("的了吗呢啊吧是我你他她这那个就也都")
_TOPICS: Final = {
    "faq_newborn": ("新生儿访视",),
    "faq_feeding": ("膳食营养",),
    "faq_sleep": ("生长发育", "安全防护"),
    "faq_growth": ("生长发育",),
    "faq_development": ("生长发育", "早期学习"),
    "faq_vaccine": ("预防接种",),
    "faq_illness": ("疾病防控",),
    "faq_safety": ("安全防护",),
    "faq_behavior": ("情感社会",),
    "faq_play": ("早期学习", "亲子阅读"),
    "faq_toilet": ("情感社会", "生长发育"),
    "faq_screen": ("早期学习",),
    "faq_childcare": ("情感社会",),
    "faq_grandparent": ("祖辈养育",),
    "faq_oral": ("疾病防控", "生长发育"),
}
"""The packs' topics by intent."""


@dataclass(frozen=True, slots=True)
class FoundFaq:
    faq: Faq
    likeness: float


@dataclass(frozen=True, slots=True)
class FoundPack:
    pack: Pack
    likeness: float


@dataclass(frozen=True, slots=True)
class FoundLesson:
    lesson: Lesson
    likeness: float


@dataclass(frozen=True, slots=True)
class Found:
    """What comes nearest; None where nothing is near enough."""

    faq: FoundFaq | None
    pack: FoundPack | None
    lesson: FoundLesson | None = None


Likened = TypeVar("Likened", FoundFaq, FoundPack, FoundLesson)


class _Index:
    """Every text's terms, and how rare each is."""

    def __init__(self, library: Library, cut: Callable[[str], list[str]]) -> None:
        self._cut = cut
        phrases = [
            (faq, _terms(said, cut))
            for faq in library.faqs.values()
            for said in (faq.question, *faq.also)
        ]
        packs = [
            (pack, _terms(f"{pack.title}。{pack.message}", cut)) for pack in library.packs.values()
        ]
        met = Counter(term for _, terms in (*phrases, *packs) for term in terms)
        lessons = [(lesson, _lesson_terms(lesson, cut)) for lesson in library.course.lessons]
        total = len(phrases) + len(packs)
        self._rarity = {term: log(1 + total / count) for term, count in met.items()}
        self._unmet = log(1 + total)
        self.phrases = [(faq, terms, self._length(terms)) for faq, terms in phrases]
        self.packs = packs
        self.lessons = lessons
        self.titles = {pack.id: _terms(pack.title, cut) for pack in library.packs.values()}
        self.pages = {pack.id: _terms(pack.body, cut) for pack in library.packs.values()}

    def faq_likeness(self, asked: frozenset[str], terms: frozenset[str], length: float) -> float:
        shared = sum(self._rarity[term] ** 2 for term in asked & terms)
        return shared / (length * self._length(asked) or 1)

    def pack_likeness(self, asked: frozenset[str], pack: Pack, terms: frozenset[str]) -> float:
        """How much of the question the pack speaks of: in its title, its message, its page."""
        whole = sum(self._rarity.get(term, self._unmet) for term in asked) or 1
        found = 0.0
        for term in asked:
            if term in self.titles[pack.id]:
                found += self._rarity.get(term, self._unmet)
            elif term in terms:
                found += IN_MESSAGE * self._rarity.get(term, self._unmet)
            elif term in self.pages[pack.id]:
                found += IN_PAGE * self._rarity.get(term, self._unmet)
        return found / whole

    def lesson_likeness(self, asked: frozenset[str], terms: frozenset[str]) -> float:
        """How much of the question a lesson speaks of."""
        whole = sum(self._rarity.get(term, self._unmet) for term in asked) or 1
        found = sum(self._rarity.get(term, self._unmet) for term in asked & terms)
        return found / whole

    def terms(self, text: str) -> frozenset[str]:
        return _terms(text, self._cut)

    def _length(self, terms: Iterable[str]) -> float:
        return sqrt(sum(self._rarity.get(term, self._unmet) ** 2 for term in terms))


class Answers:
    """Finds answers; keeps the index of the library that was last asked. One a process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._library: Library | None = None
        self._index: _Index | None = None

    def find(
        self,
        library: Library,
        text: str,
        *,
        topic: str,
        age_days: int | None,
        today: date,
        cut: Callable[[str], list[str]],
    ) -> Found:
        """The nearest short answer and the nearest pack, by words, topic and the child's age."""
        index = self._index_of(library, cut)
        asked = index.terms(text)
        faqs = [
            FoundFaq(
                faq,
                index.faq_likeness(asked, terms, length)
                * (SAME_TOPIC if faq.topic == topic else OTHER_TOPIC),
            )
            for faq, terms, length in index.phrases
            if faq.is_given(today)
        ]
        packs = [
            FoundPack(
                pack,
                index.pack_likeness(asked, pack, terms)
                * (SAME_TOPIC if pack.topic in _TOPICS.get(topic, ()) else OTHER_TOPIC)
                * _age_fit(pack, age_days),
            )
            for pack, terms in index.packs
            if pack.is_pushed(today)
        ]
        lessons = [
            FoundLesson(lesson, index.lesson_likeness(asked, terms))
            for lesson, terms in index.lessons
        ]
        return Found(
            _best(faqs, SURE_LIKENESS),
            _best(packs, PACK_LIKENESS),
            _best(lessons, LESSON_LIKENESS),
        )

    def _index_of(self, library: Library, cut: Callable[[str], list[str]]) -> _Index:
        with self._lock:
            if self._index is None or self._library is not library:
                self._index, self._library = _Index(library, cut), library
            return self._index


def _best(found: Sequence[Likened], least: float) -> Likened | None:
    best = max(found, key=lambda one: one.likeness, default=None)
    return best if best is not None and best.likeness >= least else None


def _lesson_terms(lesson: Lesson, cut: Callable[[str], list[str]]) -> frozenset[str]:
    said = (lesson.title, lesson.message, *lesson.points, lesson.habit, lesson.instead)
    return _terms("。".join(said), cut)


def _age_fit(pack: Pack, age_days: int | None) -> float:
    if age_days is None or pack.from_days <= age_days < pack.until_days:
        return 1.0
    return OUTGROWN


def _terms(text: str, cut: Callable[[str], list[str]]) -> frozenset[str]:
    plain = re.sub(r"[^\w]+", " ", levelled(text))
    terms = {word for word in cut(plain) if word.strip() and word not in _COMMON}
    for run in re.findall("[一-鿿]+", plain):
        pairs = {run[start : start + 2] for start in range(len(run) - 1)}
        terms |= {pair for pair in pairs if pair not in _COMMON and not _FILLING & set(pair)}
    return frozenset(terms)
