"""Every table in words: what it holds, what for, how long, who sees it.

The family's export takes its titles from here, and so do the documents on data protection
(`./dev documents`); a table that is missing here fails `./dev check`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.rules.retention import (
    DONE_TASKS,
    FILES,
    NOTICE_WORDS,
    SERVICE_MONTHS,
    YEARS_AFTER_SERVICE,
)
from app.services.log_ins import APP_LASTS, PAGES_LAST
from app.services.tidying import ANSWERS_KEPT, INBOX_KEPT


def _days(span: timedelta) -> str:
    return f"{span.days}天"


_LAST_YEAR = {1: "次年"}.get(YEARS_AFTER_SERVICE, f"之后第{YEARS_AFTER_SERVICE}年")
SERVED: Final = f"到家里最小的孩子满{SERVICE_MONTHS // 12}岁的{_LAST_YEAR}年底"
NUMBERS_STAY: Final = "文字和日期清空，次数和状态留作统计，不再知道是谁"
AS_LONG: Final = "服务存续期间"
STAFF_FAMILY: Final = ("family", "families")
STAFF_VISITS: Final = ("visit", "my_day")


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One table."""

    title: str
    purpose: str
    kept: str = SERVED
    then: str = NUMBERS_STAY
    pages: tuple[str, ...] = ()
    """The console's screens that show it: whoever may open one of them sees it."""
    is_personal: bool = True
    """Whether it says something of a family, a member of staff or a visitor."""


def _served(title: str, purpose: str, *pages: str) -> RecordKind:
    return RecordKind(title, purpose, pages=pages)


def _service(title: str, purpose: str, *pages: str) -> RecordKind:
    """About the service itself, and about nobody."""
    return RecordKind(title, purpose, AS_LONG, "——", pages, is_personal=False)


