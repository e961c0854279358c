"""The door of a session: from an hour before until an hour after."""

from datetime import datetime

import pytest

from app.clock import SHANGHAI
from app.rules.check_in import Phase, code_of, phase_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-28T{text}").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "now, phase",
    [
        ("08:29:59", Phase.TOO_EARLY),
        ("08:30:00", Phase.BEFORE),
        ("09:29:59", Phase.BEFORE),
        ("09:30:00", Phase.UNDER_WAY),
        ("10:29:59", Phase.UNDER_WAY),
        ("10:30:00", Phase.AFTER),
        ("11:30:00", Phase.AFTER),
        ("11:30:01", Phase.TOO_LATE),
    ],
)
def test_every_moment_has_its_phase(now: str, phase: Phase) -> None:
    assert phase_of(at("09:30"), at("10:30"), at(now)) is phase


@pytest.mark.parametrize(
    "scene, code",
    [("s:CQ-1", "CQ-1"), ("CQ", None), ("", None), ("s:", ""), ("S:CQ-1", None)],
)
def test_a_sessions_scene_is_told_from_a_stations(scene: str, code: str | None) -> None:
    assert code_of(scene) == code
