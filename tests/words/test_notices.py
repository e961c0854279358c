"""What our notices say, in full: a reviewer reads the Chinese here."""

from datetime import datetime

import pytest

from app.clock import SHANGHAI
from app.models.notice_facts import (
    AgedOut,
    CaregiverJoined,
    LateReply,
    NoticeFacts,
    SessionChanged,
    SignUpCancelledByStaff,
    SignUpConfirmed,
    SignUpDeclined,
    StaffAnswer,
    ThreadLate,
)
from app.words.notices import Field, render

STARTS = datetime(2026, 11, 28, 9, 30, tzinfo=SHANGHAI)
WAS = datetime(2026, 11, 27, 14, 0, tzinfo=SHANGHAI)

CONFIRMED = SignUpConfirmed(
    nickname="糖糖",
    code="CQ-1",
    title="亲子阅读分享会",
    starts_at=STARTS,
    place="城桥镇早教指导站",
    address="人民路1号",
    phone="021-5555-0101",
)
COMMON = CONFIRMED.model_dump(exclude={"kind"})
DECLINED = SignUpDeclined(**COMMON, reason="这一场已经满了")
CANCELLED = SignUpCancelledByStaff(**COMMON, reason="台风停课。")
CHANGED = SessionChanged(**COMMON, was_at=WAS)
AGED_OUT = AgedOut(
    was_at=datetime(2026, 11, 27, 14, 0, tzinfo=SHANGHAI),
    age_months=13,
    min_months=6,
    max_months=12,
)


