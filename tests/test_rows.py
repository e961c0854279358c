"""Rows that are written at once: the database and the session know the same of them."""

from datetime import date, datetime

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Caregiver, Child, Family, FamilyTerm, Township
from app.rows import Change, NewRows
from app.rules.search_terms import terms_of_name
from app.services import registration
from app.services.family_index import unfindable

CAREGIVERS = NewRows(Caregiver)


def put(db: Session, now: datetime, openid: str = "o-1") -> Caregiver:
    return CAREGIVERS.add(
        db, {"family": None}, openid=openid, is_following=True, followed_at=now, created_at=now
    )


def test_a_new_row_is_there_with_its_defaults_and_the_session_knows_it(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        made = put(db, now)
        assert inspect(made).persistent
        assert not db.dirty
        assert not db.new
        assert made.pushes == "on"
        assert db.get(Caregiver, made.id) is made
    with database.reading() as db:
        stored = db.scalars(select(Caregiver)).one()
        assert (stored.id, stored.openid, stored.pushes) == (made.id, "o-1", "on")
        assert stored.created_at == made.created_at == now
        assert stored.family_id is None


def test_a_turn_that_begins_with_a_new_row_keeps_it(database: Database, now: datetime) -> None:
    with database.turn() as db:
        put(db, now)
    with database.reading() as db:
        assert db.scalars(select(Caregiver.openid)).all() == ["o-1"]


def test_a_change_goes_behind_what_the_session_has_not_written_yet(
    database: Database, now: datetime
) -> None:
    change = Change(Caregiver, "pushes", "unfollowed_at")
    with database.transaction() as db:
        made = put(db, now)
        made.pushes = "off"
        made.relation = "mother"
        change.put(db, made, pushes="paused", unfollowed_at=now)
        assert made.pushes == "paused"
        assert not db.dirty
        made.pushes = "on"  # the session still sees what changes after it
    with database.reading() as db:
        stored = db.scalars(select(Caregiver)).one()
        assert (stored.pushes, stored.relation, stored.unfollowed_at) == ("on", "mother", now)


@pytest.mark.parametrize("how", ["turn", "transaction"])
def test_what_is_rolled_back_to_a_savepoint_is_as_before_in_the_object_too(
    database: Database, now: datetime, how: str
) -> None:
    change = Change(Caregiver, "pushes")
    with getattr(database, how)() as db:
        made = put(db, now)
        with db.begin_nested() as savepoint:
            change.put(db, made, pushes="off")
            assert db.scalars(select(Caregiver.pushes)).one() == "off"
            savepoint.rollback()
        assert made.pushes == "on"
        assert db.scalars(select(Caregiver.pushes)).one() == "on"


def test_a_change_forgets_none_of_its_columns(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        made = put(db, now)
        with pytest.raises(KeyError):
            Change(Caregiver, "pushes", "relation").put(db, made, pushes="off")


@pytest.mark.parametrize("how", ["turn", "transaction"])
def test_a_registered_child_is_found_and_its_family_is_whole(
    database: Database, now: datetime, how: str
) -> None:
    with getattr(database, how)() as db:
        caregiver = registration.follow(db, "o-2", now)
        name = db.scalars(select(Township.name).order_by(Township.id)).first()
        for nickname in ("小满", "大壮"):
            registration.register_child(
                db,
                caregiver=caregiver,
                draft=registration.ChildDraft(nickname, date(2026, 1, 5), None, None, None, name),
                consent=registration.ConsentGiven("test", "1", "said so"),
                now=now,
            )
        family = registration.get_family(caregiver)
        assert [child.nickname for child in family.children] == ["小满", "大壮"]
        assert family.caregivers == [caregiver]
        assert family.township.name == name
    with database.reading() as db:
        found = registration.find_caregiver(db, "o-2")
        assert found is not None
        assert found.family is not None
        assert [child.nickname for child in found.family.children] == ["小满", "大壮"]
        for term in terms_of_name("小满"):
            by_name = select(FamilyTerm.child_id).where(FamilyTerm.term == term)
            assert db.scalars(by_name).all() == [found.family.children[0].id]
        assert unfindable(db) == []
        assert db.scalars(select(Family.id)).all() == [found.family.id]
        assert len(db.scalars(select(Child)).all()) == 2
