"""What staff read of states, kinds and reasons: on a family's timeline and in the lists.

A code that is missing here is shown as it is: nothing is hidden from staff.
"""

from collections.abc import Mapping
from typing import Final

from app.words import packs, visit_signs

TOPICS: Final[Mapping[str, str]] = {
    "sign_up": "活动",
    "notice": "通知",
    "follow_up": "跟进",
    "change": "登记和变动",
    "visit": "上门",
    "pack": "资料",
    "course": "课程",
    "thread": "留言",
}

RELATIONS: Final[Mapping[str, str]] = {
    "mother": "妈妈",
    "father": "爸爸",
    "grandmother": "奶奶或外婆",
    "grandfather": "爷爷或外公",
    "other": "家人",
}

SIGN_UP_STATES: Final[Mapping[str, str]] = {
    "requested": "待确认",
    "confirmed": "已确认",
    "declined": "已婉拒",
    "waitlisted": "候补",
    "offered": "等家长接受名额",
    "expired": "名额过期",
    "cancelled": "已取消",
    "attended": "已签到",
    "no_show": "没来",
}

STAGES: Final[Mapping[str, str]] = {
    "draft": "草稿",
    "not_open": "还没开放报名",
    "open": "报名中",
    "closed": "报名截止",
    "running": "正在办",
    "over": "已结束",
    "held": "办完了",
    "cancelled": "已取消",
}

NOTICE_STATES: Final[Mapping[str, str]] = {
    "queued": "排队中",
    "sending": "正在发",
    "waiting": "等家长来",
    "sent": "已发出",
    "failed": "没送到",
    "skipped": "没有发",
    "unknown": "不确定",
}

NOTICE_KINDS: Final[Mapping[str, str]] = {
    "sign_up_confirmed": "报名确认",
    "sign_up_declined": "报名婉拒",
    "sign_up_cancelled": "报名取消",
    "sign_up_offered": "候补名额",
    "sign_up_offer_expired": "名额过期",
    "waiting_ended": "候补没轮上",
    "session_changed": "活动变动",
    "reminder_24h": "前一天提醒",
    "reminder_2h": "两小时前提醒",
    "visit_confirmed": "上门确认",
    "visit_moved": "上门改了时间或老师",
    "visit_declined": "上门婉拒",
    "visit_cancelled": "上门取消",
    "visit_proposed": "上门商量时间",
    "visit_wish_ended": "上门没改成",
    "visit_evening": "上门前一天晚上的提醒",
    "visit_2h": "上门前两小时的提醒",
    "visit_on_the_way": "老师出发了",
    "visit_missed": "上门没遇到",
    "visit_summary": "上门小结",
    "plan_proposed": "年度计划建议",
    "plan_taken": "年度计划自动报名",
    "year_plan_nudge": "年度计划提醒",
    "course_nudge": "课程提醒",
    "course_module_passed": "老人学完一会的喜报",
    "course_enrolled": "代报名课程",
    "certificate_revoked": "证书作废",
    "certificate_restored": "证书恢复",
    "late_reply": "补发的答复",
    "staff_answer": "老师的回答",
    "thread_late": "留言没人回的致歉",
    "caregiver_joined": "家人加入",
    "pack": "按月龄的资料",
}

NOTICE_REASONS: Final[Mapping[str, str]] = {
    "expired": "已经过时，不用再发",
    "not_following": "家长没有关注公众号",
    "superseded": "情况变了，不用再发",
    "facts_unreadable": "内容读不出来",
    "crashed_while_sending": "发送时中断了，不知道有没有送到",
    "no_channel": "微信现在不让发；家长下次来说话时就会发出",
    "refused": "微信没有接收",
    "not_sent": "没有连上微信，会再试",
    "answer_lost": "发出后没有回音，不知道有没有送到",
    "repeating": "可能已经送到，会安全地再试一次",
}

FOLLOW_UP_KINDS: Final[Mapping[str, str]] = {
    "emergency": "紧急",
    "human": "想找老师",
    "complaint": "意见投诉",
    "privacy": "个人信息",
    "notice_unknown": "通知不确定",
    "notice_failed": "通知没送到",
    "loss": "家里有变故",
    "thread_late": "留言没人回",
    "referral": "转诊要问结果",
    "mother": "妈妈情绪低落",
    "escalation": "上门申请没人答复",
    "visit_wish": "上门想换时间，要老师找",
    "visit_loss": "家里有变故，约过上门",
}

