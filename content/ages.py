"""How packs spread over the first three years: gaps, crowds, and the table of ages × topics."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from content.packs import AUDIENCES, EVERYONE, SERVICE_AREAS, TOPICS, Pack

LAST_DAY = 1096
"""Three years, with a leap day: the service ends at 36 months."""
HALF_YEAR = 182
LONGEST_GAP_EARLY, LONGEST_GAP = 14, 31
"""Days without a new pack in the first half-year, and after."""
FIRST_MONTH = 30
MOST_A_WEEK_EARLY, MOST_A_WEEK = 5, 3
"""Packs that begin within seven days; a family gets three a week, the rest waits."""
BANDS = (
    ("0月", 0, 30),
    ("1月", 30, 61),
    ("2月", 61, 91),
    ("3月", 91, 122),
    ("4月", 122, 152),
    ("5月", 152, 183),
    ("6—8月", 183, 274),
    ("9—11月", 274, 365),
    ("12—17月", 365, 548),
    ("18—23月", 548, 730),
    ("24—29月", 730, 913),
    ("30—35月", 913, 1096),
)
"""Name, first day, day after the last."""


@dataclass(frozen=True, slots=True)
class Band:
    """One age band: per topic, how many packs begin in it, and how many are open in it."""

    band: str
    begins: dict[str, int]
    open: dict[str, int]


def find_gaps(packs: Iterable[Pack], today: date) -> Iterator[str]:
    """Ages in which a family that is no grandparent's gets nothing new for too long."""
    pushed = [p for p in packs if p.is_pushed(today) and p.audience == EVERYONE]
    starts = sorted({p.from_days for p in pushed if p.from_days < LAST_DAY})
    for begin, end in pairwise([*starts, LAST_DAY]):
        longest = LONGEST_GAP_EARLY if begin < HALF_YEAR else LONGEST_GAP
        if end - begin > longest:
            yield f"第{begin}天到第{end}天之间没有新的一篇，最多隔{longest}天"
    if not starts or starts[0] > 0:
        yield "出生当天没有一篇"
    for topic in SERVICE_AREAS:
        if all(p.topic != topic for p in pushed):
            yield f"没有一篇讲{topic}"


def find_crowds(packs: Iterable[Pack]) -> Iterator[tuple[Pack, str]]:
    """Packs that begin in a week that is full already, for some audience."""
    ordered = sorted(packs, key=lambda p: (p.from_days, p.id))
    for audience in AUDIENCES:
        mine = [p for p in ordered if p.audience in (EVERYONE, audience)]
        for place, pack in enumerate(mine):
            most = MOST_A_WEEK_EARLY if pack.from_days <= FIRST_MONTH else MOST_A_WEEK
            before = [p for p in mine[:place] if p.from_days > pack.from_days - 7]
            crowded = len(before) >= most and audience in (EVERYONE, "grandparents")
            if crowded and (audience == EVERYONE or pack.audience == audience):
                ids = "、".join(p.id for p in before)
                yield pack, f"同一周里已有 {ids}，最多{most}篇，请错开"


def tabulate(packs: Sequence[Pack]) -> list[Band]:
    """The table of age bands × topics."""
    return [
        Band(
            band=name,
            begins={
                t: sum(p.topic == t and first <= p.from_days < end for p in packs) for t in TOPICS
            },
            open={
                t: sum(p.topic == t and p.from_days < end and p.until_days > first for p in packs)
                for t in TOPICS
            },
        )
        for name, first, end in BANDS
    ]


def as_markdown(bands: Iterable[Band]) -> str:
    """`begins/open` a cell; a dash where nothing of the topic is open."""
    lines = [
        "| 月龄 | " + " | ".join(TOPICS) + " |",
        "|---" * (len(TOPICS) + 1) + "|",
    ]
    for band in bands:
        cells = [f"{band.begins[t]}/{band.open[t]}" if band.open[t] else "–" for t in TOPICS]
        lines.append(f"| {band.band} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
