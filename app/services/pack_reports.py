"""What became of packs: by pack and version, and for the families of the coverage report."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Integer, Subquery, case, func, select, true
from sqlalchemy.orm import Session

from app.models import CataloguedPack, PackPush


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


def by_pack(db: Session, *, since: datetime, until: datetime) -> list[PackFigures]:
    """The packs that fell due in a time, each version on its own, in the order of ids."""
    is_sent = PackPush.state == "sent"
    rows = db.execute(
        select(
            PackPush.pack_id,
            func.coalesce(CataloguedPack.title, PackPush.pack_id),
            func.coalesce(CataloguedPack.topic, ""),
            PackPush.version,
            func.count(),
            _count(is_sent),
            _count(is_sent & (PackPush.reason == "asked")),
            _count(PackPush.opened_at.is_not(None)),
            _count(PackPush.rating == 1),
            _count(PackPush.rating == -1),
            _count(PackPush.state == "waiting"),
            _count(PackPush.state == "skipped"),
            _count(PackPush.state.in_(("failed", "unknown"))),
        )
        .outerjoin(CataloguedPack, CataloguedPack.id == PackPush.pack_id)
        .where(PackPush.due_at >= since, PackPush.due_at < until)
        .group_by(PackPush.pack_id, PackPush.version, CataloguedPack.title, CataloguedPack.topic)
        .order_by(PackPush.pack_id, PackPush.version)
    )
    return [PackFigures(*tuple(row)) for row in rows]


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def by_id(db: Session, *, since: datetime, until: datetime) -> dict[str, PackFigures]:
    """The same by pack, all versions together; of a pack's title the latest."""
    found: dict[str, PackFigures] = {}
    for row in by_pack(db, since=since, until=until):
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


def why_not(
    db: Session, *, since: datetime, until: datetime, pack_id: str | None = None
) -> Mapping[str, int]:
    """How often each reason kept a push back in a time, the most frequent first."""
    rows = db.execute(
        select(PackPush.reason, func.count())
        .where(
            PackPush.state.in_(("skipped", "waiting", "failed", "unknown", "planned")),
            PackPush.reason.is_not(None),
            PackPush.due_at >= since,
            PackPush.due_at < until,
            true() if pack_id is None else PackPush.pack_id == pack_id,
        )
        .group_by(PackPush.reason)
        .order_by(func.count().desc(), PackPush.reason)
    )
    return {reason: number for reason, number in rows if reason is not None}


def reach(start: datetime, end: datetime) -> Subquery:
    """By family: whether anything was delivered in a time, and whether anything was opened."""
    return (
        select(
            PackPush.family_id,
            func.max(case((PackPush.sent_at.is_not(None), 1), else_=0), type_=Integer).label(
                "delivered"
            ),
            func.max(case((PackPush.opened_at.is_not(None), 1), else_=0), type_=Integer).label(
                "opened"
            ),
        )
        .where(PackPush.state == "sent", PackPush.sent_at >= start, PackPush.sent_at < end)
        .group_by(PackPush.family_id)
        .subquery()
    )
