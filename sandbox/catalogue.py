"""The account's message templates, as an operator would have picked them on the platform.

A service is told their ids (template_ids) by its own settings.
"""

from sandbox import template_ids
from sandbox.records import Template, TemplateField

BOOKING_CONFIRMED = Template(
    id=template_ids.BOOKING_CONFIRMED,
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
    id=template_ids.BOOKING_DECLINED,
    title="预约未通过通知",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "原因"),
        TemplateField("phone_number4", "联系电话"),
    ),
)
BOOKING_CANCELLED = Template(
    id=template_ids.BOOKING_CANCELLED,
    title="活动取消通知",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "原因"),
        TemplateField("phone_number4", "联系电话"),
    ),
)
SESSION_CHANGED = Template(
    id=template_ids.SESSION_CHANGED,
    title="活动变更通知",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "原定时间"),
        TemplateField("time3", "新的时间"),
        TemplateField("thing4", "活动地点"),
    ),
)
REMINDER = Template(
    id=template_ids.REMINDER,
    title="活动提醒",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "活动地点"),
        TemplateField("thing4", "宝宝"),
    ),
)
PLACE_OFFERED = Template(
    id=template_ids.PLACE_OFFERED,
    title="候补名额通知",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("time3", "保留至"),
        TemplateField("thing4", "温馨提示"),
    ),
)
YEAR_PLAN = Template(
    id=template_ids.YEAR_PLAN,
    title="活动预约提醒",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "活动地点"),
        TemplateField("thing4", "温馨提示"),
    ),
)
HOME_VISIT = Template(
    id=template_ids.HOME_VISIT,
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
    id=template_ids.SERVICE_PROGRESS,
    title="服务进度通知",
    fields=(
        TemplateField("thing1", "服务事项"),
        TemplateField("thing2", "进度说明"),
        TemplateField("time3", "时间"),
    ),
)
PACK_READY = Template(
    id=template_ids.PACK_READY,
    title="育儿资料更新提醒",
    fields=(
        TemplateField("thing1", "资料名称"),
        TemplateField("thing2", "适合月龄"),
    ),
    kind="one_time",
)
SESSION_OPEN = Template(
    id=template_ids.SESSION_OPEN,
    title="活动开放报名提醒",
    fields=(
        TemplateField("thing1", "活动名称"),
        TemplateField("time2", "活动时间"),
        TemplateField("thing3", "活动地点"),
    ),
    kind="one_time",
)
VISIT_SOON = Template(
    id=template_ids.VISIT_SOON,
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
    id=template_ids.GUIDANCE_DUE,
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
