"""A child's data in one message, in any order: 登记 糖糖 2026-05-01 女 城桥镇."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.dialogue.reading.contacts import find_phones
from app.dialogue.reading.dates import (
    Certainty,
    DateFound,
    DateSpan,
    Found,
    ImpossibleDate,
    LunarDate,
    find_dates,
)
from app.dialogue.reading.gestation import find_gestation
from app.dialogue.reading.names import (
    LONGEST_NICKNAME,
    SEX_WORD,
    clean_name,
    find_called,
    name_length,
)
from app.dialogue.reading.plain import normalise, tidy
from app.dialogue.reading.townships import (
    Likeness,
    TownshipFound,
    TownshipUnclear,
    find_township,
    find_townships,
    find_unknown_township,
)
from app.late_pattern import LatePattern
from app.rules.people import Sex


class ProblemKind(StrEnum):
    """Why a part of the message could not be taken."""

    IMPOSSIBLE_DATE = "impossible_date"
    LUNAR_DATE = "lunar_date"
    VAGUE_DATE = "vague_date"
    """A month or a stretch of time where a day is needed: 上个月, 三个月前."""
    SEVERAL_DATES = "several_dates"
    UNKNOWN_TOWNSHIP = "unknown_township"
    UNCLEAR_TOWNSHIP = "unclear_township"
    NICKNAME_TOO_LONG = "nickname_too_long"


@dataclass(frozen=True, slots=True)
class Problem:
    """One part that could not be taken, in the writer's words."""

    kind: ProblemKind
    text: str
    candidates: tuple[str, ...] = ()
    """The townships that an unclear one may be."""


@dataclass(frozen=True, slots=True)
class RegistrationDraft:
    """What a message says of a child. Dates are as said: whether they can be, rules decide."""

    nickname: str | None = None
    birth_date: date | None = None
    due_date: date | None = None
    sex: Sex | None = None
    township: str | None = None
    gestation_weeks: int | None = None
    """At birth; None before birth, when it only says how far the pregnancy is."""
    is_date_rolled: bool = False
    """The year was not said: have the caregiver confirm the date."""
    problems: tuple[Problem, ...] = ()


_MASK: Final = "|"
_COMMAND: Final = LatePattern(
    "(?:我要|我想|想要?|请|麻烦|帮我|帮忙|给我?家?|要|来|先)*(?:宝宝|孩子|小孩|小囡|娃)?"
    "(?:登记|登季|登寄|登计|灯记|蹬记|注册|建档|录入)(?:一下|下|宝宝(?=信息|档案|资料)|"
    "孩子(?=信息|档案|资料)|信息|档案|资料)*"
)
_DUE: Final = LatePattern("预产期?|产期|due")
_BIRTH: Final = LatePattern("生的?|出生|生日|生于|出世")
_SEX: Final = LatePattern(
    rf"性别\s?(?:是|为|:)?\s?(?P<stated>[男女])(?:的|生|孩|宝)?|(?P<word>{SEX_WORD})|"
    r"(?P<mark>(?<!\u200d)[👧👦♀♂]\ufe0f?(?!\u200d))"
)
_SEX_TOKEN: Final = LatePattern("(?:是|为)?个?(?:男|女|girl|boy|f|m)(?:的|孩|宝|娃|生)?")
_GIRL: Final = LatePattern("女|girl|^f$|👧|♀")
_ASIDE: Final = LatePattern(
    r"(?:有|没有|无|没)(?:指导|上门|这个)?需求|不?需要(?:上门|指导)?|谢谢\w*|感谢\w*|你好|您好|"
    r"老师好?|麻烦\w{0,2}|"
    r"双胞胎|龙凤胎|足月|不?是?早产儿?|顺产|剖腹产|剖宫产|新生儿|未出生|还没生|"
    r"(?:今年|现在|已经|快|刚|才|刚满|满)*\s?\d{1,2}\s?(?:个?半?月|岁半?|周|天)(?:大|了|多)*"
)
_LABEL: Final = LatePattern(
    "出生(?:日期|年月日?|时间|日子)?|生日|出生在|生于|预产期?|产期|性别|乡镇|所在乡镇|所属乡镇|"
    "地址|住址|家住|住在|现住|住|"
    "(?<![一-鿿])(?:街道|镇|乡)(?![一-鿿])|小名|乳名|昵称|名字|大名|姓名|宝宝(?=叫|的)|孩子(?=叫|"
    "的)"
)
_FILLER: Final = LatePattern(
    "(?:我家|我们家?|阿拉|咱家?|我|宝宝|宝贝|孩子|小孩|小囡|大宝|二宝|三宝|老大|老二|老三|娃|的|"
    "是|在|于|生|出生|左右|大概|大约|"
    "叫做?|名叫|一下|信息|资料|档案|家里|家|把|住|崇明县?区?|上海市?|和|跟|人|为|了|号|日|刚|个|"
    "有|第[一二三]胎|今年|去年|哦|啊|呀|吧)*+"
)
# Words of a sentence about registering, which is no form: nobody is called 怎么弄.
_NO_NAME: Final = LatePattern(
    "怎么|怎样|什么|哪|吗$|如何|为何|可以|能不能|多少|需要|重新|填|帮|弄|新来|录|登记|注册|都要|"
    "两个|还没|没有|想|请|"
    "一遍|一下|补|建|档案|应该|改|申请|办|选|搬|手机|电话|双胎|要$|上门|活动|早教|服务|不知道|"
    "刚生|怀|孕|出院|医院|今天|法$"
)
_SPLIT: Final = LatePattern(r"[^\s,.;:!?|/\\\"'()\[\]<>~+=*#_·-]+")


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


