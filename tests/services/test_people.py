"""One person met in two apps, as two rows: what was done in either's name is hers."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import Base, Database
from app.models import Caregiver, Consent, Invitation, MutedTopic, SavedPack, SignUp
from app.services import people, registration
from app.services.registration import ChildDraft, ConsentGiven
from tests.outbox import book

STAYS = {"caregiver_log_ins", "api_answers"}
"""Of the app in which they came about."""


def register(db: Session, caregiver: Caregiver, now: datetime) -> None:
    registration.register_child(
        db,
        caregiver=caregiver,
        draft=ChildDraft("糖糖", (now - timedelta(days=200)).date(), None, "girl", 38, "城桥镇"),
        consent=ConsentGiven("child_data", "2026-11", "同意; m1"),
        now=now,
    )


def booked_in_the_app(db: Session, now: datetime) -> tuple[Caregiver, SignUp]:
    """A mother who has not met the account yet: nothing can be sent to her."""
    booking = book(db, "o-nobody", now)
    in_app = db.get_one(Caregiver, booking.caregiver_id)
    in_app.openid, in_app.mini_openid, in_app.unionid = None, "mini-1", "u-1"
    in_app.is_following = False
    db.flush()
    return in_app, db.get_one(SignUp, booking.sign_up_id)


def save(db: Session, caregiver: Caregiver, pack_id: str, now: datetime) -> None:
    db.add(SavedPack(caregiver_id=caregiver.id, pack_id=pack_id, saved_at=now))


def saved(db: Session, caregiver: Caregiver) -> list[str]:
    return sorted(
        db.scalars(select(SavedPack.pack_id).where(SavedPack.caregiver_id == caregiver.id))
    )


def test_whoever_signed_up_in_the_mini_program_is_reminded_in_the_chat(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        in_app, sign_up = booked_in_the_app(db, now)
        registration.invite(db, caregiver=in_app, now=now)
        db.add(
            Consent(
                caregiver_id=in_app.id,
                purpose="child_data",
                version="2026-11",
                evidence="mini program",
                given_at=now,
            )
        )
        save(db, in_app, "P00-06", now)
        save(db, in_app, "P00-07", now)
        follower = registration.follow(db, "o-mother", now)
        save(db, follower, "P00-06", now)
        db.flush()

        kept = people.learn_unionid(db, follower, "u-1", now)

        assert kept is follower
        db.refresh(sign_up)
        assert sign_up.caregiver_id == follower.id
        assert saved(db, follower) == ["P00-06", "P00-07"]
        assert {each.caregiver_id for each in db.scalars(select(Consent))} == {follower.id}
        assert db.scalars(select(Invitation.created_by)).one() == follower.id
        assert people.log_in_by_mini(db, openid="mini-1", unionid="u-1", now=now).id == kept.id


def test_two_families_stay_two_and_what_was_saved_is_hers_in_both(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        in_app, sign_up = booked_in_the_app(db, now)
        save(db, in_app, "P00-07", now)
        follower = registration.follow(db, "o-mother", now)
        register(db, follower, now)

        people.learn_unionid(db, follower, "u-1", now)

        db.refresh(sign_up)
        assert sign_up.caregiver_id == in_app.id
        assert in_app.family_id != follower.family_id
        assert saved(db, follower) == ["P00-07"]


def test_what_she_chose_in_the_chat_stays_as_she_chose_it(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        in_app = people.log_in_by_mini(db, openid="mini-1", unionid="u-1", now=now)
        follower = registration.follow(db, "o-mother", now)
        register(db, follower, now)
        for caregiver in (in_app, follower):
            db.add(MutedTopic(caregiver_id=caregiver.id, topic="sleep"))
        db.add(MutedTopic(caregiver_id=in_app.id, topic="food"))
        db.flush()

        people.learn_unionid(db, follower, "u-1", now)

        muted = db.scalars(
            select(MutedTopic.topic).where(MutedTopic.caregiver_id == follower.id)
        ).all()
        assert sorted(muted) == ["food", "sleep"]


def test_no_table_in_a_caregivers_name_is_forgotten() -> None:
    handed = {each.__tablename__ for each in (*people.WITHOUT_A_RIVAL, *people.ONE_OF_A_KIND)}
    named = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name == "caregivers" for key in table.foreign_keys)
    }
    assert named == handed | STAYS | {"help_threads", "invitations"}
