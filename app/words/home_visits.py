"""Words for home visits in the chat: asking, choosing, cancelling, and reporting a birth."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from app import errors as e
from app.errors import HalfDayOffer
from app.words.visit_signs import HALVES, RISKS, STATES
from app.words.visit_words import teacher
from app.words.when import say_day, say_when


def half_day(day: date, half: str | None, today: date | None = None) -> str:
    """12月3日（周四）上午."""
    return say_day(day, today) + (HALVES[half] if half else "")


def choices(offers: Sequence[HalfDayOffer], nickname: str, due_on: date | None, page: str) -> str:
    """The half-days to choose from, numbered."""
    lines = [f"老师上门来看{nickname}，这些时间能约（回复前面的数字）："]
    lines += _numbered(offers)
    lines.append("别的日子直接说，例如：上门 12月3日 上午。不约了，回复「取消」。")
    lines.append(f"要选几点钟，点开：{page}")
    if due_on is not None:
        lines.append(f"最好在{say_day(due_on)}前上门。")
    return "\n".join(lines)


def see_page(page: str) -> str:
    """Where the visit, the visitor's photograph and other times are shown."""
    return f"老师的照片和别的时间，点开看：{page}"


def _numbered(offers: Iterable[HalfDayOffer]) -> list[str]:
    return [
        f"{place}. {half_day(one.day, one.half)}（还能约{one.free}家）"
        for place, one in enumerate(offers, 1)
    ]


def which_half(day: date, offers: Sequence[HalfDayOffer]) -> str:
    """上午 or 下午, where both can be had."""
    return f"{say_day(day)}，上午还是下午？\n" + "\n".join(_numbered(offers))


def choose_again(count: int) -> str:
    return f"请回复1到{count}的数字，或直接说日子，例如：12月3日上午。不约了，回复「取消」。"


def day_unclear(text: str) -> str:
    return f"「{text}」是哪一天，我没看懂。请这样说：上门 12月3日 上午。"


def requested(
    nickname: str,
    starts_at: datetime,
    half: str | None,
    late_for: date | None,
) -> str:
    """A request was taken, and a time is held for it."""
    if half is not None:
        when = f"先给您留了{say_when(starts_at)}左右，老师确认后马上告诉您是谁来。"
    else:
        when = f"先给您留了{say_when(starts_at)}，老师确认后马上告诉您是谁来。"
    late = (
        f"\n{nickname}最好在{say_day(late_for)}前上门，能早一点请再回复「上门」改。"
        if late_for
        else ""
    )
    return f"上门申请已提交：{nickname}\n{when}{late}"


def requested_without_time(
    nickname: str, later: tuple[HalfDayOffer, ...], *, has_visitors: bool
) -> str:
    """A request was taken of which a person has to find the time."""
    why = "这些天都约满了，" if has_visitors else "您那里的时间要老师来排，"
    text = f"上门申请已提交：{nickname}\n{why}已经替您记下，老师会打电话跟您约。"
    if not later:
        return text
    listed = "、".join(half_day(one.day, one.half) for one in later)
    return f"{text}\n想自己选，还能约：{listed}，例如回复：{_say_ask(later[0])}"


def _say_ask(offer: HalfDayOffer) -> str:
    return f"上门 {offer.day.month}月{offer.day.day}日 {HALVES[offer.half]}"


CONTACT_USE = "这两样只给来您家的老师，还有站里、镇里经办的人看，加密保存，上门以后不再显示。"
"""What whoever tells an address consents to. A change of it raises CONTACT_VERSION."""


def ask_contact() -> str:
    return (
        f"还要知道门牌和电话，老师才找得到您。{CONTACT_USE}\n"
        "愿意的话，请一起回复，例如：育麟路18号301室 13800000000\n"
        "不想在这里写，回复「跳过」，老师会另外问您。"
    )


