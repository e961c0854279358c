"""What a job did, for the page that operators read; the jobs themselves and the logs say it in English."""

import re
from functools import cache
from typing import Final

OUTCOMES: Final[tuple[tuple[str, str], ...]] = (
    ("took {a} notices, settled {b} that a crash had left", "发了{a}条，收拾中断的{b}条"),
    ("queued {a} reminders for {b} sessions", "排了{a}条提醒，{b}场活动"),
    ("queued {a} reminders for {b} visits", "排了{a}条提醒，{b}次上门"),
    (
        "took up {a} requests, {b} overdue visits and {c} conversations, ended {d} proposals and"
        " {e} silent conversations",
        "上报了{a}个上门申请、{b}次过期的上门、{c}段留言；结束了{d}个没答复的改期、{e}段没下文的留言",
    ),
    (
        "ended {a} offers, made {b}, told {c} that it is over",
        "收回{a}个过期的名额，递补{b}个，告诉{c}家不用再等",
    ),
    (
        "proposed sessions for {a} plans, nudged {b} families, signed up for {c} plans",
        "给{a}份年度计划配了场次，提醒{b}户，替{c}户直接报了名",
    ),
    (
        "entered classes for {a} learners, nudged {b} learners",
        "给{a}人记了祖辈课堂，提醒{b}人",
    ),
    ("the course has no lessons", "课程还没有课"),
    (
        "planned {a} packs, queued {b} messages, ended {c} that waited",
        "排了{a}份资料，{b}条进了队列，{c}份不再等",
    ),
    ("no mini program", "没有接小程序"),
    ("learnt {a}", "认出{a}人"),
    (
        "emptied {a} notices and {b} imported files, deleted {c} done tasks and {d} conversations"
        " and {e} messages not understood, retired {f} families",
        "清空{a}条通知、{b}个导入的文件；删了{c}件办完的事、{d}段留言、{e}句没听懂的话；{f}户到期",
    ),
    (
        "counted {a} families anew, added {b} changes of packs",
        "重算了{a}家，加了{b}条资料的变动",
    ),
    ("froze {a}", "存了{a}的档"),
    ("last month is frozen already", "上个月存过档了"),
    (
        "deleted {a} callbacks, {b} invitations, {c} answers and {d} log-ins;"
        " marked {e} places as missed",
        "删了{a}条回调、{b}个邀请、{c}个答复、{d}处到期的登录；{e}个名额记了没来",
    ),
)
NOTHING: Final = "没有要办的"


def say_outcome(outcome: str) -> str:
    """In Chinese; as it stands where a job says what is not among OUTCOMES."""
    for pattern, words in _patterns():
        found = pattern.fullmatch(outcome)
        if found is None:
            continue
        values = found.groupdict()
        if values and set(values.values()) == {"0"}:
            return NOTHING
        return words.format(**values)
    return outcome


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(re.sub(r"\\\{(\w)\\\}", r"(?P<\1>[\\d-]+)", re.escape(english))), chinese)
        for english, chinese in OUTCOMES
    )
