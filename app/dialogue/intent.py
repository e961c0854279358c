"""What a message wants: the one-line forms first, then plain wishes by their words."""

import re
from dataclasses import dataclass

from app.dialogue.reading.measurements import read_measures


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
    "暂停推送": "pause_pushes",
    "恢复推送": "resume_pushes",
    "退订": "opt_out",
    "人工": "human_agent",
    "转人工": "human_agent",
    "找老师": "human_agent",
    "年度计划": "year_plan",
    "同意计划": "agree_year_plan",
    "停止计划": "stop_year_plan",
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
        "book_home_visit",
        "special_need",
        "report_birth",
        "rate_home_visit",
    }
)

_COMMAND = re.compile(
    r"^[「『“\"]?(" + "|".join(sorted(COMMANDS, key=len, reverse=True)) + r")[」』”\"]?"
    r"(?:[\s,，:：、]+(.*))?[。.!！~～]*$",
    re.DOTALL,
)
# 报名CQ-1206 and 取消CQ-1206: people leave the space out before a code.
_GLUED = re.compile(r"^(报名|取消|加入|接受|放弃)\s*([a-z0-9][a-z0-9_-]{1,31})(.*)$", re.DOTALL)
# 打卡今天试了, 重学第5课, 答ABA: what stands behind needs no space either.
_GLUED_COURSE = tuple(
    re.compile(pattern, re.DOTALL)
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
    ("push_per_week", r"(每|一)(周|星期|礼拜)(只|最多|就)?(发|收|推)?[一二两三1-9]条"),
    ("decline_offer", r"^(我|我们)?(不接受|不要(了|这个名额)|放弃)(了|吧|名额)?[.!~]*$"),
    ("accept_offer", r"^(好的?|嗯|行|可以|我|我们|,| )*接受(了|吧|名额)?[.!~]*$"),
    ("cancel_home_visit", r"(取消|不要|不用).{0,4}上门|上门.{0,6}(取消|不要了|不用了)"),
    (
        "report_birth",
        r"(宝宝|孩子|小囡|毛头|我|老婆|媳妇|女儿)?.{0,6}(生了(?!病)|出生了|生下来了|卸货了?)|出院了",
    ),
    ("opt_out", r"^td$|退订|别再?发了|不要再发|不想收|取消关注"),
    ("complaint", r"投诉|太差|态度(不好|差)|不满意|意见很大"),
    ("human_agent", r"人工|真人|找(个|一下)?(老师|人)|客服|打(个)?电话|老师(的)?电话"),
    ("reschedule", r"改(个|一下)?(时间|日期|期)|换(个|一下)?(时间|日子|一天|一场)|改期|改约"),
    ("cancel_booking", r"取消|不(去|来)了|(去|来)不了|退掉|报错了"),
    (
        "year_plan",
        r"年度计划|(安排|排|计划)(一下|好)?(今年|全年|一年|这一年)|(今年|全年)(的|怎么)?(计划|安排)",
    ),
    (
        "my_bookings",
        r"我(的|们)?(预约|报名|约)(了|过|的)|查(一下|下)?(预约|报名)|报(上|到)了(吗|没|伐)|还剩几次",
    ),
    (
        "update_child",
        r"(改|修改|更正|填错|写错|登错).{0,6}(生日|名字|小名|信息|资料|地址|乡镇|性别)|(生日|名字|小名|乡镇)(填|写|登|搞)?错",
    ),
    ("book_home_visit", r"上门|家访|到(我|我们)?家(里)?来(看|指导)|来(我|我们)?家(里)?(看|指导)"),
    ("register_child", r"登记|注册|建(个)?档|录(一下|入)|加(一)?个(宝宝|孩子|小囡)|二宝"),
    (
        "invite",
        r"邀请|(让|叫|给)(老公|老婆|爸爸|妈妈|爷爷|奶奶|外公|外婆|家里人).{0,8}(一起|也|加)",
    ),
    ("course_answer", r"^[abc]{3}[.!~]*$"),
    (
        "course_progress",
        r"学到(第|哪)|课程.{0,3}进度|证书.{0,4}(拿|领|发)|(还有|还剩).{0,3}[几多].{0,3}(课|节).{0,2}没学|考试及格|七会.{0,4}(完成|学了)",
    ),
    (
        "course_next",
        r"^(继续|接着|接下来)学|下一[节课]|往下讲|学到一半|上次学",
    ),
    (
        "course_enrol",
        r"(报|学|上|参加|开通).{0,8}(七会|隔代养育|带娃的课|祖辈课程|课程)|我要上课",
    ),
    ("book_session", r"报(个)?名|帮我(报|约)|想(报|参加|去)|预约.{0,4}(活动|场)"),
    (
        "list_sessions",
        r"活动|有(什么|啥|哪些)(课|可以)|亲子|嘉年华|加油站|早教|哪(里|天)有|什么时候有|白相",
    ),
    ("my_information", r"我(家)?(的)?(信息|资料|登记了什么)|登记(了)?(什么|哪些)"),
    ("thanks", r"^(谢谢|感谢|多谢|辛苦|谢谢侬|晓得了|好的|收到|明白)"),
    ("greeting", r"^(你好|您好|侬好|哈喽|嗨|hi|hello|早上好|下午好|晚上好|在吗|在伐|有人吗)"),
    ("help", r"帮助|怎么用|能(做|干)(什么|啥)|有什么功能|不会(用|弄)"),
)
_WISH_RULES = tuple((label, re.compile(pattern)) for label, pattern in _WISHES)


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


def read_intent(plain: str) -> Intent | None:
    """What a normalised message wants, or None where we do not know."""
    command = read_command(plain)
    if command is not None:
        return command
    for label, rule in _WISH_RULES:
        if rule.search(plain):
            return Intent(label, 0.7)
    return None
