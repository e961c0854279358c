"""Words for the year plan: how a family's year stands, what is proposed, what was signed up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.models.notice_facts import PlanProposed, PlanTaken, YearPlanNudge
from app.words.when import say_when

ROOM_BYTES = 1_900
"""The platform takes about 2,000; a line may be added behind."""
DETAILS = ((14, 10), (12, 0), (8, 0), (5, 0))
"""Characters of a title and of a station's name, most first: a long list says less of each."""
STANDS = {"confirmed": "已报名", "requested": "待确认", "waitlisted": "候补", "offered": "候补"}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One proposed session."""

    code: str
    title: str
    starts_at: datetime
    station: str
    township: str = ""
    """Where it is not the family's own."""
    over_water: bool = False
    is_waiting: bool = False
    few_seats: bool = False


@dataclass(frozen=True, slots=True)
class ArrangedLine:
    """One session that is signed up for."""

    code: str
    title: str
    starts_at: datetime
    state: str
    may_leave: bool = True
    """Whether a word gives the place back."""


@dataclass(frozen=True, slots=True)
class YearStands:
    """How a family's year stands."""

    year: int
    attended: int
    arranged: int
    waiting: int
    target: int
    today: date


def plan_shown(
    stands: YearStands,
    coming: Sequence[ArrangedLine],
    proposed: Sequence[PlanLine],
    *,
    nickname: str,
    short: int,
    has_plan: bool,
    takes: bool = False,
    lead: str = "",
) -> str:
    """The year so far, what is arranged, and what is proposed, with how to answer."""

    def build(title: int, station: int) -> str:
        parts = [lead, _how_it_stands(stands)] if lead else [_how_it_stands(stands)]
        if coming:
            parts.append("约好的：\n" + "\n".join(_arranged(line, title) for line in coming))
        if proposed:
            listed = "\n".join(
                _proposed(place, line, title, station) for place, line in enumerate(proposed, 1)
            )
            parts.append(f"给{nickname}再排{len(proposed)}场：\n{listed}")
        parts.append(_what_next(stands, proposed, coming, nickname, short, has_plan, takes))
        return "\n".join(parts)

    return _fitting(build)


def _fitting(build: Callable[[int, int], str]) -> str:
    text = ""
    for title, station in DETAILS:
        text = build(title, station)
        if len(text.encode()) <= ROOM_BYTES:
            break
    return text


def _how_it_stands(stands: YearStands) -> str:
    rest = f"，约好{stands.arranged}场" if stands.arranged else ""
    waits = f"，候补{stands.waiting}场" if stands.waiting else ""
    return f"{stands.year}年度计划：已参加{stands.attended}/{stands.target}次{rest}{waits}。"


