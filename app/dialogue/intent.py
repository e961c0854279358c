"""What a message wants: one-line forms first, then some wishes by their words, then examples."""

from dataclasses import dataclass
from typing import Final

from app.dialogue.emergency import find_emergency
from app.dialogue.reading.measurements import read_measures
from app.dialogue.reading.plain import normalise
from app.dialogue.understanding.kept import the_model
from app.late_pattern import LatePattern
from content.examples import LABELS

EMERGENCY: Final = "emergency"
EMERGENCY_CONFIDENCE: Final = 0.97
"""The rules for emergencies would rather be wrong than silent."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A label, how sure, and what stood behind the command word."""

    label: str
    confidence: float
    argument: str = ""
    is_command: bool = False
    """Typed as one of the one-line forms: it may interrupt a running dialogue."""


COMMANDS: dict[str, str] = {
    "登记": "register_child",
    "修改": "update_child",
    "更正": "update_child",
    "活动": "list_sessions",
    "近期活动": "list_sessions",
    "找活动": "list_sessions",
    "更多": "more",
    "继续": "resume",
    "需要": "need_answer",
    "不需要": "need_answer",
    "有需求": "need_answer",
    "没有需求": "need_answer",
    "报名": "book_session",
    "取消": "cancel_booking",
    "我的预约": "my_bookings",
    "预约": "my_bookings",
    "邀请": "invite",
    "加入": "join_family",
    "我的信息": "my_information",
    "导出信息": "privacy_request",
    "撤回同意": "privacy_request",
    "注销": "privacy_request",
    "体重": "growth",
    "身高": "growth",
    "身长": "growth",
    "头围": "growth",
    "生长曲线": "growth",
    "资料": "packs",
    "育儿资料": "packs",
    "有用": "rate_up",
    "没用": "rate_down",
    "推送设置": "push_settings",
    "订阅提醒": "subscriptions",
    "订阅": "subscriptions",
    "提醒我": "subscriptions",
    "免打扰": "push_quiet",
    "勿扰": "push_quiet",
    "暂停推送": "pause_pushes",
    "恢复推送": "resume_pushes",
    "退订": "opt_out",
    "人工": "human_agent",
    "转人工": "human_agent",
    "找老师": "human_agent",
    "年度计划": "year_plan",
    "同意计划": "agree_year_plan",
    "停止计划": "stop_year_plan",
    "自动报名": "take_by_itself",
    "直接报上": "take_by_itself",
    "先问我": "ask_first",
    "不要自动报名": "ask_first",
    "取消自动报名": "ask_first",
    "上门": "book_home_visit",
    "预约上门": "book_home_visit",
    "取消上门": "cancel_home_visit",
    "接受上门": "accept_home_visit",
    "放弃上门": "turn_down_home_visit",
    "不接受上门": "turn_down_home_visit",
    "换时间": "turn_down_home_visit",
    "特殊需求": "special_need",
    "生了": "report_birth",
    "出生了": "report_birth",
    "出院": "report_birth",
    "评价": "rate_home_visit",
    "课程": "course_info",
    "七会": "course_info",
    "报名课程": "course_enrol",
    "课程报名": "course_enrol",
    "退出课程": "course_leave",
    "取消课程": "course_leave",
    "下一课": "course_next",
    "重学": "course_again",
    "答": "course_answer",
    "答案": "course_answer",
    "打卡": "course_practice",
    "课程进度": "course_progress",
    "证书": "course_certificate",
    "证书姓名": "course_name",
    "换了微信": "course_moved",
    "接受": "accept_offer",
    "放弃": "decline_offer",
    "帮助": "help",
    "菜单": "help",
    "怎么用": "help",
}
"""The one-line forms, by their first word."""

TAKES_ARGUMENT = frozenset(
    {
        "register_child",
        "update_child",
        "book_session",
        "cancel_booking",
        "join_family",
        "accept_offer",
        "decline_offer",
        "year_plan",
        "course_again",
        "course_answer",
        "course_name",
        "course_practice",
        "not_yet",
        "packs",
        "pause_pushes",
        "push_quiet",
        "book_home_visit",
        "special_need",
        "report_birth",
        "rate_home_visit",
    }
)

_COMMAND = LatePattern(
    r"(?s)^[「『“\"]?(" + "|".join(sorted(COMMANDS, key=len, reverse=True)) + r")[」』”\"]?"
    r"(?:[\s,，:：、]+(.*))?[。.!！~～]*$"
)
# 报名CQ-1206 and 取消CQ-1206: people leave the space out before a code.
_GLUED = LatePattern(r"(?s)^(报名|取消|加入|接受|放弃)\s*([a-z0-9][a-z0-9_-]{1,31})(.*)$")
# 打卡今天试了, 重学第5课, 答ABA: what stands behind needs no space either.
_GLUED_COURSE = tuple(
    LatePattern(f"(?s){pattern}")
    for pattern in (
        r"^(打卡)[\s,:.]*(?!吗|怎么|什么|是)(\S.*)$",
        r"^(重学)[\s,:]*(第?[0-9一二三四五六七八九十廿]+[课节]?)[.!~]*$",
        r"^(证书姓名)[\s,:是]*([一-鿿·]{2,10})[.!~]*$",
        r"^(答案?)[\s,:是]*([abc123一二三第][abc123一二三第题选是,. ]*)[.!~]*$",
    )
)

