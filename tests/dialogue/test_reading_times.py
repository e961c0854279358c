"""Times of day, heard at ten on a Sunday morning."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import SHANGHAI
from app.dialogue.reading.dates import Certainty
from app.dialogue.reading.times import DayPart, find_day_part, find_times

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "text, instants",
    [
        ("15:00", ["2026-11-22T15:00"]),
        ("15：30", ["2026-11-22T15:30"]),
        ("9:30", ["2026-11-23T09:30"]),
        ("下午三点半", ["2026-11-22T15:30"]),
        ("下午3点15分", ["2026-11-22T15:15"]),
        ("下午三点一刻", ["2026-11-22T15:15"]),
        ("下午三点三刻", ["2026-11-22T15:45"]),
        ("两点四十五", ["2026-11-22T14:45"]),
        ("7点零五", ["2026-11-23T07:05"]),
        ("晚上七点", ["2026-11-22T19:00"]),
        ("上午9点", ["2026-11-23T09:00"]),
        ("明天上午九点", ["2026-11-23T09:00"]),
        ("明早8点", ["2026-11-23T08:00"]),
        ("今晚8点", ["2026-11-22T20:00"]),
        ("昨晚11点", ["2026-11-21T23:00"]),
        ("三点", ["2026-11-22T15:00"]),
        ("8点", ["2026-11-23T08:00"]),
        ("十二点半", ["2026-11-22T12:30"]),
        ("中午1点", ["2026-11-22T13:00"]),
        ("凌晨2点", ["2026-11-23T02:00"]),
        ("夜里11点", ["2026-11-22T23:00"]),
        ("晚上12点", ["2026-11-23T00:00"]),
        ("24点", ["2026-11-23T00:00"]),
        ("3pm", ["2026-11-22T15:00"]),
        ("3:30 PM", ["2026-11-22T15:30"]),
        ("一点半", ["2026-11-22T13:30"]),
        ("1点钟", ["2026-11-22T13:00"]),
        ("一点", ["2026-11-22T13:00"]),
        ("下午一点", ["2026-11-22T13:00"]),
        ("12月3日上午9点一刻", ["2026-12-03T09:15"]),
        ("2026-12-03 14:30", ["2026-12-03T14:30"]),
        ("2026-12-03T09:00", ["2026-12-03T09:00"]),
        ("周六晚上6点", ["2026-11-28T18:00"]),
        ("9点，明天", ["2026-11-23T09:00"]),
        ("下周三下午2点到4点", ["2026-11-25T14:00", "2026-11-25T16:00"]),
        ("9点到11点", ["2026-11-23T09:00", "2026-11-23T11:00"]),
        ("9-11点", ["2026-11-23T09:00", "2026-11-23T11:00"]),
        ("15:00-16:30", ["2026-11-22T15:00", "2026-11-22T16:30"]),
    ],
)
def test_a_time_becomes_an_instant(text: str, instants: list[str]) -> None:
    found = [f"{time.value:%Y-%m-%dT%H:%M}" for time in find_times(text, NOW)]
    assert found == instants


@pytest.mark.parametrize(
    "text",
    [
        "早一点",
        "有一点咳嗽",
        "快一点",
        "几点",
        "第3点",
        "25:00",
        "25点",
        "38.5度",
        "30:2",
        "时候",
        "小时",
        "",
    ],
)
def test_what_is_no_time_gives_none(text: str) -> None:
    assert find_times(text, NOW) == ()


@pytest.mark.parametrize(
    "text, certainty",
    [
        ("明天15:00", Certainty.EXACT),
        ("明天下午三点", Certainty.EXACT),
        ("明天三点", Certainty.ROLLED),
        ("15:00", Certainty.ROLLED),
        ("周六下午三点", Certainty.ROLLED),
    ],
)
def test_a_time_is_exact_only_with_its_day_and_half(text: str, certainty: Certainty) -> None:
    assert [time.certainty for time in find_times(text, NOW)] == [certainty]


def test_an_instant_bears_the_zone_of_now() -> None:
    (found,) = find_times("明天9点", NOW)
    assert found.value.utcoffset() == NOW.utcoffset()


@pytest.mark.parametrize(
    "text, part",
    [
        ("上门 2026-12-03 上午", DayPart.MORNING),
        ("早上", DayPart.MORNING),
        ("下午", DayPart.AFTERNOON),
        ("中午过后", DayPart.AFTERNOON),
        ("今晚", DayPart.EVENING),
        ("夜里", DayPart.EVENING),
        ("上午下午都行", None),
        ("随便", None),
    ],
)
def test_the_part_of_a_day_is_read_where_one_is_named(text: str, part: DayPart | None) -> None:
    assert find_day_part(text) is part


@given(st.integers(0, 23), st.integers(0, 59))
def test_every_clock_time_of_a_named_day_is_read_back(hour: int, minute: int) -> None:
    if 1 <= hour <= 6:
        return
    (found,) = find_times(f"2026-12-03 {hour:02}:{minute:02}", NOW)
    assert found.value == datetime(2026, 12, 3, hour, minute, tzinfo=SHANGHAI)


@given(
    st.text(alphabet="上下午早晚中夜里明今天点半刻分钟时:-到~ 0123456789一二两三十apm", max_size=20)
)
def test_any_text_is_read_without_an_error(text: str) -> None:
    for found in find_times(text, NOW):
        assert found.value.tzinfo is SHANGHAI
