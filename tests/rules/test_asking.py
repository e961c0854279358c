"""What a consent is asked for, and when asking would be nagging."""

from datetime import UTC, datetime, timedelta

import pytest

from app.rules.asking import (
    AFTER_REFUSAL,
    ASKED_EVERY,
    Ask,
    Held,
    Purpose,
    find_asks,
    find_lasting,
    may_ask,
)

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
ASK = Ask(Purpose.PACK, "T1", is_lasting=False)


def test_a_lasting_consent_is_asked_for_where_there_is_one() -> None:
    asks = find_asks({"pack": "T1 thing1=title", "pack_long_term": "T2"}, {})
    assert asks == {Purpose.PACK: Ask(Purpose.PACK, "T2", is_lasting=True)}
    assert find_lasting({"pack": "T1", "pack_long_term": "T2"}) == {"T2"}


def test_nothing_is_asked_for_what_a_template_says_without_asking() -> None:
    both = {"pack": "T1", "reminder_24h": "T3"}
    assert set(find_asks(both, {"reminder_24h": "T9"})) == {Purpose.PACK}


def test_a_blank_or_unknown_setting_asks_for_nothing() -> None:
    assert find_asks({"pack": " ", "pack_long_term": "", "course_nudge": "T1"}, {}) == {}
    assert find_lasting({"pack_long_term": " "}) == frozenset()


@pytest.mark.parametrize(
    ("held", "may"),
    [
        ({}, True),
        ({"T1": Held(sends_left=1)}, False),
        ({"T1": Held(is_lasting=True)}, False),
        ({"T1": Held(refused_at=NOW - AFTER_REFUSAL + timedelta(seconds=1))}, False),
        ({"T1": Held(refused_at=NOW - AFTER_REFUSAL)}, True),
        ({"T1": Held(asked_at=NOW - ASKED_EVERY + timedelta(seconds=1))}, False),
        ({"T1": Held(asked_at=NOW - ASKED_EVERY)}, True),
        # Another question counts as asking, another's no or yes does not.
        ({"T3": Held(asked_at=NOW - timedelta(days=1))}, False),
        ({"T3": Held(sends_left=2)}, True),
        ({"T3": Held(refused_at=NOW)}, True),
    ],
)
def test_nobody_is_asked_what_they_answered_or_were_asked_lately(
    held: dict[str, Held], may: bool
) -> None:
    assert may_ask(ASK, held, NOW) is may
