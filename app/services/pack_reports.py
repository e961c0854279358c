"""What became of packs: by pack and version, from sums that are kept (pack_totals.py)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CataloguedPack
from app.services.pack_totals import find_standings

KEPT_BACK = ("skipped", "waiting", "failed", "unknown", "planned")


@dataclass(frozen=True, slots=True)
class PackFigures:
    """One version of a pack: for how many children and caregivers, and what came of it."""

    pack: str
    title: str
    topic: str
    version: int
    planned: int
    """Rows of the ledger, whatever became of them."""
    delivered: int
    asked: int
    """Of the delivered, those that somebody asked for."""
    opened: int
    liked: int
    disliked: int
    waiting: int
    skipped: int
    lost: int
    """Failed or unknown."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The pushes that fell due in some days: what became of them, and why of those kept back."""

    figures: list[PackFigures]
    """Each version of a pack on its own, in the order of ids."""
    why_not: Mapping[str, int]
    """How often each reason kept a push back, the most frequent first."""


def read_ledger(db: Session, *, first: date, last: date, pack_id: str | None = None) -> Ledger:
    """The ledger from one day of Shanghai to another, both included; of all packs or of one."""
    titles = {
        found_id: (title, topic)
        for found_id, title, topic in db.execute(
            select(CataloguedPack.id, CataloguedPack.title, CataloguedPack.topic)
        )
    }
    found: dict[tuple[str, int], Counter[str]] = {}
    why_not: Counter[str] = Counter()
    for each in find_standings(db, first=first, last=last, pack_id=pack_id):
        counts = found.setdefault((each.pack_id, each.version), Counter())
        counts["planned"] += each.pushes
        is_sent = each.state == "sent"
        for name, holds in (
            ("delivered", is_sent),
            ("asked", is_sent and each.reason == "asked"),
            ("opened", each.is_opened),
            ("liked", each.rating == 1),
            ("disliked", each.rating == -1),
            ("waiting", each.state == "waiting"),
            ("skipped", each.state == "skipped"),
            ("lost", each.state in ("failed", "unknown")),
        ):
            counts[name] += each.pushes if holds else 0
        if each.reason and each.state in KEPT_BACK:
            why_not[each.reason] += each.pushes
    return Ledger(
        figures=[
            _figures(pack, titles.get(pack, (pack, "")), version, counts)
            for (pack, version), counts in sorted(found.items())
        ],
        why_not=dict(sorted(why_not.items(), key=lambda each: (-each[1], each[0]))),
    )


def _figures(
    pack: str, title: tuple[str, str], version: int, counts: Mapping[str, int]
) -> PackFigures:
    return PackFigures(
        pack=pack,
        title=title[0],
        topic=title[1],
        version=version,
        planned=counts["planned"],
        delivered=counts["delivered"],
        asked=counts["asked"],
        opened=counts["opened"],
        liked=counts["liked"],
        disliked=counts["disliked"],
        waiting=counts["waiting"],
        skipped=counts["skipped"],
        lost=counts["lost"],
    )


def by_id(db: Session, *, first: date, last: date) -> dict[str, PackFigures]:
    """The figures by pack, all versions together; of a pack's title the latest."""
    found: dict[str, PackFigures] = {}
    for row in read_ledger(db, first=first, last=last).figures:
        before = found.get(row.pack)
        found[row.pack] = row if before is None else _added(before, row)
    return found


def no_figures(pack_id: str) -> PackFigures:
    """Of a pack that fell due for nobody."""
    return PackFigures(pack_id, "", "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def _added(one: PackFigures, other: PackFigures) -> PackFigures:
    numbers = (
        "planned",
        "delivered",
        "asked",
        "opened",
        "liked",
        "disliked",
        "waiting",
        "skipped",
        "lost",
    )
    return replace(other, **{each: getattr(one, each) + getattr(other, each) for each in numbers})
