"""The family's side of packs: what a child's age asks for, what was read, and what was said of it.

Whatever is asked for is given in the answer, costs no push, and is never pushed afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Caregiver, CataloguedPack, Child, Notice, PackPush
from app.rules.pack_choice import ReaderOf, current, is_for, opening, window_of, window_weeks
from app.services import pack_ledger
from content.packs import Pack

ASKED = "asked"
RATED_WITHIN = timedelta(days=14)
"""「有用」 is about what was given lately."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one caregiver may read for one child today, the newest first."""

    child: Child
    current: Pack | None
    """The first that was not read yet, else the newest; None where no window is open."""
    unread: tuple[Pack, ...]
    """Besides the current one."""


def find_shelf(
    db: Session, *, caregiver: Caregiver, child: Child, packs: Iterable[Pack], today: date
) -> Shelf:
    """The child's packs of today. Without a birth date, or from three years on, there are none."""
    if child.birth_date is None or child.lost_at is not None or child.birth_date > today:
        return Shelf(child, None, ())
    switched_off = set(
        db.scalars(select(CataloguedPack.id).where(CataloguedPack.switched_off_at.is_not(None)))
    )
    reader = _reader(caregiver, child)
    offered = [
        pack
        for pack in current(packs, child.birth_date, child.gestation_weeks, today)
        if pack.is_pushed(today) and pack.id not in switched_off and is_for(pack.audience, reader)
    ]
    read = set(
        db.scalars(
            select(PackPush.pack_id).where(
                PackPush.child_id == child.id,
                PackPush.caregiver_id == caregiver.id,
                PackPush.state == "sent",
            )
        )
    )
    unread = [pack for pack in offered if pack.id not in read]
    first = next(iter(unread or offered), None)
    return Shelf(child, first, tuple(pack for pack in unread if pack is not first))


def give(
    db: Session, *, caregiver: Caregiver, children: Sequence[Child], pack: Pack, now: datetime
) -> int | None:
    """Enter that a caregiver was given a pack in answer; the number that its link may bear.

    A push of it that is planned or waits is not sent any more. Children of one birth share it.
    """
    lead_id = None
    for child in children:
        row = _row_of(db, caregiver, child, pack, now)
        if row is None:
            continue
        if row.state in ("planned", "queued", "waiting"):
            pack_ledger.skip_rows(db, [row.id], ASKED)
        row.opened_at = row.opened_at or now
        if row.state != "sent" and not _is_leaving(db, row):
            row.state, row.reason, row.sent_at = "sent", ASKED, now
        lead_id = lead_id or row.id
    db.flush()
    return lead_id


def find_read(
    db: Session, caregiver: Caregiver, child: Child, packs: Mapping[str, Pack]
) -> tuple[Pack, ...]:
    """What this caregiver was given for the child so far, the latest first."""
    ids = db.scalars(
        select(PackPush.pack_id)
        .where(
            PackPush.child_id == child.id,
            PackPush.caregiver_id == caregiver.id,
            PackPush.state == "sent",
        )
        .order_by(PackPush.sent_at.desc(), PackPush.id)
    )
    return tuple(packs[each] for each in ids if each in packs)


def note_opened(db: Session, lead_id: int, pack_id: str, now: datetime) -> None:
    """A link was opened: the first time counts."""
    db.execute(
        update(PackPush)
        .where(
            (PackPush.lead_id == lead_id) | (PackPush.id == lead_id),
            PackPush.pack_id == pack_id,
            PackPush.opened_at.is_(None),
        )
        .values(opened_at=now)
        .execution_options(synchronize_session=False)
    )


def rate(db: Session, push: PackPush, *, is_good: bool, now: datetime) -> None:
    """What a caregiver thinks of a pack, in the version that they got; the last word counts."""
    same = PackPush.id == push.id
    if push.lead_id is not None:
        same = (PackPush.lead_id == push.lead_id) & (PackPush.caregiver_id == push.caregiver_id)
    db.execute(
        update(PackPush)
        .where(same)
        .values(rating=1 if is_good else -1, rated_at=now)
        .execution_options(synchronize_session="fetch")
    )


def find_last_given(db: Session, caregiver: Caregiver, now: datetime) -> PackPush | None:
    """The pack that this caregiver was given last, within two weeks."""
    family_id = caregiver.family_id
    if family_id is None:
        return None
    return db.scalars(
        select(PackPush)
        .join(Child, Child.id == PackPush.child_id)
        .where(
            Child.family_id == family_id,
            PackPush.caregiver_id == caregiver.id,
            PackPush.state == "sent",
            PackPush.sent_at > now - RATED_WITHIN,
        )
        .order_by(func.coalesce(PackPush.opened_at, PackPush.sent_at).desc(), PackPush.id.desc())
        .limit(1)
    ).first()


def of_one_birth(child: Child, siblings: Iterable[Child]) -> list[Child]:
    """The child, and who was born on the same day: twins."""
    return [
        one
        for one in siblings
        if one.id == child.id
        or (one.birth_date == child.birth_date and one.lost_at is None and child.birth_date)
    ]


def _reader(caregiver: Caregiver, child: Child) -> ReaderOf:
    siblings = caregiver.family.children if caregiver.family else []
    return ReaderOf(
        relation=caregiver.relation,
        gestation_weeks=child.gestation_weeks,
        has_twin=any(one.id != child.id and one.birth_date == child.birth_date for one in siblings),
    )


def _row_of(
    db: Session, caregiver: Caregiver, child: Child, pack: Pack, now: datetime
) -> PackPush | None:
    """The ledger's row, made where there is none; the planner may make it at the same moment."""
    window = window_of(pack, window_weeks(child.gestation_weeks))
    if child.birth_date is None or window is None:
        return None
    insert = (postgresql if db.get_bind().dialect.name == "postgresql" else sqlite).insert
    db.execute(
        insert(PackPush)
        .values(
            child_id=child.id,
            caregiver_id=caregiver.id,
            family_id=child.family_id,
            pack_id=pack.id,
            version=pack.version,
            because=ASKED,
            state="skipped",
            reason=ASKED,
            due_at=opening(child.birth_date, window.opens, SHANGHAI),
            closes_at=opening(child.birth_date, window.closes, SHANGHAI),
            planned_at=now,
            replans=0,
        )
        .on_conflict_do_nothing()
    )
    return db.scalars(
        select(PackPush)
        .where(
            PackPush.child_id == child.id,
            PackPush.pack_id == pack.id,
            PackPush.caregiver_id == caregiver.id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _is_leaving(db: Session, row: PackPush) -> bool:
    """Whether a deliverer holds its notice at this moment."""
    if row.lead_id is None:
        return False
    found = db.execute(
        select(Notice.id)
        .where(Notice.subject == f"{pack_ledger.SUBJECT}{row.lead_id}", Notice.state == "sending")
        .limit(1)
    ).first()
    return found is not None
