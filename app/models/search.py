"""The index by which staff find families whose names and telephones are encrypted.

It is kept as a database keeps an index: whoever writes a child or a family through the ORM
writes its terms with it, in the same flush. Who writes one past the ORM writes them too.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, ForeignKey, Index, delete, event, insert, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from app.db import Base, LookUp
from app.models.family import Child, Family
from app.rules.search_terms import terms_of_name, terms_of_phone


class FamilyTerm(Base):
    """One term, as a keyed hash, by which a family is found."""

    __tablename__ = "family_terms"
    __table_args__ = (Index("ix_family_terms_term", "term", "family_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(
        ForeignKey("families.id", ondelete="CASCADE"), index=True
    )
    child_id: Mapped[int | None] = mapped_column(
        ForeignKey("children.id", ondelete="CASCADE"), index=True
    )
    """Whose nickname it is from; None where it is from the family's own name or telephone."""
    term: Mapped[str] = mapped_column(LookUp)


def terms_of_child(child: Child) -> frozenset[str]:
    return terms_of_name(child.nickname)


def terms_of_family(family: Family) -> frozenset[str]:
    """By whom the family is called, and its telephone."""
    return terms_of_contact(family.contact_name or "", family.phone or "")


def terms_of_contact(name: str, phone: str) -> frozenset[str]:
    return terms_of_name(name) | terms_of_phone(phone)


def write_terms(
    connection: Connection, family_id: int, child_id: int | None, terms: Iterable[str]
) -> None:
    """Put a child's or a family's terms in the place of those that were there."""
    rows = [{"family_id": family_id, "child_id": child_id, "term": term} for term in sorted(terms)]
    if rows:
        connection.execute(insert(FamilyTerm), rows)


def _forget(connection: Connection, family_id: int, child_id: int | None) -> None:
    connection.execute(
        delete(FamilyTerm).where(
            FamilyTerm.family_id == family_id,
            FamilyTerm.child_id.is_(None) if child_id is None else FamilyTerm.child_id == child_id,
        )
    )


@event.listens_for(Child, "after_insert")
def _child_added(_mapper: Mapper[Child], connection: Connection, child: Child) -> None:
    write_terms(connection, child.family_id, child.id, terms_of_child(child))


@event.listens_for(Child, "after_update")
def _child_changed(_mapper: Mapper[Child], connection: Connection, child: Child) -> None:
    attributes = inspect(child).attrs
    if attributes.nickname.history.has_changes() or attributes.family_id.history.has_changes():
        connection.execute(delete(FamilyTerm).where(FamilyTerm.child_id == child.id))
        write_terms(connection, child.family_id, child.id, terms_of_child(child))


@event.listens_for(Family, "after_insert")
def _family_added(_mapper: Mapper[Family], connection: Connection, family: Family) -> None:
    write_terms(connection, family.id, None, terms_of_family(family))


@event.listens_for(Family, "after_update")
def _family_changed(_mapper: Mapper[Family], connection: Connection, family: Family) -> None:
    attributes = inspect(family).attrs
    if attributes.contact_name.history.has_changes() or attributes.phone.history.has_changes():
        _forget(connection, family.id, None)
        write_terms(connection, family.id, None, terms_of_family(family))
