"""Words around a conversation with a person: what the service says, and answers kept at hand."""

from datetime import datetime
from typing import Final

from app.words.when import say_near

HOURS: Final = "周一到周五上午9点到下午5点（节假日休息）"

CANNED: Final = (
    "您好，您的留言看到了，我先问清楚，今天给您答复。",
    "请告诉我宝宝的小名、月龄，和您住的乡镇，我好帮您查。",
    "孩子不舒服、您不放心，请带孩子去医院看，不要等我回复；危险时打120。",
    "请留一个方便接的电话和时间，我给您打过去。",
    "这件事要问区里，问到了马上告诉您，一般要一两个工作日。",
    "已经帮您办好了，您回复「我的预约」就能看到。",
)
"""What every station's staff have at hand; they add their own."""


def asked(
    *, phone: str, is_open: bool, opens_at: datetime, minutes: int, now: datetime, again: bool
) -> str:
    """Somebody was asked for: who answers, when, and how else to reach them."""
    head = "已经在找老师了，您的话老师都能看到。" if again else "已经转给人工，老师会在这里回您。"
    when = (
        f"现在是上班时间，一般{wait_words(minutes)}回您。"
        if is_open
        else f"老师的上班时间是{HOURS}，{say_near(opens_at, now)}上班后先回您。"
    )
    call = f"\n急的话请打电话：{phone}" if phone else ""
    return (
        f"{head}{when}{call}\n请把事情接着写在这里，一句一句写也行；不用找了，回复「结束」。\n"
        "孩子有危险请立刻打120，不要等回复。"
    )


def wait_words(minutes: int) -> str:
    """A wait of working time, rounded up to what people say."""
    for limit, said in ((10, "10分钟内"), (30, "半小时内"), (60, "1小时内"), (120, "2小时内")):
        if minutes <= limit:
            return said
    return "当天" if minutes <= 480 else "一两个工作日内"


def noted(*, answered: bool) -> str:
    """A further word in the conversation."""
    if answered:
        return "这句也给老师了。说完了，回复「结束」。"
    return "记下了，老师会看到，看到就回您。还有要说的请接着写；不用找了，回复「结束」。"


def noted_too(reply: str) -> str:
    """What we could answer by ourselves, while the teacher is still awaited."""
    return f"{reply}\n（这句也给老师看了。不用等老师了，回复「结束」。）"


def ended(*, was_answered: bool) -> str:
    thanks = "有事随时再找老师。" if was_answered else "就不麻烦老师了。"
    return f"好的，{thanks}\n看活动回复「活动」，查预约回复「我的预约」，找老师回复「人工」。"


def complaint(*, phone: str, wait: str) -> str:
    """Something went wrong: it is a task now, and a person will answer."""
    call = f"您也可以直接打电话：{phone}。" if phone else ""
    return (
        f"对不起，让您不满意了。这件事已经记下来，交给负责的老师处理，{wait}在这里给您答复。{call}\n"
        "想再补充，请直接写在这里，老师都能看到；说完了，回复「结束」。"
    )


def complaint_wait(*, is_open: bool, opens_at: datetime, minutes: int, now: datetime) -> str:
    return f"一般{wait_words(minutes)}" if is_open else f"{say_near(opens_at, now)}上班后"


def staff_answer(text: str, who: str) -> str:
    """What a teacher says, as it arrives in the chat."""
    return f"【{who or '区里'}老师】{text}\n——\n要接着说，直接写在这里；说完了，回复「结束」。"


def late(phone: str) -> str:
    """Nobody has answered for too long."""
    call = f"急的话请打电话：{phone}。" if phone else ""
    return f"对不起，让您久等了，老师还没顾上回您，我们已经去催了。{call}\n您的话都在，不用重写；不用找了，回复「结束」。"
