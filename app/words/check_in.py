"""Words for scanning a session's code at its door."""

from collections.abc import Sequence
from datetime import datetime

from app.words.when import say_near, say_time


def checked_in(
    nicknames: Sequence[str], title: str, *, year: int, attended: int, target: int, walk_in: bool
) -> str:
    who = "、".join(nicknames)
    place = "没有预约也没关系，还有位子。" if walk_in else ""
    return (
        f"签到成功！欢迎{who}来参加「{title}」。{place}\n"
        f"{year}年已参加{attended}/{target}次。玩得开心！下次的活动，回复「活动」看看。"
    )


def checked_in_before(nicknames: Sequence[str], title: str) -> str:
    return f"{'、'.join(nicknames)}已经签到过了（「{title}」），不用再扫，直接进去就好。"


def too_early(title: str, starts_at: datetime, opens_at: datetime, now: datetime) -> str:
    return (
        f"来早啦：「{title}」{say_near(starts_at, now)}开始，"
        f"{say_near(opens_at, now)}起可以签到，到时候再扫一次。"
    )


def not_signed_up_yet(code: str, title: str, starts_at: datetime, now: datetime) -> str:
    return (
        f"这是「{title}」（{code}）的签到码，{say_near(starts_at, now)}开始。"
        f"您还没有报名，想来请回复「报名 {code}」。"
    )


def another_today(
    title: str, *, their_title: str, their_station: str, their_start: datetime, phone: str
) -> str:
    call = f"，或打电话 {phone}" if phone else ""
    return (
        f"您扫的是「{title}」的码，您今天报的是另一场：\n"
        f"「{their_title}」{say_time(their_start)} {their_station}\n"
        f"请到那一场扫码签到。想改参加这一场，请跟现场老师说{call}。"
    )


def which_child(title: str, nicknames: Sequence[str]) -> str:
    listed = "\n".join(f"{place}. {name}" for place, name in enumerate(nicknames, 1))
    return (
        f"「{title}」还有位子。今天哪个宝宝来了？回复数字：\n{listed}\n{len(nicknames) + 1}. 都来了"
    )


def not_registered(title: str) -> str:
    return (
        f"这是「{title}」的签到码。您还没有登记宝宝，先回复「登记」，两分钟就好；"
        "登记完再扫一次码签到，急的话请直接找现场老师。"
    )


def cancelled(title: str) -> str:
    return f"「{title}」这一场已经取消了，请不要等。想另选一场，回复「活动」。"


def too_late(title: str, phone: str) -> str:
    call = f"（电话 {phone}）" if phone else ""
    return f"「{title}」结束一个多小时了，扫码签不了到。来过的话，请告诉老师{call}，老师会补上。"


def not_begun(title: str, starts_at: datetime) -> str:
    return (
        f"您没有预约「{title}」。{say_time(starts_at)}开始后如果还有位子，再扫一次码就能参加；"
        "也可以先问问现场老师。"
    )


def over(title: str) -> str:
    return (
        f"「{title}」已经结束了，您没有预约这一场。来过的话请告诉老师；看别的活动，回复「活动」。"
    )


def wrong_age(title: str) -> str:
    return (
        f"「{title}」的月龄和您家宝宝不合，扫码签不了到。请问问现场老师，或回复「活动」看适合的。"
    )


def still_waiting(code: str, title: str, starts_at: datetime, now: datetime) -> str:
    when = (
        f"{say_near(starts_at, now)}开始。开始后如果还有位子，再扫一次码就能坐下；"
        if now < starts_at
        else "眼下位子都有人；"
    )
    return (
        f"您在「{title}」（{code}）的候补里，还没有名额，{when}"
        "也可以问问现场老师。看候补到第几位，回复「我的预约」。"
    )


def full(title: str) -> str:
    return f"「{title}」的位子都有人了，您没有预约，扫码签不了到。请问问现场老师还能不能坐下。"


def marked_missing(title: str) -> str:
    return f"「{title}」这一场记的是没来。如果来了，请找现场老师改过来。"
