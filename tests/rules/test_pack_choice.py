"""Which pack is due for whom, in tables and by properties."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import SHANGHAI
from app.rules.pack_choice import (
    BAND_DAYS,
    TERM,
    ReaderOf,
    Window,
    band,
    current,
    is_for,
    is_late,
    is_open,
    opening,
    window_of,
    window_weeks,
)
from app.rules.quiet_hours import is_quiet

BORN = date(2026, 2, 28)


@dataclass(frozen=True)
class FakePack:
    """What the rules look at, and nothing else."""

    id: str
    from_days: int
    until_days: int
    topic: str = "膳食营养"
    audience: str = "everyone"
    uses_corrected_age: bool = False


@pytest.mark.parametrize(
    ("weeks", "counted"),
    [(None, TERM), (21, TERM), (22, 22), (36, 36), (37, TERM), (40, TERM), (42, TERM)],
)
def test_only_the_preterm_are_corrected(weeks: int | None, counted: int) -> None:
    assert window_weeks(weeks) == counted


@pytest.mark.parametrize(
    ("from_days", "until_days", "weeks", "window"),
    [
        (10, 20, 40, Window(10, 20)),
        (10, 20, 32, Window(66, 76)),
        # The correction ends at 24 months: a window is cut there, or goes back to the birth date.
        (700, 720, 32, None),
        (660, 720, 32, Window(716, 730)),
        (720, 800, 32, Window(730, 800)),
        (730, 800, 32, Window(730, 800)),
        (900, 930, 24, Window(900, 930)),
    ],
)
def test_a_corrected_window_comes_later_until_two_years(
    from_days: int, until_days: int, weeks: int, window: Window | None
) -> None:
    pack = FakePack("P", from_days, until_days, uses_corrected_age=True)

    assert window_of(pack, weeks) == window


def test_vaccination_is_never_corrected() -> None:
    assert window_of(FakePack("P", 10, 20), 30) == Window(10, 20)


@pytest.mark.parametrize(
    ("day", "opened"),
    [
        (date(2026, 3, 9), False),
        (date(2026, 3, 10), True),
        (date(2026, 3, 19), True),
        (date(2026, 3, 20), False),
        (date(2026, 2, 1), False),
    ],
)
def test_a_window_opens_on_its_day_and_closes_before_its_last(day: date, opened: bool) -> None:
    assert is_open(FakePack("P", 10, 20), BORN, None, day) is opened


@pytest.mark.parametrize(
    ("audience", "relation", "weeks", "twin", "is_it"),
    [
        ("everyone", None, None, False, True),
        ("grandparents", "grandmother", None, False, True),
        ("grandparents", "mother", None, False, False),
        ("grandparents", None, None, False, False),
        ("parents", "mother", None, False, True),
        ("parents", None, None, False, True),
        ("parents", "grandfather", None, False, False),
        ("preterm", "mother", 33, False, True),
        ("preterm", "mother", 38, False, False),
        ("multiples", "mother", None, True, True),
        ("multiples", "mother", None, False, False),
        ("special_needs", "mother", None, False, False),
    ],
)
def test_who_is_meant(
    audience: str, relation: str | None, weeks: int | None, twin: bool, is_it: bool
) -> None:
    assert is_for(audience, ReaderOf(relation, weeks, twin)) is is_it


def test_a_late_joiner_gets_the_band_and_no_backlog() -> None:
    packs = [FakePack("A", 0, 400), FakePack("B", 270, 330), FakePack("C", 295, 330)]
    on = BORN + timedelta(days=310)

    assert [pack.id for pack in current(packs, BORN, None, on)] == ["C", "B", "A"]
    assert [pack.id for pack in band(packs, BORN, None, on)] == ["C"]


def test_where_nothing_opened_lately_the_newest_is_the_band() -> None:
    packs = [FakePack("A", 0, 400), FakePack("B", 100, 400)]

    assert [pack.id for pack in band(packs, BORN, None, BORN + timedelta(days=200))] == ["B"]
    assert band(packs, BORN, None, BORN + timedelta(days=500)) == ()


@pytest.mark.parametrize(("hours", "late"), [(0, False), (47, False), (48, True), (200, True)])
def test_what_is_two_days_late_is_not_caught_up(hours: int, late: bool) -> None:
    due = datetime(2026, 3, 10, 8, tzinfo=SHANGHAI)

    assert is_late(due, due + timedelta(hours=hours)) is late


packs_drawn = st.lists(
    st.builds(
        lambda number, first, length, corrected: FakePack(
            f"P{number}", first, first + length, uses_corrected_age=corrected
        ),
        st.integers(0, 9_999),
        st.integers(0, 1_000),
        st.integers(1, 400),
        st.booleans(),
    ),
    max_size=30,
)
weeks_drawn = st.one_of(st.none(), st.integers(20, 43))
ages_drawn = st.integers(0, 1_200)


@given(packs=packs_drawn, weeks=weeks_drawn, age=ages_drawn)
def test_nothing_is_given_before_its_window_nor_after(
    packs: list[FakePack], weeks: int | None, age: int
) -> None:
    on = BORN + timedelta(days=age)
    for pack in (*band(packs, BORN, weeks, on), *current(packs, BORN, weeks, on)):
        early = 280 - window_weeks(weeks) * 7 if pack.uses_corrected_age else 0
        assert pack.from_days <= age
        assert age < pack.until_days + early
        assert is_open(pack, BORN, weeks, on)


@given(packs=packs_drawn, weeks=weeks_drawn, age=ages_drawn)
def test_a_band_is_the_newest_part_of_what_is_open(
    packs: list[FakePack], weeks: int | None, age: int
) -> None:
    on = BORN + timedelta(days=age)
    opened = current(packs, BORN, weeks, on)
    given_now = band(packs, BORN, weeks, on)

    assert given_now == opened[: len(given_now)]
    assert bool(given_now) is bool(opened)
    for pack in given_now[1:]:
        window = window_of(pack, window_weeks(weeks))
        assert window is not None
        assert age - window.opens <= BAND_DAYS


@given(born=st.dates(date(2020, 1, 1), date(2030, 1, 1)), days=st.integers(0, 1_100))
def test_windows_open_outside_of_quiet_hours(born: date, days: int) -> None:
    at = opening(born, days, SHANGHAI)

    assert not is_quiet(at)
    assert at.utctimetuple()[3:5] == (0, 0), "the planner's SQL relies on it"
