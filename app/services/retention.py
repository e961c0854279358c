"""What has done its service is emptied or deleted, a batch at a time (rules/retention.py)."""

from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Child, Family, FileImport, FollowUp, Notice
from app.models.notice_facts import ERASED_FACTS
from app.rules.retention import (
    DONE_TASKS,
    FILES,
    NOTICE_WORDS,
    SERVICE_MONTHS,
    YEARS_AFTER_SERVICE,
    is_grown_out,
)
from app.services import audit, privacy

BATCH = 500
OPEN_STATES = ("queued", "sending", "waiting")


def empty_notices(db: Session, now: datetime) -> int:
    """Empty the words of a batch of old notices; how many those were."""
    old = db.scalars(
        select(Notice.id)
        .where(
            Notice.queued_at < now - NOTICE_WORDS,
            Notice.words_erased_at.is_(None),
            Notice.state.not_in(OPEN_STATES),
        )
        .order_by(Notice.id)
        .limit(BATCH)
    ).all()
    if old:
        db.execute(
            update(Notice)
            .where(Notice.id.in_(old))
            .values(facts=ERASED_FACTS.model_dump_json(), text=None, words_erased_at=now)
        )
    return len(old)


def empty_files(db: Session, now: datetime) -> int:
    """Empty a batch of imported files of long ago: they cannot be taken back any more."""
    old = db.scalars(
        select(FileImport.id)
        .where(
            FileImport.made_at < now - FILES,
            or_(FileImport.content.is_not(None), FileImport.undo.is_not(None)),
        )
        .order_by(FileImport.id)
        .limit(BATCH)
    ).all()
    if old:
        db.execute(update(FileImport).where(FileImport.id.in_(old)).values(content=None, undo=None))
    return len(old)


def delete_tasks(db: Session, now: datetime) -> int:
    """Delete a batch of tasks that were done long ago; how many those were."""
    old = select(FollowUp.id).where(FollowUp.done_at < now - DONE_TASKS).limit(BATCH)
    gone = db.execute(
        delete(FollowUp)
        .where(FollowUp.id.in_(old))
        .returning(FollowUp.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def find_grown_out(db: Session, now: datetime) -> list[int]:
    """Families, by id, of whose children the youngest has long been three; a batch of them."""
    today = now.astimezone(SHANGHAI).date()
    youngest = func.max(Child.birth_date)
    # A rough bound for the database; the rule itself decides.
    years = SERVICE_MONTHS // 12 + YEARS_AFTER_SERVICE
    rows = db.execute(
        select(Child.family_id, youngest)
        .join(Child.family)
        .where(Family.erased_at.is_(None), Child.erased_at.is_(None))
        .group_by(Child.family_id)
        .having(
            func.count(Child.id) == func.count(Child.birth_date),
            youngest < today.replace(year=today.year - years, month=1, day=1),
        )
        .order_by(Child.family_id)
        .limit(BATCH)
    )
    return [family_id for family_id, born in rows if born and is_grown_out(born, today)]


def retire(db: Session, family_id: int, now: datetime) -> bool:
    """Empty one family's personal data; False where somebody has done it meanwhile."""
    family = db.execute(
        select(Family).where(Family.id == family_id).with_for_update()
    ).scalar_one_or_none()
    if family is None or family.erased_at is not None:
        return False
    privacy.retire_family(db, family=family, actor=audit.SYSTEM, now=now)
    return True
