"""What may not stand in a text for families, and how easily a grandparent reads it."""

import re
from collections.abc import Iterator

FORBIDDEN = (
    (r"毫克|微克|国际单位|每公斤|\b(?:mg|μg|ug|iu)\b|(?:ml|毫升)\s*/\s*(?:kg|公斤)", "像是剂量"),
    (r"[半一二两三四五六\d][片粒](?:药|/)|(?:喂|吃|服)[一二两三四五六\d]+滴", "像是剂量"),
    (r"一日[一二两三四\d]次|每次[半一二两三四五\d]+[片袋支包]", "像是用法"),
    (r"自闭症|多动症|矮小症|肥胖症|佝偻病|脑瘫|智障|弱智|痴呆", "像是诊断，请写看得见的样子"),
    (r"确诊|患有|就是得了", "像是诊断，请写“请医生看”"),
    (r"根治|包治|保证治好|百分之百|绝对安全|特效|秘方", "话说得太满"),
    (r"不用看医生|不必就医|无需就医", "不能叫人不去看医生"),
    (r"https?://|www\.", "不给外面的网址，只写文件名、机关、年份"),
    (r'"|，，|。。|（\s*）|TODO|待补', "写了一半，或用了英文引号"),
)
LONGEST_SENTENCE = 50
LONGEST_MEAN_SENTENCE = 25.0
MOST_RARE = 4
SENTENCE_END = re.compile(r"[。！？；\n]")
BLANK_OR_MARKUP = re.compile(r"[\s#*_>`\-]")
COMMON_FIRST_BYTES = range(0xB0, 0xD8)
"""Level 1 of GB 2312: the 3,755 characters in common use, in the order of their sounds."""


def find_forbidden(text: str) -> Iterator[tuple[str, str]]:
    """What may not be said, with the reason."""
    for pattern, reason in FORBIDDEN:
        for found in re.finditer(pattern, text, re.IGNORECASE):
            yield found.group(), reason


def find_hard_reading(text: str) -> Iterator[tuple[str, str]]:
    """What a grandparent would stumble over: a piece of text (or nothing), and the reason."""
    sentences = [BLANK_OR_MARKUP.sub("", piece) for piece in SENTENCE_END.split(text)]
    sentences = [sentence for sentence in sentences if sentence]
    for sentence in sentences:
        if len(sentence) > LONGEST_SENTENCE:
            yield sentence[:10], f"这句有{len(sentence)}个字，最多{LONGEST_SENTENCE}个，请拆成两句"
    mean = sum(map(len, sentences)) / max(len(sentences), 1)
    if mean > LONGEST_MEAN_SENTENCE:
        yield "", f"平均一句{mean:.0f}个字，最多{LONGEST_MEAN_SENTENCE:.0f}个，请写短些"
    rare = sorted({mark for mark in text if is_rare(mark)})
    if len(rare) > MOST_RARE:
        yield rare[0], f"生僻字有{len(rare)}个（{''.join(rare)}），最多{MOST_RARE}个"


def is_rare(mark: str) -> bool:
    """Whether a character is Chinese and not among those in common use."""
    if not "一" <= mark <= "鿿":
        return False
    try:
        return mark.encode("gb2312")[0] not in COMMON_FIRST_BYTES
    except UnicodeEncodeError:
        return True
