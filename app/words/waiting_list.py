"""Words for the waiting list: being in it, and answering an offer."""

from collections.abc import Sequence
from datetime import date, datetime

from app.words.when import say_when

ORDERS = {
    "first_come": "先报的先排",
    "fewest_attended": "今年参加次数少的家庭先排",
}
"""How a session orders those who wait, as the family is told."""


def lined_up(
    *,
    nicknames: Sequence[str],
    positions: Sequence[int],
    title: str,
    code: str,
    starts_at: datetime,
    station: str,
    order: str,
    today: date,
) -> str:
    places = "、".join(
        f"{name}候补第{position}位" for name, position in zip(nicknames, positions, strict=True)
    )
    return (
        f"名额满了，先给您排上：{places}。\n"
        f"{title}（{code}）\n{say_when(starts_at, today)}\n{station}\n"
        f"这一场{ORDERS.get(order, ORDERS['first_come'])}。有名额马上告诉您，到时候回复「接受」就行。\n"
        f"不等了，回复「取消 {code}」。"
    )


def declined(title: str, code: str, nicknames: Sequence[str]) -> str:
    return (
        f"好的，{title}（{code}）的名额让给下一家了，{'、'.join(nicknames)}这次不来。\n"
        "看别的活动，回复「活动」。"
    )