_WISHES: tuple[tuple[str, str], ...] = (
    (
        "loss",
        r"流产了|胎停|引产了|死胎|夭折|(宝宝|孩子|小囡|囡囡|娃|宝贝|孙子|孙女|外孙女?)"
        r"(昨天|今天|上周|上个?月|前天|前几天|已经|刚刚?|突然|还是){0,2}"
        r"(没了|没有了|没保住|没能?留住|去世|过世|离世|走掉了|离开了?我们|不在人世)",
    ),
    ("rate_up", r"^(👍|很有用|有用的|有帮助)+[!~。.]*$"),
    ("rate_down", r"^(👎|没有用|没什么用|没帮助)+[!~。.]*$"),
    (
        "push_quiet",
        r"^(设置?|改|开)?(免打扰|勿扰|静音时间?)|(晚上?|夜里|[点时])(以|之)?后(就)?(别|不要|不)"
        r"(再)?(给我)?(发(消息|信息|资料)|推送|打扰)",
    ),
    ("push_per_week", r"(每|一)(周|星期|礼拜)(只|最多|就)?(发|收|推)?[一二两三1-9]条"),
    (
        "privacy_request",
        r"(删(掉|除|了)?|清(除|空|掉)|抹(掉|去)|销毁).{0,8}(信息|资料|档案|数据|账号|手机号)"
        r"|(信息|资料|档案|数据|账号).{0,8}(删|清(除|空|掉)|抹|销毁|撤掉)|注销|销户|删号|把我删"
        r"|(撤(回|销)|收回|取消).{0,4}(同意|授权)|(导出|拷贝).{0,6}(信息|资料|数据)",
    ),
    ("agree", r"^(好的?|嗯|行|我|我们|,| )*同意(的|了|啦|吧|呀)?[.!~]*$"),
    ("decline_offer", r"^(我|我们)?(不接受|不要(了|这个名额)|放弃)(了|吧|名额)?[.!~]*$"),
    ("accept_offer", r"^(好的?|嗯|行|可以|我|我们|,| )*接受(了|吧|名额)?[.!~]*$"),
    ("cancel_home_visit", r"(取消|不要|不用).{0,4}上门|上门.{0,6}(取消|不要了|不用了)"),
    (
        "report_birth",
        r"^(宝宝|孩子|小囡|毛头|我|老婆|媳妇|女儿)?.{0,6}(生了(?!病)|出生了|生下来了|卸货了?)"
        r"[!~。., \d月日号年-]*$|^.{0,6}出院了[!~。.]*$",
    ),
    (
        "ask_first",
        r"(不要|别|取消|关掉?|停掉?|不用)(再|帮我|给我|替我|我)*(自动|直接)报名?[了吧啦。.!~]*$"
        r"|(以后|下次|报名?(之)?前)(还是)?(都|要)?先问(我|一?声|一下|过我)",
    ),
    (
        "take_by_itself",
        r"(合适|适合|新)(的|活动|开放|出来|名额|了|有|我家|宝宝|孩子|小囡|,| )*"
        r"(就|都|请|帮|给|替|我|我们|不用问|,)*(自动|直接)(就|帮|给|替|我|我们|宝宝|孩子)*报(?!.*[吗?])",
    ),
    (
        "year_plan",
        r"年度计划|(安排|排|计划)(一下|好)?(今年|全年|一年|这一年)|(今年|全年)(的|怎么)?(计划|安排)"
        r"|(六|6|全部)次.{0,6}(一次|一起|都).{0,4}(排|约|报|安排)好?",
    ),
    (
        "invite",
        r"^邀请|(让|叫|给|拉)(我)?(老公|老婆|爸爸|妈妈|爷爷|奶奶|外公|外婆|家里人|家人).{0,4}"
        r"(一起用|也(来)?(加入|用|关注|看)|加(入|进来))",
    ),
    ("course_answer", r"^[abc]{3}[.!~]*$"),
    (
        "my_information",
        r"^(看看?|查|查看|查一下|看一下)?我(们)?(家)?(的)?(登记(了)?(的)?)?(信息|资料)[?.!]*$"
        r"|我(们)?(家)?登记了?(什么|哪些|啥)|你们存了(我)?(什么|哪些)",
    ),
    ("pause_pushes", r"^(先)?暂停(一下)?(推送|发资料|一阵)?$|(推送|资料).{0,4}(先停|暂停)"),
    ("resume_pushes", r"恢复推送|(重新|继续|再)(开始)?(给我)?(推送|订阅|发资料)|^(重新)?订阅$"),
    ("help", r"^(帮助|怎么用|有什么功能|功能|菜单|不会(用|弄)|能(做|干)(些)?(什么|啥))[?.!]*$"),
)
"""Wishes beside the 35 intents of the examples, by their words."""
_WISH_RULES = tuple((label, LatePattern(pattern)) for label, pattern in _WISHES)

