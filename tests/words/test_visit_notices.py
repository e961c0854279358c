"""What the notices of home visits say, in full: a reviewer reads the Chinese here."""

from datetime import datetime

import pytest

from app.clock import SHANGHAI
from app.models.visit_facts import (
    ChildSeen,
    VisitCancelledByStaff,
    VisitConfirmed,
    VisitDeclined,
    VisitFacts,
    VisitMissed,
    VisitMoved,
    VisitorOnTheWay,
    VisitPack,
    VisitProposed,
    VisitReminded,
    VisitSummary,
    VisitWishEnded,
)
from app.services.home_visits import CODE_WORDS
from app.words.notices import Field, render
from app.words.visit_words import COUNT, code_word

STARTS = datetime(2026, 11, 26, 9, 0, tzinfo=SHANGHAI)
ENDS = datetime(2026, 11, 26, 10, 0, tzinfo=SHANGHAI)
WAS = datetime(2026, 11, 25, 14, 0, tzinfo=SHANGHAI)

CONFIRMED = VisitConfirmed(
    nickname="糖糖",
    starts_at=STARTS,
    ends_at=ENDS,
    visitor="施慧",
    visitor_phone="021-5555-0201",
    visitor_code="V01",
    has_photo=True,
    code_word=5,
    moves=0,
    station_phone="021-5555-0101",
)
COMMON = CONFIRMED.model_dump(exclude={"kind"})
WHO = (
    "时间：11月26日（周四）上午9:00到上午10:00\n"
    "老师：施慧，电话 021-5555-0201\n"
    "暗号：红荷花（老师到门口会说，说不对请不要开门）\n"
    "先看看老师的照片，回复「上门」。\n"
)
SUMMARY = VisitSummary(
    **COMMON,
    children=(
        ChildSeen(
            nickname="糖糖",
            weight_grams=3300,
            temperature=37.6,
            feeding="breast",
            jaundice="face",
            cord="attached",
            danger=("temperature",),
            advised=(),
        ),
    ),
    advice=("feeding", "sleep"),
    vaccinations_missing=True,
    referred_to="区妇幼保健院",
    next_on="2026-12-03",
    packs=(VisitPack(id="P00-04", title="母乳喂养头一个月"),),
)

SAID: tuple[tuple[VisitFacts, str], ...] = (
    (
        CONFIRMED,
        f"上门约好了！老师来看糖糖。\n{WHO}"
        "请准备好出生证明、接种本和体检本。\n"
        "要改时间，回复「上门」加新的日子；不要了，回复「取消上门」。",
    ),
    (
        VisitMoved(**COMMON, was_at=WAS, was_visitor="陆老师"),
        "请注意，上门的安排改了。\n原来：11月25日（周三）下午2:00，陆老师\n现在：\n"
        f"{WHO}请准备好出生证明、接种本和体检本。\n"
        "要改时间，回复「上门」加新的日子；不要了，回复「取消上门」。",
    ),
    (
        VisitDeclined(**COMMON, reason="那几天老师都排满了"),
        "很抱歉，糖糖的上门申请这次没能安排。\n原因：那几天老师都排满了。\n"
        "有疑问请打电话：021-5555-0101\n想换个时间，回复「上门」。",
    ),
    (
        VisitCancelledByStaff(**COMMON, reason="台风"),
        "很抱歉，11月26日（周四）上午9:00的上门取消了。\n原因：台风。\n"
        "有疑问请打电话：021-5555-0101\n另约时间，回复「上门」。",
    ),
    (
        VisitProposed(**COMMON, proposal_id=1, was_at=WAS, until=WAS),
        "上门的时间想跟您商量：\n"
        "11月26日（周四）上午9:00到上午10:00，施慧老师来，行吗？\n"
        "原来的11月25日（周三）下午2:00先给您留着。\n"
        "行，请回复「接受上门」；不行，请回复「换时间」。11月25日（周三）下午2:00前有效。",
    ),
    (
        VisitWishEnded(**COMMON, proposal_id=1, wished_at=WAS, was_declined=True),
        "很抱歉，上门改到11月25日（周三）下午2:00没有约成：那个时间排不开。\n"
        "原来的11月26日（周四）上午9:00不变，施慧老师会来。\n"
        "有疑问请打电话：021-5555-0101\n"
        "想换别的时间，回复「上门」加日子；不要了，回复「取消上门」。",
    ),
    (
        VisitWishEnded(
            **(COMMON | {"starts_at": None}), proposal_id=1, wished_at=WAS, was_declined=False
        ),
        "很抱歉，上门改到11月25日（周三）下午2:00没有约成：老师没能及时答复，站里已经知道。\n"
        "老师会打电话跟您另约。\n"
        "有疑问请打电话：021-5555-0101\n"
        "想换别的时间，回复「上门」加日子；不要了，回复「取消上门」。",
    ),
    (
        VisitReminded(**COMMON, kind="visit_evening"),
        f"提醒您：明天老师上门来看糖糖。\n{WHO}"
        "接种本、体检本请放在手边，室温22到26度就好。\n"
        "临时不方便，请回复「取消上门」或打老师电话。",
    ),
    (
        VisitorOnTheWay(**COMMON),
        "施慧老师已经出发，往您家来了。\n电话：021-5555-0201\n"
        "开门前请先对暗号：老师会说「红荷花」，说不对请不要开门。\n"
        "先看看老师的照片，回复「上门」。",
    ),
    (
        VisitMissed(**COMMON),
        "施慧老师到了您家，没有遇到您。\n"
        "没关系，回复「上门」另约一个时间；不方便打字，请打电话：021-5555-0201。",
    ),
    (
        SUMMARY,
        "这次上门的小结（11月26日（周四），施慧老师）：\n"
        "· 糖糖：体重3.30公斤，体温37.6℃，纯母乳，黄疸：只有脸上黄，脐带：还没脱落，干燥。\n"
        "请马上带糖糖去医院：体温不正常。情况急请打120。\n"
        "建议去：区妇幼保健院。老师会来问看得怎样。\n"
        "疫苗有没打的，请早点去接种门诊补上。\n"
        "聊过：喂养、睡眠安全。\n"
        "可以再看：《母乳喂养头一个月》\n回复「资料」就发给您。\n"
        "下次上门在12月3日（周四）前，老师会跟您约。\n"
        "这次上门怎么样？回复「评价 好」「评价 一般」或「评价 不好」，也可以接着写几句。",
    ),
)


@pytest.mark.parametrize(("facts", "text"), SAID, ids=lambda value: getattr(value, "kind", ""))
def test_what_a_notice_says(facts: VisitFacts, text: str) -> None:
    words = render(facts)
    assert words.text == text
    assert len(words.text.encode()) < 2000


def test_a_template_has_who_comes_and_the_word_to_check() -> None:
    fields = dict(render(CONFIRMED).fields)
    assert fields[Field.PERSON] == "施慧"
    assert fields[Field.PHONE] == "021-5555-0201"
    assert fields[Field.HINT] == "暗号：红荷花"
    assert len(fields[Field.HINT]) <= 20


def test_every_number_has_its_own_word() -> None:
    assert COUNT == CODE_WORDS
    assert len({code_word(number) for number in range(COUNT)}) == COUNT