class _Message:
    """A message of which the parts that have been read are covered, one after another."""

    def __init__(self, text: str) -> None:
        self.shown = tidy(text)
        self.open = normalise(text)

    def cover(self, start: int, end: int) -> None:
        self.open = self.open[:start] + _MASK * (end - start) + self.open[end:]

    def cover_all(self, pattern: LatePattern) -> None:
        for found in pattern.finditer(self.open):
            self.cover(found.start(), found.end())

    def tokens(self) -> list[_Token]:
        return [_Token(m.group(), m.start(), m.end()) for m in _SPLIT.finditer(self.open)]

    def as_typed(self, token: _Token) -> str:
        return clean_name(self.shown[token.start : token.end])


def read_registration(text: str, today: date) -> RegistrationDraft:
    """What one message says of a child, its parts in any order.

    A part that is missing is None; one that could not be read is None with a problem that
    holds the words. A date after 预产期 is the due date, any other the birth date.
    """
    message = _Message(text)
    message.cover_all(_COMMAND)
    problems: list[Problem] = []
    birth, due = _read_dates(message, today, problems)
    gestation = find_gestation(message.open.replace(_MASK, " "))
    if gestation is not None:
        stated = message.open.find(gestation.text.strip())
        if stated >= 0:
            message.cover(stated, stated + len(gestation.text.strip()))
    for phone in find_phones(message.open):
        message.cover(phone.start, phone.end)
    township = _read_named_township(message)
    nickname = _read_called(message)
    message.cover_all(_ASIDE)
    message.cover_all(_LABEL)
    sex = _read_sex(message)
    names = _candidates(message)
    if township is None:
        township, names = _read_spoken_township(message, names, problems, is_named=bool(nickname))
    if nickname is None and names:
        nickname = message.as_typed(names[0])
    if nickname is not None and name_length(nickname) > LONGEST_NICKNAME:
        problems.append(Problem(ProblemKind.NICKNAME_TOO_LONG, nickname))
        nickname = None
    is_rolled = any(
        found is not None and found.certainty is Certainty.ROLLED for found in (birth, due)
    )
    is_born = birth is not None or due is None
    return RegistrationDraft(
        nickname=nickname,
        birth_date=birth.value if birth else None,
        due_date=due.value if due else None,
        sex=sex,
        township=township,
        gestation_weeks=gestation.weeks if gestation and is_born else None,
        is_date_rolled=is_rolled,
        problems=tuple(problems),
    )


def _read_dates(
    message: _Message, today: date, problems: list[Problem]
) -> tuple[DateFound | None, DateFound | None]:
    """The birth date and the due date; covers every date of the message."""
    due_at = _DUE.search(message.open)
    plain = message.open
    due_place = _due_place(plain, today, due_at.start()) if due_at else None
    births: list[DateFound] = []
    due: DateFound | None = None
    for found in find_dates(plain, today, "past"):
        message.cover(found.start, found.end)
        is_due = due_place == found.start
        if is_due and isinstance(found, DateFound) and found.certainty is Certainty.ROLLED:
            found = find_dates(found.text, today, "future")[0]
        if isinstance(found, DateFound) and not re.search("[月年](?:以|之)?[前后]$", found.text):
            if is_due:
                due = found
            else:
                births.append(found)
        else:
            problems.append(_date_problem(found))
    return _one_birth(births, problems), due


def _due_place(plain: str, today: date, keyword: int) -> int | None:
    """Where the date stands that 预产期 belongs to: the next after it, else the last before."""
    starts = [found.start for found in find_dates(plain, today, "past")]
    after = [start for start in starts if start >= keyword]
    return after[0] if after else (starts[-1] if starts else None)


