"""What became of packs: by pack and version, and for the families of the coverage report."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Integer,
    Subquery,
    True_,
    case,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models import CataloguedPack, Family, PackPush

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
    """The pushes that fell due in a time: what became of them, and why of those kept back."""

    figures: list[PackFigures]
    """Each version of a pack on its own, in the order of ids."""
    why_not: Mapping[str, int]
    """How often each reason kept a push back, the most frequent first."""


def read_ledger(
    db: Session, *, since: datetime, until: datetime, pack_id: str | None = None
) -> Ledger:
    """The ledger of a time, of all packs or of one."""
    # Counted once for each way a push can stand, and added up here: a dozen conditional sums of
    # a whole year's ledger would be as slow as a dozen readings.
    stands = (
        PackPush.pack_id,
        PackPush.version,
        PackPush.state,
        PackPush.reason,
        PackPush.opened_at.is_not(None).label("is_opened"),
        PackPush.rating,
    )
    rows = db.execute(
        select(*stands, func.count())
        .where(
            PackPush.due_at >= since,
            PackPush.due_at < until,
            true() if pack_id is None else PackPush.pack_id == pack_id,
        )
        .group_by(*stands)
    ).all()
    titles = {
        found_id: (title, topic)
        for found_id, title, topic in db.execute(
            select(CataloguedPack.id, CataloguedPack.title, CataloguedPack.topic)
        )
    }
    found: dict[tuple[str, int], Counter[str]] = {}
    why_not: Counter[str] = Counter()
    for pack, version, state, reason, is_opened, rating, count in rows:
        counts = found.setdefault((pack, version), Counter())
        counts["planned"] += count
        is_sent = state == "sent"
        for name, holds in (
            ("delivered", is_sent),
            ("asked", is_sent and reason == "asked"),
            ("opened", is_opened),
            ("liked", rating == 1),
            ("disliked", rating == -1),
            ("waiting", state == "waiting"),
            ("skipped", state == "skipped"),
            ("lost", state in ("failed", "unknown")),
        ):
            counts[name] += count if holds else 0
        if reason is not None and state in KEPT_BACK:
            why_not[reason] += count
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


def by_id(db: Session, *, since: datetime, until: datetime) -> dict[str, PackFigures]:
    """The figures by pack, all versions together; of a pack's title the latest."""
    found: dict[str, PackFigures] = {}
    for row in read_ledger(db, since=since, until=until).figures:
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


def reach(start: datetime, end: datetime, families: ColumnElement[bool]) -> Subquery:
    """By family: whether anything was delivered in a time, and whether anything was opened.

    `families` is a condition on Family: of others nothing is read.
    """
    return (
        select(
            PackPush.family_id,
            literal(1).label("delivered"),
            func.max(case((PackPush.opened_at.is_not(None), 1), else_=0), type_=Integer).label(
                "opened"
            ),
        )
        .where(
            PackPush.state == "sent",
            PackPush.sent_at >= start,
            PackPush.sent_at < end,
            of_families(PackPush.family_id, families),
        )
        .group_by(PackPush.family_id)
        .subquery()
    )


def of_families(
    family_id: InstrumentedAttribute[int], families: ColumnElement[bool]
) -> ColumnElement[bool]:
    """That a row is of these families; nothing is asked where they are all."""
    if isinstance(families, True_):
        return true()
    return family_id.in_(select(Family.id).where(families))
