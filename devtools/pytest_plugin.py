"""Leaves out what cannot or need not run here, and ends with the count of it.

Skips rather than deselects: the workers of a parallel run report what they skipped, and a
count that is lost would read as "everything passed".
"""

import gc
from collections import Counter
from collections.abc import Generator

import pytest

LEFT_OUT = {
    "browser": "browser tests: install chromium and a Chinese font (fonts-wqy-microhei)",
    "long": "long tests: ./dev test --long runs them",
    "other_engine": "tests on their other engine: ./dev test --long runs them",
    "other_width": "ways on a screen of the other width: ./dev test --long runs them",
}
COLLECT_EVERY = 100
"""Tests. A full collection walks through the whole heap of a worker, thousands of collected tests
and all that they import: Python does it more than once a test, for seconds each in the end."""
_left_out = pytest.StashKey[Counter[str]]()
_tests_done = [0]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("yuban")
    group.addoption("--long", action="store_true", help="run the tests marked long too")
    group.addoption("--without-browser", action="store_true", help="leave out the browser tests")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_left_out] = Counter()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    out = {
        "browser": config.getoption("--without-browser"),
        "long": not config.getoption("--long"),
        "other_engine": not config.getoption("--long"),
        "other_width": not config.getoption("--long"),
    }
    for item in items:
        for mark, is_out in out.items():
            if is_out and item.get_closest_marker(mark) is not None:
                item.add_marker(pytest.mark.skip(reason=LEFT_OUT[mark]))


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.disable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """What a test leaves is collected after it; what survives many tests is looked at no more."""
    done = yield
    _tests_done[0] += 1
    if _tests_done[0] % COLLECT_EVERY:
        gc.collect(1)
    else:
        gc.collect()
        gc.freeze()
    return done


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Runs where the reports of all workers come together."""
    for report in terminalreporter.stats.get("skipped", []):
        for mark, reason in LEFT_OUT.items():
            if isinstance(report.longrepr, tuple) and str(report.longrepr[2]).endswith(reason):
                terminalreporter.config.stash[_left_out][mark] += 1


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    for mark, count in sorted(config.stash.get(_left_out, Counter()).items()):
        print(f"left out: {count} {LEFT_OUT[mark]}", flush=True)
