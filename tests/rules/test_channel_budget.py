"""What may be sent: the platform's numbers at their edges, and never more than them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import SHANGHAI
from app.rules.channel_budget import Budget, Channel, channels

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)


def ago(**span: float) -> datetime:
    return NOON - timedelta(**span)


@pytest.mark.parametrize(
    "wrote_at, tapped_at, sent_at, left",
    [
        (None, None, (), 0),
        (ago(seconds=1), None, (), 5),
        (ago(hours=47, minutes=58, seconds=59), None, (), 5),
        (ago(hours=47, minutes=59), None, (), 0),
        (ago(hours=48), None, (), 0),
        (None, ago(seconds=54), (), 3),
        (None, ago(seconds=55), (), 0),
        (ago(hours=1), None, (ago(minutes=1),) * 4, 1),
        (ago(hours=1), None, (ago(minutes=1),) * 5, 0),
        (ago(hours=1), None, (ago(minutes=1),) * 9, 0),
        (ago(hours=1), None, (ago(hours=2),) * 5, 5),
        (None, ago(seconds=30), (ago(seconds=10),) * 2, 1),
        (ago(hours=1), ago(seconds=30), (ago(minutes=2),) * 5, 3),
        (ago(hours=1), ago(seconds=30), (ago(seconds=2),) * 3, 2),
    ],
)
def test_each_window_gives_what_is_left_of_it(
    wrote_at: datetime | None,
    tapped_at: datetime | None,
    sent_at: Sequence[datetime],
    left: int,
) -> None:
    assert Budget(wrote_at, tapped_at, sent_at).messages_left(NOON) == left


def test_a_window_gives_way_to_a_template_and_that_to_waiting() -> None:
    written, silent = Budget(ago(hours=1), None, ()), Budget(None, None, ())

    assert channels(written, has_template=True, now=NOON) == (
        Channel.CUSTOMER_SERVICE,
        Channel.TEMPLATE,
    )
    assert channels(written, has_template=False, now=NOON) == (Channel.CUSTOMER_SERVICE,)
    assert channels(silent, has_template=True, now=NOON) == (Channel.TEMPLATE,)
    assert channels(silent, has_template=False, now=NOON) == ()


seconds = st.floats(0, 200_000)


@given(
    acts=st.lists(st.tuples(st.sampled_from(["write", "tap", "send"]), seconds), max_size=40),
)
def test_we_never_send_more_than_the_platform_takes(acts: list[tuple[str, float]]) -> None:
    """The platform charges the window that ends first; we know only times."""
    wrote: datetime | None = None
    tapped: datetime | None = None
    used = {"write": 0, "tap": 0}
    sent: list[datetime] = []
    for act, offset in sorted(acts, key=lambda act: act[1]):
        at = NOON + timedelta(seconds=offset)
        if act == "write":
            wrote, used["write"] = at, 0
        elif act == "tap":
            tapped, used["tap"] = at, 0
        elif Budget(wrote, tapped, sent).messages_left(at) > 0:
            if tapped and at - tapped < timedelta(minutes=1) and used["tap"] < 3:
                used["tap"] += 1
            else:
                assert wrote is not None
                assert at - wrote < timedelta(hours=48)
                used["write"] += 1
                assert used["write"] <= 5
            sent.append(at)
