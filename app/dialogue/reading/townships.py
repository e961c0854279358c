"""Chongming's townships as people write them: 城桥, 保镇, chengqiao, 新沙镇."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from app.dialogue.reading.plain import normalise, tidy
from app.dialogue.reading.sounds import near_syllable, plain_latin, syllables
from app.late_pattern import LatePattern
from app.rules.townships import TOWNSHIPS


class Likeness(StrEnum):
    """How a text names a township, the surest first."""

    NAME = "name"
    SHORT_NAME = "short_name"
    SOUND = "sound"
    NEAR_SOUND = "near_sound"
    """Such as 中心 for 中兴: worth asking back."""


@dataclass(frozen=True, slots=True)
class TownshipFound:
    """A township by its official name, and its place in the normalised text."""

    name: str
    text: str
    likeness: Likeness
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TownshipUnclear:
    """Several townships, or one half-heard, could be meant."""

    candidates: tuple[str, ...]
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TownshipUnknown:
    """A place named like a township, 南桥镇, that is none of Chongming's."""

    text: str
    start: int
    end: int


_SUFFIX: Final = "镇乡"
_HAN: Final = "一-鿿"


def _short(name: str) -> str:
    return name.removesuffix("镇").removesuffix("乡")


# A wrong suffix is as good as the right one: 长兴 was a 乡 until 2009, and 横沙 is often put down
# as a 镇. Islands are said for their townships.
_NAMES: Final[dict[str, str]] = {
    **{_short(name) + suffix: name for name in TOWNSHIPS for suffix in _SUFFIX},
    **{name: name for name in TOWNSHIPS},
    "长兴岛": "长兴镇",
    "横沙岛": "横沙乡",
}
# Short names that are ordinary words or surnames elsewhere need a place around them.
_WORDS_OF_THEIR_OWN: Final = frozenset({"三星", "建设", "中兴", "新村", "陈家"})
_SHORT: Final[dict[str, str]] = {
    _short(name): name
    for name in TOWNSHIPS
    if len(_short(name)) > 1 and _short(name) not in _WORDS_OF_THEIR_OWN
}
_GUARDED: Final[dict[str, str]] = {
    _short(name): name for name in TOWNSHIPS if _short(name) in _WORDS_OF_THEIR_OWN
}
_BEFORE: Final = (
    "住在|搬到|搬去|改成|改为|选错了?,?应该是|应该是|乡镇是?|地址是?|属于|我们?是|我在|住|在|到|"
    "是|去|来|选|的"
)
_AFTER: Final = "(?:的|那边|那里|那儿|这边|这里|附近|早教|站|人|有|街上|老街)"


def _any(names: dict[str, str]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


_NAME: Final = LatePattern(_any(_NAMES))
_SHORT_NAME: Final = LatePattern(
    rf"(?P<safe>{_any(_SHORT)})"
    rf"|(?:(?<![{_HAN}a-z0-9])|(?<=住在)|(?<=搬到)|(?<=应该是)|(?<=改成)|(?<=[住在到是去来选]))"
    rf"(?P<guarded>{_any(_GUARDED)})(?=$|[^{_HAN}]|{_AFTER})"
)
_MOVED_TO: Final = LatePattern(
    r"(?:搬到|搬去|搬来|迁到|改成|改为|改到|换成|换到|应该是|其实是|实际是|到)$"
)
_LATIN: Final = LatePattern(r"(?i)[a-zà-ɏ̀-ͯ][a-zà-ɏ̀-ͯ'1-5 -]*")
_PLACE: Final = LatePattern(rf"[{_HAN}]{{1,4}}?[镇乡](?![{_HAN}]*[镇乡])")
_TOKEN: Final = LatePattern(rf"[{_HAN}]+")
_LEAD_IN: Final = LatePattern(
    rf"^(?:(?:我们?|阿拉|咱们?|宝宝|家|家里|现在|目前|崇明县?区?|上海市?|{_BEFORE})+)"
)
_NO_PLACE: Final = LatePattern(
    "乡镇|城镇|村镇|集镇|老镇|本镇|哪个?[镇乡]|全镇|各镇|同乡|老乡|家乡|故乡|下乡|几个?镇|冰镇|"
    "小镇|古镇|市镇|什么镇|个镇|的镇"
)


def find_townships(text: str) -> tuple[TownshipFound, ...]:
    """Every township that a text names in characters, by full or short name, in order."""
    plain = normalise(text)
    found = [
        TownshipFound(_NAMES[m.group()], m.group(), Likeness.NAME, m.start(), m.end())
        for m in _NAME.finditer(plain)
    ]
    for m in _SHORT_NAME.finditer(plain):
        group = m.lastgroup or "safe"
        start, end = m.span(group)
        if any(start < other.end and other.start < end for other in found):
            continue
        name = _SHORT.get(m[group]) or _GUARDED[m[group]]
        found.append(TownshipFound(name, m[group], Likeness.SHORT_NAME, start, end))
    return tuple(sorted(found, key=lambda township: township.start))


def find_township(text: str) -> TownshipFound | TownshipUnclear | None:
    """The one township that a text means.

    By name, short name, pinyin, equal sound, then near sound. Of several the one moved to
    counts (从庙镇搬到堡镇); otherwise, and where only a part was understood, the candidates.
    None where no township is named; see `find_unknown_township` for 南桥镇.
    """
    plain = normalise(text)
    named = find_townships(plain)
    if named:
        return _the_one(named, plain)
    return _by_pinyin(tidy(text)) or _by_sound(plain) or _by_part(plain)


def find_unknown_township(text: str) -> TownshipUnknown | None:
    """The first place in a text that ends in 镇 or 乡 and is none of Chongming's."""
    plain = normalise(text)
    for token in _TOKEN.finditer(plain):
        for place in _PLACE.finditer(token.group()):
            if _NO_PLACE.search(place.group()):
                continue
            lead = _LEAD_IN.match(place.group())
            start = token.start() + place.start() + (lead.end() if lead else 0)
            end = token.start() + place.end()
            if end - start > 1 and find_township(plain[start:end]) is None:
                return TownshipUnknown(plain[start:end], start, end)
    return None


def _the_one(named: tuple[TownshipFound, ...], plain: str) -> TownshipFound | TownshipUnclear:
    names = tuple(dict.fromkeys(township.name for township in named))
    if len(names) == 1:
        return named[0]
    moved_to = [found for found in named if _MOVED_TO.search(plain[: found.start])]
    if len({found.name for found in moved_to}) == 1:
        return moved_to[0]
    return TownshipUnclear(names, plain, named[0].start, named[-1].end)


@dataclass(frozen=True, slots=True)
class _Spoken:
    """The townships by sound: with their suffix as syllables, and as one run of letters."""

    exact: dict[tuple[str, ...], frozenset[str]]
    near: dict[tuple[str, ...], frozenset[str]]
    latin: dict[str, frozenset[str]]
    near_latin: dict[str, frozenset[str]]


@lru_cache(maxsize=1)
def _spoken() -> _Spoken:
    exact: dict[tuple[str, ...], frozenset[str]] = {}
    near: dict[tuple[str, ...], frozenset[str]] = {}
    latin: dict[str, frozenset[str]] = {}
    near_latin: dict[str, frozenset[str]] = {}
    for name in TOWNSHIPS:
        short = _short(name)
        for form in {name, short, short + "镇", short + "乡"}:
            if len(form) == 1:
                continue
            sounds = syllables(form)
            nearly = tuple(near_syllable(sound) for sound in sounds)
            run = "".join(sounds)
            exact[sounds] = exact.get(sounds, frozenset()) | {name}
            near[nearly] = near.get(nearly, frozenset()) | {name}
            latin[run] = latin.get(run, frozenset()) | {name}
            near_run = _level_latin(run)
            near_latin[near_run] = near_latin.get(near_run, frozenset()) | {name}
    return _Spoken(exact, near, latin, near_latin)


def _level_latin(run: str) -> str:
    """A run of pinyin with the often confused sounds levelled, without cutting syllables."""
    for one, level in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("l", "n"), ("v", "u")):
        run = run.replace(one, level)
    return run


