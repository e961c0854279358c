"""What a classifier sees of a message: its words, its characters, and how they sound.

Greetings before a question and thanks after it are taken off; children and ages become one word
each, so that 阿拉孙子八个月 and 我女儿11个月 look alike.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Final

from app.dialogue.reading.plain import say_plain
from app.dialogue.understanding.cutter import Cutter
from app.late_pattern import LatePattern
from app.rules.pinyin import syllable
from app.rules.townships import TOWNSHIPS
from content.examples import word_classes

LONGEST: Final = 160
"""Characters that are looked at; of a longer message the beginning and the end."""

_LEAD: Final = LatePattern(
    r"^(?:(?:你好|您好|老师好?|各位|大家好|哈喽|嗨|hi|hello|请问一下|请问|想请问|想问一下|想问下|想问问|"
    r"想问|问一下|问下|问个问题|咨询一下|咨询下|咨询|打扰一下|打扰了|不好意思|麻烦问下|麻烦问一下|麻烦|"
    r"早上好|下午好|晚上好|上午好|那个|就是|嗯+|哎呀?|唉|喂|亲|在吗|您|我是新手妈妈|求助|求问|急)"
    r"[\s,.!?~、:;]*)+"
)
_TRAIL: Final = LatePattern(
    r"[\s,.!?~]*(?:(?:谢谢|多谢|感谢|辛苦了?|麻烦了|拜托了?|急|在线等|求解答?|求回复|望回复|请回复|谢了)"
    r"(?:老师|你们?|您|啦|哈|哦|大家)*[\s,.!~🙏]*)+$"
)
_CHILD: Final = LatePattern(
    "(?:我们?家?的?|咱家?|家里的?)?(?:大|小)?(?:宝宝|宝贝|孩子|小孩子?|小朋友|小家伙|小宝|娃娃?|外孙女?|"
    "孙子|孙女|孙孙|儿子|女儿|婴儿|幼儿|男宝|女宝|男孩|女孩|小子|丫头|妹妹|弟弟|娃儿)"
)
_NUM: Final = r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十半几百]+)"
_MONTHS: Final = LatePattern(rf"{_NUM}个?(?:多|半)?个?月(?:龄|大|了|半)*(?![份号日底初])")
_YEARS: Final = LatePattern(rf"{_NUM}(?:周)?岁(?:{_NUM}?(?:个?月)?)?(?:多|大|了)?|周岁")
_DAYS: Final = LatePattern(rf"{_NUM}(?:多)?天")
_PLACE: Final = LatePattern(
    f"(?:{'|'.join(name[:-1] for name in TOWNSHIPS if len(name) > 2)})(?:镇|乡|岛)?|庙镇|堡镇"
)
_DAY: Final = LatePattern(
    rf"(?:{_NUM}|元|腊|正)月{_NUM}[号日]?|{_NUM}[号日](?!楼)|(?:这个?|下下?个?|上个?|本)?(?:周|星期)[一二三四五六日天末\d]|"
    "双休日|大?[后前]天|今天|明天|昨天"
)
_CLOCK: Final = LatePattern(
    rf"(?:{_NUM})(?:点钟|点)(?:半|一刻|{_NUM}分?)?|\d{{1,2}}:\d\d|上午|下午|中午|傍晚"
)
_NUMBER: Final = LatePattern(r"\d+(?:[.:]\d+)*")
_PHONE: Final = LatePattern(r"1\d{10}")
_CODE: Final = LatePattern(r"\b[a-z]{1,4}-?\d{2,6}\b")
_REPEATED: Final = LatePattern(r"(.)\1{2,}")
_HAN: Final = LatePattern("[一-鿿]+")

MONTHS: Final = "月龄"
YEARS: Final = "岁数"
DAYS: Final = "天数"
CHILD: Final = "娃"


def levelled(text: str) -> str:
    """The text in plain words with what does not matter taken off or made alike."""
    plain = say_plain(text)
    if len(plain) > LONGEST:
        plain = plain[: LONGEST // 2] + plain[-LONGEST // 2 :]
    plain = _REPEATED.sub(r"\1\1", plain)
    bare = _TRAIL.sub("", plain)
    bare = _LEAD.sub("", bare)
    # 谢谢 alone, and 你好, are messages themselves.
    plain = bare if len(bare) >= 2 else plain
    plain = _PHONE.sub("号", plain)
    plain = _CODE.sub("编号", plain)
    plain = _MONTHS.sub(MONTHS, plain)
    plain = _YEARS.sub(YEARS, plain)
    plain = _DAYS.sub(DAYS, plain)
    plain = _CHILD.sub(CHILD, plain)
    plain = _PLACE.sub("镇名", plain)
    plain = _DAY.sub("某日", plain)
    plain = _CLOCK.sub("某时", plain)
    plain = _NUMBER.sub("0", plain)
    return re.sub(r"\s+", " ", plain)


def features(text: str, cutter: Cutter) -> list[str]:
    """Each feature once: words, pairs, runs of 1 to 4 characters, pairs of sounds, classes.

    A class stands for its words, alone, beside another class, and among the characters around it:
    酸奶什么时候能喝 is 食物, and 食物什么 as with every food.
    """
    return features_of_levelled(levelled(text), cutter)


def features_of_levelled(plain: str, cutter: Cutter) -> list[str]:
    """The same, of a text that is levelled already."""
    found: dict[str, None] = {}
    words = [word for word in cutter.cut(plain) if not word.isspace()]
    for word in words:
        found["w:" + word] = None
    for first, second in pairwise(words):
        found[f"w:{first}|{second}"] = None
    framed = f"^{plain.replace(' ', '')}$"
    for length in (1, 2, 3, 4):
        for start in range(len(framed) - length + 1):
            found[framed[start : start + length]] = None
    for run in _HAN.findall(plain):
        sounds = [syllable(character) for character in run]
        for first, second in pairwise(sounds):
            found[f"s:{first} {second}"] = None
    found.update(dict.fromkeys(_of_classes(framed)))
    return list(found)


def _of_classes(framed: str) -> Iterator[str]:
    parts, met = _by_class(framed)
    names = sorted(met)
    yield from (f"c:{name}" for name in names)
    yield from (f"c:{first}+{second}" for first, second in combinations(names, 2))
    for length in (2, 3):
        for start in range(len(parts) - length + 1):
            run = parts[start : start + length]
            if any(len(part) > 1 for part in run):
                yield "x:" + "".join(run)


def _by_class(framed: str) -> tuple[list[str], set[str]]:
    """Characters, with each word of a class as one part <class>; and all classes that are met."""
    classes, longest = _classes()
    parts: list[str] = []
    met: set[str] = set()
    start = 0
    while start < len(framed):
        for length in range(min(longest, len(framed) - start), 0, -1):
            names = classes.get(framed[start : start + length])
            if names:
                parts.append(f"<{names[0]}>")
                met.update(names)
                start += length
                break
        else:
            parts.append(framed[start])
            start += 1
    return parts, met


@lru_cache(maxsize=1)
def _classes() -> tuple[dict[str, tuple[str, ...]], int]:
    classes = word_classes()
    return classes, max(map(len, classes))
