"""The page of docs/performance.md and its pictures, made of kept figures."""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from app.drawing import load_pygal, without_scripts
from devtools.documents import table

if TYPE_CHECKING:
    from tests.bench.whole import Kept

INK, GUIDE = "#2e2925", "#d9d4cf"
COLOURS: Final = (
    *("#9c4a2f", "#8a8f98", "#2c6049", "#b98a2b", "#3d5a80"),
    *("#7a4988", "#c76b5a", "#4f9aa8"),
)
LEAST: Final = 0.001
"""What a measured nought counts as, where its logarithm is wanted."""
SLOWEST: Final = 12
"""Pages of the console that are drawn and listed."""

HEAD: Final = """# How fast it is

Written by `./dev bench whole`, which measures all of this in one go on whatever machine it is
started on; the figures as they came lie beside the pictures in [performance/](performance/).
Each stands beside a reference that ran in the same minutes on the same machine, and the ratio is
what can be compared with another machine's. Where the load before a part is well over zero, the
machine was doing other work as well, and times by the clock are too long.
"""


def page(parts: Mapping[str, "Kept"]) -> str:
    """Markdown: a section for each part that is kept."""
    sections = [HEAD, *(_section(name, kept) for name, kept in parts.items())]
    return "\n".join(sections)


def pictures(parts: Mapping[str, "Kept"]) -> dict[str, str]:
    """SVG by name."""
    return {
        name: without_scripts(draw(parts[part].figures).render(is_unicode=True))
        for name, (part, draw) in _DRAWN.items()
        if part in parts
    }


def _section(name: str, kept: "Kept") -> str:
    title, told = _TOLD[name]
    drawn = [
        f"![{title}](performance/{picture}.svg)\n"
        for picture, (part, _) in _DRAWN.items()
        if part == name
    ]
    machine = ", ".join(f"{what} {value}" for what, value in kept.machine.items())
    foot = (
        f"`{kept.command}`, {kept.measured}, {kept.seconds:.0f} s, load before it"
        f" {kept.load_before}; {machine}.\n"
    )
    return "\n".join((f"## {title}\n", *told(kept.figures), *drawn, foot))


def _callback(figures: Any) -> Iterator[str]:
    yield (
        f"{figures['families']} families, {figures['requests_a_round']} requests a round, the"
        " median of the rounds; 16 connections, two workers. A read turn answers 我的预约, a write"
        " turn books a place. WeRoBot only echoes, and keeps a counter in its session; on SQLite it"
        " has one worker, since two wait for each other's lock until they give up. Latencies are of"
        " an open loop: requests leave at their moment whatever the answers do. At 200/s read and"
        " write turns come mixed, three to one, as people look more often than they book.\n"
    )
    yield table(
        (
            *("Engine", "What", "requests/s", "spread", "× echo", "p99 at 100/s"),
            *("p99 at 200/s", "not answered"),
        ),
        [
            (
                row["engine"],
                row["what"],
                f"{row['per_second']:.0f}",
                f"{row['spread']:.0f}",
                _or_none(row["ratio_to_echo"], "{:.2f}"),
                _or_none(row["p99_at_rate_ms"], "{:.0f} ms"),
                _or_none(row.get("p99_at_mixed_rate_ms"), "{:.0f} ms"),
                str(row["lost"]),
            )
            for row in figures["rows"]
        ],
    )
    yield (
        f"A worker takes {figures['worker_rss_mb']:.0f} MB resident"
        f" ({figures['worker_pss_mb']:.0f} MB of its own share); the web server answers"
        f" {figures['web_start_seconds']:.1f} s after its start.\n"
    )


def _signups(figures: Any) -> Iterator[str]:
    yield (
        "Sign-ups for one session without HTTP: two processes with the service inside, as two web"
        " workers are. Each is a whole turn with Redis and the database, in one transaction that"
        " writes all that a sign-up writes. Beside it, in turns, the same processes with nothing"
        " but the guarded update of the counter. Exact: counter, rows and answers agree, the last"
        f" {figures[0]['families'] - figures[0]['places']} families were told that it is full, and"
        " afterwards the doctor finds nothing.\n"
    )
    yield table(
        ("Engine", "Seats", "Sign-ups", "spread", "Bare update", "spread", "× bare", "Exact"),
        [
            (
                row["engine"],
                str(row["places"]),
                f"{row['sign_ups_per_second']:.0f}/s",
                f"{row['spread']:.0f}",
                f"{row['bare_per_second']:.0f}/s",
                f"{row['bare_spread']:.0f}",
                f"{row['ratio_to_bare']:.2f}",
                "yes" if row["exact"] and row["doctor_ok"] else "no",
            )
            for row in figures
        ],
    )


