"""Words that ask for a subscription consent, and say what one gives and what is held."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.rules.asking import Held, Purpose


@dataclass(frozen=True, slots=True)
class Offer:
    """What a consent gives, in the chat's question and on the page."""

    question: str
    title: str
    gives: str


OFFERS: Final[Mapping[Purpose, Offer]] = {
    Purpose.PACK: Offer(
        "要不要宝宝到了新阶段，微信主动告诉您一声？",
        "带娃资料",
        "宝宝到了新的阶段，发一条带娃要点给您。",
    ),
    Purpose.REMINDER: Offer(
        "要不要在开课前一天，微信提醒您一声？",
        "开课提醒",
        "您报了名的活动，前一天提醒您时间和地点。",
    ),
    Purpose.OFFER: Offer(
        "要不要一有空位，微信马上告诉您？",
        "候补有位",
        "您排着候补的活动，空出名额马上告诉您。",
    ),
    Purpose.VISIT: Offer(
        "要不要老师上门的前一晚，微信提醒您一声？",
        "上门提醒",
        "老师上门的前一晚，提醒您几点来、是哪位老师。",
    ),
}


def ask(purpose: Purpose, link: str, *, is_lasting: bool) -> str:
    """One line at the end of an answer: the question, and where to say yes."""
    lasts = "点一次就行" if is_lasting else "点一次「允许」，发一条"
    return f"{OFFERS[purpose].question}点开这里（{lasts}）：{link}"


def held(of: Held, *, is_lasting: bool) -> str:
    """What the person allowed so far of one template."""
    if of.is_lasting:
        return "您允许过了，有了就发给您。"
    if of.sends_left:
        return f"还可以发给您{of.sends_left}条。"
    if of.refused_at is not None:
        return "您上次没有同意，我们不发。改了主意，随时可以再点。"
    return "还没有允许。" if is_lasting else "现在一条也不能发，点一次发一条。"


def allowed(of: Held) -> str:
    """The same for staff, behind the name of what it is for."""
    if of.is_lasting:
        return "一直可以发"
    if of.sends_left:
        return f"还可以发{of.sends_left}条"
    return "点了拒绝" if of.refused_at is not None else "问过，还没点；或者已经用完"


def button(*, is_lasting: bool) -> str:
    return "允许一直发给我" if is_lasting else "允许发一条给我"


def where(link: str) -> str:
    """In 推送设置: where to see and to give consents."""
    return f"微信还允许我们主动发几条，点开看、点开加：{link}"


def none_to_ask() -> str:
    return (
        "现在用不着另外点「允许」。宝宝的资料，随时回复「资料」；"
        "报了名的活动，回复「我的预约」。想少收、想停，回复「推送设置」。"
    )
