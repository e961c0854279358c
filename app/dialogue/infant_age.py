"""How old the baby in a message is, where that makes a fever dangerous."""

import re
from typing import Final

from app.dialogue.reading.numerals import read_number
from app.late_pattern import LatePattern

_NUM: Final = r"(?:\d{1,3}|[一二两三四五六七八九十百廿卅]{1,4})几?"
_BABY: Final = (
    "(?:宝宝|毛头|毛毛|小毛头|囡囡|孩子|小孩|娃|婴儿|新生儿|小家伙|儿子|女儿|孙子|"
    "孙女|弟弟|妹妹|他|她|小人)"
)
_IN_DAYS: Final = LatePattern(
    f"(?:才|刚|刚刚|只有|还只有|不到|出生|生下来?|生出来|生了|落地|{_BABY}|大概|"
    f"已经){{1,3}}(?:才|刚|只有|第|今天|满)?(?P<a>{_NUM})(?:多)?天(?!没|不|都|前|内|里)"
    f"|(?P<b>{_NUM})(?:多)?天(?:大|的?{_BABY}|新生|左右大)|"
    r"(?<![烧热吐拉泻咳了续第近\d一二三四五六七八九十])(?P<c>[1-9]\d|"
    "[一二三四五六七八九]?十[一二三四五六七八九]?)(?:多|几)?天(?=[,.]?(?:发|高|低|烧|就|体温|不|"
    "38|39|37|,|宝|了))"
)
_IN_WEEKS: Final = LatePattern(
    f"(?:才|刚|出生|生下来?|{_BABY}|不到){{1,2}}(?:满|第)?(?P<a>{_NUM})(?:多)?个?(?:周|"
    f"星期)(?!前|岁)|(?P<b>{_NUM})(?:多)?个?(?:周|星期)(?:大|的{_BABY})"
)
_IN_MONTHS: Final = LatePattern(
    f"(?<![这近上每隔过])(?P<n>{_NUM}|半)个?(?P<half>半)?(?:多)?(?:月|"
    f"个月)(?P<half2>半)?(?:龄)?(?P<after>零|又|大|的|多|不到|了|,|{_BABY}|发|高|低|烧|不|就|"
    "体温|热|"
    "3|4|$)"
)
_UNDER_THREE_MONTHS: Final = LatePattern(
    "双满月|(?:不到|不满|未满|没满|没到|还没到?|未到|才快|快|差几天)(?:三|3)个?月|(?:三|"
    "3)个?月(?:不到|"
    "未满|还没满|没到|没满|都不到)|百日里|没满百天|不到(?:一)?百天|未满百"
)
_NEWBORN: Final = LatePattern(
    "新生儿|刚出生|刚生下来|刚生|出生没几天|生下来没几天|没出月子|月子(?:里|中)|月子的?(?:宝宝|娃|小孩|孩子|毛头)|坐月子|没满月|未满月|"
    "不到满月|还没满月|刚满月|满月(?!酒|宴|时|后)|刚出院的宝宝|才出生|出生不久|刚落地|没出月|"
    "刚出月|出(?:了)?月子?(?:没|才|不)(?:几天|多久|久)"
)
_OLDER: Final = LatePattern(
    "大宝|老大|大的|姐姐|哥哥|大女儿|大儿子|大孩子|上幼儿园|幼儿园|托班|上小学|大人|老公|"
    "我(?:自己)?(?:发烧|发高烧|烧到|也发烧)|我妈|我爸|妈妈发|爸爸发|奶奶发|爷爷发"
)
_IN_YEARS: Final = LatePattern(r"(?:[一二两三四五六七八九十]|\d{1,2}|半|周)岁")
_FREQUENCY: Final = LatePattern("[^,.]{0,8}(?:次|回|趟)")


def stated_age_days(plain: str) -> int | None:
    """The age in days that a message states, roughly; None where it states none.

    Takes plain Mandarin without spaces. Months count 30 days, so that two months and a half
    stay under three. 发烧三天 is how long, not how old.
    """
    if _UNDER_THREE_MONTHS.search(plain):
        return 89
    if _NEWBORN.search(plain):
        return 28 if "满月" in plain and "没满月" not in plain else 20
    for pattern, days_each in ((_IN_DAYS, 1), (_IN_WEEKS, 7)):
        found = pattern.search(plain)
        if found is not None:
            numeral = next(group for group in found.groups() if group)
            value = read_number(numeral.rstrip("几"))
            if value is not None:
                return int(value * days_each)
    if _IN_YEARS.search(plain):
        return 365
    for found in _IN_MONTHS.finditer(plain):
        if _FREQUENCY.match(plain, found.end()):
            continue
        value = read_number(found["n"].rstrip("几"))
        if value is not None:
            half = 0.5 if found["half"] or found["half2"] else 0.0
            just = 0 if re.search("刚满?$", plain[: found.start()]) else 2 if value >= 3 else 0
            return int((value + half) * 30) + just
    return None


def says_older_child(plain: str) -> bool:
    """Whether a message is about an older child or an adult, whose fever is no emergency."""
    return _OLDER.search(plain) is not None