@pytest.mark.parametrize(
    "facts, words",
    [
        (
            CONFIRMED,
            "报名确认啦！糖糖可以来参加「亲子阅读分享会」。\n"
            "时间：11月28日（周六）上午9:30\n"
            "地点：城桥镇早教指导站，人民路1号\n"
            "电话：021-5555-0101\n"
            "请提前10分钟到，带好宝宝的水杯和替换衣服。\n"
            "不能来请回复「取消 CQ-1」，把名额让给别的宝宝。",
        ),
        (
            CONFIRMED.model_copy(update={"address": "", "phone": ""}),
            "报名确认啦！糖糖可以来参加「亲子阅读分享会」。\n"
            "时间：11月28日（周六）上午9:30\n"
            "地点：城桥镇早教指导站\n"
            "请提前10分钟到，带好宝宝的水杯和替换衣服。\n"
            "不能来请回复「取消 CQ-1」，把名额让给别的宝宝。",
        ),
        (
            DECLINED,
            "很抱歉，糖糖这次没能报上「亲子阅读分享会」（11月28日（周六）上午9:30）。\n"
            "原因：这一场已经满了。\n"
            "有疑问请打电话：021-5555-0101\n"
            "还有别的活动，回复「活动」就能看到。",
        ),
        (
            CANCELLED,
            "很抱歉，糖糖报名的「亲子阅读分享会」（11月28日（周六）上午9:30）取消了，请不要前往。\n"
            "原因：台风停课。\n"
            "有疑问请打电话：021-5555-0101\n"
            "想另选一场，请回复「活动」。",
        ),
        (
            CHANGED,
            "请注意，糖糖报名的「亲子阅读分享会」有变动。\n"
            "原来：11月27日（周五）下午2:00\n"
            "现在：11月28日（周六）上午9:30\n"
            "地点：城桥镇早教指导站，人民路1号\n"
            "电话：021-5555-0101\n"
            "名额给您留着。来不了请回复「取消 CQ-1」。",
        ),
        (
            CHANGED.model_copy(update={"was_place": "堡镇早教指导站"}),
            "请注意，糖糖报名的「亲子阅读分享会」有变动。\n"
            "原来：11月27日（周五）下午2:00\n"
            "现在：11月28日（周六）上午9:30\n"
            "地点改了，原来在堡镇早教指导站\n"
            "现在在：城桥镇早教指导站，人民路1号\n"
            "电话：021-5555-0101\n"
            "名额给您留着。来不了请回复「取消 CQ-1」。",
        ),
        (
            CHANGED.model_copy(update={"was_at": STARTS, "was_place": "堡镇早教指导站"}),
            "请注意，糖糖报名的「亲子阅读分享会」有变动。\n"
            "时间不变：11月28日（周六）上午9:30\n"
            "地点改了，原来在堡镇早教指导站\n"
            "现在在：城桥镇早教指导站，人民路1号\n"
            "电话：021-5555-0101\n"
            "名额给您留着。来不了请回复「取消 CQ-1」。",
        ),
        (
            CHANGED.model_copy(
                update={
                    "was_at": STARTS,
                    "ends_at": datetime(2026, 11, 28, 11, 0, tzinfo=SHANGHAI),
                }
            ),
            "请注意，糖糖报名的「亲子阅读分享会」有变动。\n"
            "开始不变，结束改了：11月28日（周六）上午9:30到上午11:00\n"
            "地点：城桥镇早教指导站，人民路1号\n"
            "电话：021-5555-0101\n"
            "名额给您留着。来不了请回复「取消 CQ-1」。",
        ),
        (
            CHANGED.model_copy(update={"is_waiting": True}),
            "请注意，糖糖报名的「亲子阅读分享会」有变动。\n"
            "原来：11月27日（周五）下午2:00\n"
            "现在：11月28日（周六）上午9:30\n"
            "地点：城桥镇早教指导站，人民路1号\n"
            "电话：021-5555-0101\n"
            "您的候补还在。不等了，请回复「取消 CQ-1」。",
        ),
        (
            CHANGED.model_copy(
                update={"offer_until": datetime(2026, 11, 27, 20, 0, tzinfo=SHANGHAI)}
            ),
            "请注意，糖糖报名的「亲子阅读分享会」有变动。\n"
            "原来：11月27日（周五）下午2:00\n"
            "现在：11月28日（周六）上午9:30\n"
            "地点：城桥镇早教指导站，人民路1号\n"
            "电话：021-5555-0101\n"
            "给您的名额还留到11月27日（周五）晚上8:00："
            "要来，请回复「接受」；不来，请回复「放弃」。",
        ),
        (
            CANCELLED.model_copy(update={"aged_out": AGED_OUT}),
            "请注意，糖糖报名的「亲子阅读分享会」从11月27日（周五）下午2:00"
            "改到了11月28日（周六）上午9:30。\n"
            "糖糖那天是1岁1个月，这场给6～12个月的宝宝，很抱歉名额不能留了。\n"
            "有疑问请打电话：021-5555-0101\n"
            "想另选一场，请回复「活动」。",
        ),
        (
            CANCELLED.model_copy(
                update={
                    "aged_out": AGED_OUT.model_copy(
                        update={"was_at": CANCELLED.starts_at, "age_months": None}
                    )
                }
            ),
            "请注意，糖糖报名的「亲子阅读分享会」改了适合的月龄。\n"
            "糖糖那天还没出生，这场给6～12个月的宝宝，很抱歉名额不能留了。\n"
            "有疑问请打电话：021-5555-0101\n"
            "想另选一场，请回复「活动」。",
        ),
        (LateReply(text="查到了，近期有2场。"), "查到了，近期有2场。"),
        (
            StaffAnswer(thread_id=1, text="先加米粉。", who="城桥镇早教指导站"),
            "【城桥镇早教指导站老师】先加米粉。\n——\n要接着说，直接写在这里；说完了，回复「结束」。",
        ),
        (
            ThreadLate(thread_id=1, phone="021-5555-0101"),
            "对不起，让您久等了，老师还没顾上回您，我们已经去催了。"
            "急的话请打电话：021-5555-0101。\n您的话都在，不用重写；不用找了，回复「结束」。",
        ),
        (
            CaregiverJoined(relation="father"),
            "宝宝的爸爸已经加入您的家庭，也能报名和查看预约了。\n"
            "想看家里的登记，请回复「我的信息」。",
        ),
        (
            CaregiverJoined(relation=None),
            "您邀请的家人已经加入您的家庭，也能报名和查看预约了。\n"
            "想看家里的登记，请回复「我的信息」。",
        ),
    ],
)
def test_every_notice_says_what_happened_and_what_to_do(facts: NoticeFacts, words: str) -> None:
    assert render(facts).text == words


@pytest.mark.parametrize(
    "facts, fields",
    [
        (CONFIRMED, {Field.TITLE, Field.WHEN, Field.PLACE, Field.CHILD, Field.PHONE}),
        (DECLINED, {Field.TITLE, Field.WHEN, Field.REASON, Field.PHONE}),
        (CANCELLED, {Field.TITLE, Field.WHEN, Field.REASON, Field.PHONE}),
        (CHANGED, {Field.TITLE, Field.WHEN, Field.WAS, Field.PLACE}),
        (LateReply(text="好"), set()),
        (CaregiverJoined(relation=None), set()),
    ],
)
def test_a_template_gets_its_fields(facts: NoticeFacts, fields: set[Field]) -> None:
    assert {field for field, _ in render(facts).fields} == fields


def test_a_time_in_a_template_has_the_platforms_form() -> None:
    assert dict(render(CHANGED).fields)[Field.WHEN] == "2026年11月28日 09:30"
