"""The grammar behind `find_dates`: what dates look like, in order of trust."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.dialogue.reading.date_readers import (
    Lean,
    OneDay,
    Reader,
    read_after_days,
    read_bare_day,
    read_bare_month,
    read_day_word,
    read_distance,
    read_festival,
    read_first_month_day,
    read_full,
    read_lunar,
    read_lunar_festival,
    read_month_day,
    read_packed_six,
    read_part_of_month,
    read_part_of_year,
    read_short_year,
    read_solar_term,
    read_week,
    read_weekday,
    read_weekend,
    read_which_month,
    read_which_month_day,
    read_year_month,
    roll_month_day,
)
from app.late_pattern import LatePattern


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern over normalised text, and what a match of it means; None where it means none."""

    pattern: LatePattern
    read: Reader


_DIGITS: Final = "〇零一二三四五六七八九"
_CHINESE: Final = "[〇零一二三四五六七八九十廿卅]{1,3}"
_NUM: Final = rf"(?:\d{{1,2}}|{_CHINESE})"
_YEAR: Final = rf"(?:(?:19|20)\d\d|[一二][〇零九][{_DIGITS}]{{2}})"
_NO_CODE: Final = r"(?<![0-9a-z_])(?<![a-z]-)"
_NO_TAIL: Final = r"(?![0-9a-z_]|-\d{3,}|\.\d)"
_AFTER_DAY: Final = r"\s?(?:[日号]|(?![\d.]|个|岁|点|次|半|斤|天|周|月|分|公))"


def whole_text_date(plain: str, today: date, lean: Lean) -> OneDay | None:
    """A month and day that are the whole message: 5.1, 5-1, 0501 after a question for a date."""
    matched = re.fullmatch(r"(\d{1,2})\s?[-./ ]\s?(\d{1,2})", plain)
    if matched is None:
        return None
    reading = roll_month_day(int(matched[1]), int(matched[2]), today, lean)
    return reading if isinstance(reading, OneDay) else None


def _rule(pattern: str, read: Reader) -> Rule:
    return Rule(LatePattern(pattern), read)


_WHICH_MONTH: Final = (
    r"(?P<which>(?<!一)下下|(?<![一楼乡地线])下|上上|(?<![以早晚网线身])上|这|本|当)(?:一)?个?月"
)
_WHICH_WEEK: Final = (
    r"(?P<which>(?<!一)下下|(?<![一楼乡地线])下|上上|(?<![以早晚网线身路])上|这|本)(?:一)?个?"
)
_YEAR_WORD: Final = "(?P<yw>大前年|前年|去年|今年|本年|明年|后年)"
_LUNAR_YEAR: Final = "(?P<yw>去年|今年|明年|后年)"
_PART: Final = r"(?P<part>初|中旬?|底|末|上旬|下旬)?"
_NOT_AGE: Final = r"(?!龄|大|的?(?:宝|孩|娃|小|婴)|宝|了|里|子|嫂|多|半|前|后|以)"
_NOT_COUNTED: Final = r"(?<![每个满孕第〇零一二三四五六七八九十两半几多\d])"

