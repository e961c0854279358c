"""Words for finding sessions, signing up and cancelling."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.words.calendar import link_line
from app.words.when import say_age_range, say_near, say_when

STATES = {
    "requested": "待确认",
    "confirmed": "已报名",
    "waitlisted": "候补中",
    "offered": "有名额等您接受",
    "attended": "已参加",
    "no_show": "没来",
    "cancelled": "已取消",
    "declined": "没有通过",
    "expired": "已过期",
}


@dataclass(frozen=True, slots=True)
class SessionLine:
    code: str
    title: str
    starts_at: datetime
    station: str
    address: str
    places_left: int
    waiting: int
    can_wait: bool
    min_months: int
    max_months: int
    opens_at: datetime
    fits: tuple[str, ...]
    signed_up: tuple[str, ...]


def none_like_that() -> str:
    return "没找到您说的那一场。"


def is_it_this(
    *,
    title: str,
    code: str,
    starts_at: datetime,
    station: str,
    nicknames: Sequence[str],
    today: date,
) -> str:
    """The session that free words mean, before anybody is signed up for it."""
    return (
        f"您要报的是这一场吗：\n{title}（{code}）\n{say_when(starts_at, today)} {station}\n"
        f"宝宝：{'、'.join(nicknames)}\n对就回复「是」，马上报上；不对，请说是哪天、哪里的。"
    )


def session_line(place: int, line: SessionLine, now: datetime, several: bool) -> str:
    today = now.date()
    if line.signed_up:
        seats = "已报：" + "、".join(line.signed_up)
    elif now < line.opens_at:
        seats = f"{say_near(line.opens_at, now)}开放报名"
    elif line.places_left:
        seats = f"还有{line.places_left}个名额"
    elif line.can_wait:
        seats = (
            f"名额已满，可以候补（前面{line.waiting}个）" if line.waiting else "名额已满，可以候补"
        )
    else:
        seats = "名额已满"
    who = f"，适合{'、'.join(line.fits)}" if several and line.fits else ""
    return (
        f"{place}. {line.title}（{line.code}）\n"
        f"{say_when(line.starts_at, today)} {line.station}\n"
        f"{say_age_range(line.min_months, line.max_months)}{who}，{seats}"
    )


def sessions_listed(
    lines: Sequence[SessionLine],
    *,
    first: int,
    more: int,
    now: datetime,
    several: bool,
    registered: bool,
) -> str:
    # A chat bubble is narrow and wraps: blank lines keep the sessions apart, indents do not.
    listed = "\n\n".join(
        session_line(place, line, now, several) for place, line in enumerate(lines, first)
    )
    how = (
        f"要报名，回复前面的数字，或「报名 {lines[0].code}」。"
        if registered
        else "要报名，先回复「登记」给宝宝登记。"
    )
    rest = f"后面还有{more}场，回复「更多」。" if more else ""
    return f"能参加的活动：\n{listed}\n\n{how}{rest}"


def no_sessions(registered: bool) -> str:
    if registered:
        return "眼下没有适合您家宝宝月龄的活动。有新的会在这里，过几天再回复「活动」看看，或回复「人工」问老师。"
    return "眼下没有可以报名的活动，过几天再回复「活动」看看。先登记宝宝，回复「登记」。"


def no_more() -> str:
    return "后面没有了。从头看，回复「活动」。"


def choose_again(count: int) -> str:
    return f"请回复1到{count}的数字选一场，或「报名 编号」。不报了，回复「取消」。"


def signed_up(
    *,
    state: str,
    nicknames: Sequence[str],
    title: str,
    code: str,
    starts_at: datetime,
    station: str,
    address: str,
    cancel_until: datetime,
    today: date,
    calendar_url: str = "",
    phone: str | None = None,
) -> str:
    """`phone` is the station's, where it is too late to cancel by a word; else None."""
    who = "、".join(nicknames)
    about = f"{title}（{code}）\n{say_when(starts_at, today)}\n{station}，{address}"
    if state == "confirmed":
        leaving = (
            f"去不了请在{say_when(cancel_until, today)}前回复「取消 {code}」，把名额让给别人家。"
            if phone is None
            else cannot_come(phone)
        )
        return f"报名成功！{who}\n{about}\n{link_line(calendar_url)}一位大人陪一个宝宝来。{leaving}"
    leaving = f"去不了，回复「取消 {code}」。" if phone is None else cannot_come(phone)
    return f"名额给您留着，待确认。{who}\n{about}\n老师确认后马上告诉您。{leaving}"


