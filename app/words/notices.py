"""What our notices say: in full for the chat, and in fields for a template message."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.clock import SHANGHAI
from app.models.notice_facts import (
    AgedOut,
    CaregiverJoined,
    CertificateChanged,
    CourseEnrolledByStaff,
    CourseModulePassed,
    CourseNudge,
    LateReply,
    NoticeFacts,
    PackDue,
    PlanProposed,
    PlanSession,
    PlanTaken,
    SessionChanged,
    SessionReminder,
    SignUpCancelledByStaff,
    SignUpConfirmed,
    SignUpDeclined,
    SignUpOffered,
    SignUpOfferExpired,
    StaffAnswer,
    ThreadLate,
    WaitingEnded,
    YearPlanNudge,
)
from app.models.visit_facts import VisitFacts
from app.words import course, threads
from app.words.calendar import gone_line, link_line
from app.words.packs import age_of, push
from app.words.visit_notices import visit_text
from app.words.visit_words import code_word
from app.words.when import say_age, say_age_range, say_time, say_when
from app.words.year_plan import nudge_words, proposed_words, taken_words

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
    UNTIL = "until"
    HINT = "hint"
    PHONE = "phone"
    AGE = "age"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """One notice in words. Fields are not cut yet: that depends on the template's line."""

    text: str
    fields: tuple[tuple[Field, str], ...] = ()
    """Empty where the notice cannot be said in a template's lines."""


def render(facts: NoticeFacts, calendar_url: str = "", page_url: str = "") -> NoticeWords:
    """The notice in words: what happened, when and where, and what to do next.

    With the link to the sign-up's calendar file, or to a pack's page, where one is given and
    of use.
    """
    if isinstance(facts, VisitFacts):
        return _of_visit(facts)
    match facts:
        case SignUpConfirmed():
            return _confirmed(facts, calendar_url)
        case SignUpDeclined():
            return _declined(facts)
        case SignUpCancelledByStaff():
            return _cancelled(facts, calendar_url)
        case SignUpOffered():
            return _offered(facts)
        case SignUpOfferExpired():
            return _offer_expired(facts)
        case WaitingEnded():
            return _waiting_ended(facts)
        case SessionChanged():
            has_place = not facts.is_waiting and facts.offer_until is None
            return _changed(facts, calendar_url if has_place else "")
        case SessionReminder():
            return _reminder(facts, calendar_url)
        case PlanProposed():
            return _of_plan(proposed_words(facts), facts.sessions[0], "回复「同意计划」就报上")
        case PlanTaken():
            return _of_plan(
                taken_words(facts), facts.sessions[0], "已按您说的报上，去不了请早点取消"
            )
        case YearPlanNudge():
            return _of_plan(nudge_words(facts), facts.first, "回复「年度计划」一次排好")
        case CourseModulePassed():
            return NoticeWords(
                text=course.module_news(facts),
                fields=(
                    (Field.TITLE, f"七会课程：{facts.name}"),
                    (Field.HINT, "家里老人学完了这一会"),
                ),
            )
        case CourseNudge():
            return NoticeWords(
                text=course.nudge(facts),
                fields=(
                    (Field.TITLE, f"七会课程：{facts.lesson or facts.module}"),
                    (Field.HINT, "回复「下一课」接着学"),
                ),
            )
        case CourseEnrolledByStaff():
            return NoticeWords(text=course.enrolled_by_staff(facts))
        case CertificateChanged():
            return NoticeWords(text=course.certificate_changed(facts))
        case PackDue():
            return NoticeWords(
                text=push(facts, page_url),
                fields=(
                    (Field.TITLE, facts.title),
                    (Field.AGE, age_of(facts.from_days, facts.until_days)),
                    (Field.CHILD, "、".join(facts.nicknames)),
                    (Field.HINT, "点开看全文，或回复资料"),
                ),
            )
        case LateReply():
            return NoticeWords(text=facts.text)
        case StaffAnswer():
            return NoticeWords(text=threads.staff_answer(facts.text, facts.who))
        case ThreadLate():
            return NoticeWords(text=threads.late(facts.phone))
        case CaregiverJoined():
            who = RELATIONS.get(facts.relation or "", "您邀请的家人")
            return NoticeWords(
                text=f"{who}已经加入您的家庭，也能报名和查看预约了。\n想看家里的登记，请回复「我的信息」。"
            )


