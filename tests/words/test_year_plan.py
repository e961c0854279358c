"""What the year plan says: a reviewer reads the Chinese here."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from app.clock import SHANGHAI
from app.models.notice_facts import PlanProposed, PlanSession, YearPlanNudge
from app.words import year_plan as words
from app.words.notices import Field, render
from app.words.year_plan import ArrangedLine, PlanLine, YearStands

AT = datetime(2026, 3, 14, 9, 30, tzinfo=SHANGHAI)
STANDS = YearStands(year=2026, attended=1, arranged=1, waiting=0, target=6, today=date(2026, 3, 2))
COMING = [ArrangedLine("CQ-1", "亲子抚触", AT, "confirmed")]
PROPOSED = [
    PlanLine("CQ-2", "亲子阅读分享会", AT + timedelta(weeks=3), "城桥早教指导站"),
    PlanLine("BZ-2", "祖辈课堂", AT + timedelta(weeks=6), "堡镇早教指导站", township="堡镇"),
    PlanLine(
        "CX-2", "祖辈课堂", AT + timedelta(weeks=9), "长兴站", township="长兴镇", over_water=True
    ),
    PlanLine("CQ-3", "抚触", AT + timedelta(weeks=12), "城桥站", is_waiting=True),
]


def test_a_proposal_is_numbered_and_says_how_to_answer() -> None:
    text = words.plan_shown(STANDS, COMING, PROPOSED, nickname="糖糖", short=0, has_plan=False)
    assert text == (
        "2026年度计划：已参加1/6次，约好1场。\n"
        "约好的：\n"
        "· 3月14日（周六）上午9:30 亲子抚触（CQ-1）\n"
        "给糖糖再排4场：\n"
        "1. 4月4日（周六）上午9:30 亲子阅读分享会（CQ-2） 城桥早教指导站\n"
        "2. 4月25日（周六）上午9:30 祖辈课堂（BZ-2） 堡镇早教指导站〔在堡镇〕\n"
        "3. 5月16日（周六）上午9:30 祖辈课堂（CX-2） 长兴站〔在长兴镇，要坐船〕\n"
        "4. 6月6日（周六）上午9:30 抚触（CQ-3） 城桥站〔满了，先候补〕\n"
        "回复「同意」，一次全报上。想换回复「换 2」，不要哪场回复「不要 2」，先不排回复「取消」。"
    )


@pytest.mark.parametrize(
    "stands, proposed, short, has_plan, ending",
    [
        (
            STANDS,
            PROPOSED[:1],
            3,
            True,
            "还差3场，有合适的开放了再问您。\n"
            "回复「同意」，一次全报上。想换回复「换 1」，"
            "不要哪场回复「不要 1」，先不排回复「取消」。",
        ),
        (
            STANDS,
            [],
            4,
            True,
            "还差4场，眼下没有适合糖糖又有名额的。\n"
            "有合适的开放了，会在这里问您；不用问、直接报上，回复「自动报名」。想自己找，回复「活动」。",
        ),
        (
            STANDS,
            [],
            4,
            False,
            "还差4场，眼下没有适合糖糖又有名额的。\n"
            "要我们帮您留意吗？回复「同意」，有合适的开放了就问您；不用就回复「取消」。",
        ),
        (
            replace(STANDS, today=date(2026, 12, 20)),
            [],
            4,
            True,
            "还差4场，眼下没有适合糖糖又有名额的。"
            "今年排不下的，1月1日起再回复「年度计划」，排明年的。\n"
            "有合适的开放了，会在这里问您；不用问、直接报上，回复「自动报名」。想自己找，回复「活动」。",
        ),
        (
            replace(STANDS, arranged=5),
            [],
            0,
            True,
            "今年的都排好了。去不了回复「取消 CQ-1」，会再给您补。想多参加几次，回复「活动」。",
        ),
        (
            replace(STANDS, attended=6),
            [],
            0,
            True,
            "今年的次数都参加满了，真好！去不了回复「取消 CQ-1」，会再给您补。"
            "想多参加几次，回复「活动」。",
        ),
    ],
    ids=["some missing", "nothing yet", "no plan yet", "december", "arranged", "reached"],
)
def test_it_always_ends_in_what_to_do_next(
    stands: YearStands, proposed: list[PlanLine], short: int, has_plan: bool, ending: str
) -> None:
    text = words.plan_shown(
        stands, COMING, proposed, nickname="糖糖", short=short, has_plan=has_plan
    )
    assert text.endswith("\n" + ending)


def test_an_agreement_lists_what_was_signed_up() -> None:
    made = [
        ArrangedLine("CQ-2", "亲子阅读分享会", AT + timedelta(weeks=3), "confirmed"),
        ArrangedLine("BZ-2", "祖辈课堂", AT + timedelta(weeks=6), "requested"),
    ]
    stands = replace(STANDS, arranged=3)
    assert words.agreed(stands, made, nickname="糖糖", short=2) == (
        "报名成功！糖糖的2场都报上了：\n"
        "1. 4月4日（周六）上午9:30 亲子阅读分享会（CQ-2）：已报名\n"
        "2. 4月25日（周六）上午9:30 祖辈课堂（BZ-2）：待确认\n"
        "2026年度计划：已参加1/6次，约好3场。"
        "待确认的，老师定了马上告诉您。还差2场。"
        "有合适的开放了，会在这里问您；不用问、直接报上，回复「自动报名」。\n"
        "哪场去不了，早点回复「取消 CQ-2」，我们再给您补一场。"
    )


def test_twelve_sessions_with_long_names_fit_one_message() -> None:
    long = [
        PlanLine(f"CHONGMING-STATION-2026-{number:02}", "亲" * 80, AT, "站" * 60, "陈家镇")
        for number in range(12)
    ]
    coming = [ArrangedLine(line.code, line.title, AT, "waitlisted") for line in long]
    shown = words.plan_shown(STANDS, [], long, nickname="糖" * 20, short=0, has_plan=True)
    booked = words.plan_shown(STANDS, coming, [], nickname="糖" * 20, short=0, has_plan=True)
    agreed = words.agreed(STANDS, coming, nickname="糖" * 20, short=0)
    for text in (shown, booked, agreed):
        assert text.count("CHONGMING-STATION") >= 12
        assert len(text.encode()) <= 2_000


OFFERED = PlanSession(code="CQ-2", title="亲子阅读分享会", starts_at=AT, place="城桥早教指导站")


def test_the_notice_of_a_proposal() -> None:
    facts = PlanProposed(
        plan_id=1, nickname="糖糖", attended=2, arranged=1, target=6, sessions=(OFFERED,)
    )
    said = render(facts)
    assert said.text == (
        "糖糖的年度计划，给您找到1场：\n"
        "1. 3月14日（周六）上午9:30 亲子阅读分享会（CQ-2） 城桥早教指导站\n"
        "今年已参加2/6次，约好1场。回复「同意计划」就报上；想换、不要哪场，回复「年度计划」。"
    )
    assert dict(said.fields)[Field.HINT] == "回复「同意计划」就报上"


def test_the_nudge_says_how_the_year_stands_and_what_to_do() -> None:
    facts = YearPlanNudge(
        year=2026, nickname="糖糖", attended=1, arranged=0, target=6, openings=3, first=OFFERED
    )
    said = render(facts)
    assert said.text == (
        "2026年的线下指导活动，您家已参加1/6次。\n"
        "现在还有3场适合糖糖，最近的是3月14日（周六）上午9:30「亲子阅读分享会」，在城桥早教指导站。\n"
        "回复「年度计划」，一次帮您排好。不想收这样的提醒，回复「暂停推送」。"
    )
    assert all(len(value) <= 20 for field, value in said.fields if field is Field.HINT)
