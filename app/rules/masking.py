"""A message without who wrote it: names, telephones, numbers, dates and addresses masked.

What is left is for people to read and to learn from. Where it is not sure whether something is a
name, it is taken for one: an example less does no harm.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from app.late_pattern import LatePattern

NAME: Final = "〔名字〕"
NUMBER: Final = "〔号码〕"
DATE: Final = "〔日期〕"
ADDRESS: Final = "〔地址〕"
LONGEST: Final = 120
"""Characters that are kept: who writes more tells a story, and with it who they are."""

_HAN: Final = "[\u4e00-\u9fff]"
_DIGIT: Final = r"[\d零〇一二三四五六七八九幺两]"
_SURNAMES: Final = (
    "王李张刘陈杨赵吴徐孙朱胡郭罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘董袁蒋杜苏魏程吕丁沈姚卢傅钟姜崔谭廖"
    "范汪陆戴贾韦邱侯邹熊孟秦薛尹黎史陶贺顾郝龚邵钱严覃莫孔施黄周林何高马"
)
_NO_NAMES: Final = LatePattern(
    "谢(?:谢|了|啦|小?$)|谢了|周[末一二三四五六日天岁]|孙子|孙女|孙孙|孙囡|张嘴|许多|程度|程序|曾经|陆续|严重|顾虑|钱多|何时|何地|"
    "高烧|高热|高兴|马上|马桶|黄疸|黄色|林里|杜绝|施肥|莫名|戴帽|熊孩|汪汪|韩国|唐诗|宋词|苏打|姜汤|孔雀"
)
_AFTER_A_WORD: Final = LatePattern(
    rf"((?:我叫|我姓|姓名|名字叫|名字是|名叫|叫做|小名叫?|大名叫?|学名|(?:宝宝|孩子|小囡|娃|儿子|女儿|孙子|孙女|宝贝|"
    rf"囡囡|老大|老二|二宝|大宝)(?:的名字)?(?:叫|是叫))[是:：\s]*)({_HAN}{{2,4}}?|{_HAN}(?![\u4e00-\u9fff])|[A-Za-z]{{2,12}})"
    rf"(?=$|[^\w]|的|今年|现在|[\d一二三四五六七八九十两]|是|在|想|要|岁|男|女|呀|啊|吧)"
)
_TITLED: Final = LatePattern(
    rf"[{_SURNAMES}]{_HAN}{{0,2}}?(?=老师|阿姨|先生|女士|医生|主任|师傅|奶奶|爷爷|外婆|妈妈|爸爸|大姐|叔叔)"
)
_ALONE: Final = LatePattern(
    rf"(?:(?<=^)|(?<=[\s,，。.;；:：、!！?？找是叫给和跟]))([{_SURNAMES}]{_HAN}{{1,2}})"
    rf"(?=$|[\s,，。.;；:：、!！?？家的]|今年|男|女)"
)
_MORE_SURNAMES: Final = (
    "方叶余夏石田任金白江尹丁万段雷钱汤常武乔龙文毛赖倪殷涂齐甘俞柴祝童庞樊兰安项尤柏管瞿祁鲁耿左柳洪季凌阮"
    "卞向古易欧焦岑吉于阎奚茅沙凤褚裴费葛章闵温洛康卫伍华包单纪"
)
"""Surnames that are common words as well: 方小雨今天 is somebody, 方便吗 is nobody."""
# Not in a name as its second character: with it, a surname is a word of a sentence.
_NOT_IN_NAMES: Final = (
    "了的不吗呢吧么在是有要没得着过些个点很太多少就也都还能会什怎几第我你他她"
    "它这那哪和跟给把被让为去来到上下打吃喝睡看说"
)
_FULL_NAME: Final = LatePattern(
    r"(?:(?<=^)|(?<=[\s,，。.;；:：、!！?？~])|(?<=我[家是叫们])|(?<=阿拉)|"
    r"(?<=[帮给替和跟叫找是查让为])|(?<=一下)|(?<=宝宝)|(?<=孩子)|"
    rf"(?<=小囡)|(?<=[儿女]子)|(?<=孙[子女])|(?<=女儿))([{_SURNAMES}{_MORE_SURNAMES}]{_HAN}{{1,2}}?)"
    r"(?=$|[\s,，。.;；:：、!！?？~\d]|的|今[年天朝]|[昨明后]天|[男女]|家|同学|小朋友|宝宝|是|在|要|想|有|没|不|会|能|可以|"
    r"[一二两三四五六七八九十半]|去|来|上|报|约|预约|登记|打|吃|喝|睡|拉|吐|咳|发|生|住|几|怎|什么|多|也|都|还|又|一|已|刚|才|哭|长|身高|体重|"
    r"那|这|个|啥|哪|把|被|跟|和|给|用|需|该|应|学|走|看|说|喊|跑|抱|坐|站|喜欢|最|总|老是|每|晚|早|下|夜|突然|为)"
)
_DATES: Final = LatePattern(
    r"(?:\d{2,4}|[零〇一二三四五六七八九]{4})\s*[-年./]\s*\d{1,2}\s*[-月./]\s*\d{1,2}\s*[日号]?"
    r"|[\d一二三四五六七八九十]{1,3}月[\d一二三四五六七八九十廿]{1,3}[日号]?"
)
_STREET: Final = LatePattern(
    rf"{_HAN}{{1,6}}(?:路|街|弄|巷|公路|大道|小区|新村|花园|公寓|家园|苑|村)[第东西南北中]?{_DIGIT}{{1,6}}"
    rf"(?:号楼?|弄|室|幢|栋|单元|组|队|支弄|楼|层|-|\d)*"
    rf"|{_DIGIT}{{1,6}}(?:弄|幢|栋|单元|号楼|室|组)(?:{_DIGIT}{{1,5}}(?:号楼?|室|单元|层)?)*"
    rf"|(?<=住){_HAN}{{2,10}}?(?:路|街|弄|巷|小区|新村|花园|公寓|家园|苑|村)"
    rf"|(?<=住在){_HAN}{{2,10}}?(?:路|街|弄|巷|小区|新村|花园|公寓|家园|苑|村)"
)
_NUMBERS: Final = LatePattern(
    rf"\+?\d[\d\s\-]{{3,}}\d[xX]?|{_DIGIT}{{5,}}|[A-Za-z]*\d[A-Za-z\d_\-]{{4,}}|[\w.+-]+@[\w.-]+"
)


def mask(text: str, names: Iterable[str] = ()) -> str:
    """The message with marks in place of persons; `names` are those that the service knows."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())[:LONGEST]
    for name in sorted({name for name in names if name}, key=len, reverse=True):
        plain = re.sub(re.escape(name), NAME, plain, flags=re.IGNORECASE)
    plain = _STREET.sub(ADDRESS, plain)
    plain = _DATES.sub(DATE, plain)
    plain = _NUMBERS.sub(NUMBER, plain)
    plain = _AFTER_A_WORD.sub(rf"\1{NAME}", plain)
    plain = _TITLED.sub(lambda found: found[0] if _NO_NAMES.match(found[0]) else NAME, plain)
    for alone in (_ALONE, _FULL_NAME):
        plain = alone.sub(lambda found: NAME if _may_be_name(found[1]) else found[0], plain)
    return plain


def _may_be_name(said: str) -> bool:
    """Whether a surname and what follows begin no word: 高小明 does not, 高烧 does."""
    return not (
        said[:2] in _surname_words()
        or _NO_NAMES.match(said)
        or any(character in _NOT_IN_NAMES for character in said[1:])
    )


@lru_cache(maxsize=1)
def _surname_words() -> frozenset[str]:
    """The first two characters of words that begin as a surname: 安全, 白天, 方便."""
    path = Path(__file__).with_name("surname_words.txt")
    return frozenset(path.read_text(encoding="utf-8").split())


def as_example(masked: str) -> str:
    """A masked message as the examples take it: the marks become words that anybody may say."""
    said = masked.replace(NUMBER, "123").replace(DATE, "某日").replace(ADDRESS, "某路1号")
    return said.replace(NAME, "糖糖").strip()
