"""What notices about home visits say."""

from datetime import date, datetime

from app.models.visit_facts import (
    ChildSeen,
    VisitCancelledByStaff,
    VisitConfirmed,
    VisitDeclined,
    VisitFacts,
    VisitMissed,
    VisitMoved,
    VisitorOnTheWay,
    VisitProposed,
    VisitReminded,
    VisitSummary,
    VisitWishEnded,
)
from app.words.visit_signs import ADVICE, ADVISED, CORD, DANGER_FOR_FAMILY, FEEDING, JAUNDICE
from app.words.visit_words import code_word, teacher
from app.words.when import say_day, say_time, say_when


def visit_text(facts: VisitFacts) -> str:
    """The notice in words: what, when, who comes, and what to do next."""
    match facts:
        case VisitConfirmed():
            return f"上门约好了！老师来看{facts.nickname}。\n{_who_comes(facts)}{_change()}"
        case VisitMoved():
            return _moved(facts)
        case VisitDeclined():
            return _declined(facts)
        case VisitCancelledByStaff():
            return _cancelled(facts)
        case VisitProposed():
            return _proposed(facts)
        case VisitWishEnded():
            return _wish_ended(facts)
        case VisitReminded():
            lead = "明天" if facts.kind == "visit_evening" else "过一会儿"
            return f"提醒您：{lead}老师上门来看{facts.nickname}。\n{_who_comes(facts)}{_ready()}"
        case VisitorOnTheWay():
            return (
                f"{teacher(facts.visitor)}已经出发，往您家来了。\n"
                f"电话：{facts.visitor_phone}\n"
                f"开门前请先对暗号：老师会说「{code_word(facts.code_word)}」，说不对请不要开门。"
                f"{_see_photo(facts)}"
            )
        case VisitMissed():
            return (
                f"{teacher(facts.visitor)}到了您家，没有遇到您。\n"
                "没关系，回复「上门」另约一个时间；不方便打字，请打电话："
                f"{facts.visitor_phone or facts.station_phone}。"
            )
        case VisitSummary():
            return _summary(facts)


def _when(starts_at: datetime | None, ends_at: datetime | None) -> str:
    if starts_at is None:
        return "时间待定"
    return say_when(starts_at) + (f"到{say_time(ends_at)}" if ends_at else "")


def _who_comes(facts: VisitFacts) -> str:
    return (
        f"时间：{_when(facts.starts_at, facts.ends_at)}\n"
        f"老师：{facts.visitor}，电话 {facts.visitor_phone}\n"
        f"暗号：{code_word(facts.code_word)}（老师到门口会说，说不对请不要开门）\n"
        f"{_photo(facts)}"
    )


def _see_photo(facts: VisitFacts) -> str:
    return f"\n{_photo(facts)}".rstrip()


def _photo(facts: VisitFacts) -> str:
    return "先看看老师的照片，回复「上门」。\n" if facts.has_photo else ""


def _change() -> str:
    return "请准备好出生证明、接种本和体检本。\n要改时间，回复「上门」加新的日子；不要了，回复「取消上门」。"


def _ready() -> str:
    return (
        "接种本、体检本请放在手边，室温22到26度就好。\n临时不方便，请回复「取消上门」或打老师电话。"
    )


def _moved(facts: VisitMoved) -> str:
    was = f"原来：{say_when(facts.was_at)}，{teacher(facts.was_visitor)}\n" if facts.was_at else ""
    return f"请注意，上门的安排改了。\n{was}现在：\n{_who_comes(facts)}{_change()}"


def _declined(facts: VisitDeclined) -> str:
    return (
        f"很抱歉，{facts.nickname}的上门申请这次没能安排。\n"
        f"原因：{_sentence(facts.reason)}\n"
        f"{_call(facts)}想换个时间，回复「上门」。"
    )


def _cancelled(facts: VisitCancelledByStaff) -> str:
    return (
        f"很抱歉，{_when(facts.starts_at, None)}的上门取消了。\n"
        f"原因：{_sentence(facts.reason)}\n"
        f"{_call(facts)}另约时间，回复「上门」。"
    )


def _proposed(facts: VisitProposed) -> str:
    keeps = f"原来的{say_when(facts.was_at)}先给您留着。\n" if facts.was_at else ""
    return (
        f"上门的时间想跟您商量：\n{_when(facts.starts_at, facts.ends_at)}，{teacher(facts.visitor)}来，行吗？\n"
        f"{keeps}"
        f"行，请回复「接受上门」；不行，请回复「换时间」。{say_when(facts.until)}前有效。"
    )


def _wish_ended(facts: VisitWishEnded) -> str:
    why = "那个时间排不开" if facts.was_declined else "老师没能及时答复，站里已经知道"
    stands = (
        f"原来的{say_when(facts.starts_at)}不变，{teacher(facts.visitor)}会来。\n"
        if facts.starts_at
        else "老师会打电话跟您另约。\n"
    )
    return (
        f"很抱歉，上门改到{say_when(facts.wished_at)}没有约成：{why}。\n"
        f"{stands}{_call(facts)}想换别的时间，回复「上门」加日子；不要了，回复「取消上门」。"
    )


def _summary(facts: VisitSummary) -> str:
    lines = [f"这次上门的小结（{_day(facts.starts_at)}，{teacher(facts.visitor)}）："]
    for child in facts.children:
        lines += _child_lines(child)
    if any(child.danger or child.advised for child in facts.children) and facts.referred_to:
        lines.append(f"建议去：{facts.referred_to}。老师会来问看得怎样。")
    if facts.vaccinations_missing:
        lines.append("疫苗有没打的，请早点去接种门诊补上。")
    if facts.advice:
        lines.append("聊过：" + "、".join(ADVICE.get(each, each) for each in facts.advice) + "。")
    if facts.packs:
        lines.append("可以再看：" + "、".join(f"《{pack.title}》" for pack in facts.packs))
        lines.append("回复「资料」就发给您。")
    if facts.next_on:
        lines.append(f"下次上门在{say_day(date.fromisoformat(facts.next_on))}前，老师会跟您约。")
    lines.append("这次上门怎么样？回复「评价 好」「评价 一般」或「评价 不好」，也可以接着写几句。")
    return "\n".join(lines)


def _child_lines(child: ChildSeen) -> list[str]:
    facts = []
    if child.weight_grams:
        facts.append(f"体重{child.weight_grams / 1000:.2f}公斤")
    if child.temperature:
        facts.append(f"体温{child.temperature:.1f}℃")
    if child.feeding:
        facts.append(FEEDING[child.feeding])
    if child.jaundice:
        facts.append(f"黄疸：{JAUNDICE[child.jaundice]}")
    if child.cord:
        facts.append(f"脐带：{CORD[child.cord]}")
    lines = [f"· {child.nickname}：" + ("，".join(facts) if facts else "看过了") + "。"]
    if child.danger:
        signs = "、".join(DANGER_FOR_FAMILY[each] for each in child.danger)
        lines.append(f"请马上带{child.nickname}去医院：{signs}。情况急请打120。")
    if child.advised:
        signs = "、".join(ADVISED[each] for each in child.advised)
        lines.append(f"请这几天带{child.nickname}去看医生：{signs}。")
    return lines


def _day(at: datetime | None) -> str:
    return say_day(at.date()) if at else ""


def _call(facts: VisitFacts) -> str:
    return f"有疑问请打电话：{facts.station_phone}\n" if facts.station_phone else ""


def _sentence(reason: str) -> str:
    return reason.strip().rstrip("。.！!") + "。"
