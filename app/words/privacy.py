"""Words for what is held about a family, and for taking it away."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from app.clock import SHANGHAI
from app.words.records import RECORDS

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
    "saved_at": "收藏的时间",
    "youngest": "最小的宝宝的生日",
    "attended": "到了几场",
    "secured": "连约好的一共几场",
    "months": "在服务年龄里的月数",
    "newborns": "当年出生的宝宝",
    "newborns_visited": "其中上门看过的",
    "delivered": "收到过资料",
    "opened": "打开过资料",
    "way": "在哪里登录",
    "device": "什么手机",
    "logged_in_at": "登录的时间",
    "sent_at": "发出的时间",
    "detail": "内容",
    "done_at": "办好的时间",
    "year": "年份",
    "target": "目标次数",
    "agreed_at": "同意时间",
    "takes_since": "从何时起不用问、直接报名",
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
    "length_millimetres": "身长（毫米）",
    "head_millimetres": "头围（毫米）",
    "measured_on": "量的日子",
    "recorded_at": "记下的时间",
    "unfollowed_at": "取消关注的时间",
    "contact_name": "联系人称呼",
    "no_shows_waived_at": "没来的不再计较",
    "nudged_at": "上次提醒的时间",
    "stopped_at": "停下所有消息的时间",
    "lost_at": "宝宝离开的时间",
    "name": "姓名",
    "issued_at": "发证时间",
    "revoked_at": "作废时间",
    "revoked_reason": "作废原因",
    "course_version": "课程版本",
    "wished_on": "想要的日子",
    "wished_half": "上午还是下午",
    "note": "留言",
    "en_route_at": "老师出门",
    "arrived_at": "老师到了",
    "completed_at": "办完的时间",
    "rating": "评价",
    "rating_words": "评价的话",
    "enrolled_at": "报名时间",
    "left_at": "停下的时间",
    "module": "第几会",
    "lesson": "第几课",
    "lessons_passed": "学完几课",
    "passed_at": "学完的时间",
    "answers": "答的",
    "correct": "答对几题",
    "is_passed": "过了没有",
    "category": "特殊需求",
    "noted_at": "记下的时间",
    "factors": "高危因素",
    "discharged_on": "出院日子",
    "is_multiple": "多胞胎",
    "reported_at": "告诉我们的时间",
    "topic": "主题",
    "title": "题目",
    "per_week": "每周最多几篇",
    "paused_until": "暂停到",
    "quiet_from": "晚上几点起不发",
    "quiet_until": "早上几点起再发",
    "opened_at": "打开的时间",
    "rated_at": "评价的时间",
    "planned_at": "排上的时间",
    "due_at": "该发的时间",
    "closes_at": "过了就不发",
    "opens_on": "从哪天起",
    "due_on": "最晚哪天",
    "unreachable_at": "联系不上的时间",
    "closed_at": "了结的时间",
    "record": "上门记录",
    "written_at": "写记录的时间",
    "signs": "看到的情况",
    "referred_to": "建议去哪里",
    "check_on": "哪天问结果",
    "urgency": "急不急",
    "outcome": "结果",
    "answered_at": "答复的时间",
    "last_at": "最后一句的时间",
    "is_walk_in": "没报名直接来的",
    "moved_at": "上次往前学的时间",
    "sends_left": "还可以发几次",
    "is_lasting": "长期有效",
    "reply": "当时的答复",
    "asked_at": "问过的时间",
    "refused_at": "拒绝的时间",
}
VALUES: Final[Mapping[str, str]] = {
    "app": "小程序",
    "pages": "微信里的网页",
    "iphone": "苹果手机",
    "ipad": "苹果平板",
    "android": "安卓手机",
    "harmony": "鸿蒙手机",
    "computer": "电脑",
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
PURPOSES: Final[Mapping[str, str]] = {
    "child_data": "登记和安排活动、上门、资料",
    "home_visit_contact": "上门时用的地址和电话",
}
RELATIONS: Final[Mapping[str, str]] = {
    "mother": "妈妈",
    "father": "爸爸",
    "grandmother": "奶奶或外婆",
    "grandfather": "爷爷或外公",
    "other": "其他家人",
}
INSIDE = frozenset(
    {
        *("facts", "dedupe_key", "claimed_by", "claimed_at", "request", "body", "key", "term"),
        *("packs_from", "packs_born", "packs_weeks", "replans", "because", "words_erased_at"),
        *("priority", "attempts", "receipt", "subject", "settled_at", "busy_until", "code_word"),
        *("moves", "told_at", "requested_by", "decided_by", "done_by", "created_by", "used_by"),
        *("enrolled_by", "revoked_by", "noted_by", "written_by", "proposed_by", "received_at"),
        *("open_lesson", "open_quiz", "open_answers", "quiz", "is_first", "nudges", "tried"),
        *("tried_at", "escalated_at", "closed_as", "owed_until", "number", "is_override", "status"),
        *("is_high_risk", "window", "waiting_since", "closed_how", "closed_by"),
    }
)
"""Of use to machines only: in the machine's file, not in the one that is read."""


def table_name(name: str) -> str:
    if name == "audit_log":
        return "谁看过、改过（最近的在前）"
    return RECORDS[name].title if name in RECORDS else name


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
