"""Words for what is held about a family, and for taking it away."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from app.clock import SHANGHAI

TABLES: Final[Mapping[str, str]] = {
    "families": "家庭",
    "caregivers": "养育人",
    "children": "宝宝",
    "consents": "同意的记录",
    "invitations": "邀请码",
    "sign_ups": "活动报名",
    "year_plans": "年度计划",
    "plan_proposals": "年度计划里提过的活动",
    "notices": "发给您的通知",
    "follow_ups": "请老师看的事",
    "home_visits": "上门指导",
    "visits": "上门指导",
    "api_answers": "小程序请求的回执",
    "audit_log": "谁看过、改过（最近的在前）",
    "pack_pushes": "养育资料的推送",
    "pack_deliveries": "养育资料的推送",
    "enrolments": "课程报名",
    "lesson_progress": "课程进度",
    "certificates": "结业证书",
}
COLUMNS: Final[Mapping[str, str]] = {
    "nickname": "小名",
    "birth_date": "生日",
    "due_date": "预产期",
    "sex": "性别",
    "gestation_weeks": "出生孕周",
    "openid": "微信身份",
    "unionid": "微信身份（各应用合起来）",
    "mini_openid": "小程序里的身份",
    "relation": "是宝宝的谁",
    "is_following": "关注着公众号",
    "pushes": "资料推送",
    "followed_at": "关注时间",
    "need": "要不要指导",
    "need_answered_at": "什么时候说的",
    "purpose": "用途",
    "version": "告知的版本",
    "given_at": "同意时间",
    "withdrawn_at": "撤回时间",
    "evidence": "怎么同意的",
    "state": "状态",
    "reason": "原因",
    "code": "编号",
    "created_at": "记下的时间",
    "updated_at": "改过的时间",
    "requested_at": "申请时间",
    "decided_at": "定下来的时间",
    "waitlisted_at": "开始候补",
    "offered_at": "有名额的时间",
    "offer_expires_at": "名额留到",
    "text": "内容",
    "kind": "种类",
    "channel": "怎么发的",
    "queued_at": "排上的时间",
    "sent_at": "发出的时间",
    "detail": "内容",
    "done_at": "办好的时间",
    "year": "年份",
    "target": "目标次数",
    "agreed_at": "同意时间",
    "ended_at": "结束时间",
    "expires_at": "有效到",
    "used_at": "用掉的时间",
    "at": "时间",
    "actor_type": "谁",
    "action": "做了什么",
    "subject_type": "对什么",
    "before": "原来",
    "after": "后来",
    "phone": "电话",
    "address": "地址",
    "starts_at": "开始",
    "ends_at": "结束",
    "erased_at": "删除时间",
    "weight_grams": "体重（克）",
    "length_mm": "身长（毫米）",
    "measured_on": "量的日子",
}
VALUES: Final[Mapping[str, str]] = {
    "girl": "女",
    "boy": "男",
    "mother": "妈妈",
    "father": "爸爸",
    "grandmother": "奶奶或外婆",
    "grandfather": "爷爷或外公",
    "other": "其他家人",
    "on": "照常",
    "paused": "暂停",
    "off": "退订",
    "child_data": "儿童个人信息",
    "caregiver": "家里人",
    "staff": "工作人员",
    "system": "系统",
    "operator": "运维",
    "family": "家庭",
    "child": "宝宝",
}
PURPOSES: Final[Mapping[str, str]] = {"child_data": "登记和安排活动、上门、资料"}
RELATIONS: Final[Mapping[str, str]] = {
    "mother": "妈妈",
    "father": "爸爸",
    "grandmother": "奶奶或外婆",
    "grandfather": "爷爷或外公",
    "other": "其他家人",
}
INSIDE = frozenset({"facts", "dedupe_key", "claimed_by", "claimed_at", "request", "body"})
"""Of use to machines only: in the machine's file, not in the one that is read."""


def table_name(name: str) -> str:
    return TABLES.get(name, name)


def column_name(name: str) -> str:
    return COLUMNS.get(name, name)


def is_for_reading(name: str) -> bool:
    return name != "id" and not name.endswith("_id") and name not in INSIDE


def value_words(value: object) -> str:
    """A stored value as a person reads it."""
    if value is True:
        return "是"
    if value is False:
        return "否"
    if isinstance(value, datetime):
        local = value.astimezone(SHANGHAI)
        return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    return VALUES.get(str(value), str(value))


def relation_words(relation: str | None) -> str:
    return RELATIONS.get(relation or "", "家里人")


def purpose_words(purpose: str) -> str:
    return PURPOSES.get(purpose, purpose)


def export_ready(url: str) -> str:
    return f"您家的信息都在这一页，可以看，也可以存成文件：\n{url}\n有不对的，回复「修改」。"


def see_all(url: str) -> str:
    return f"全部看、改、存成文件，点这里：{url}"


def nothing_to_export() -> str:
    return "我们这里没有存您家宝宝的信息，没有什么可以导出。要登记，回复「登记」。"


def which_to_withdraw(nicknames: Sequence[str]) -> str:
    listed = "\n".join(f"{place}. {name}" for place, name in enumerate(nicknames, 1))
    return f"撤回对哪个宝宝的同意？回复数字：\n{listed}\n不撤了，回复「取消」。"


def confirm_withdrawal(nickname: str) -> str:
    return (
        f"撤回后，{nickname}的小名、生日等信息马上删除，还没去的活动和上门都会取消，不能恢复。"
        "以前参加过几次的统计会留下，但不再知道是谁。\n"
        "确定，回复「确认撤回」；不撤了，回复「取消」。"
    )


def withdrawn(nickname: str, cancelled: int) -> str:
    places = f"，{cancelled}个报名已取消" if cancelled else ""
    return f"已撤回：{nickname}的信息已经删除{places}。\n以后想再用，回复「登记」。"


def confirm_erasure(nicknames: Sequence[str]) -> str:
    return (
        f"注销后，{'、'.join(nicknames)}和全家人的信息马上删除，还没去的活动和上门都会取消，不能恢复。"
        "家里别的人也不再在这个家里。\n"
        "想先留一份，回复「导出信息」。确定，回复「确认注销」；不注销了，回复「取消」。"
    )


def erased(cancelled: int) -> str:
    places = f"，{cancelled}个报名已取消" if cancelled else ""
    return f"已注销：您家的信息都删除了{places}。谢谢您用过我们。\n您还关注着公众号；想再用，回复「登记」。"


def confirm_leaving() -> str:
    return (
        "宝宝的信息是家里另一位登记、同意的，要由他来注销。您可以自己退出这个家：宝宝的信息留着，您不再看得到。\n"
        "退出，回复「确认退出」；不退了，回复「取消」。"
    )


def left_family() -> str:
    return "已退出：您不再在这个家里了。想再加入，请家里人回复「邀请」，把那句话转给您。"


def say_confirm(word: str) -> str:
    return f"还没有办。确定，请回复「{word}」这四个字；不办了，回复「取消」。"


def removed(relation: str | None) -> str:
    return f"{relation_words(relation)}已经移出这个家。"
