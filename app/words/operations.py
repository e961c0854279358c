"""What an operator reads of queue, jobs and the platform, and what is to be done about each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

JOBS: Final[Mapping[str, str]] = {
    "send_notices": "发通知，收拾中断的",
    "remind_sessions": "活动提醒",
    "remind_visits": "上门提醒",
    "escalate": "没人答复的上门申请往上报",
    "promote_waiting": "候补递补",
    "nudge_year_plan": "年度计划提醒",
    "nudge_course": "课程提醒",
    "queue_packs": "排按月龄的资料",
    "learn_people": "认小程序里的同一个人",
    "apply_retention": "到期的个人信息清除",
    "count_families": "进度和资料里的数，有变动就重算",
    "snapshot_coverage": "每月数字存档",
    "tidy": "清理，记没来的",
}

CHANNELS: Final[Mapping[str, str]] = {
    "customer_service": "客服消息",
    "template": "模板消息",
    "subscription": "订阅通知",
    "long_term": "长期订阅",
    "one_time": "一次性订阅",
}

FAULTS: Final[Mapping[str, str]] = {
    "database": "数据库连不上",
    "redis": "Redis 连不上：登录、发送和对话会受影响，报名照常",
    "schema": "数据库的版本和程序不一致：请运行 db upgrade",
}

OBJECTIONS: Final[Mapping[str, str]] = {
    "expired": "已经过时，不能再发",
    "erased": "内容已按规定清空，不能再发",
    "not_following": "家长没有关注，发不到",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What a reason means, and what to do about it."""

    means: str
    do: str


CALL_THEM: Final = "要紧的（明后天的活动、上门）请站里打电话告诉家长，然后点“已处理”。"
FIX_AND_RESEND: Final = "改好以后重启发送进程，再点“再发”。"

CODES: Final[Mapping[int, Advice]] = {
    -1: Advice("微信系统繁忙", "等几分钟，再点“再发”。"),
    40001: Advice("访问凭证不对，或 AppSecret 刚换过", f"核对 WECHAT_APP_SECRET。{FIX_AND_RESEND}"),
    40014: Advice("访问凭证不对", "系统会自己换新的；半小时后还有，请核对 WECHAT_APP_SECRET。"),
    42001: Advice("访问凭证过期", "系统会自己换新的；半小时后还有，请看 Redis 是否正常。"),
    40003: Advice("这个人没有关注", "不用处理；他再来时会重新认得。"),
    43004: Advice("这个人没有关注", "不用处理；他再来时会重新认得。"),
    43019: Advice("这个人不能收消息", "请站里打电话告诉家长。"),
    50002: Advice("这个人的微信受限", "请站里打电话告诉家长。"),
    40037: Advice("模板编号不对", f"在微信后台核对模板编号和 WECHAT_TEMPLATES。{FIX_AND_RESEND}"),
    41030: Advice("跳转的页面不对", f"核对小程序的页面和 WECHAT_SUBSCRIPTIONS。{FIX_AND_RESEND}"),
    47003: Advice(
        "模板的字段对不上", f"在微信后台看模板有哪几行，照着写进 WECHAT_TEMPLATES。{FIX_AND_RESEND}"
    ),
    43101: Advice("家长没有同意订阅", "不用处理；家长下次来时会给到。"),
    45009: Advice("今天的次数用完了", "过了零点会自己接着发。常常用完，请在微信后台申请加次数。"),
    45011: Advice("发得太快", "一分钟后会自己接着发。"),
    43117: Advice("发得太快", "一分钟后会自己接着发。"),
    45015: Advice("家长两天没来说话，客服消息发不了", "家长下次来时会自己发出；要紧的请打电话。"),
    45047: Advice("客服消息的条数用完了", "家长下次来时会自己发出；要紧的请打电话。"),
    48001: Advice("公众号没有这个接口的权限", "在微信后台看认证和接口权限。恢复以后点“再发”。"),
    48004: Advice("接口被微信封禁", "登录微信后台看站内信，按要求处理。恢复以后点“再发”。"),
    40164: Advice(
        "我们的出口地址不在白名单里",
        "在微信后台把服务器的出口 IP 加进 IP 白名单，五分钟内会自己接着发。",
    ),
    40243: Advice(
        "AppSecret 被冻结", "在微信后台解冻或重置 AppSecret，写进 WECHAT_APP_SECRET，重启。"
    ),
    40013: Advice("AppID 不对", "核对 WECHAT_APP_ID，重启。"),
    40125: Advice("AppSecret 不对", "核对 WECHAT_APP_SECRET，重启。"),
    40241: Advice("微信说已经发过", "不用处理。"),
}
"""What the platform answers."""

REASONS: Final[Mapping[str, Advice]] = {
    "crashed_while_sending": Advice("正在发的时候进程断了，不知道家长有没有收到", CALL_THEM),
    "answer_lost": Advice("发出以后微信没有回音，不知道家长有没有收到", CALL_THEM),
    "repeating": Advice("第一次没有回音，第二次还没来得及发", CALL_THEM),
    "facts_unreadable": Advice(
        "通知的内容读不出来",
        "多半是 DATA_KEY 换过、旧的没有留着：把旧的接在后面，重启，再点“再发”。",
    ),
    "not_sent": Advice("没有连上微信", "看服务器能不能访问 api.weixin.qq.com，再点“再发”。"),
    "redis": Advice("当时 Redis 不在", "Redis 好了以后，再点“再发”。"),
    "receipt": Advice("微信说没有送到", CALL_THEM),
}
UNHEARD_OF: Final = Advice("没有见过的原因", "请把原因和编号交给运维人员，查日志里的 request_id。")


def advise(reason: str) -> Advice:
    """What a notice's or a pause's reason means, and what to do."""
    code, _, detail = reason.partition(":")
    if code != "refused":
        return REASONS.get(code, UNHEARD_OF)
    number = int(detail) if detail.removeprefix("-").isdecimal() else 0
    unknown = Advice(
        f"微信没有接收，错误码 {detail}",
        f"在微信的文档里查“全局返回码 {detail}”。{FIX_AND_RESEND}",
    )
    return CODES.get(number, unknown)


def say_span(span: timedelta) -> str:
    """How long something has lasted, in the largest unit that fits."""
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}秒"


def mask(nickname: str | None) -> str:
    """Enough to find the family by, too little to know it by."""
    return f"{nickname[0]}*" if nickname else "未登记"
