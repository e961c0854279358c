"""Charts of the coverage report, drawn on the server as pictures in the page."""

import base64
from functools import lru_cache
from typing import Any

from app.drawing import load_pygal
from app.rules.coverage import BARS
from app.services.coverage import Report

ACCENT, GOOD, WAIT, INK = "#9c4a2f", "#2c6049", "#b98a2b", "#2e2925"
FONT = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, WenQuanYi Micro Hei, sans-serif"
ROW_HEIGHT = 26
DRAWN = 16
"""Pictures that are kept, some 30 kB each: a few years of a few places."""


def shares(report: Report) -> str:
    """By township: the share that attended six times or more, as a data: address."""
    rows = [row for row in reversed(report.townships) if row.families_in_need]
    return _draw_shares(tuple((row.township, _percent(row.share_reaching_6)) for row in rows))


def histogram(report: Report) -> str:
    """Families in need by how often they came, as a data: address."""
    bars = (*(str(count) for count in range(BARS[0])), f"{BARS[0]}+")
    return _draw_histogram(tuple((bar, report.total.attended_histogram[bar]) for bar in bars))


# Drawing costs more than all else on the page, and the same figures are the same picture.
@lru_cache(maxsize=DRAWN)
def _draw_shares(rows: tuple[tuple[str, float | None], ...]) -> str:
    chart = _chart("HorizontalBar", height=90 + ROW_HEIGHT * len(rows), range=(0, 100))
    chart.x_labels = [township for township, _ in rows]
    chart.add("满6次的家庭（%）", [percent for _, percent in rows])
    return _address(chart)


@lru_cache(maxsize=DRAWN)
def _draw_histogram(bars: tuple[tuple[str, int], ...]) -> str:
    chart = _chart("Bar", height=300)
    chart.x_labels = [f"{bar}次" for bar, _ in bars]
    chart.add("家庭", [families for _, families in bars])
    return _address(chart)


def _address(chart: Any) -> str:
    drawn = base64.b64encode(chart.render(is_unicode=True).encode()).decode()
    return f"data:image/svg+xml;base64,{drawn}"


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 1)


def _chart(kind: str, **options: Any) -> Any:
    pygal = load_pygal()

    style = pygal.style.Style(
        background="transparent",
        plot_background="transparent",
        foreground=INK,
        foreground_strong=INK,
        foreground_subtle="#cfc3b4",
        colors=(ACCENT, GOOD, WAIT),
        font_family=FONT,
        label_font_size=15,
        major_label_font_size=15,
        value_font_size=14,
        value_colors=(INK,),
    )
    return getattr(pygal, kind)(
        style=style,
        js=(),
        width=800,
        show_legend=False,
        print_values=True,
        print_zeroes=True,
        margin=12,
        **options,
    )
