"""Reminders, and the line that leads to the calendar, in full."""

from datetime import datetime

import pytest

from app.clock import SHANGHAI
from app.models.notice_facts import (
    AgedOut,
    NoticeFacts,
    SessionChanged,
    SessionReminder,
    SignUpCancelledByStaff,
    SignUpConfirmed,
)
from app.wechat.templates import LINES, NoticeTemplate
from app.words.notices import render

URL = "https://yuban.example/calendar/MTI.x.ics"
LINE = f"加到日历：{URL}\n"
STARTS = datetime(2026, 11, 28, 9, 30, tzinfo=SHANGHAI)

DAY_BEFORE = SessionReminder(
    kind="reminder_24h",
    sign_up_ids=(12, 13),
    nicknames=("糖糖", "果果"),
    calendar_sequence=0,
    code="CQ-1",
    title="亲子阅读分享会",
    starts_at=STARTS,
    place="城桥镇早教指导站",
    address="人民路1号",
    phone="021-5555-0101",
)
HOURS_BEFORE = DAY_BEFORE.model_copy(update={"kind": "reminder_2h", "nicknames": ("糖糖",)})
ABOUT = "时间：11月28日（周六）上午9:30\n地点：城桥镇早教指导站，人民路1号\n电话：021-5555-0101\n"
CONFIRMED = SignUpConfirmed(
    nickname="糖糖",
    code="CQ-1",
    title="亲子阅读分享会",
    starts_at=STARTS,
    place="城桥镇早教指导站",
    address="人民路1号",
    phone="021-5555-0101",
)
CHANGED = SessionChanged(**CONFIRMED.model_dump(exclude={"kind"}), was_at=STARTS)


@pytest.mark.parametrize(
    "facts, words",
    [
        (
            DAY_BEFORE,
            f"提醒您：糖糖、果果报的「亲子阅读分享会」快到了。\n{ABOUT}{LINE}"
            "来不了请早点回复「取消 CQ-1」，把名额让给别的宝宝。",
        ),
        (
            HOURS_BEFORE,
            f"糖糖今天的「亲子阅读分享会」快开始了，别忘了出门。\n{ABOUT}"
            "到了请扫现场的二维码签到。临时来不了，请告诉老师一声。",
        ),
    ],
)
def test_a_reminder_says_when_where_and_what_to_do(facts: NoticeFacts, words: str) -> None:
    assert render(facts, URL).text == words


@pytest.mark.parametrize("facts", [CONFIRMED, CHANGED, DAY_BEFORE])
def test_the_calendar_is_one_line_and_only_where_there_is_a_link(facts: NoticeFacts) -> None:
    assert LINE in render(facts, URL).text
    assert render(facts, URL).text.replace(LINE, "") == render(facts).text


@pytest.mark.parametrize("has_none", [{"is_waiting": True}, {"offer_until": STARTS}])
def test_who_has_no_place_yet_gets_no_calendar(has_none: dict[str, object]) -> None:
    waiting = CHANGED.model_copy(update=has_none)

    assert "加到日历" not in render(waiting, URL).text


def test_a_cancellation_brings_the_file_that_takes_it_out_of_the_calendar() -> None:
    about = CONFIRMED.model_dump(exclude={"kind"})
    aged_out = AgedOut(was_at=STARTS, age_months=13, min_months=6, max_months=12)
    for why in (None, aged_out):
        facts = SignUpCancelledByStaff(**about, reason="台风", aged_out=why)

        assert f"日历里记过的，点开去掉：{URL}\n" in render(facts, URL).text


@pytest.mark.parametrize("facts", [DAY_BEFORE, HOURS_BEFORE])
def test_a_reminder_fits_its_template(facts: SessionReminder) -> None:
    filled = NoticeTemplate("id", LINES[facts.kind]).fill(render(facts, URL))

    assert filled is not None
    assert dict(filled)["time2"] == "2026年11月28日 09:30"
