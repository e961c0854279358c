"""What a family calls its child."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Final

from app.dialogue.reading.dates import find_dates
from app.dialogue.reading.plain import normalise, tidy
from app.dialogue.reading.townships import Likeness, TownshipFound, find_township
from app.late_pattern import LatePattern

LONGEST_NICKNAME: Final = 10

_ANY_DAY: Final = date(2026, 1, 1)

_CHILD: Final = (
    "宝宝|宝贝|孩子|小孩|小囡|囡囡|毛头|大宝|二宝|三宝|老大|老二|老三|女儿|儿子|孙女|孙子|外孙女|"
    "外孙|娃"
)
SEX_WORD: Final = "小?[男女](?:孩子?|宝宝?|娃娃?|生|婴儿?|童)|女儿|儿子|孙女|孙子"
_CALLED: Final = LatePattern(
    f"(?:(?:{_CHILD}|他|她|伊)?的?(?:小名|乳名|昵称|名字|大名|全名|姓名)(?:就?叫做?|改成|改为|"
    r"改叫|换成|是|为|:|,|取名|\s)*"
    r"|(?<![不没没别怎什么有])(?<!没有)(?<!打电话)(?:叫做|就叫|名叫|取名|起名|名为|叫)(?:做|:)?\s*)"
    rf"(?P<name>[^\s,.;:!?|/\"'()]{{1,24}}?)"
    rf"(?=$|[\s,.;:!?|/\"'()]|(?:{SEX_WORD})|的|[男女](?=$|\W)|生日|出生|住|是|今年|现在|小名|"
    r"大名|[吧啊呀哦哈](?=$|\W))"
)
_NOT_CALLED: Final = LatePattern(
    "[不没别也还改报填错写]|人|老师|医生|你们?|我|他|她|什么|啥|不应|名字|救护车|一声|车|号|真人|"
    "人工|一个|个"
)
_LEAD_IN: Final = LatePattern(
    f"^(?:(?:我家|我们家?|阿拉|我|咱家?|这是|就是|就|是)?的?(?:{_CHILD})?的?(?:小名|乳名|昵称|"
    r"名字|大名|姓名)?(?:就?叫做?|名叫|取名|起名|是|:|,)?\s*)"
)
_TAIL: Final = LatePattern(r"(?:就好了?|就行了?|吧|呀|啊|哦|哈|谢谢.*|老师|的)$")
_WRAP: Final = "\"'()[]<>{}.,;:!?~-_=+*#@^&%$/\\|` 。，、；：！？～「」『』【】《》“”‘’…—"
_NO_NAME: Final = frozenset(
    re.split(
        " ",
        "登记 注册 取消 退出 帮助 人工 活动 资料 课程 报名 同意 不同意 好的 好 可以 是 不是 是的 "
        "对 不 不要 没有 有 男 女 男孩 女孩 男宝 女宝 妈妈 爸爸 奶奶 爷爷 外婆 外公 你好 谢谢 上门 "
        "预约 不知道 还没 还没有 还没取 没取 保密 暂无 无 下一步 跳过",
    )
)


def names_said(text: str, names: Sequence[str]) -> list[str]:
    """Which of a family's nicknames are in a text, in their own order.

    The longest first, each taken out of the text: who says 小豆豆 does not mean 豆豆 as well.
    """
    left = text.lower()
    said: set[str] = set()
    for name in sorted(names, key=len, reverse=True):
        if name.lower() in left:
            said.add(name)
            left = left.replace(name.lower(), " ")
    return [name for name in names if name in said]


def name_length(name: str) -> int:
    """How many characters a person sees: an emoji with its joiners and skin tone is one."""
    joined = re.sub("\u200d.", "", name)
    return sum(
        1
        for character in joined
        if not unicodedata.combining(character)
        and character != "\ufe0f"
        and not "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def clean_name(name: str) -> str:
    """A name without the marks around it; its inside, its case and its emoji stay."""
    return name.strip(_WRAP)


def find_called(text: str) -> tuple[str, int, int] | None:
    """The name after 叫 or 小名, and its place in the normalised text. 小名 goes before 大名."""
    plain, shown = normalise(text), tidy(text)
    best: tuple[str, int, int] | None = None
    for found in _CALLED.finditer(plain):
        start, end = found.span("name")
        name = clean_name(shown[start:end])
        if not name or _NOT_CALLED.match(found["name"]) or normalise(name) in _NO_NAME:
            continue
        if best is None or re.search("小名|乳名|昵称", found.group()):
            best = (name, start, end)
    return best


def read_nickname(text: str) -> str | None:
    """The nickname in the answer to "what is the child called"; as typed, 1 to 10 characters.

    None where the answer is too long for a name, a date, a township, or another of our words.
    """
    called = find_called(text)
    name = called[0] if called else tidy(text)
    if called is None:
        if name.startswith("叫"):
            # 叫老师来, 叫什么好: what follows was no name.
            return None
        name = _TAIL.sub("", name[_lead_in_end(name) :].strip())
    name = clean_name(name)
    if not 1 <= name_length(name) <= LONGEST_NICKNAME or normalise(name) in _NO_NAME:
        return None
    if re.search(r"\d{4}|[?？]|吗$|^[不没别勿]", name) or _is_township(name):
        return None
    # Any date serves here: the day itself is not used, only that there is one.
    if find_dates(name, _ANY_DAY, "past"):
        return None
    return name


def _lead_in_end(name: str) -> int:
    lead = _LEAD_IN.match(normalise(name))
    end = lead.end() if lead else 0
    # 宝宝 or 囡囡 may be the name itself: a lead-in leaves something to lead to.
    return end if clean_name(name[end:]) else 0


def _is_township(name: str) -> bool:
    found = find_township(name)
    return isinstance(found, TownshipFound) and found.likeness is Likeness.NAME
