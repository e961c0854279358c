"""Packs that are looked up: one to read, those of the ages before, those that were saved.

Whatever is in use may be read by anybody, also past its review date (the page says so); what is
pushed is another question (rules/pack_choice).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Caregiver, Child, SavedPack
from app.rules.pack_choice import band_of, is_open
from app.services import pack_catalogue, packs
from content.packs import Pack

OUT_OF_USE = frozenset({"draft", "retired"})


@dataclass(frozen=True, slots=True)
class AgeShelf:
    """The packs that begin in one stretch of age."""

    from_days: int
    until_days: int
    """Exclusive."""
    packs: tuple[Pack, ...]


def find_readable(db: Session, library: Mapping[str, Pack], pack_id: str) -> Pack | None:
    """The pack, where it is in use and staff have not switched it off."""
    pack = library.get(pack_id)
    if pack is None or pack.status in OUT_OF_USE or pack_catalogue.is_switched_off(db, pack_id):
        return None
    return pack


def note_read(db: Session, caregiver: Caregiver, pack: Pack, now: datetime) -> int | None:
    """A pack of a child's age is read with its being opened, and is not pushed any more.

    The ledger's number for it; None where no child is of that age.
    """
    if caregiver.family is None:
        return None
    today = now.astimezone(SHANGHAI).date()
    children = [
        child
        for child in caregiver.family.children
        if child.birth_date is not None
        and child.lost_at is None
        and is_open(pack, child.birth_date, child.gestation_weeks, today)
    ]
    return packs.give(db, caregiver=caregiver, children=children, pack=pack, now=now)


def find_past(
    db: Session, library: Mapping[str, Pack], children: Sequence[Child], today: date
) -> list[AgeShelf]:
    """What there is for every age that the family has reached, the latest age first.

    An expecting family sees the first weeks'; a family in mourning, nothing of the child it lost.
    """
    living = [child for child in children if child.lost_at is None]
    if not living:
        return []
    reached = max((today - child.birth_date).days if child.birth_date else 0 for child in living)
    off = pack_catalogue.switched_off(db)
    shelves: dict[tuple[int, int], list[Pack]] = {}
    for pack in sorted(library.values(), key=lambda one: (one.from_days, one.id)):
        if pack.status in OUT_OF_USE or pack.id in off or pack.from_days > max(reached, 0):
            continue
        shelves.setdefault(band_of(pack.from_days), []).append(pack)
    return [
        AgeShelf(first, last, tuple(found))
        for (first, last), found in sorted(shelves.items(), reverse=True)
    ]


def save(db: Session, caregiver: Caregiver, pack: Pack, now: datetime) -> None:
    """To be found again; a second time changes nothing."""
    insert = (postgresql if db.get_bind().dialect.name == "postgresql" else sqlite).insert
    db.execute(
        insert(SavedPack)
        .values(caregiver_id=caregiver.id, pack_id=pack.id, saved_at=now)
        .on_conflict_do_nothing()
    )


def unsave(db: Session, caregiver: Caregiver, pack_id: str) -> None:
    """Not to be found any more; nothing happens where it was not saved."""
    db.execute(
        delete(SavedPack).where(
            SavedPack.caregiver_id == caregiver.id, SavedPack.pack_id == pack_id
        )
    )


def find_saved(db: Session, library: Mapping[str, Pack], caregiver: Caregiver) -> tuple[Pack, ...]:
    """What the caregiver saved and is still in use, the latest first."""
    off = pack_catalogue.switched_off(db)
    ids = db.scalars(
        select(SavedPack.pack_id)
        .where(SavedPack.caregiver_id == caregiver.id)
        .order_by(SavedPack.saved_at.desc(), SavedPack.pack_id)
    )
    found = (library[each] for each in ids if each in library and each not in off)
    return tuple(pack for pack in found if pack.status not in OUT_OF_USE)


def has_saved(db: Session, caregiver: Caregiver, pack_id: str) -> bool:
    return db.get(SavedPack, (caregiver.id, pack_id)) is not None


def forget(db: Session, caregiver_ids: Sequence[int]) -> None:
    """What these caregivers saved is nobody's any more."""
    db.execute(delete(SavedPack).where(SavedPack.caregiver_id.in_(caregiver_ids)))