def _rush(figures: Any) -> Iterator[str]:
    yield (
        "All families ask for the same 20 places at the same moment, each twice, over HTTP with a"
        " connection for every message. Seconds from the sending to the reply's last byte.\n"
    )
    yield table(
        ("Engine", "Families", "Replies", "Won", "Full", "p50", "p99", "Last"),
        [
            (
                row["engine"],
                *(str(row[name]) for name in ("families", "replies", "won", "full")),
                *(f"{row[f'{name}_seconds']:.2f} s" for name in ("p50", "p99", "last")),
            )
            for row in figures
        ],
    )


def _growth(figures: Any) -> Iterator[str]:
    sizes = _sizes(figures)
    by_place = {(p["engine"], p["what"], p["families"]): p for p in figures["points"]}
    yield (
        "The median in milliseconds, as the district grows; inside the process, without HTTP, but"
        " with the database and Redis. The exponent is the slope of a line through the points,"
        " both axes logarithmic: 0 is what does not grow at all, 1 what grows in step with the"
        " families, and n log n would be 1.1 over these sizes. The last step's is that between the"
        " two largest sizes, where what every call costs anyway weighs least. What"
        " goes by indexes stays near 0; what reads every family goes towards 1, and nothing should"
        " be above it. Memory is by how much the process grew at the most, at the largest size.\n"
    )
    yield table(
        (
            *("Engine", "What"),
            *(f"{size:,} families" for size in sizes),
            *("exponent", "last step", "grown by"),
        ),
        [
            (
                engine,
                what,
                *(
                    f"{by_place[engine, what, size]['milliseconds']:.1f}"
                    if (engine, what, size) in by_place
                    else ""
                    for size in sizes
                ),
                *_exponents(_points(figures, engine, what), "families", "milliseconds"),
                f"{_points(figures, engine, what)[-1]['grown_mb']:.1f} MB",
            )
            for engine, what in dict.fromkeys((p["engine"], p["what"]) for p in figures["points"])
        ],
    )