CHANGES: Final[Mapping[str, str]] = {
    "register": "登记了宝宝",
    "correct": "更正了宝宝的信息",
    "set_township": "换了乡镇",
    "set_need": "答了要不要指导",
    "set_contact": "改了联系人或电话",
    "set_home_contact": "改了上门的住址或电话",
    "waive_no_shows": "没来的不再计较",
    "join": "家人加入",
    "agree_year_plan": "同意了年度计划",
    "end_year_plan": "结束了年度计划",
    "start_taking": "让年度计划自动报名",
    "stop_taking": "让年度计划先问再报",
    "take_for_year_plan": "年度计划自动报了名",
    "import_family": "从文件里录入",
    "stop_family": "停下了所有主动消息",
    "resume_family": "恢复了主动消息",
    "report_birth": "报了出生、出院或体重",
    "note_special_need": "记下了特殊需求",
    "end_special_need": "改为没有特殊需求",
    "try_visit": "为上门联系过",
    "want_visit": "说过不要上门，现在又要了",
    "mark_lost": "记下宝宝不在了",
    "unmark_lost": "改回：宝宝在",
}

COURSE_KINDS: Final[Mapping[str, str]] = {
    "enrolled": "报名七会课程",
    "left": "课程停下了",
    "module_1": "学完「会照料」",
    "module_2": "学完「会抚爱」",
    "module_3": "学完「会陪玩」",
    "module_4": "学完「会倾听」",
    "module_5": "学完「会沟通」",
    "module_6": "学完「会放手」",
    "module_7": "学完「会等待」",
    "certificate": "结业证书",
}

STATES: Final[Mapping[str, Mapping[str, str]]] = {
    "visit": visit_signs.STATES,
    "course": {"done": "完成", "issued": "发了", "revoked": "作废了"},
    "sign_up": SIGN_UP_STATES,
    "notice": NOTICE_STATES,
    "follow_up": {"open": "等着办", "done": "办完了"},
    "thread": {"waiting": "等回复", "answered": "已回", "closed": "结束了"},
    "pack": {**NOTICE_STATES, "planned": "排着", "sent": "已给到"},
}
KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "thread": {"person": "找老师", "complaint": "提意见"},
    "visit": {**visit_signs.PURPOSES, "medical": "卫生院新生儿访视"},
    "notice": NOTICE_KINDS,
    "follow_up": FOLLOW_UP_KINDS,
    "change": CHANGES,
    "course": COURSE_KINDS,
    "pack": RELATIONS,
}
REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "notice": NOTICE_REASONS,
    "pack": {
        **NOTICE_REASONS,
        **packs.REASONS,
        **{f"pack_{code}": f"资料{said}" for code, said in packs.BLOCKED.items()},
    },
}
ABOUT: Final[Mapping[str, Mapping[str, str]]] = {
    "notice": RELATIONS,
    "thread": RELATIONS,
    "course": RELATIONS,
    "change": {
        "yes": "需要",
        "no": "不需要",
        "no_answer": "没人接",
        "reached": "联系上了",
        "declined": "家里不要上门",
        "moved": "搬走了",
    },
}


def say_moved(code: str) -> str:
    """The reason that a family reads where staff gave it a place in another session."""
    return f"老师帮您改到了另一场（{code}），名额已经留好"


def say_state(topic: str, state: str) -> str:
    return STATES.get(topic, {}).get(state, state)


def say_kind(topic: str, kind: str) -> str:
    return KINDS.get(topic, {}).get(kind, kind)


def say_about(topic: str, about: str) -> str:
    return ABOUT.get(topic, {}).get(about, about)


def say_reason(topic: str, reason: str) -> str:
    """A reason in words; what the platform added behind a colon stays, in brackets."""
    code, _, detail = reason.partition(":")
    words = REASONS.get(topic, {}).get(code)
    if words is None:
        return reason
    return f"{words}（{detail}）" if detail else words