RECORDS: Final[Mapping[str, RecordKind]] = {
    # A family
    "families": _served("家庭", "登记、安排活动和上门、统计服务", *STAFF_FAMILY),
    "caregivers": _served("养育人", "认得是谁在说话，把消息发给他", *STAFF_FAMILY),
    "children": _served("宝宝", "算月龄：适合的活动、资料、上门的日子", *STAFF_FAMILY),
    "consents": RecordKind(
        "同意的记录",
        "证明监护人同意过什么、什么时候、怎么说的",
        "和它所支撑的统计一样久",
        "留着，只有编号和原话",
        STAFF_FAMILY,
    ),
    "invitations": RecordKind("邀请码", "让家里别的人加入", "用掉为止，最多3天", "删除"),
    "family_terms": RecordKind(
        "查找用的散列", "老师按小名、电话末四位找到这一家；只存带密钥的散列", SERVED, "删除"
    ),
    "measurements": RecordKind("身长体重", "给家长看生长曲线", SERVED, "删除"),
    # Activities
    "sign_ups": _served("活动报名", "留名额、签到、算一年参加了几次", "roster", "family"),
    "year_plans": _served("年度计划", "一次排好一年的活动", "family"),
    "plan_proposals": _served("年度计划里提过的活动", "缺了的补上", "family"),
    # Visits
    "home_contacts": RecordKind(
        "上门的地址和电话", "上门的老师找得到门、打得通电话", SERVED, "清空", STAFF_VISITS
    ),
    "home_visits": _served("上门指导", "约时间、上门、记服务", *STAFF_VISITS),
    "visit_dues": _served("该上门的日子", "新生儿按时上门，不漏一家", "visits_due"),
    "visit_proposals": _served("改时间的商量", "换一个双方都行的时间", *STAFF_VISITS),
    "visit_reports": _served("上门记录", "看了什么、说了什么，下次接得上", *STAFF_VISITS),
    "newborn_care": _served("新生儿的情况", "高危的早去、多去", *STAFF_VISITS),
    "special_needs": _served(
        "特殊需求", "优先安排；写了什么，只有办这件事的人看得到", *STAFF_VISITS
    ),
    "referrals": _served("转诊", "叮嘱去医院，并问结果", "visits_due"),
    # Messages
    "notices": RecordKind(
        "发给您的通知",
        "确认、提醒、变动，一条不多一条不少",
        f"文字{_days(NOTICE_WORDS)}",
        "文字清空；种类、状态、时间留着",
        ("notices", "operations"),
    ),
    "inbox": RecordKind(
        "微信发来的消息", "同一条消息不办两次；48小时内能回话", _days(INBOX_KEPT), "删除"
    ),
    "follow_ups": RecordKind(
        "请老师看的事",
        "紧急、想找老师、没送到的，有人去办",
        f"办完后{_days(DONE_TASKS)}",
        "删除",
        ("follow_ups",),
    ),
    "help_threads": RecordKind(
        "留言", "家长找老师，老师在工作台上回", f"说完后{_days(DONE_TASKS)}", "删除", ("thread",)
    ),
    "thread_messages": RecordKind(
        "留言里的话", "接着上一句说", f"说完后{_days(DONE_TASKS)}", "删除", ("thread",)
    ),
    "unread_messages": RecordKind(
        "没听懂的话",
        "教系统听懂；名字、号码、地址遮住，不知道是谁说的",
        "没看过的90天，点过意思的365天",
        "删除",
        ("unread",),
    ),
    "subscription_consents": RecordKind(
        "订阅通知的许可", "家长点过同意的，才发", "到取消关注或注销", "删除"
    ),
    "pack_pushes": _served("养育资料的推送", "按月龄发，不重复；没发的说得出原因", "family"),
    "push_preferences": _served("推送的选择", "发几篇、暂停到哪天，听家长的"),
    "muted_topics": _served("不想看的主题", "不再推那一类"),
    "saved_packs": RecordKind("收藏的资料", "以后好找", "到自己取消，或者注销、离开家庭", "删除"),
    "caregiver_log_ins": RecordKind(
        "在哪里登录着",
        "认得出是本人的手机，丢了能一处一处退出；只记手机种类",
        f"小程序{APP_LASTS.days}天，网页{PAGES_LAST.days}天",
        "删除",
        STAFF_FAMILY,
    ),
    "api_answers": RecordKind(
        "小程序请求的回执", "同一个请求不办两次", _days(ANSWERS_KEPT), "删除"
    ),
    "family_years": _served("一家一年的次数", "报数时不用从头数；只有编号和次数"),
    "changed_families": RecordKind(
        "哪一家的数要重算", "报数时不用从头数；只有编号", "一分钟左右", "重算以后删除"
    ),
    "family_packs": _served("一家一年收到几篇", "报数时不用从头数；只有编号和次数"),
    "changed_family_packs": RecordKind(
        "哪一家多收到几篇", "报数时不用从头数；只有编号和次数", "一分钟左右", "加完以后删除"
    ),
    "pack_days": RecordKind(
        "资料每天的次数", "报数时不用从头数；只有次数，不知道是谁", AS_LONG, "不删，里面没有人"
    ),
    "changed_pack_days": RecordKind(
        "资料次数的变动", "报数时不用从头数；只有次数", "一分钟左右", "加完以后删除"
    ),
    # The course
    "learners": _served("课程学员", "接着上次学", "learner", "course"),
    "lesson_passes": _served("学完的课", "课程进度", "learner"),
    "module_passes": _served("学完的单元", "课程进度", "learner"),
    "quiz_attempts": _served("小测", "过没过；哪一题难", "learner"),
    "practices": _served("打卡", "在家练了没有", "learner"),
    "certificates": RecordKind(
        "结业证书", "发证，公开查询真假（姓名遮住）", AS_LONG, "注销后只留编号", ("learner",)
    ),
    # Staff and visitors
    "staff": RecordKind(
        "工作人员账号", "登录，各看各的", AS_LONG, "停用后留着用户名，记录才对得上", ("accounts",)
    ),
    "recovery_codes": RecordKind("备用码", "丢了手机也能登录；只存散列", "用掉或重设为止", "删除"),
    "visitors": RecordKind(
        "访视员", "家长开门前核对姓名、电话、照片", AS_LONG, "停用", ("visitors",)
    ),
    "visitor_leaves": RecordKind("访视员请假", "那天不排上门", AS_LONG, "留着", ("visitors",)),
    "visitor_townships": _service("访视员去哪些乡镇", "排上门", "visitors"),
    "file_imports": RecordKind(
        "导入的文件",
        "先看后收，收错了能撤销；整份加密",
        f"内容{_days(FILES)}",
        "内容清空，留下谁、什么时候、几条",
        ("files",),
    ),
    "audit_log": RecordKind(
        "访问和变动记录",
        "谁看过、改过什么，查得到；只有编号，没有姓名",
        AS_LONG,
        "只增不改，数据库里改不了",
        ("audit",),
    ),
    "audited_families": RecordKind(
        "一页上出现过的家庭", "问得出谁看过这一家；只有编号", AS_LONG, "只增不改", ("audit",)
    ),
    # The service itself
    "townships": _service("乡镇", "归属和统计"),
    "stations": _service("站点", "地址和电话给家长看"),
    "guidance_sessions": _service("活动", "安排和名额", "sessions"),
    "session_series": _service("活动系列", "每两周一次这样重复的", "sessions"),
    "calendar_days": _service("放假和停办的日子", "排活动时跳过", "calendar"),
    "entitlements": _service("一年保障几次", "算进度"),
    "pack_catalogue": _service("资料目录", "哪一篇、哪个月龄", "packs"),
    "pack_windows": _service("资料的月龄窗口", "排推送", "packs"),
    "counted_years": _service("哪几年的数先算好了", "报数快一些"),
    "coverage_snapshots": _service("每月数字存档", "报数；只有数", "coverage_months"),
    "canned_answers": _service("常用的答复", "老师回留言时少打字", "thread"),
    "job_runs": _service("定时任务", "看有没有按时跑", "operations"),
    "leases": _service("谁在打钟", "几个调度进程只有一个干活"),
}

IN_CLEAR: Final[Mapping[str, str]] = {
    "caregivers.openid": "每条消息都要按它找人；取消关注或注销就删掉",
    "caregivers.unionid": "认出公众号和小程序里的同一个人；取消关注就删掉",
    "caregivers.mini_openid": "小程序登录要按它找人；注销就删掉",
    "inbox.openid": "48小时内能不能回话，要按它数",
    "subscription_consents.openid": "发订阅通知前要按它查",
    "children.birth_date": "月龄在数据库里算：活动、资料、上门都靠它",
    "children.due_date": "还没出生的，按预产期算",
    "children.sex": "统计用，可以不填",
    "children.gestation_weeks": "早产的矫正月龄",
    "family_years.youngest": "报数要按孩子的年龄分；注销、撤回的当时就删掉",
    "newborn_care.weight_grams": "低体重的算高危，早上门",
    "measurements.weight_grams": "生长曲线",
    "measurements.length_millimetres": "生长曲线",
    "measurements.head_millimetres": "生长曲线",
}
"""Personal data that is not encrypted column by column, and why; the disk's own encryption and
the operator's access rules stand around it."""