def contact_noted(address: str | None, phone: str | None) -> str:
    what = "和".join(name for name, value in (("住址", address), ("电话", phone)) if value)
    missing = (
        ""
        if address and phone
        else f"\n还差{'电话' if address else '门牌'}，想补就再回复一次；不补也行。"
    )
    return (
        f"记下了{what}，谢谢。{missing}\n看约了什么，回复「我的预约」；不要了，回复「取消上门」。"
    )


def contact_unclear() -> str:
    return "没看出门牌或电话。请这样回复：育麟路18号301室 13800000000；不写，回复「跳过」。"


def say_contact_unclear(error: e.HomeContactUnclear) -> str:
    if error.what == "phone":
        return (
            "电话不太对，请再看一看：手机填11位，例如 13800000000；座机带区号，例如 021-55550101。"
        )
    if error.what == "too_long":
        return "住址太长了，请写短一点，例如：育麟路18号301室。"
    return "没看出门牌，请写到几号几室，例如：育麟路18号301室。"


def contact_saved(address: str | None, phone: str | None) -> str:
    """What the page says after the form."""
    what = "和".join(name for name, value in (("住址", address), ("电话", phone)) if value)
    return f"记下了{what}，谢谢。" if what else "住址和电话都删掉了。"


def contact_skipped() -> str:
    return "好的，老师会另外问您。看约了什么，回复「我的预约」。"


def wished(
    nickname: str,
    wished_on: str,
    *,
    starts_at: datetime | None,
    keeps: datetime | None,
    is_request: bool,
) -> str:
    """Another time was wished: for a request, which has moved, or for a visit that stands until
    staff agree. Without a time, a person finds one."""
    kept = f"原来的{say_when(keeps)}先给您留着，" if keeps else ""
    if starts_at is None:
        return (
            f"上门申请已提交：{nickname}，想改到{wished_on}。\n"
            f"{kept}这个时间要老师来排，会打电话跟您约。"
        )
    if is_request:
        return f"上门申请已提交：{nickname}\n时间改成了{say_when(starts_at)}左右，老师确认后马上告诉您是谁来。"
    return f"上门申请已提交：改到{say_when(starts_at)}。\n{kept}老师同意后马上告诉您。"


def cancelled(starts_at: datetime | None) -> str:
    when = f"{say_when(starts_at)}的上门" if starts_at else "上门申请"
    return f"已取消：{when}。\n以后想要，再回复「上门」。"


def accepted(starts_at: datetime, visitor: str) -> str:
    return f"约好了：{say_when(starts_at)}，{teacher(visitor)}上门。\n电话和暗号马上发给您。"


def other_time() -> str:
    """What a family wishes that names no time."""
    return "别的时间"


def turned_down(keeps: datetime | None) -> str:
    if keeps:
        return f"好的，这个时间不要。原来的{say_when(keeps)}不变。\n想换别的，回复「上门」加日子。"
    return "好的，这个时间不要，老师会再找别的时间。\n您有合适的日子，回复「上门」加日子，例如：上门 12月3日 上午。"


def answered(*, accepts: bool, starts_at: datetime | None, visitor: str, is_kept: bool) -> str:
    """What a family hears when it has said yes or no to the time that staff asked about."""
    if accepts and starts_at and visitor:
        return accepted(starts_at, visitor)
    return turned_down(starts_at if is_kept else None)


def booking_line(nickname: str, state: str, starts_at: datetime | None, visitor: str) -> str:
    """One visit among the family's bookings."""
    when = say_when(starts_at) if starts_at else "时间待定"
    who = f"，{teacher(visitor)}" if visitor and state in ("confirmed", "en_route") else ""
    return f"· 上门指导：{when}，{nickname}{who} —— {STATES[state]}"


def bookings_tail() -> str:
    return "改上门的时间，回复「上门」加日子；不要了，回复「取消上门」。"


def ask_birth_date(nickname: str) -> str:
    return f"恭喜！{nickname}是哪天出生的？例如：生了 11月20日，11月23日出院，39周，3300克。"


