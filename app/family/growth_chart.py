"""A child's measures among the lines of the national standard, as a picture for a page."""

import base64
from collections.abc import Sequence

from app.drawing import load_pygal, without_scripts
from app.rules.growth import PERCENTILES, Indicator, Line

SHOWN_PERCENTILES = (3, 25, 50, 75, 97)
MARGIN_MONTHS = 3
LONGEST_MONTHS = 36
GREY = {3: "#8a8f98", 25: "#b3b8bf", 50: "#5b616b", 75: "#b3b8bf", 97: "#8a8f98"}
OWN = "#b3261e"
NAMES = {Indicator.WEIGHT: "体重（公斤）", Indicator.LENGTH: "身长、身高（厘米）"}


def growth_chart(
    indicator: Indicator, lines: Sequence[Line], points: Sequence[tuple[float, float]]
) -> str:
    """SVG of one measure by age: the standard's lines in grey, the child's own in colour.

    `points` are (months, kilograms or centimetres). The lines end soon after the last point, so
    that a young child's measures are not squeezed into a corner.
    """
    # Pygal is large, and most requests draw nothing.
    pygal = load_pygal()

    last = max((months for months, _ in points), default=0.0)
    until = min(max(last + MARGIN_MONTHS, 6), LONGEST_MONTHS)
    shown = [line for line in lines if line.x <= until]
    chart = pygal.XY(
        js=[],
        title=NAMES.get(indicator),
        x_title="月龄",
        width=640,
        height=560,
        explicit_size=True,
        show_legend=False,
        show_dots=True,
        dots_size=6,
        print_labels=True,
        xrange=(0, until),
        x_labels=list(range(0, int(until) + 1, 3 if until > 9 else 1)),
        truncate_label=-1,
        disable_xml_declaration=True,
        style=pygal.style.Style(
            background="#ffffff",
            plot_background="#ffffff",
            colors=(*(GREY[p] for p in SHOWN_PERCENTILES), OWN),
            font_family="sans-serif",
            title_font_size=26,
            label_font_size=18,
            major_label_font_size=18,
            value_label_font_size=18,
            stroke_width="2",
            guide_stroke_color="#e4e7eb",
            major_guide_stroke_color="#e4e7eb",
        ),
    )
    for percentile in SHOWN_PERCENTILES:
        place = PERCENTILES.index(percentile)
        curve = [(line.x, line.values[place]) for line in shown]
        chart.add(f"P{percentile}", _with_name(curve, percentile), show_dots=False)
    chart.add("宝宝", list(points), show_dots=True, stroke_style={"width": 4})
    return without_scripts(chart.render(is_unicode=True))


def as_image(svg: str) -> str:
    """The picture as an address for an <img>: nothing in it runs, whatever it holds."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _with_name(curve: list[tuple[float, float]], percentile: int) -> list[object]:
    *most, end = curve
    return [*most, {"value": end, "label": f"P{percentile}"}]