def _by_pinyin(text: str) -> TownshipFound | TownshipUnclear | None:
    spoken = _spoken()
    for found in _LATIN.finditer(text):
        run = plain_latin(found.group())
        if len(run) < 3:
            continue
        for table, key, likeness in (
            (spoken.latin, run, Likeness.SOUND),
            (spoken.near_latin, _level_latin(run), Likeness.NEAR_SOUND),
        ):
            names = table.get(key)
            if names:
                place = (found.start(), found.start() + len(found.group().rstrip(" -'")))
                return _named_by(names, text[place[0] : place[1]], likeness, place)
    return None


def _by_sound(plain: str) -> TownshipFound | TownshipUnclear | None:
    """A name by its sound: anywhere if it ends in 镇 or 乡, else only as a whole phrase.

    中心 inside 活动中心 is no township; 中心 alone may well be 中兴.
    """
    spoken = _spoken()
    for likeness in (Likeness.SOUND, Likeness.NEAR_SOUND):
        for token in _TOKEN.finditer(plain):
            word = token.group()
            sounds = syllables(word)
            table = spoken.exact
            if likeness is Likeness.NEAR_SOUND:
                sounds = tuple(near_syllable(sound) for sound in sounds)
                table = spoken.near
            lead = _LEAD_IN.match(word)
            starts = {0, lead.end() if lead else 0}
            for start in sorted(starts):
                names = table.get(sounds[start:])
                if names:
                    place = (token.start() + start, token.end())
                    return _named_by(names, word[start:], likeness, place)
            for end in range(2, len(word) + 1):
                if word[end - 1] not in _SUFFIX or _NO_PLACE.search(word[max(0, end - 3) : end]):
                    continue
                for start in range(max(0, end - 3), end - 1):
                    names = table.get(sounds[start:end])
                    if names:
                        place = (token.start() + start, token.start() + end)
                        return _named_by(names, word[start:end], likeness, place)
    return None


def _by_part(plain: str) -> TownshipFound | TownshipUnclear | None:
    """A single character, or a place in 镇 or 乡 that begins like one of ours: 新沙镇."""
    word = _LEAD_IN.sub("", plain).strip(" ,.")
    if re.fullmatch(rf"[{_HAN}]{{1,3}}", word) is None:
        return None
    start = plain.index(word)
    stem = _short(word)
    if not stem:
        return None
    if len(stem) == 1:
        names = tuple(name for name in TOWNSHIPS if stem in _short(name))
        if len(names) == 1:
            place = (start, start + len(word))
            return _named_by(frozenset(names), word, Likeness.SHORT_NAME, place)
    elif stem != word:
        names = tuple(name for name in TOWNSHIPS if name[0] == stem[0] and len(name) > 2)
    else:
        return None
    if not names:
        return None
    return TownshipUnclear(names, word, start, start + len(word))


def _named_by(
    names: frozenset[str], text: str, likeness: Likeness, place: tuple[int, int]
) -> TownshipFound | TownshipUnclear:
    start, end = place
    if len(names) == 1:
        (name,) = names
        return TownshipFound(name, text, likeness, start, end)
    in_order = tuple(name for name in TOWNSHIPS if name in names)
    return TownshipUnclear(in_order, text, start, end)