def born(
    nickname: str,
    birth: date,
    discharged: date | None,
    risks: Sequence[str],
    due_on: date | None,
    is_in_hospital: bool,
) -> str:
    """A birth was noted, with what follows from it."""
    lines = [f"恭喜！记下了：{nickname}，{birth.month}月{birth.day}日出生。"]
    if discharged:
        lines.append(f"{discharged.month}月{discharged.day}日出院。")
    elif is_in_hospital:
        lines.append("出院了请再说一声，例如：出院 11月23日。")
    else:
        lines.append("出院日期还不知道，回复「出院」加日子就行，例如：出院 11月23日。")
    if risks:
        named = "、".join(RISKS[each] for each in risks)
        lines.append(f"{nickname}要多照应一些（{named}），老师会早点来、多来几次。")
    if due_on:
        lines.append(f"老师最好在{say_day(due_on)}前上门。现在就约，回复「上门」。")
    else:
        lines.append("看能报的活动，回复「活动」。")
    return "\n".join(lines)


def ask_twin_name(nickname: str) -> str:
    return f"是双胞胎，太好了！另一个宝宝小名叫什么？（{nickname}已经登记；还没起名就说「二宝」）"


def twin_registered(first: str, second: str, due_on: date | None) -> str:
    when = f"老师最好在{say_day(due_on)}前上门，一次看两个。" if due_on else ""
    return f"{second}也登记好了，和{first}一起照应。{when}\n现在就约，回复「上门」。"


def nobody_born() -> str:
    return "还没有登记宝宝。先回复「登记」，例如：登记 糖糖 2026-11-20 女 城桥镇。"


def nobody_to_visit() -> str:
    """After a loss: nothing about the child, and nothing to fill in."""
    return "现在没有要安排的上门，老师不会上门打扰。有什么需要，回复「人工」，老师会联系您。"


def which_newborn(names: Sequence[str]) -> str:
    return f"是哪个宝宝？请带上小名再说一次：{'、'.join(names)}。"


def special_noted(nickname: str, answer: str) -> str:
    """What follows from it: a visit is owed, one was made this year (visited), or the child is
    not born yet (expected)."""
    noted = f"记下了，{nickname}家有特殊需要，情况只给经办的老师看。\n"
    match answer:
        case "visited":
            return (
                f"{noted}今年的上门已经来过了，还要老师来或者有别的难处，请回复「人工」找老师商量。"
            )
        case "expected":
            return (
                f"{noted}宝宝出生以后老师就上门。生了请说一声，例如：生了 11月20日，11月23日出院。"
            )
    return f"{noted}老师会上门来看看能帮什么。现在就约时间，回复「上门」。"


def ask_special() -> str:
    return (
        "家里有特殊需要，可以申请老师上门。是哪方面？例如：特殊需求 听力。\n"
        "不想说明也行，回复「特殊需求 不说明」。不用发病历。"
    )


def rated(score: int) -> str:
    if score == 3:
        return "对不起，这次没让您满意。站里的老师会联系您，听听哪里没做好。"
    return "谢谢您告诉我们！有事随时说，回复「人工」找老师。"


def ask_rating() -> str:
    return "这次上门怎么样？回复「评价 好」「评价 一般」或「评价 不好」，也可以接着写几句。"


def nothing_to_rate() -> str:
    return "还没有可以评价的上门。要约老师上门，回复「上门」。"


def _instead(nearest: tuple[HalfDayOffer, ...]) -> str:
    if not nearest:
        return "\n最近都约满了，请回复「人工」，老师来想办法。"
    listed = "、".join(half_day(one.day, one.half) for one in nearest)
    return f"\n最近能约：{listed}。\n例如回复：{_say_ask(nearest[0])}"