def _short(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _arranged(line: ArrangedLine, title: int) -> str:
    state = STANDS.get(line.state, "")
    said = f"，{state}" if state and line.state != "confirmed" else ""
    return f"· {say_when(line.starts_at)} {_short(line.title, title)}（{line.code}）{said}"


def _proposed(place: int, line: PlanLine, title: int, station: int) -> str:
    where = f" {_short(line.station, station)}" if station else ""
    return (
        f"{place}. {say_when(line.starts_at)} {_short(line.title, title)}（{line.code}）"
        f"{where}{_remark(line)}"
    )


def _remark(line: PlanLine) -> str:
    if line.is_waiting:
        return "〔满了，先候补〕"
    if line.over_water:
        return f"〔在{line.township}，要坐船〕"
    if line.township:
        return f"〔在{line.township}〕"
    return "〔名额不多〕" if line.few_seats else ""


def _what_next(
    stands: YearStands,
    proposed: Sequence[PlanLine],
    coming: Sequence[ArrangedLine],
    nickname: str,
    short: int,
    has_plan: bool,
    takes: bool,
) -> str:
    missing = stands.target - stands.attended - stands.arranged
    december = (
        "今年排不下的，1月1日起再回复「年度计划」，排明年的。" if stands.today.month == 12 else ""
    )
    if proposed:
        number = min(2, len(proposed))
        then = "会直接给您报上" if takes else "再问您"
        rest = f"还差{short}场，有合适的开放了{then}。{december}\n" if short else ""
        return (
            f"{rest}回复「同意」，一次全报上。想换回复「换 {number}」，"
            f"不要哪场回复「不要 {number}」，先不排回复「取消」。"
        )
    if missing <= 0:
        done = (
            "今年的次数都参加满了，真好！"
            if stands.attended >= stands.target
            else "今年的都排好了。"
        )
        free = next((line for line in coming if line.may_leave), None)
        more = f"去不了回复「取消 {free.code}」，会再给您补。" if free else ""
        return f"{done}{more}想多参加几次，回复「活动」。"
    none = f"还差{missing}场，眼下没有适合{nickname}又有名额的。{december}"
    if has_plan:
        return f"{none}\n{_what_then(takes)}想自己找，回复「活动」。"
    return f"{none}\n要我们帮您留意吗？回复「同意」，有合适的开放了就问您；不用就回复「取消」。"


def _what_then(takes: bool) -> str:
    """What happens when something opens, and the word that changes it."""
    if takes:
        return "有合适的开放了，直接给您报上，报完告诉您；想先问您，回复「先问我」。"
    return "有合适的开放了，会在这里问您；不用问、直接报上，回复「自动报名」。"


def which_child(nicknames: Sequence[str]) -> str:
    listed = "\n".join(f"{place}. {name}" for place, name in enumerate(nicknames, 1))
    return f"给哪个宝宝排年度计划？一家人的次数算在一起。回复数字：\n{listed}"


def not_born(nickname: str) -> str:
    return (
        f"{nickname}还没出生，活动要等生下来再排。\n"
        "生下来以后回复「修改」填上生日，再回复「年度计划」。"
    )


def say_how(count: int) -> str:
    example = min(2, count)
    return (
        f"全部报上回复「同意」；换一场回复「换 {example}」；"
        f"不要哪场回复「不要 {example}」；先不排回复「取消」。"
    )


def say_which(count: int) -> str:
    return f"要改哪一场？加上前面的数字，1到{count}，例如「换 1」「不要 1」。"


def swapped() -> str:
    return "换好了，您看看："


def none_to_swap(places: Sequence[int]) -> str:
    listed = "、".join(str(place) for place in places)
    return f"第{listed}场没有别的可以换了，先留着："


def taken_out() -> str:
    return "去掉了，剩下这些："


def nothing_left() -> str:
    return "好的，这几场都不报，什么都没有改。想再排，回复「年度计划」；自己找，回复「活动」。"


def lost(code: str) -> str:
    return f"「{code}」刚刚报不上了，所以先一场都没有报。给您重新排了："


def agreed(
    stands: YearStands,
    made: Sequence[ArrangedLine],
    *,
    nickname: str,
    short: int,
    takes: bool = False,
) -> str:
    """What an agreement has signed up for; with nothing made: the standing request alone."""

    free = next((line for line in made if line.may_leave), None)

    def build(title: int, _station: int) -> str:
        listed = "\n".join(
            f"{place}. {say_when(line.starts_at)} {_short(line.title, title)}（{line.code}）"
            f"：{STANDS[line.state]}"
            for place, line in enumerate(made, 1)
        )
        asked = any(line.state == "requested" for line in made)
        later = "待确认的，老师定了马上告诉您。" if asked else ""
        rest = f"还差{short}场。{_what_then(takes)}" if short else ""
        return (
            f"报名成功！{nickname}的{len(made)}场都报上了：\n{listed}\n"
            f"{_how_it_stands(stands)}{later}{rest}"
            + (f"\n哪场去不了，早点回复「取消 {free.code}」，我们再给您补一场。" if free else "")
        )

    if not made:
        return (
            f"好的，给{nickname}记下了。{_what_then(takes)}\n"
            "想自己找，回复「活动」；不用留意了，回复「停止计划」。"
        )
    return _fitting(build)


def instead(proposed: Sequence[PlanLine]) -> str:
    """What the plan offers for a session that was just given up; behind another answer."""
    listed = "\n".join(
        _proposed(place, line, *DETAILS[1]) for place, line in enumerate(proposed, 1)
    )
    return f"年度计划里给您另找了：\n{listed}\n回复「同意计划」就报上；想换，回复「年度计划」。"


def takes_now(nickname: str) -> str:
    """From now on what fits is signed up for without a question."""
    return (
        f"好的，以后有适合{nickname}又有名额的活动开放，直接给您报上，报完马上告诉您。"
        "两天之内就要定下来的，还是先问您。\n"
        "哪场去不了，早点回复「取消」和编号就行；想改回先问，回复「先问我」。"
    )


def takes_after_yes() -> str:
    """In front of a list, where there is no plan yet that could sign up by itself."""
    return "可以。先看看这份，您同意以后，再有合适的就直接给您报上："


def asks_now() -> str:
    return (
        "好的，以后有合适的活动，先问您，您同意了再报。已经报上的都还在。\n"
        "看看还差几场，回复「年度计划」。"
    )


def ended() -> str:
    return (
        "好的，年度计划停了，不再给您找新的场次。约好的都还在，回复「我的预约」看看。\n"
        "想再排，回复「年度计划」。"
    )


def nothing_to_agree_to(*, is_registered: bool) -> str:
    if is_registered:
        return (
            "眼下没有等您同意的事。看约了什么，回复「我的预约」；排今年的活动，回复「年度计划」。"
        )
    return "眼下没有等您同意的事。要登记宝宝，回复「登记」。"


def none_to_end() -> str:
    return "您现在没有年度计划。想排一份，回复「年度计划」。"


def proposed_words(facts: PlanProposed) -> str:
    """The notice that asks a family about sessions for its plan."""

    def build(title: int, station: int) -> str:
        listed = "\n".join(
            _proposed(
                place,
                PlanLine(line.code, line.title, line.starts_at, line.place),
                title,
                station,
            )
            for place, line in enumerate(facts.sessions, 1)
        )
        return (
            f"{facts.nickname}的年度计划，给您找到{len(facts.sessions)}场：\n{listed}\n"
            f"今年已参加{facts.attended}/{facts.target}次，约好{facts.arranged}场。"
            "回复「同意计划」就报上；想换、不要哪场，回复「年度计划」。"
        )

    return _fitting(build)


def taken_words(facts: PlanTaken) -> str:
    """The notice of what a plan has signed up for by itself."""

    def build(title: int, _station: int) -> str:
        listed = "\n".join(
            f"· {say_when(one.starts_at)} {_short(one.title, title)}（{one.code}）"
            f" {_short(one.place, title)}{'，待确认' if one.code in facts.awaited else ''}"
            for one in facts.sessions
        )
        return (
            f"按您说的，给{facts.nickname}报上了{len(facts.sessions)}场：\n{listed}\n"
            f"今年已参加{facts.attended}/{facts.target}次，约好{facts.arranged}场。\n"
            f"去不了，请早点回复「取消 {facts.sessions[0].code}」，把名额让给别家；"
            "想先问您再报，回复「先问我」。"
        )

    return _fitting(build)


def nudge_words(facts: YearPlanNudge) -> str:
    """The notice for a family that is behind with its year."""
    first = facts.first
    booked = f"，约好{facts.arranged}场" if facts.arranged else ""
    return (
        f"{facts.year}年的线下指导活动，您家已参加{facts.attended}/{facts.target}次{booked}。\n"
        f"现在还有{facts.openings}场适合{facts.nickname}，最近的是"
        f"{say_when(first.starts_at)}「{_short(first.title, 20)}」，在{_short(first.place, 20)}。\n"
        "回复「年度计划」，一次帮您排好。不想收这样的提醒，回复「暂停推送」。"
    )
