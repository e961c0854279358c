"""What the waiting list says, in full: a reviewer reads the Chinese here."""

from datetime import date, datetime

import pytest

from app import errors
from app.clock import SHANGHAI
from app.errors import DomainError
from app.models.notice_facts import NoticeFacts, SignUpOffered, SignUpOfferExpired
from app.wechat.templates import read_templates
from app.words import waiting_list as words
from app.words.errors import say_error
from app.words.notices import render
from app.words.sessions import BookingLine, how_it_stands

STARTS = datetime(2026, 11, 28, 9, 30, tzinfo=SHANGHAI)
UNTIL = datetime(2026, 11, 22, 16, 0, tzinfo=SHANGHAI)
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)

OFFERED = SignUpOffered(
    nickname="糖糖",
    code="CQ-1",
    title="亲子阅读分享会",
    starts_at=STARTS,
    place="城桥镇早教指导站",
    address="人民路1号",
    phone="021-5555-0101",
    until=UNTIL,
)
EXPIRED = SignUpOfferExpired(**OFFERED.model_dump(exclude={"kind", "until"}))


def test_lining_up_says_the_place_the_order_and_how_to_leave() -> None:
    assert words.lined_up(
        nicknames=["大宝", "小宝"],
        positions=[3, 4],
        title="亲子阅读分享会",
        code="CQ-1",
        starts_at=STARTS,
        station="城桥镇早教指导站",
        order="fewest_attended",
        today=date(2026, 11, 22),
    ) == (
        "名额满了，先给您排上：大宝候补第3位、小宝候补第4位。\n"
        "亲子阅读分享会（CQ-1）\n11月28日（周六）上午9:30\n城桥镇早教指导站\n"
        "这一场今年参加次数少的家庭先排。有名额马上告诉您，到时候回复「接受」就行。\n"
        "不等了，回复「取消 CQ-1」。"
    )


def test_declining_thanks_and_goes_on() -> None:
    assert words.declined("亲子阅读分享会", "CQ-1", ["糖糖"]) == (
        "好的，亲子阅读分享会（CQ-1）的名额让给下一家了，糖糖这次不来。\n看别的活动，回复「活动」。"
    )


@pytest.mark.parametrize(
    "facts, text",
    [
        (
            OFFERED,
            "好消息！「亲子阅读分享会」（CQ-1）有名额了，轮到糖糖了。\n"
            "时间：11月28日（周六）上午9:30\n"
            "地点：城桥镇早教指导站，人民路1号\n"
            "名额给您留到11月22日（周日）下午4:00。\n"
            "要来，请回复「接受」；不来，请回复「放弃」，让给下一家。",
        ),
        (
            EXPIRED,
            "「亲子阅读分享会」（11月28日（周六）上午9:30）给糖糖留的名额到时间了，"
            "没等到您的回复，已经让出来。\n"
            "还想来，请回复「报名 CQ-1」再排一次；看别的活动，回复「活动」。",
        ),
    ],
)
def test_offers_say_what_to_answer_and_until_when(facts: NoticeFacts, text: str) -> None:
    assert render(facts).text == text


def test_an_offer_fills_its_template() -> None:
    template = read_templates({"sign_up_offered": "an-id"})["sign_up_offered"]
    assert template.fill(render(OFFERED)) == (
        ("thing1", "亲子阅读分享会"),
        ("time2", "2026年11月28日 09:30"),
        ("time3", "2026年11月22日 16:00"),
        ("thing4", "要来回复接受，不来回复放弃"),
    )


@pytest.mark.parametrize(
    "state, position, until, said",
    [
        ("waitlisted", 2, None, "候补第2位"),
        ("offered", None, UNTIL, "有名额，留到今天下午4:00，要来回复「接受」"),
        ("offered", None, NOW, "留的名额已过期"),
        ("confirmed", None, UNTIL, "已报名"),
    ],
)
def test_a_booking_says_how_it_stands(
    state: str, position: int | None, until: datetime | None, said: str
) -> None:
    line = BookingLine(
        code="CQ-1",
        title="亲子阅读分享会",
        starts_at=STARTS,
        station="城桥镇早教指导站",
        nickname="糖糖",
        state=state,
        position=position,
        offer_until=until,
    )
    assert how_it_stands(line, NOW) == said


@pytest.mark.parametrize(
    "error, said",
    [
        (
            errors.SessionFull("CQ-1", 20),
            "名额已满：「CQ-1」的20个名额都有人了。回复「活动」看别的。",
        ),
        (
            errors.SessionFull("CQ-1", 20, left=1, wanted=2),
            "名额已满：「CQ-1」只剩1个名额，2个宝宝一起去不够，都没有报。\n"
            "先给一个报，回复「报名 CQ-1 小名」；看别的，回复「活动」。",
        ),
        (
            errors.SessionFull("CQ-1", 20, left=1, waiting=3),
            "名额已满：「CQ-1」剩下的名额先留给候补的3家。回复「活动」看别的。",
        ),
        (
            errors.NoOffer(None),
            "现在没有等您接受的名额。有名额会马上告诉您。"
            "看候补到第几位，回复「我的预约」；不等了，回复「取消 编号」。",
        ),
        (
            errors.NoOffer("CQ-1"),
            "「CQ-1」现在没有等您接受的名额。有名额会马上告诉您。"
            "看候补到第几位，回复「我的预约」；不等了，回复「取消 编号」。",
        ),
        (
            errors.OfferExpired("CQ-1", UNTIL),
            "来晚了一步：「CQ-1」的名额留到11月22日（周日）下午4:00，已经让出来了。\n"
            "还想来，回复「报名 CQ-1」再排一次；看别的，回复「活动」。",
        ),
        (
            errors.OfferUnclear(("CQ-1", "CQ-2")),
            "有2场都给您留了名额：CQ-1、CQ-2。请说是哪一场：「接受 CQ-1」或「放弃 CQ-1」。",
        ),
        (
            errors.TownshipFirst("CQ-1", "城桥镇", UNTIL),
            "尚未开放：「CQ-1」先给城桥镇的家庭报，11月22日（周日）下午4:00起都能报。"
            "到时候再发一次「报名 CQ-1」，或回复「活动」看别的。",
        ),
        (
            errors.SignUpDelayed("CQ-1", UNTIL),
            "尚未开放：前几次报了没能来，「CQ-1」您家从11月22日（周日）下午4:00起可以报，"
            "到时候再发一次「报名 CQ-1」。有难处请回复「人工」告诉老师。",
        ),
    ],
)
def test_refusals_say_what_to_do(error: DomainError, said: str) -> None:
    assert say_error(error) == said