def _date_problem(found: Found) -> Problem:
    match found:
        case ImpossibleDate(text=text):
            return Problem(ProblemKind.IMPOSSIBLE_DATE, text)
        case LunarDate(text=text):
            return Problem(ProblemKind.LUNAR_DATE, text)
        case DateFound(text=text) | DateSpan(text=text):
            return Problem(ProblemKind.VAGUE_DATE, text)


def _one_birth(births: list[DateFound], problems: list[Problem]) -> DateFound | None:
    # A whole date counts before 2号 or 今天 in the same message, which may be anything.
    full = [found for found in births if re.search(r"\d{6}|[月/.-]|年", found.text)] or births
    if len({found.value for found in full}) > 1:
        problems.append(Problem(ProblemKind.SEVERAL_DATES, "、".join(found.text for found in full)))
        return None
    return full[0] if full else None


def _read_named_township(message: _Message) -> str | None:
    named = find_townships(message.open)
    if not named:
        return None
    # 东平 may be the child and 城桥镇 the place: the full name wins, then the last.
    full = [found for found in named if found.likeness is Likeness.NAME] or list(named)
    chosen = full[-1]
    for found in named:
        if found.likeness is Likeness.NAME or found.name == chosen.name:
            message.cover(found.start, found.end)
    return chosen.name


def _read_called(message: _Message) -> str | None:
    called = find_called(message.open)
    if called is None:
        return None
    _, start, end = called
    name = clean_name(message.shown[start:end])
    if _LABEL.fullmatch(message.open[start:end]):
        return None
    message.cover(start, end)
    return name or None


def _read_sex(message: _Message) -> Sex | None:
    sex: Sex | None = None
    for found in _SEX.finditer(message.open):
        message.cover(found.start(), found.end())
        sex = sex or (Sex.GIRL if _GIRL.search(found.group()) else Sex.BOY)
    for token in message.tokens():
        if _SEX_TOKEN.fullmatch(token.text):
            message.cover(token.start, token.end)
            sex = sex or (Sex.GIRL if _GIRL.search(token.text) else Sex.BOY)
    return sex


def _candidates(message: _Message) -> list[_Token]:
    """The words left that may be a name or a place, without what only fills the sentence."""
    left: list[_Token] = []
    filler: list[_Token] = []
    for token in message.tokens():
        lead = _FILLER.match(token.text)
        start = token.start + (lead.end() if lead else 0)
        if start == token.end:
            if re.fullmatch("宝宝|宝贝|孩子|大宝|二宝", token.text):
                filler.append(token)
            continue
        text = re.sub("(?:的|了|在|是|生|出生)+$", "", message.open[start : token.end])
        word = _Token(text, start, start + len(text))
        is_word_of_ours = _SEX_TOKEN.fullmatch(text) or _NO_NAME.search(text)
        if message.as_typed(word) and not text.isdigit() and not is_word_of_ours:
            left.append(word)
    # 登记 宝宝 2026-05-01 …: where there is nothing else, it is what they call the child.
    has_date = _MASK * 4 in message.open
    return left or (filler[:1] if has_date else [])


def _read_spoken_township(
    message: _Message, names: list[_Token], problems: list[Problem], *, is_named: bool
) -> tuple[str | None, list[_Token]]:
    """A township by its sound or in pinyin, among the words that are left."""
    for first in range(len(names) - 1, -1, -1):
        for count in (1, 2, 3):
            window = names[first : first + count]
            if len(window) < count or (
                count > 1 and not all(token.text.isascii() for token in window)
            ):
                continue
            said = " ".join(token.text for token in window)
            others = names[:first] + names[first + count :]
            is_place = said.endswith(("镇", "乡", "zhen", "xiang"))
            if not (others or is_named or is_place):
                continue
            found = find_township(said)
            if isinstance(found, TownshipFound):
                return found.name, others
            if isinstance(found, TownshipUnclear) and (is_place or others):
                problems.append(Problem(ProblemKind.UNCLEAR_TOWNSHIP, said, found.candidates))
                return None, others
    for place in names:
        unknown = find_unknown_township(place.text)
        if unknown is not None or place.text.endswith(("街道", "新区", "县", "市")):
            text = unknown.text if unknown else place.text
            problems.append(Problem(ProblemKind.UNKNOWN_TOWNSHIP, text))
            return None, [token for token in names if token != place]
    if len(names) > 1 or (names and is_named):
        problems.append(Problem(ProblemKind.UNKNOWN_TOWNSHIP, message.as_typed(names[-1])))
        return None, names[:-1]
    return None, names