RULES: Final[tuple[Rule, ...]] = (
    # The lunar calendar first: its 八月十五 must not be taken for 15 August.
    _rule(
        rf"(?:{_LUNAR_YEAR}的?)?(?:农历|阴历|旧历|古历|老历)(?:的|是|{_YEAR}年?|今年|去年|明年)*\s?"
        rf"(?:(?P<m>{_NUM}|正|腊|冬)月)?\s?(?:初?(?P<d>{_NUM})[日号]?)?",
        read_lunar,
    ),
    _rule(rf"(?:{_LUNAR_YEAR}的?)?(?P<m>[正腊冬])月(?:初?(?P<d>{_NUM}))?", read_lunar),
    _rule(
        rf"(?<![年月])(?:(?P<new_year>大?年)|(?P<m>{_NUM})月)?初(?P<d>[一二三四五六七八九十])"
        "(?!步|中|级)",
        read_lunar,
    ),
    _rule(
        rf"(?:{_LUNAR_YEAR}的?)?(?P<name>春节|过年(?!前|了|的时候|级)|除夕|大年夜|小年夜|年三十|元宵|端午|七夕|"
        r"中秋|重阳|腊八)(?:节|那天|当天|晚上)*(?P<after>(?:以|之|过)?后)?",
        read_lunar_festival,
    ),
    _rule(rf"(?:{_LUNAR_YEAR}的?)?(?P<name>清明|冬至)(?:节|那天|当天)*", read_solar_term),
    _rule(rf"元月(?P<d>{_NUM})[日号]?", read_first_month_day),
    _rule(
        rf"{_NO_CODE}(?P<y>{_YEAR})\s?[-/.,年 ]\s?(?P<m>{_NUM})\s?[-/.,月 ]\s?(?P<d>{_NUM})"
        rf"(?![\d])\s?[日号]?",
        read_full,
    ),
    _rule(rf"{_NO_CODE}(?P<y>20\d\d)(?P<m>\d\d)(?P<d>\d\d){_NO_TAIL}", read_full),
    _rule(
        rf"{_NO_CODE}(?P<y>\d\d|[一二三]?十?[{_DIGITS}]{{1,2}})\s?年\s?(?P<m>{_NUM})\s?月\s?(?P<d>{_NUM}){_AFTER_DAY}",
        read_short_year,
    ),
    _rule(
        rf"{_NO_CODE}(?<![.\d/])(?P<y>\d\d)\s?(?P<sep>[-/.])\s?(?P<m>\d{{1,2}})\s?(?P=sep)\s?(?P<d>\d{{1,2}})(?![\d./])",
        read_short_year,
    ),
    _rule(rf"{_NO_CODE}(?<![.\d-])(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d){_NO_TAIL}", read_packed_six),
    _rule(
        rf"(?:{_YEAR_WORD}的?\s?|(?<![\d年]){_NOT_COUNTED})(?P<m>{_NUM})\s?月\s?(?P<d>{_NUM}){_AFTER_DAY}",
        read_month_day,
    ),
    _rule(
        rf"{_YEAR_WORD}?(?<![\d/.\-a-z])(?P<m>\d{{1,2}})\s?(?:/\s?(?P<d>\d{{1,2}})(?![\d/])[日号]?)",
        read_month_day,
    ),
    _rule(
        rf"{_YEAR_WORD}?(?<![\d/.\-a-z])(?P<m>\d{{1,2}})\s?\.\s?(?P<d>\d{{1,2}})[日号]",
        read_month_day,
    ),
    _rule(rf"{_WHICH_MONTH}的?\s?(?P<d>{_NUM}){_AFTER_DAY}", read_which_month_day),
    _rule(
        rf"(?:(?P<y>{_YEAR})年|{_YEAR_WORD}的?)\s?(?P<m>{_NUM})\s?月份?{_PART}",
        read_year_month,
    ),
    _rule(
        rf"{_NO_CODE}(?P<yw>(?!))?(?P<y>20\d\d)[-/.](?P<m>1[0-2]|0?[1-9])(?P<part>(?!))?{_NO_TAIL}(?![-/.])",
        read_year_month,
    ),
    _rule(rf"{_WHICH_MONTH}份?{_PART}(?!龄|子|嫂|亮|经)", read_which_month),
    _rule(
        rf"{_NOT_COUNTED}(?P<n>{_NUM}|半|两|半个|[一二三两\d]个)\s?个?(?P<half>半)?(?P<unit>天|"
        "日|周|星期|礼拜|月|年)"
        rf"(?:以|之|过)?(?P<side>前|后)(?!的?(?:宝|孩|娃|小囡)|可以|能|才|开始|加|天(?!津))",
        read_distance,
    ),
    _rule(
        rf"(?:{_WHICH_WEEK}|{_NOT_COUNTED})(?:双休日?|(?:周|星期|礼拜)(?:末|六\s?(?:和|,|跟|与|到|-|"
        r"~)?\s?(?:周|星期|礼拜)?[日天]))",
        read_weekend,
    ),
    _rule(
        f"(?:{_WHICH_WEEK}|{_NOT_COUNTED})(?:周|星期|"
        r"礼拜)\s?(?P<day>[一二三四五六日天]|[1-7](?!\d))(?!次|刊|报|岁|周|个|遍|[.:]\d)",
        read_weekday,
    ),
    _rule(
        rf"{_WHICH_WEEK}(?:周|星期|礼拜)(?!边|围|岁|刊|[一二三四五六日天末七八九十\d])", read_week
    ),
    _rule(
        "(?P<word>大前|(?<![目以之日月年周天期个空提])前|昨|今|明|大后|"
        "(?<![以之然最午今往日月年个天周])后)"
        "(?:天(?!天|气|性|津|空)|日(?!子|程|期|常)|朝(?!代|阳|鲜|皇|历)|晚|早(?!产|教)|夜|"
        "儿(?!童|子|科|女|媳))",
        read_day_word,
    ),
    _rule(
        rf"(?:{_YEAR_WORD}的?)?(?P<name>元旦|妇女节|三八(?=妇女|节)|劳动节"
        rf"|(?<![〇零一二三四五六七八九十月第])五一(?![〇零一二三四五六七八九十点个号日月年岁次])"
        rf"|儿童节|(?<![〇零一二三四五六七八九十月第])六一(?![〇零一二三四五六七八九十点个号日月年岁次])"
        "|教师节|(?:十一)?国庆|十一(?=假|长假|黄金周|期间|放假)|圣诞)(?:妇女|劳动|国际|"
        "儿童)*节?(?P<holiday>长假|假期|放假|期间|黄金周|假)?"
        rf"(?P<after>(?:以|之|过)?后)?(?!\s?之?前)",
        read_festival,
    ),
    _rule(
        rf"(?<![\d.~/-]){_NOT_COUNTED}(?P<m>{_NUM})月(?:份|(?=初|中|底|末|上旬|下旬)|"
        f"{_NOT_AGE}){_PART}",
        read_bare_month,
    ),
    _rule(r"(?<![一-龥])(?P<this>这|本)?月(?P<part>初|中旬|底|末|上旬|下旬)", read_part_of_month),
    _rule(r"(?<![一-龥])(?:今)?年(?P<part>底|末|初)(?![一二三四五六七八九十])", read_part_of_year),
    _rule(
        rf"(?<![不没经])(?:再|等)?过(?P<n>{_NUM}|两)个?(?P<unit>天|日|周|星期|礼拜)(?![前后])",
        read_after_days,
    ),
    _rule(
        rf"(?<![\d.月年a-z/:])(?<![a-z]-){_NOT_COUNTED}(?P<d>{_NUM})(?:[号日](?!楼|线|院|房|门|"
        "室|店|码|机|子|常|本|元|用|光|出|落|期|记|历|龄|托|间|夜|头)"
        rf"|(?=\s?(?:-|~|到|至)\s?{_NUM}[号日]))",
        read_bare_day,
    ),
)