def cannot_come(phone: str) -> str:
    """What to do after the deadline for giving a place back."""
    call = f"打电话 {phone}" if phone else "回复「人工」"
    return f"已过取消时间，去不了请{call}告诉老师。"


def which_child(code: str, nicknames: Sequence[str]) -> str:
    listed = "\n".join(f"{place}. {name}" for place, name in enumerate(nicknames, 1))
    return f"给哪个宝宝报「{code}」？回复数字：\n{listed}\n{len(nicknames) + 1}. 都去"


def which_to_cancel(code: str, nicknames: Sequence[str]) -> str:
    listed = "、".join(nicknames)
    return (
        f"{listed}都报了「{code}」，取消谁的？\n"
        f"回复「取消 {code} {nicknames[0]}」，都不去就回复「取消 {code} 全部」。"
    )


@dataclass(frozen=True, slots=True)
class BookingLine:
    code: str
    title: str
    starts_at: datetime
    station: str
    nickname: str
    state: str
    position: int | None
    """In the waiting list, from 1."""
    offer_until: datetime | None
    may_leave: bool = True
    """Whether it is still to come, and a word gives it back."""
    phone: str = ""
    """The station's, for who may not."""


def how_it_stands(line: BookingLine, now: datetime) -> str:
    if line.state == "waitlisted" and line.position is not None:
        return f"候补第{line.position}位"
    if line.state == "offered" and line.offer_until is not None:
        if now >= line.offer_until:
            return "留的名额已过期"
        return f"有名额，留到{say_near(line.offer_until, now)}，要来回复「接受」"
    return STATES[line.state]


def my_bookings(
    lines: Sequence[BookingLine], year: int, attended: int, target: int, now: datetime
) -> str:
    today = now.date()
    listed = "\n".join(
        f"· {say_when(line.starts_at, today)} {line.title}（{line.code}）\n"
        f"{line.nickname}，{line.station}：{how_it_stands(line, now)}"
        for line in lines
    )
    return f"您约了这些：\n{listed}\n{year}年已参加{attended}/{target}次。{_leaving(lines)}"


def _leaving(lines: Sequence[BookingLine]) -> str:
    """How what is booked is given back: by a word, and after a session's deadline by telephone."""
    coming = [line for line in lines if line.state != "attended"]
    free = next((line for line in coming if line.may_leave), None)
    late = next((line for line in coming if not line.may_leave), None)
    by_word = f"去不了，回复「取消 {free.code}」。" if free else ""
    by_phone = cannot_come(late.phone) if late else ""
    if free and late:
        return f"{by_word}\n{late.title}（{late.code}）{by_phone}"
    return by_word or by_phone


def no_bookings(year: int, attended: int, target: int) -> str:
    return f"您现在没有约活动。{year}年已参加{attended}/{target}次。\n看能报的活动，回复「活动」。"


def cancelled(code: str, title: str, nicknames: Sequence[str]) -> str:
    return f"已取消：{title}（{code}），{'、'.join(nicknames)}。\n想换一场，回复「活动」。"


def say_which_to_cancel(code: str) -> str:
    return f"要取消哪一场？回复「取消 编号」，例如「取消 {code}」。"


def reschedule(code: str | None) -> str:
    """How to move to another session; without a code, where nothing is booked."""
    if code is None:
        return "您现在没有约活动。看能报的，回复「活动」。"
    return f"改时间分两步：先回复「活动」报上新的一场，再回复「取消 {code}」退掉原来的。"