def _confirmed(facts: SignUpConfirmed, calendar_url: str) -> NoticeWords:
    return NoticeWords(
        text=(
            f"报名确认啦！{facts.nickname}可以来参加「{facts.title}」。\n"
            f"时间：{say_when(facts.starts_at)}\n"
            f"地点：{_where(facts.place, facts.address)}\n"
            f"{_call('电话：', facts.phone)}"
            f"{link_line(calendar_url)}"
            "请提前10分钟到，带好宝宝的水杯和替换衣服。\n"
            + _leaving(
                facts.can_cancel,
                f"不能来请回复「取消 {facts.code}」，把名额让给别的宝宝。",
            )
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


def _cancelled(facts: SignUpCancelledByStaff, calendar_url: str) -> NoticeWords:
    if facts.aged_out is not None:
        return _aged_out(facts, facts.aged_out, calendar_url)
    return NoticeWords(
        text=(
            f"很抱歉，{facts.nickname}报名的「{facts.title}」"
            f"（{say_when(facts.starts_at)}）取消了，请不要前往。\n"
            f"原因：{_sentence(facts.reason)}\n"
            f"{_call('有疑问请打电话：', facts.phone)}"
            f"{gone_line(calendar_url)}"
            "想另选一场，请回复「活动」。"
        ),
        fields=_refusal(facts.title, facts.starts_at, facts.reason, facts.phone),
    )


def _aged_out(facts: SignUpCancelledByStaff, why: AgedOut, calendar_url: str) -> NoticeWords:
    months = why.age_months
    age = "还没出生" if months is None else f"是{say_age(months)}"
    wanted = say_age_range(why.min_months, why.max_months)
    moved = (
        f"从{say_when(why.was_at)}改到了{say_when(facts.starts_at)}"
        if why.was_at != facts.starts_at
        else "改了适合的月龄"
    )
    return NoticeWords(
        text=(
            f"请注意，{facts.nickname}报名的「{facts.title}」{moved}。\n"
            f"{facts.nickname}那天{age}，这场给{wanted}的宝宝，很抱歉名额不能留了。\n"
            f"{_call('有疑问请打电话：', facts.phone)}"
            f"{gone_line(calendar_url)}"
            "想另选一场，请回复「活动」。"
        ),
        fields=_refusal(facts.title, facts.starts_at, "改期后宝宝月龄不符", facts.phone),
    )


def _offered(facts: SignUpOffered) -> NoticeWords:
    return NoticeWords(
        text=(
            f"好消息！「{facts.title}」（{facts.code}）有名额了，轮到{facts.nickname}了。\n"
            f"{_moved_from(facts.was_at, facts.starts_at)}"
            f"时间：{say_when(facts.starts_at)}\n"
            f"地点：{_where(facts.place, facts.address)}\n"
            f"名额给您留到{say_when(facts.until)}。\n"
            "要来，请回复「接受」；不来，请回复「放弃」，让给下一家。"
        ),
        fields=(
            (Field.TITLE, facts.title),
            (Field.WHEN, _for_template(facts.starts_at)),
            (Field.UNTIL, _for_template(facts.until)),
            (Field.HINT, "要来回复接受，不来回复放弃"),
        ),
    )


def _moved_from(was_at: datetime | None, starts_at: datetime) -> str:
    if was_at is None:
        return ""
    before = f"，原来是{say_when(was_at)}" if was_at != starts_at else ""
    return f"请注意，这一场改过了{before}，看清时间和地点。\n"


def _offer_expired(facts: SignUpOfferExpired) -> NoticeWords:
    return NoticeWords(
        text=(
            f"「{facts.title}」（{say_when(facts.starts_at)}）给{facts.nickname}留的名额到时间了，"
            "没等到您的回复，已经让出来。\n"
            f"还想来，请回复「报名 {facts.code}」再排一次；看别的活动，回复「活动」。"
        ),
        fields=(),
    )


def _waiting_ended(facts: WaitingEnded) -> NoticeWords:
    return NoticeWords(
        text=(
            f"很抱歉，{facts.nickname}候补的「{facts.title}」（{say_when(facts.starts_at)}）"
            "没有等到名额，不用再等了。\n"
            "想另选一场，请回复「活动」；要老师帮着排，回复「年度计划」。"
        ),
        fields=(),
    )


def _changed(facts: SessionChanged, calendar_url: str) -> NoticeWords:
    return NoticeWords(
        text=(
            f"请注意，{facts.nickname}报名的「{facts.title}」有变动。\n"
            f"{_what_changed(facts)}"
            f"{_call('电话：', facts.phone)}"
            f"{link_line(calendar_url)}"
            f"{_how_it_stands(facts)}"
        ),
        fields=(
            (Field.TITLE, facts.title),
            (Field.WAS, _for_template(facts.was_at)),
            (Field.WHEN, _for_template(facts.starts_at)),
            (Field.PLACE, facts.place),
        ),
    )


def _what_changed(facts: SessionChanged) -> str:
    """Old and new, of what is another now: who reads that twice the same is none the wiser."""
    where = _where(facts.place, facts.address)
    ends = f"到{say_time(facts.ends_at)}" if facts.ends_at else ""
    if facts.was_at != facts.starts_at:
        time = f"原来：{say_when(facts.was_at)}\n现在：{say_when(facts.starts_at)}\n"
    elif facts.was_place:
        time = f"时间不变：{say_when(facts.starts_at)}\n"
    else:
        time = f"开始不变，结束改了：{say_when(facts.starts_at)}{ends}\n"
    if facts.was_place:
        return f"{time}地点改了，原来在{facts.was_place}\n现在在：{where}\n"
    return f"{time}地点：{where}\n"


def _how_it_stands(facts: SessionChanged) -> str:
    """What becomes of the place, and what to do: who has none yet may leave at any time."""
    if facts.is_waiting:
        return f"您的候补还在。不等了，请回复「取消 {facts.code}」。"
    if facts.offer_until is not None:
        return (
            f"给您的名额还留到{say_when(facts.offer_until)}："
            "要来，请回复「接受」；不来，请回复「放弃」。"
        )
    leaving = _leaving(facts.can_cancel, f"来不了请回复「取消 {facts.code}」。")
    return f"名额给您留着。{leaving}"


def _reminder(facts: SessionReminder, calendar_url: str) -> NoticeWords:
    who = "、".join(facts.nicknames)
    about = (
        f"时间：{say_when(facts.starts_at)}\n"
        f"地点：{_where(facts.place, facts.address)}\n"
        f"{_call('电话：', facts.phone)}"
    )
    if facts.kind == "reminder_24h":
        text = (
            f"提醒您：{who}报的「{facts.title}」快到了。\n{about}"
            f"{link_line(calendar_url)}"
            + _leaving(
                facts.can_cancel,
                f"来不了请早点回复「取消 {facts.code}」，把名额让给别的宝宝。",
            )
        )
    else:
        text = (
            f"{who}今天的「{facts.title}」快开始了，别忘了出门。\n{about}"
            "到了请扫现场的二维码签到。临时来不了，请告诉老师一声。"
        )
    return NoticeWords(
        text=text,
        fields=(
            (Field.TITLE, facts.title),
            (Field.WHEN, _for_template(facts.starts_at)),
            (Field.PLACE, facts.place),
            (Field.CHILD, who),
            (Field.PHONE, facts.phone),
        ),
    )


def _of_plan(text: str, first: PlanSession, hint: str) -> NoticeWords:
    return NoticeWords(
        text=text,
        fields=(
            (Field.TITLE, first.title),
            (Field.WHEN, _for_template(first.starts_at)),
            (Field.PLACE, first.place),
            (Field.HINT, hint),
        ),
    )


def _of_visit(facts: VisitFacts) -> NoticeWords:
    fields = [(Field.CHILD, facts.nickname), (Field.TITLE, "上门指导")]
    if facts.starts_at is not None:
        fields.append((Field.WHEN, _for_template(facts.starts_at)))
    if facts.visitor:
        fields += [
            (Field.PERSON, facts.visitor),
            (Field.PHONE, facts.visitor_phone),
            (Field.HINT, f"暗号：{code_word(facts.code_word)}"),
        ]
    return NoticeWords(text=visit_text(facts), fields=tuple(fields))


def _refusal(
    title: str, starts_at: datetime, reason: str, phone: str
) -> tuple[tuple[Field, str], ...]:
    return (
        (Field.TITLE, title),
        (Field.WHEN, _for_template(starts_at)),
        (Field.REASON, reason),
        (Field.PHONE, phone),
    )


def _leaving(can_cancel: bool, word: str) -> str:
    """How to give a place back: by a word, or after the deadline by telephone (it stands above)."""
    return word if can_cancel else "已过取消时间，来不了请打电话告诉老师。"


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
