"""Short sentences on the family's pages, where a button stands for what the chat would ask to
be written."""

from collections.abc import Sequence
from datetime import datetime

from app.words.when import say_when

STATES = {
    "requested": "待确认",
    "confirmed": "已报名",
    "waitlisted": "候补中",
    "offered": "有名额等您接受",
    "attended": "已参加",
    "no_show": "没有来",
    "cancelled": "已取消",
    "declined": "没有通过",
    "expired": "已过期",
}


def signed_up(state: str, nicknames: Sequence[str], positions: Sequence[int] = ()) -> str:
    who = "、".join(nicknames)
    if state == "waitlisted":
        places = "、".join(f"第{position}位" for position in positions)
        return f"{who}排进候补了，{places}。有名额会在公众号里问您。"
    if state == "requested":
        return f"{who}的报名交上去了，待老师确认，结果会在公众号里告诉您。"
    return f"{who}报名成功。到时候请早一点到。"


def already_signed_up(nickname: str, state: str) -> str:
    return f"{nickname}已经报过了，现在是「{STATES[state]}」，不用再报。"


def cancelled(nicknames: Sequence[str], *, has_replacement: bool) -> str:
    more = "年度计划里给您找了别的，去看看。" if has_replacement else ""
    return f"{'、'.join(nicknames)}的名额已取消，谢谢您早点说。{more}"


def already_cancelled() -> str:
    return "这场已经没有您家的报名了，不用再取消。"


def accepted(nicknames: Sequence[str]) -> str:
    return f"接受了，{'、'.join(nicknames)}报名成功。"


def declined(nicknames: Sequence[str]) -> str:
    return f"好的，{'、'.join(nicknames)}的名额让给下一家了。"


def choose_a_child() -> str:
    return "请先点一下是哪个宝宝，再按「报名」。"


def offer_until(until: datetime) -> str:
    return f"有名额了，请在{say_when(until)}前告诉我们要不要。"


def swapped(title: str) -> str:
    return f"换成了「{title}」。"


def none_to_swap() -> str:
    return "没有别的合适的可以换了，先留着这一场；也可以不要它。"


def plan_agreed(count: int) -> str:
    if not count:
        return "记下了。有合适的活动一开放，公众号里就问您。"
    return f"好了，{count}场都报上了。活动前会在公众号里提醒您。"


def plan_agreed_before() -> str:
    return "这些都已经报上了，不用再报。"


def plan_lost(code: str) -> str:
    return f"「{code}」刚刚报不上了，所以先一场都没有报。给您重新排了，请再看一看。"


def plan_takes() -> str:
    return "好的，有合适的就直接报上，报完在公众号里告诉您。"


def plan_asks() -> str:
    return "好的，有合适的先问您，您同意了再报。"


def plan_ended() -> str:
    return "年度计划停了。已经报上的还在；想要了，随时再来。"


def saved() -> str:
    return "存好了。"


def log_in_ended() -> str:
    return "已经退出那一处。那边再打开，要重新登录。"


def no_such_date() -> str:
    return "这个日子不对，请重新选一下。"


def foreign_host() -> str:
    """To a browser that was led to us under somebody else's name."""
    return "这个网址不是本服务的。请从公众号里打开，或者问问发给您网址的人。"
