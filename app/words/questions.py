"""Words that answer questions: from reviewed texts, with their source, or that we do not know."""

from collections.abc import Sequence
from dataclasses import dataclass

_CARE = "孩子难受、您不放心，别等，去医院；有危险打120。"


@dataclass(frozen=True, slots=True)
class StationLine:
    """A station as it is told."""

    name: str
    address: str
    phone: str


def answered(answer: str, sources: Sequence[str], pack: tuple[str, str] | None) -> str:
    """A short answer with its source, and a pack to read on: its title and link."""
    more = f"\n想看细一点：《{pack[0]}》\n{pack[1]}" if pack else ""
    return f"{answer}\n（依据：{_source(sources)}）{more}\n还想问，请接着说；找老师，回复「人工」。"


def from_pack(title: str, message: str, link: str, sources: Sequence[str]) -> str:
    """What a pack says of it, with its source and link."""
    return (
        f"这件事，资料《{title}》里写到：\n{message}\n全文：{link}\n（依据：{_source(sources)}）\n"
        "没答到您要问的？回复「人工」找老师。"
    )


def from_lesson(title: str, message: str, link: str, sources: Sequence[str]) -> str:
    """What a lesson of the course says of it."""
    return (
        f"这件事，「七会」课程《{title}》里讲到：\n{message}\n全文：{link}\n（依据：{_source(sources)}）\n"
        "想跟着学，回复「报名课程」；没答到您要问的，回复「人工」。"
    )


def unknown(phone: str, *, is_care: bool) -> str:
    """We do not know, and say so."""
    call = f"，或打电话 {phone}" if phone else ""
    care = f"\n{_CARE}" if is_care else "\n看活动回复「活动」，看资料回复「资料」。"
    return f"这个我没有把握，不乱说。回复「人工」请老师答您{call}。{care}"


def stations(lines: Sequence[StationLine], township: str | None) -> str:
    """Where the stations are, and their telephones."""
    head = f"{township}的指导站：" if township else "您的指导站："
    told = "\n".join(
        f"· {line.name}\n  {line.address or '地址请问站里'}"
        + (f"\n  电话 {line.phone}" if line.phone else "")
        for line in lines
    )
    return f"{head}\n{told}\n老师周一到周五上午9点到下午5点在。看活动回复「活动」；问别的镇，写上镇名再问一次。"


def which_township() -> str:
    """Asked for an address by somebody whose township we do not know."""
    return "各镇的指导站不一样。请写上镇名再问一次，例如「堡镇早教站在哪里」；或回复「人工」。"


def out_of_scope() -> str:
    """What we are not there for."""
    return (
        "这个我帮不上忙。我会的是：0～3岁宝宝的活动、上门、资料、课程，和带养上的问题。\n"
        "看活动回复「活动」，问老师回复「人工」。"
    )


def _source(sources: Sequence[str]) -> str:
    return "；".join(sources[:2])
