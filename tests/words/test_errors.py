import inspect
from datetime import datetime

import pytest

from app import errors
from app.clock import SHANGHAI
from app.errors import DomainError
from app.words.errors import has_words, say_error

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, DomainError) and kind is not DomainError
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_domain_error_has_a_sentence(kind: type[DomainError]) -> None:
    assert has_words(kind)


@pytest.mark.parametrize(
    "error, words",
    [
        (errors.SessionCodeTaken("CQ-1"), "编号「CQ-1」已经用过了，请换一个。"),
        (
            errors.SessionStepNotAllowed("CQ-1", state="cancelled", wanted="published"),
            "「CQ-1」已经取消，现在不能这样改。请回到活动页看看。",
        ),
        (
            errors.AttendanceTaken("CQ-1", count=3),
            "「CQ-1」已经记了3个宝宝的到场情况，不能再取消或改到以后。要改，请先撤销签到。",
        ),
        (
            errors.CheckInTooEarly("CQ-1", datetime(2026, 11, 28, 0, 0, tzinfo=SHANGHAI)),
            "还不能签到：「CQ-1」11月28日（周六）凌晨0:00起可以签。",
        ),
        (
            errors.NoDaysInSeries(days=0, limit=60),
            "一共排出0场；一个系列要有1到60场。请改一改日期或间隔。",
        ),
    ],
)
def test_the_timetables_refusals_say_what_to_do_next(error: DomainError, words: str) -> None:
    assert say_error(error) == words