ASKS_BACK_BELOW: Final = 0.18
"""Less sure than this, we ask back."""
SURE: Final = 0.8
"""What is said with this much or more is right 98 times in 100."""
IN_WORDS: Final = {
    "上门": "book_home_visit",
    "取消上门": "cancel_booking",
    "预约上门": "book_home_visit",
    "接受上门": "book_home_visit",
    "特殊需求": "book_home_visit",
    "放弃上门": "cancel_booking",
    "不接受上门": "cancel_booking",
    "换时间": "reschedule",
    "生了": "update_child",
    "出生了": "update_child",
    "资料": "ask_pack",
    "课程": "course_enrol",
    "报名课程": "course_enrol",
    "下一课": "course_next",
    "答": "course_next",
    "答案": "course_next",
    "打卡": "course_progress",
    "证书": "course_progress",
    "七会": "course_enrol",
    "课程报名": "course_enrol",
    "育儿资料": "ask_pack",
    "课程进度": "course_progress",
    "我的信息": "update_child",
    "体重": "faq_growth",
    "身高": "faq_growth",
    "身长": "faq_growth",
    "头围": "faq_growth",
    "生长曲线": "faq_growth",
    "邀请": "register_child",
    "加入": "register_child",
    "导出信息": "human_agent",
    "撤回同意": "opt_out",
    "注销": "opt_out",
    "暂停推送": "opt_out",
    "年度计划": "my_bookings",
    "接受": "book_session",
    "放弃": "cancel_booking",
    "帮助": "faq_service",
    "菜单": "faq_service",
    "怎么用": "faq_service",
}
"""One-line forms by the intent of the examples that they come nearest to."""


_AROUND = ' .。!！,，;；~～」』”"'
"""What voice input and quoting leave around a code."""


def read_command(plain: str) -> Intent | None:
    """The one-line form in a normalised message, or None."""
    if read_measures(plain) is not None:
        return Intent("growth", 1.0, plain, is_command=True)
    if found := _GLUED.match(plain):
        label = COMMANDS[found[1]]
        return Intent(label, 1.0, (found[2] + found[3]).strip(_AROUND), is_command=True)
    for glued in _GLUED_COURSE:
        if found := glued.match(plain):
            return Intent(COMMANDS[found[1]], 1.0, found[2].strip(), is_command=True)
    found = _COMMAND.match(plain)
    if found is None:
        return None
    label = COMMANDS[found[1]]
    argument = (found[2] or "").strip(_AROUND)
    if argument and label not in TAKES_ARGUMENT:
        return None
    return Intent(label, 1.0, argument, is_command=True)


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message wants, as far as we know."""

    label: str | None
    """None where we would ask back."""
    confidence: float
    likeliest: tuple[str, ...]
    """The intents of the examples, the likeliest first, at most five; never an emergency."""


def read_wish(plain: str) -> Intent | None:
    """A wish in other words than the one-line forms, that the examples do not teach."""
    for label, rule in _WISH_RULES:
        if rule.search(plain):
            return Intent(label, 0.9)
    return None


def understand(text: str) -> Understood:
    """What a message wants, of the 35 intents of the examples but emergencies, which have rules."""
    guesses = [guess for guess in the_model().guess(text) if guess.label != EMERGENCY]
    likeliest = tuple(guess.label for guess in guesses[:5])
    best = guesses[0]
    label = best.label if best.confidence >= ASKS_BACK_BELOW else None
    return Understood(label, best.confidence, likeliest)


def read_intent(plain: str) -> Intent | None:
    """What a message surely wants; None where it may as well be the answer to a question."""
    intent = read_command(plain) or read_wish(plain)
    if intent is not None:
        return intent
    understood = understand(plain)
    if understood.label in (None, "other") or understood.confidence < SURE:
        return None
    return Intent(understood.label or "", understood.confidence)


def label_of(text: str, youngest_age_days: int | None = None) -> Understood:
    """The one of the 35 intents that a whole message has, one-line forms and emergencies too."""
    if find_emergency(text, youngest_age_days) is not None:
        return Understood(EMERGENCY, EMERGENCY_CONFIDENCE, (EMERGENCY,))
    plain = normalise(text)
    command = read_command(plain)
    if command is not None:
        word = _first_word(plain)
        label = IN_WORDS.get(word, command.label)
        if label in LABELS:
            return Understood(label, command.confidence, (label,))
    return understand(text) if plain else Understood(None, 0.0, ())


def _first_word(plain: str) -> str:
    found = _COMMAND.match(plain) or _GLUED.match(plain)
    return found[1] if found else ""
