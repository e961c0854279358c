"""What a scan at the door is answered with, in full: a reviewer reads the Chinese here."""

from datetime import datetime

import pytest

from app.clock import SHANGHAI
from app.words import calendar
from app.words import check_in as words

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=SHANGHAI)
STARTS = datetime(2026, 11, 28, 9, 30, tzinfo=SHANGHAI)
OPENS = datetime(2026, 11, 28, 8, 30, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "said, text",
    [
        (
            words.checked_in(
                ["糖糖", "果果"], "亲子阅读", year=2026, attended=3, target=6, walk_in=False
            ),
            "签到成功！欢迎糖糖、果果来参加「亲子阅读」。\n"
            "2026年已参加3/6次。玩得开心！下次的活动，回复「活动」看看。",
        ),
        (
            words.checked_in(["糖糖"], "亲子阅读", year=2026, attended=1, target=6, walk_in=True),
            "签到成功！欢迎糖糖来参加「亲子阅读」。没有预约也没关系，还有位子。\n"
            "2026年已参加1/6次。玩得开心！下次的活动，回复「活动」看看。",
        ),
        (
            words.checked_in_before(["糖糖"], "亲子阅读"),
            "糖糖已经签到过了（「亲子阅读」），不用再扫，直接进去就好。",
        ),
        (
            words.too_early("亲子阅读", STARTS, OPENS, NOW),
            "来早啦：「亲子阅读」今天上午9:30开始，今天上午8:30起可以签到，到时候再扫一次。",
        ),
        (
            words.not_signed_up_yet("CQ-1", "亲子阅读", STARTS, NOW),
            "这是「亲子阅读」（CQ-1）的签到码，今天上午9:30开始。"
            "您还没有报名，想来请回复「报名 CQ-1」。",
        ),
        (
            words.another_today(
                "亲子阅读",
                their_title="亲子抚触",
                their_station="堡镇早教指导站",
                their_start=STARTS,
                phone="021-5555-0101",
            ),
            "您扫的是「亲子阅读」的码，您今天报的是另一场：\n"
            "「亲子抚触」上午9:30 堡镇早教指导站\n"
            "请到那一场扫码签到。想改参加这一场，请跟现场老师说，或打电话 021-5555-0101。",
        ),
        (
            words.which_child("亲子阅读", ["糖糖", "果果"]),
            "「亲子阅读」还有位子。今天哪个宝宝来了？回复数字：\n1. 糖糖\n2. 果果\n3. 都来了",
        ),
        (
            words.not_registered("亲子阅读"),
            "这是「亲子阅读」的签到码。您还没有登记宝宝，先回复「登记」，两分钟就好；"
            "登记完再扫一次码签到，急的话请直接找现场老师。",
        ),
        (
            words.cancelled("亲子阅读"),
            "「亲子阅读」这一场已经取消了，请不要等。想另选一场，回复「活动」。",
        ),
        (
            words.too_late("亲子阅读", "021-5555-0101"),
            "「亲子阅读」结束一个多小时了，扫码签不了到。"
            "来过的话，请告诉老师（电话 021-5555-0101），老师会补上。",
        ),
        (
            words.not_begun("亲子阅读", STARTS),
            "您没有预约「亲子阅读」。上午9:30开始后如果还有位子，再扫一次码就能参加；"
            "也可以先问问现场老师。",
        ),
        (
            words.over("亲子阅读"),
            "「亲子阅读」已经结束了，您没有预约这一场。"
            "来过的话请告诉老师；看别的活动，回复「活动」。",
        ),
        (
            words.wrong_age("亲子阅读"),
            "「亲子阅读」的月龄和您家宝宝不合，扫码签不了到。"
            "请问问现场老师，或回复「活动」看适合的。",
        ),
        (
            words.full("亲子阅读"),
            "「亲子阅读」的位子都有人了，您没有预约，扫码签不了到。请问问现场老师还能不能坐下。",
        ),
        (
            words.marked_missing("亲子阅读"),
            "「亲子阅读」这一场记的是没来。如果来了，请找现场老师改过来。",
        ),
        (
            calendar.described("CQ-1", "021-5555-0101", is_cancelled=False),
            "电话：021-5555-0101\n一位大人陪一个宝宝来。"
            "不能来，请在「崇明育伴」回复「取消 CQ-1」。",
        ),
        (
            calendar.described("CQ-1", "", is_cancelled=True),
            "这一场不用来了。想另选一场，请在「崇明育伴」回复「活动」。",
        ),
        (calendar.link_line(""), ""),
        (
            calendar.no_such_link(),
            "这个日历链接打不开：可能没有复制完整，或者活动早就结束了。"
            "请回到「崇明育伴」，回复「我的预约」看看。",
        ),
    ],
)
def test_every_answer_says_what_to_do_next(said: str, text: str) -> None:
    assert said == text
