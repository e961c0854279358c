"""docs/performance.md says what was measured, and nothing else."""

import math

import pytest

from tests.bench import whole, written

N_LOG_N = 1.2
"""1.1 between a thousand and a million; the rest is for a machine with other things to do."""


def test_the_page_is_made_of_the_kept_figures_alone() -> None:
    parts = whole.read()

    assert parts
    assert whole.PAGE.read_text(encoding="utf-8") == written.page(parts)


def test_the_pictures_are_those_of_the_kept_figures() -> None:
    made = written.pictures(whole.read())

    kept = {path.stem: path.read_text(encoding="utf-8") for path in whole.KEPT.glob("*.svg")}
    assert kept == {name: picture + "\n" for name, picture in made.items()}


def test_a_page_can_be_written_before_everything_is_measured() -> None:
    (name, kept), *_ = whole.read().items()

    page = written.page({name: kept})

    assert kept.command in page
    assert page.count("\n## ") == 1


def test_the_exponent_of_growth_is_the_slope_between_logarithms() -> None:
    sizes = (1_000, 10_000, 100_000, 1_000_000)

    for power in (0, 0.5, 1, 2):
        assert written.exponent([(size, 3 * size**power) for size in sizes]) == pytest.approx(power)
    n_log_n = [(size, size * math.log(size)) for size in sizes]
    assert 1.05 < written.exponent(n_log_n) < 1.15


def test_nothing_that_was_measured_grows_faster_than_n_log_n() -> None:
    parts = whole.read()
    curves: list[tuple[object, list[tuple[float, float]]]] = []
    if "growth" in parts:
        points = parts["growth"].figures["points"]
        for key in {(point["engine"], point["what"]) for point in points}:
            mine = [p for p in points if (p["engine"], p["what"]) == key]
            curves.append((key, [(p["families"], p["milliseconds"]) for p in mine]))
    planned = parts["packs"].figures["planning"]
    curves.append(("planning", [(row["children"], row["seconds"]) for row in planned]))
    for what, curve in curves:
        assert written.exponent(curve) < N_LOG_N, what
