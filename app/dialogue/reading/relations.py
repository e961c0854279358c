"""Who is writing: 我是外婆, 宝爸, 好婆."""

from typing import Final

from app.dialogue.reading.plain import normalise
from app.late_pattern import LatePattern
from app.rules.people import Relation

_WORDS: Final[dict[Relation, str]] = {
    Relation.GRANDMOTHER: (
        "奶奶 外婆 阿婆 好婆 姥姥 外奶奶 祖母 外祖母 阿奶 婆婆 娘娘 嬷嬷 舅婆 老太太 家婆 嗯奶 "
        "姥娘 阿娘"
    ),
    Relation.GRANDFATHER: (
        "爷爷 外公 阿爷 阿公 老爹 姥爷 祖父 外祖父 好公 公公 老爷子 家公 大爹 外爷"
    ),
    Relation.MOTHER: (
        "妈妈 母亲 姆妈 宝妈 孩子妈 孩儿妈 娃妈 她妈 他妈 妈咪 阿妈 老妈 mama mum mom 妈"
    ),
    Relation.FATHER: (
        "爸爸 父亲 爹爹 宝爸 奶爸 孩子爸 孩儿爸 娃爸 他爸 她爸 爹地 阿爸 老爸 爹 baba dad papa 爸"
    ),
    Relation.OTHER: (
        "其他 其它 别的 保姆 阿姨 月嫂 育儿嫂 姑姑 姑妈 孃孃 舅舅 舅妈 姨妈 小姨 大姨 叔叔 婶婶 "
        "伯伯 伯父 "
        "伯母 大伯 哥哥 姐姐 亲戚 监护人 邻居 朋友 太婆 太公 曾祖母 曾祖父 干妈 干爸 继母 继父 "
        "养母 养父 "
        "后妈 后爸 收养人 志愿者 老师"
    ),
}
_RELATION_OF: Final = {
    word: relation for relation, words in _WORDS.items() for word in words.split()
}
_ANY: Final = LatePattern("|".join(sorted(_RELATION_OF, key=len, reverse=True)))
_I_AM: Final = LatePattern(
    rf"(?:我是|本人是|我系|我乃|我)(?:宝宝|孩子|小囡|娃|小孩|伊|他|她)?的?(?P<who>{_ANY.pattern})"
)


def read_relation(text: str) -> Relation | None:
    """What the writer is to the child; None where the text does not say, or names several.

    我是 decides: 我是外婆，妈妈上班 is a grandmother's.
    """
    plain = normalise(text)
    said = _I_AM.search(plain)
    if said is not None:
        return _RELATION_OF[said["who"]]
    named = {_RELATION_OF[found.group()] for found in _ANY.finditer(plain)}
    return named.pop() if len(named) == 1 else None
