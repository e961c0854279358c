"""Short answers to a question that we asked: yes or no, in need or not."""

import re
from typing import Final

from app.dialogue.reading.plain import normalise, say_plain
from app.late_pattern import LatePattern

# Every repetition is possessive: what people type has no upper length, and must not backtrack.
_TAIL: Final = "[了的啊呀哦噢喔哈嘛呢吧啦哒滴嘞勒~!., 🙏😊🌹]*+"
_SOFT: Final = (
    "(?:不好意思|谢谢|多谢|麻烦|老师|还是|现在|真的|肯定|当然|那就|好吧|我们?|嗯|恩|唔|哦|噢|那|"
    "好|行|先|就|都|也|,| )*+"
)
_REFUSAL: Final = (
    "不是|不对|不要|不用|不了|不需要|不必|不想|不行|不好|不可以|不同意|不愿意?|不接受|不参加|"
    "不去|不来|不报|"
    "不约|不登记|不确认|不能|不方便|不准备|不打算|不急|不|弗|别|甭|否|nope|no|n|错了|错|没有|没|"
    "算了|放弃|"
    "拒绝|取消|免了|免|以后再说|下次再说|下次|再说|再等等|暂时不|反对|❌|✖️?|❎|👎|🙅"
)
_REFUSED: Final = (
    "(?:谢谢|多谢|需要|参加|登记|报名|可以|方便|愿意|同意|不要|不用|推送|要|用|去|来|报|好|行|必|"
    "想|约|老师|你们?|您)*+"
)
_NO: Final = LatePattern(rf"{_SOFT}(?:{_REFUSAL}){_REFUSED}{_TAIL}{_REFUSED}{_TAIL}")
_YES_WORD: Final = (
    "没问题|没有问题|没意见|没错|没事|就这样|就这个|嗯|恩|唔|okay|okk|ok|yeah|yep|yes|y|是|对|"
    "可以|可|行|能|成|中|"
    "需要|要|愿意|想|同意|正确|确认|确定|接受|参加|当然|必须|收到|知道|明白|肯定|放心|挺好|很好|"
    "不错|报名|报|约|"
    "去|来|有|好|灵|麻烦|谢谢|多谢|老师|我们?|1|👌|👍|✅|✔️?|☑️?|🆗|🙆|❤️?"
)
_YES: Final = LatePattern(rf"(?:(?:{_YES_WORD})[\U0001f3fb-\U0001f3ff]?\ufe0f?{_TAIL})++")
_ONLY_POLITE: Final = LatePattern(rf"(?:(?:谢谢|多谢|老师|我们?|麻烦|没事|❤️?){_TAIL})++")
_QUESTION: Final = LatePattern(
    "吗|么$|什么|怎么|几|哪|多少|[?]|是不是|能不能|可不可以|要不要|好不好|行不行|对不对|有没有|为何"
)
_DOUBLE_NO: Final = LatePattern(
    "不是不|不能不|没有?不|不错|不要紧|没问题|没错|没意见|没事|不要不|别不"
)

_NEED_NO: Final = LatePattern(
    "^无$|(?:没有?|无|不|暂无|暂时没有?|不太|没什么|没啥|还没|不大|目前没有?)(?:什么|这个|此|该|"
    "有|是)?(?:需求|需要|必要|要求)|"
    "(?:不|没|别)(?:需要|要|用|想|必|需)|用不着|不用"
)
_NEED_YES: Final = LatePattern(
    "有(?:这个|此|一些|点|些|很多|的|上门|指导)*(?:需求|需要|要求)|需要|需求|要的|想要|很?想|要"
)


def read_yes_no(text: str) -> bool | None:
    """True for yes, False for no, None where a text is neither clearly, or asks back.

    好 可以 要 嗯 ok 👌 are yes; 不 不用 算了 勿 不同意 are no. 好不好 and 再看看 are neither.
    """
    plain = _bare(text)
    if not plain or _QUESTION.search(plain):
        return None
    if _DOUBLE_NO.search(plain):
        return True if _YES.fullmatch(_DOUBLE_NO.sub("好", plain)) else None
    if _NO.fullmatch(plain):
        return False
    if _YES.fullmatch(plain) and not _ONLY_POLITE.fullmatch(plain):
        return True
    return None


def read_need(text: str) -> bool | None:
    """Whether a family says that it is in need (有需求) of guidance; None where it does not say."""
    plain = _bare(text)
    if re.search("要不要|需不需要|有没有|是不是", plain):
        return None
    if _NEED_NO.search(plain):
        return False
    if _NEED_YES.search(plain) and not _QUESTION.search(plain):
        return True
    return read_yes_no(text)


def _bare(text: str) -> str:
    return re.sub(r"[\"'()]", "", say_plain(text)).strip(" .,!~;:") or normalise(text)
