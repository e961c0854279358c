"""The account's message templates, as an operator would have picked them on the platform.

A service is told these ids by its own settings; DEMO_TEMPLATE_IDS pairs them with what they say.
"""

from sandbox.records import Template, TemplateField


def _template_id(name: str) -> str:
    """43 characters, as the platform's ids have, and still readable in a log."""
    return f"{name}-" + "sandboxTemplate0123456789abcdefghijklmnopqr"[: 42 - len(name)]


BOOKING_CONFIRMED = Template(
    id=_template_id("bookingConfirmed"),
    title="预约成功通知",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "活动地点"),
        TemplateField("thing4", "宝宝"),
        TemplateField("phone_number5", "联系电话"),
    ),
)
BOOKING_DECLINED = Template(
    id=_template_id("bookingDeclined"),
    title="预约未通过通知",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "原因"),
        TemplateField("phone_number4", "联系电话"),
    ),
)
BOOKING_CANCELLED = Template(
    id=_template_id("bookingCancelled"),
    title="活动取消通知",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "原因"),
        TemplateField("phone_number4", "联系电话"),
    ),
)
SESSION_CHANGED = Template(
    id=_template_id("sessionChanged"),
    title="活动变更通知",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "原定时间"),
        TemplateField("time3", "新的时间"),
        TemplateField("thing4", "活动地点"),
    ),
)
REMINDER = Template(
    id=_template_id("sessionReminder"),
    title="活动提醒",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "活动地点"),
        TemplateField("thing4", "宝宝"),
    ),
)
PLACE_OFFERED = Template(
    id=_template_id("placeOffered"),
    title="候补名额通知",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("time3", "保留至"),
        TemplateField("thing4", "温馨提示"),
    ),
)
YEAR_PLAN = Template(
    id=_template_id("yearPlan"),
    title="活动预约提醒",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "活动地点"),
        TemplateField("thing4", "温馨提示"),
    ),
)
HOME_VISIT = Template(
    id=_template_id("homeVisit"),
    title="上门服务通知",
    fields=(
        TemplateField("time1", "上门时间"),
        TemplateField("name2", "访视员"),
        TemplateField("phone_number3", "联系电话"),
        TemplateField("character_string4", "核对码"),
        TemplateField("phrase5", "状态"),
    ),
)
SERVICE_PROGRESS = Template(
    id=_template_id("serviceProgress"),
    title="服务进度通知",
    fields=(
        TemplateField("thing1", "服务事项"),
        TemplateField("thing2", "进度说明"),
        TemplateField("time3", "时间"),
    ),
)
PACK_READY = Template(
    id=_template_id("packReady"),
    title="育儿资料更新提醒",
    fields=(
        TemplateField("thing1", "资料名称"),
        TemplateField("thing2", "适合月龄"),
    ),
    kind="one_time",
)
SESSION_OPEN = Template(
    id=_template_id("sessionOpen"),
    title="活动开放报名提醒",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "活动地点"),
    ),
    kind="one_time",
)
VISIT_SOON = Template(
    id=_template_id("visitSoon"),
    title="上门服务提醒",
    fields=(
        TemplateField("thing1", "服务项目"),
        TemplateField("time2", "上门时间"),
        TemplateField("thing3", "上门人员"),
        TemplateField("phone_number4", "联系电话"),
        TemplateField("thing5", "温馨提示"),
    ),
    kind="one_time",
)
GUIDANCE_DUE = Template(
    id=_template_id("guidanceDue"),
    title="科学育儿指导通知",
    fields=(
        TemplateField("thing1", "指导内容"),
        TemplateField("thing2", "温馨提示"),
    ),
    kind="long_term",
)

TEMPLATES = (
    BOOKING_CONFIRMED,
    BOOKING_DECLINED,
    BOOKING_CANCELLED,
    SESSION_CHANGED,
    REMINDER,
    PLACE_OFFERED,
    YEAR_PLAN,
    HOME_VISIT,
    SERVICE_PROGRESS,
    PACK_READY,
    SESSION_OPEN,
    VISIT_SOON,
    GUIDANCE_DUE,
)

DEMO_TEMPLATE_IDS: dict[str, str] = {
    "sign_up_confirmed": BOOKING_CONFIRMED.id,
    "sign_up_declined": BOOKING_DECLINED.id,
    "sign_up_cancelled": BOOKING_CANCELLED.id,
    "sign_up_offered": PLACE_OFFERED.id,
    "session_changed": SESSION_CHANGED.id,
    "reminder_24h": REMINDER.id,
    "reminder_2h": REMINDER.id,
    "plan_proposed": YEAR_PLAN.id,
    "plan_taken": YEAR_PLAN.id,
    "year_plan_nudge": YEAR_PLAN.id,
}

DEMO_SUBSCRIPTION_IDS: dict[str, str] = {
    "pack": PACK_READY.id,
    "pack_long_term": GUIDANCE_DUE.id,
    "visit_evening": VISIT_SOON.id,
}
