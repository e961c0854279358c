"""The figures of the coverage report as columns: one list for screen, print and file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.console.listing import Cell
from app.rules.coverage import BARS
from app.rules.small_cells import hidden, is_small
from app.services.coverage import Counts, Report

HIDDEN = "＊"
"""What stands in the place of a small number, and of one that would give it away: which of the two
it is nobody is told, and nothing untrue is said of a large one."""
HIDDEN_SHARE = "不显示"
HISTOGRAM = (*(str(count) for count in range(BARS[0])), *(f"{bar}+" for bar in BARS))
EXCLUSIVE = (*(str(count) for count in range(BARS[0])), f"{BARS[0]}+")
"""The columns of the histogram that add up to the families in need."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One column: a count of families, or a share of them."""

    title: str
    count: Callable[[Counts], int] | None = None
    share: Callable[[Counts], float | None] | None = None
    which: str = ""
    """The families behind it, where it can be opened: coverage_families.WHICH."""


def _bar(bar: str) -> Callable[[Counts], int]:
    return lambda row: row.attended_histogram[bar]


FIGURES: tuple[Figure, ...] = (
    Figure("有需求", count=lambda row: row.families_in_need, which="in_need"),
    Figure("满6次", share=lambda row: row.share_reaching_6),
    Figure("满12次", share=lambda row: row.share_reaching_12),
    Figure("折算满6次", share=lambda row: row.share_reaching_6_prorated),
    *(Figure(f"{bar}次", count=_bar(bar), which=bar) for bar in HISTOGRAM),
    Figure("未答", count=lambda row: row.families_not_answered, which="not_answered"),
    Figure("新生儿家庭", count=lambda row: row.newborns_in_need),
    Figure("已上门", count=lambda row: row.newborns_visited),
    Figure("收到资料", count=lambda row: row.online_delivered),
    Figure("打开资料", count=lambda row: row.online_opened),
    Figure("报名课程", count=lambda row: row.course_enrolled),
    Figure("课程结业", count=lambda row: row.course_completed),
)


def say_share(share: float | None) -> str:
    """83.3%, or — where there is no family to have a share of."""
    return "—" if share is None else f"{share:.1%}"


def shown(figure: Figure, row: Counts) -> Cell:
    """What stands in the cell: a number, or a share in words."""
    if figure.count is not None:
        return figure.count(row)
    return say_share(figure.share(row) if figure.share else None)


def names_of(report: Report) -> list[tuple[str, Counts]]:
    """The townships' rows by name, and the total."""
    return [*((row.township, row) for row in report.townships), ("合计", report.total)]


def stations_of(report: Report) -> list[tuple[str, Counts]]:
    """The stations' rows by name: those that have any family."""
    return [
        (row.name or "没有分到指导站", row)
        for row in report.stations
        if row.families_in_need or row.families_not_answered
    ]


def table(rows: Sequence[tuple[str, Counts]], what: str, *, is_masked: bool) -> list[list[Cell]]:
    """A table with its header; small cells hidden where it leaves the district."""
    header: list[Cell] = [what, *(figure.title for figure in FIGURES)]
    hides = _hidden_counts(rows) if is_masked else [frozenset[str]() for _ in rows]
    body = [
        [name, *(_cell(figure, row, hide, is_masked=is_masked) for figure in FIGURES)]
        for (name, row), hide in zip(rows, hides, strict=True)
    ]
    return [header, *body]


def _hidden_counts(rows: Sequence[tuple[str, Counts]]) -> list[frozenset[str]]:
    """By row: the columns that are hidden, by `which` or title. The total is no part of the table.

    The histogram's exclude each other and add up to the families in need, across and down; the
    others add up downwards alone.
    """
    parts = [(name, row) for name, row in rows if name != "合计"]
    cells = hidden([[row.attended_histogram[bar] for bar in EXCLUSIVE] for _, row in parts])
    by_row = [
        {EXCLUSIVE[column] for line, column in cells if line == number}
        for number in range(len(parts))
    ]
    for figure in FIGURES:
        if figure.count is not None and figure.which not in EXCLUSIVE:
            for line, _ in hidden([[figure.count(row)] for _, row in parts]):
                by_row[line].add(figure.which or figure.title)
    rest = [frozenset[str]() for _ in range(len(rows) - len(parts))]
    return [*(frozenset(hides) for hides in by_row), *rest]


def _cell(figure: Figure, row: Counts, hide: frozenset[str], *, is_masked: bool) -> Cell:
    if not is_masked:
        return shown(figure, row)
    if figure.count is not None:
        count = figure.count(row)
        return HIDDEN if is_small(count) or (figure.which or figure.title) in hide else count
    value = figure.share(row) if figure.share else None
    if value is None:
        return say_share(value)
    reached = round(value * row.families_in_need)
    # Both sides of a share tell: three of sixty who reached it, or three who did not.
    gives_away = is_small(reached) or is_small(row.families_in_need - reached)
    if gives_away or is_small(row.families_in_need) or f"{BARS[0]}+" in hide:
        return HIDDEN_SHARE
    return say_share(value)