def say_no_claim(error: e.NoVisitClaim) -> str:
    if error.reason == "expected":
        return (
            f"不符合上门条件：{error.nickname}还没出生。\n"
            "生了请说一声，例如：生了 11月20日，11月23日出院，39周，3300克。到时候就能约。"
        )
    if error.reason == "visited" and error.visited_on:
        return (
            f"不符合上门条件：今年的上门已经在{say_day(error.visited_on)}来过了。\n"
            "有难处请回复「人工」找老师；想见老师，回复「活动」看附近的活动。"
        )
    if error.reason == "not_yet" and error.opens_on:
        return (
            f"不符合上门条件：老师刚来过，{error.nickname}下一次从{say_day(error.opens_on)}起能约。\n"
            f"例如回复：上门 {error.opens_on.month}月{error.opens_on.day}日 上午。"
            "等不及，回复「人工」找老师。"
        )
    if error.reason == "over_three":
        return (
            f"不符合上门条件：老师上门只到3岁以前，{error.nickname}已经满3岁了，这次没有记下。\n"
            "有难处请回复「人工」，站里的老师告诉您还能找谁。"
        )
    if error.reason == "too_old":
        return (
            f"不符合上门条件：上门是给新生儿当年安排的，{error.nickname}已经过了。\n"
            "家里有特殊需要的，3岁前都能申请：回复「特殊需求」。想见老师，回复「活动」。"
        )
    if error.reason == "lost":
        return nobody_to_visit()
    return "不符合上门条件：还没有登记宝宝。回复「登记」，两分钟就好。"


def say_next_unlikely(error: e.NextVisitUnlikely) -> str:
    return (
        f"「还要在哪天前再来」填的是{say_day(error.next_on)}，要在{say_day(error.earliest)}"
        f"和{say_day(error.latest)}之间：再往后有卫生院的体检接着看，满3岁也不再上门。请改一改，或者空着。"
    )


def say_day_past(error: e.VisitDayPast) -> str:
    return f"不符合上门条件：{say_day(error.day)}已经过去了，或者来不及安排了。{_instead(error.nearest)}"


def say_too_far(error: e.VisitDayTooFar) -> str:
    return f"不符合上门条件：{say_day(error.day)}太远了，上门只能约{error.horizon_days}天以内的。{_instead(error.nearest)}"


def say_day_off(error: e.VisitDayOff) -> str:
    why = f"是{error.name}，" if error.name else ""
    return f"不符合上门条件：{say_day(error.day)}{why}老师不上门。{_instead(error.nearest)}"


def say_half_full(error: e.VisitHalfFull) -> str:
    return f"该时段已满：{half_day(error.day, error.half)}没有空了。{_instead(error.nearest)}"


def say_already_open(error: e.VisitAlreadyOpen) -> str:
    when = say_when(error.starts_at) if error.starts_at else "时间待定"
    return (
        f"您家已经有一次上门：{when}，{STATES[error.state]}。\n"
        "要改时间，回复「上门」加日子；不要了，回复「取消上门」。"
    )


def say_decided(error: e.VisitAlreadyDecided) -> str:
    who = error.by or "家长自己"
    at = f"在{say_when(error.at)}" if error.at else "已经"
    what = (
        f"，{say_when(error.starts_at)}，{teacher(error.visitor or '')}去"
        if error.starts_at
        else ""
    )
    return f"这一次上门{who}{at}处理过了，现在是「{STATES[error.state]}」{what}。"


def say_too_late(error: e.VisitTooLateToCancel) -> str:
    if error.starts_at is not None:
        return (
            f"约的是{say_when(error.starts_at)}，时间已经到了，不能在这里取消。\n"
            f"老师没来，请直接打电话：{error.phone}；想另约，回复「上门」加日子。"
        )
    return f"{teacher(error.visitor)}已经在路上了，不能在这里取消。请直接打电话：{error.phone}。"


def say_birth_unlikely(error: e.BirthReportUnlikely) -> str:
    if error.what == "weight":
        return f"出生体重{error.text}克不太对，请再看一看，例如：3300克，或6斤6两。"
    if error.what == "discharged_before_birth":
        return "出院日期在出生以前，请再看一看，例如：生了 11月20日，11月23日出院。"
    return "出院日期还没到呢。回家以后再说一声就行，例如：出院 11月23日。"
