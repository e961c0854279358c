"""What our notices say: in full for the chat, and in fields for a template message."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.clock import SHANGHAI
from app.models.notice_facts import (
    CaregiverJoined,
    LateReply,
    NoticeFacts,
    SessionChanged,
    SignUpCancelledByStaff,
    SignUpConfirmed,
    SignUpDeclined,
)
from app.words.when import say_when

RELATIONS = {
    "mother": "宝宝的妈妈",
    "father": "宝宝的爸爸",
    "grandmother": "宝宝的奶奶或外婆",
    "grandfather": "宝宝的爷爷或外公",
}


class Field(StrEnum):
    """What a line of a template message is about; which line it is, the account's own
    template decides."""

    TITLE = "title"
    WHEN = "when"
    WAS = "was"
    PLACE = "place"
    CHILD = "child"
    REASON = "reason"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """One notice in words. Fields are not cut yet: that depends on the template's line."""

    text: str
    fields: tuple[tuple[Field, str], ...] = ()
    """Empty where the notice cannot be said in a template's lines."""


def render(facts: NoticeFacts) -> NoticeWords:
    """The notice in words: what happened, when and where, and what to do next."""
    match facts:
        case SignUpConfirmed():
            return _confirmed(facts)
        case SignUpDeclined():
            return _declined(facts)
        case SignUpCancelledByStaff():
            return _cancelled(facts)
        case SessionChanged():
            return _changed(facts)
        case LateReply():
            return NoticeWords(text=facts.text)
        case CaregiverJoined():
            who = RELATIONS.get(facts.relation or "", "您邀请的家人")
            return NoticeWords(
                text=f"{who}已经加入您的家庭，也能报名和查看预约了。\n想看家里的登记，请回复「我的信息」。"
            )


def _confirmed(facts: SignUpConfirmed) -> NoticeWords:
    return NoticeWords(
        text=(
            f"报名确认啦！{facts.nickname}可以来参加「{facts.title}」。\n"
            f"时间：{say_when(facts.starts_at)}\n"
            f"地点：{_where(facts.place, facts.address)}\n"
            f"{_call('电话：', facts.phone)}"
            "请提前10分钟到，带好宝宝的水杯和替换衣服。\n"
            f"不能来请回复「取消 {facts.code}」，把名额让给别的宝宝。"
        ),
        fields=(
            (Field.TITLE, facts.title),
            (Field.WHEN, _for_template(facts.starts_at)),
            (Field.PLACE, facts.place),
            (Field.CHILD, facts.nickname),
            (Field.PHONE, facts.phone),
        ),
    )


def _declined(facts: SignUpDeclined) -> NoticeWords:
    return NoticeWords(
        text=(
            f"很抱歉，{facts.nickname}这次没能报上「{facts.title}」"
            f"（{say_when(facts.starts_at)}）。\n"
            f"原因：{_sentence(facts.reason)}\n"
            f"{_call('有疑问请打电话：', facts.phone)}"
            "还有别的活动，回复「活动」就能看到。"
        ),
        fields=_refusal(facts.title, facts.starts_at, facts.reason, facts.phone),
    )


def _cancelled(facts: SignUpCancelledByStaff) -> NoticeWords:
    return NoticeWords(
        text=(
            f"很抱歉，{facts.nickname}报名的「{facts.title}」"
            f"（{say_when(facts.starts_at)}）取消了，请不要前往。\n"
            f"原因：{_sentence(facts.reason)}\n"
            f"{_call('有疑问请打电话：', facts.phone)}"
            "想另选一场，请回复「活动」。"
        ),
        fields=_refusal(facts.title, facts.starts_at, facts.reason, facts.phone),
    )


def _changed(facts: SessionChanged) -> NoticeWords:
    return NoticeWords(
        text=(
            f"请注意，{facts.nickname}报名的「{facts.title}」有变动。\n"
            f"原来：{say_when(facts.was_at)}\n"
            f"现在：{say_when(facts.starts_at)}\n"
            f"地点：{_where(facts.place, facts.address)}\n"
            f"{_call('电话：', facts.phone)}"
            f"名额给您留着。来不了请回复「取消 {facts.code}」。"
        ),
        fields=(
            (Field.TITLE, facts.title),
            (Field.WAS, _for_template(facts.was_at)),
            (Field.WHEN, _for_template(facts.starts_at)),
            (Field.PLACE, facts.place),
        ),
    )


def _refusal(
    title: str, starts_at: datetime, reason: str, phone: str
) -> tuple[tuple[Field, str], ...]:
    return (
        (Field.TITLE, title),
        (Field.WHEN, _for_template(starts_at)),
        (Field.REASON, reason),
        (Field.PHONE, phone),
    )


def _where(place: str, address: str) -> str:
    return f"{place}，{address}" if address else place


def _call(lead: str, phone: str) -> str:
    return f"{lead}{phone}\n" if phone else ""


def _sentence(reason: str) -> str:
    """The reason, ended once however it was typed."""
    return reason.strip().rstrip("。.！!") + "。"


def _for_template(at: datetime) -> str:
    """2026年11月28日 09:30: the platform's own form of a time."""
    local = at.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