def _exponents(points: Sequence[Mapping[str, Any]], size: str, took: str) -> tuple[str, str]:
    """The fitted one of all points, and that of the last two; "" where there is one point."""
    if len(points) < 2:
        return ("", "")
    pairs = [(point[size], point[took]) for point in points]
    return (f"{exponent(pairs):.2f}", f"{exponent(pairs[-2:]):.2f}")


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the line through sizes and times that fits best, both as logarithms."""
    sizes, times = (
        [math.log(max(value, LEAST)) for value in values] for values in zip(*points, strict=True)
    )
    return statistics.linear_regression(sizes, times).slope


def _packs(figures: Any) -> Iterator[str]:
    yield (
        "Planning one ordinary day on PostgreSQL, for families that are known already, beside"
        " `INSERT … SELECT` of the very rows that it wrote, into tables of the same columns,"
        " indexes and references: the medians of three days in turns, each on a copy of the same"
        " database. × CPU compares the processor time of PostgreSQL's process, which the machine's"
        " other work disturbs less. Small districts pay what every run costs, a few dozen"
        " milliseconds. Grown by: the planning process; PostgreSQL: its process for it, with what"
        " it touched of the memory that all share.\n"
    )
    planning = figures["planning"]
    yield table(
        (
            *("Children", "Pushes", "Messages", "Planned in", "Bare", "× bare", "× CPU"),
            *("Grown by", "PostgreSQL"),
        ),
        [
            (
                *(f"{row[name]:,}" for name in ("children", "pushes", "notices")),
                f"{row['seconds']:.2f} s",
                f"{row['bare_seconds']:.2f} s",
                f"{row['ratio_to_bare']:.2f}",
                _or_none(row.get("cpu_ratio_to_bare"), "{:.2f}"),
                f"{row['grown_mb']:.0f} MB",
                _or_none(row.get("server_mb"), "{:.0f} MB"),
            )
            for row in planning
        ],
    )
    fitted, last = _exponents(planning, "children", "seconds")
    yield (
        f"Planning grows with the exponent {fitted} over all sizes and {last} between the two"
        " largest (1 is in step with the children, n log n 1.1).\n"
    )
    yield (
        "Delivering them, beside bare loops of the same requests with the same number of threads"
        " against the same sandbox: with a session of requests a thread, as most would write it;"
        " with urllib3, of which 85 % is the bar; and with the deliverer's own connections, which"
        " shows what is left for checking, wording, claiming and recording. Medians of rounds in"
        " turns; each share is the median of what the rounds' shares were, from the lowest to the"
        " highest in brackets.\n"
    )
    yield table(
        (
            *("Messages", "Rounds", "Threads", "Ours", "requests", "of it", "urllib3", "of it"),
            *("own connections", "of it", "CPU a message", "urllib3's CPU", "PostgreSQL's CPU"),
        ),
        [
            (
                *(f"{row.get(name, 3):,}" for name in ("messages", "rounds", "threads")),
                f"{row['per_second']:.0f}/s",
                f"{row['bare_per_second']:.0f}/s",
                f"{row['share_of_bare']:.0%}",
                f"{row['lean_per_second']:.0f}/s",
                f"{row['share_of_lean']:.0%}{_from_to(row)}",
                _or_none(row.get("own_per_second"), "{:.0f}/s"),
                _or_none(row.get("share_of_own"), "{:.0%}"),
                f"{row['cpu_ms']:.2f} ms",
                f"{row['lean_cpu_ms']:.2f} ms",
                _or_none(row.get("server_cpu_ms"), "{:.2f} ms"),
            )
            for row in figures["delivering"]
        ],
    )


def _from_to(row: Mapping[str, Any]) -> str:
    if "lowest_share_of_lean" not in row:
        return ""
    return f" ({row['lowest_share_of_lean']:.0%} to {row['highest_share_of_lean']:.0%})"


def _console(figures: Any) -> Iterator[str]:
    over = [row for row in figures if not row["within_bar"]]
    yield (
        f"20,000 families on PostgreSQL, every page as every role that may open it: {len(figures)}"
        f" of them, {len(over)} over 200 ms at the 95th percentile or over twelve queries. The"
        f" slowest {SLOWEST}:\n"
    )
    yield table(
        ("Who", "Page", "median", "p95", "CPU, application", "CPU, PostgreSQL", "queries"),
        [
            (
                row["who"],
                f"`/console/{row['page']}`",
                *(
                    f"{row[name]:.0f} ms"
                    for name in ("median_ms", "p95_ms", "cpu_ms", "database_ms")
                ),
                str(row["queries"]),
            )
            for row in _slowest(figures, "p95_ms")
        ],
    )


def _timed(figures: Any) -> Iterator[str]:
    """Parts whose rows are an engine, what was asked, and how long it took."""
    yield table(
        ("Engine", "What", "median", "p95", "CPU"),
        [
            (
                row["engine"],
                row["what"],
                *(f"{row[name]:.1f} ms" for name in ("median_ms", "p95_ms", "cpu_ms")),
            )
            for row in figures
        ],
    )


def _pages(figures: Any) -> Iterator[str]:
    yield (
        "Families' pages in Chromium over slow 3G, the processor slowed four times: what came over"
        " the wire, and when the first thing stood on the screen, the median and the slowest of the"
        " rounds. `one-word` is a page of one word: what browser, line and machine take alone.\n"
    )
    yield table(
        ("Page", "kB", "First paint", "slowest"),
        [
            (
                f"`{row['path']}`",
                f"{row['bytes_sent'] / 1000:.1f}",
                *(f"{row[name]:.0f} ms" for name in ("first_paint_ms", "slowest_ms")),
            )
            for row in figures
        ],
    )


def _understanding(figures: Any) -> Iterator[str]:
    said = {
        "cross_validated": "examples, cross-validated",
        "cross_validated_sure": "of them, said with 0.8 or more",
        "unseen": "labelled messages that no example is",
        "unseen_sure": "of them, said with 0.8 or more",
        "fresh": "messages written without sight of rules or examples",
        "fresh_sure": "of them, said with 0.8 or more",
        "emergencies_found": "emergencies found",
        "calm_taken_for_one": "calm messages taken for one",
        "dates": "expressions of a date or time read",
    }
    yield table(
        ("What", "So many", "Of", "%"),
        [
            (
                words,
                str(share["right"]),
                str(share["of"]),
                f"{100 * share['right'] / share['of']:.1f}",
            )
            for part, words in said.items()
            if (share := figures.get(part)) and share["of"]
        ],
    )
    yield (
        f"A message takes {figures['median_ms']} ms of processor time, p99 {figures['p99_ms']} ms;"
        f" the model adds {figures['model_mb']} MB and {figures['load_seconds']} s to a start."
        " The labelled messages and the emergencies lie in the project, and rules were written"
        " with them in sight: of messages that nobody here has seen, fewer are right.\n"
    )


def _or_none(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def _slowest(rows: Iterable[Mapping[str, Any]], by: str) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: -row[by])[:SLOWEST]


def _sizes(figures: Any) -> list[int]:
    return sorted({point["families"] for point in figures["points"]})


def _draw_callback(figures: Any) -> Any:
    rows = [row for row in figures["rows"] if row["ratio_to_echo"] is not None]
    chart = _chart("HorizontalBar", "Requests a second, as a share of the bare echo's", len(rows))
    chart.x_labels = [f"{row['what']}, {row['engine']}" for row in reversed(rows)]
    chart.add("× echo", [row["ratio_to_echo"] for row in reversed(rows)])
    return chart


def _draw_growth(figures: Any) -> Any:
    return _lines(
        "Milliseconds, by families",
        [f"{size:,}" for size in _sizes(figures)],
        [
            (
                f"{what}, {engine}",
                [p["milliseconds"] for p in _points(figures, engine, what)],
                engine == "sqlite",
            )
            for engine, what in dict.fromkeys((p["engine"], p["what"]) for p in figures["points"])
        ],
    )


def _points(figures: Any, engine: str, what: str) -> list[Mapping[str, Any]]:
    mine = [p for p in figures["points"] if (p["engine"], p["what"]) == (engine, what)]
    return sorted(mine, key=lambda point: int(point["families"]))


def _draw_planning(figures: Any) -> Any:
    rows = figures["planning"]
    return _lines(
        "Seconds for a day, by children",
        [f"{row['children']:,}" for row in rows],
        [
            ("planned", [row["seconds"] for row in rows], False),
            ("bare INSERT … SELECT", [row["bare_seconds"] for row in rows], False),
        ],
    )


def _draw_console(figures: Any) -> Any:
    rows = _slowest(figures, "p95_ms")
    chart = _chart("HorizontalBar", "Milliseconds of the slowest pages", len(rows) * 2)
    chart.x_labels = [f"{row['page'] or 'today'}, {row['who']}" for row in reversed(rows)]
    chart.add("p95", [row["p95_ms"] for row in reversed(rows)])
    chart.add("median", [row["median_ms"] for row in reversed(rows)])
    return chart


def _draw_pages(figures: Any) -> Any:
    chart = _chart("HorizontalBar", "First paint in milliseconds", len(figures))
    chart.x_labels = [row["path"] for row in reversed(figures)]
    chart.add("first paint", [row["first_paint_ms"] for row in reversed(figures)])
    return chart


def _lines(
    title: str, labels: Sequence[str], lines: Sequence[tuple[str, list[float], bool]]
) -> Any:
    """On a scale of powers of ten; a line is its name, its values, and whether it is dashed."""
    chart = _chart("Line", title, 12, logarithmic=True)
    least = min(value for _, values, _ in lines for value in values)
    most = max(value for _, values, _ in lines for value in values)
    powers = [10.0**power for power in range(-3, 7)]
    first = max((power for power in powers if power <= least), default=powers[0])
    last = min((power for power in powers if power >= most), default=powers[-1])
    chart.y_labels = [power for power in powers if first <= power <= last]
    chart.range = (first, last)
    chart.x_labels = labels
    for name, values, is_dashed in lines:
        style = {"width": 2, **({"dasharray": "6, 4"} if is_dashed else {})}
        # A logarithm has no nought.
        chart.add(name, [max(value, first) for value in values], stroke_style=style)
    return chart


def _chart(kind: str, title: str, bars: int, **options: Any) -> Any:
    pygal = load_pygal()
    return getattr(pygal, kind)(
        js=[],
        title=title,
        width=860,
        height=140 + 30 * bars,
        explicit_size=True,
        # Else each drawing names its parts anew, and no two are alike.
        no_prefix=True,
        legend_at_bottom=True,
        legend_at_bottom_columns=2,
        value_formatter="{:g}".format,
        include_x_axis=kind != "Line",
        disable_xml_declaration=True,
        truncate_label=-1,
        truncate_legend=-1,
        print_values=kind != "Line",
        style=pygal.style.Style(
            background="#ffffff",
            plot_background="#ffffff",
            foreground=INK,
            foreground_strong=INK,
            foreground_subtle=INK,
            guide_stroke_color=GUIDE,
            major_guide_stroke_color=GUIDE,
            colors=COLOURS,
            font_family="sans-serif",
            title_font_size=17,
            label_font_size=12,
            major_label_font_size=12,
            legend_font_size=12,
            value_font_size=12,
        ),
        **options,
    )


_TOLD: Final = {
    "callback": ("A message and its answer", _callback),
    "signups": ("Sign-ups for one session", _signups),
    "rush": ("Everybody at once", _rush),
    "growth": ("As the district grows", _growth),
    "packs": ("Packs: planning a day, and delivering it", _packs),
    "console": ("The console", _console),
    "visits": ("Home visits, 10,000 newborn families", _timed),
    "course": ("The course, 10,000 learners", _timed),
    "pages": ("Families' pages on a slow phone", _pages),
    "understanding": ("What people mean", _understanding),
}
_DRAWN: Final = {
    "callback": ("callback", _draw_callback),
    "growth": ("growth", _draw_growth),
    "planning": ("packs", _draw_planning),
    "console": ("console", _draw_console),
    "pages": ("pages", _draw_pages),
}
