"""The index of families made anew, and what is missing in it."""

from cryptography.fernet import InvalidToken
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from app.models import Child, Family, FamilyTerm
from app.models.search import terms_of_child, terms_of_family, write_terms
from app.rules.search_terms import terms_of_name

BATCH = 500


def rebuild_batch(db: Session, *, after: int) -> tuple[int, int | None]:
    """How many families got their terms anew, and the id to go on after; None at the end."""
    families = db.scalars(
        select(Family).where(Family.id > after).order_by(Family.id).limit(BATCH)
    ).all()
    ids = [family.id for family in families]
    db.execute(delete(FamilyTerm).where(FamilyTerm.family_id.in_(ids)))
    for family in families:
        write_terms(db.connection(), family.id, None, terms_of_family(family))
    for child in db.scalars(select(Child).where(Child.family_id.in_(ids))):
        write_terms(db.connection(), child.family_id, child.id, terms_of_child(child))
    return len(ids), ids[-1] if len(ids) == BATCH else None


def unfindable(db: Session) -> list[str]:
    """Children whose nickname no search would find, though it could: for the doctor."""
    return [
        f"child:{child_id}"
        for child_id in db.scalars(
            select(Child.id)
            .where(~exists().where(FamilyTerm.child_id == Child.id), Child.erased_at.is_(None))
            .order_by(Child.id)
        ).all()
        if _has_terms(db, child_id)
    ]


def _has_terms(db: Session, child_id: int) -> bool:
    try:
        nickname = db.execute(select(Child.nickname).where(Child.id == child_id)).scalar_one()
    except InvalidToken:  # another check of the doctor's says so
        return False
    return bool(terms_of_name(nickname))
