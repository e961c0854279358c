"""What is held about a family, and taking it away: on both engines."""

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Base, Database, EncryptedText
from app.errors import CaregiverUnknown, ChildUnknown, LastCaregiver, NotGuardian
from app.models import (
    Caregiver,
    Consent,
    Family,
    FamilyYear,
    GuidanceSession,
    Notice,
    SignUp,
)
from app.models.notice_facts import CaregiverJoined
from app.services import coverage_kept, doctor, holdings, notices, privacy, registration
from app.services.follow_ups import open_follow_up
from app.services.registration import ChildDraft, ConsentGiven
from app.services.sessions import sign_up
from tests.outbox import book

SECRETS = ("团团", "果果", "o-mother", "o-father", "我家在南门路")


def make_family(db: Session, now: datetime, openid: str, *names: str) -> Caregiver:
    caregiver = registration.follow(db, openid, now)
    for name in names:
        draft = ChildDraft(name, (now - timedelta(days=200)).date(), None, "girl", 38, "城桥镇")
        registration.register_child(
            db,
            caregiver=caregiver,
            draft=draft,
            consent=ConsentGiven("child_data", "2026-11", "同意; m1"),
            now=now,
        )
    db.flush()
    db.refresh(caregiver)
    return caregiver


@pytest.fixture
def mother(database: Database, now: datetime) -> int:
    """A mother of two with a father beside her, signed up for one session, with words stored."""
    with database.transaction() as db:
        elsewhere = book(db, "o-elsewhere", now)
        mother = make_family(db, now, "o-mother", "团团", "果果")
        father = registration.follow(db, "o-father", now)
        code = registration.invite(db, caregiver=mother, now=now).code
        registration.join(db, caregiver=father, code=code, now=now)
        session = db.execute(select(GuidanceSession)).scalars().one()
        family = registration.get_family(mother)
        sign_up(db, caregiver=mother, child=family.children[0], code=session.code, now=now)
        open_follow_up(db, kind="human", caregiver=mother, detail="我家在南门路，团团发烧", now=now)
        notices.queue(
            db,
            caregiver_id=mother.id,
            facts=CaregiverJoined(relation="father"),
            subject="family:2",
            dedupe_key="x",
            now=now,
        )
        assert elsewhere.openid == "o-elsewhere"
        return mother.id


def stored_words(db: Session) -> str:
    """Every word that is stored in clear or can be deciphered, of every table."""
    return "\n".join(
        str(row) for table in Base.metadata.sorted_tables for row in db.execute(select(table))
    )


def broken(db: Session, cipher: Cipher, now: datetime) -> dict[str, tuple[str, ...]]:
    """What is wrong in the stored data: the made-up neighbours never agreed to anything."""
    report = doctor.examine(db, cipher=cipher, now=now)
    return {check.name: check.broken for check in report.checks if not check.ok}


def test_everything_of_the_family_is_found_and_nothing_of_another(
    database: Database, mother: int
) -> None:
    with database.reading() as db:
        family_id = db.get_one(Caregiver, mother).family_id
        assert family_id is not None
        held = {table.name: table for table in holdings.load_holdings(db, family_id)}
    said = str(held)
    assert {"families", "caregivers", "children", "consents", "sign_ups"} <= held.keys()
    assert {"follow_ups", "notices", "audit_log"} <= held.keys()
    assert all(word in said for word in SECRETS)
    assert "o-elsewhere" not in said
    assert len(held["children"].rows) == 2
    assert len(held["sign_ups"].rows) == 1


def test_an_erased_family_leaves_counts_and_no_words(
    database: Database, mother: int, now: datetime, cipher: Cipher
) -> None:
    with database.reading() as db:
        wrong_before = broken(db, cipher, now)
    with database.transaction() as db:
        caregiver = db.get_one(Caregiver, mother)
        family_id = caregiver.family_id
        before = db.execute(select(GuidanceSession.places_taken)).scalar_one()
        gone = privacy.erase_family(db, caregiver=caregiver, now=now)
        assert (gone.children, gone.cancelled) == (2, 1)
    with database.reading() as db:
        words = stored_words(db)
        left = [word for word in SECRETS if word in words and word != "o-father"]
        assert left == []
        assert db.execute(select(GuidanceSession.places_taken)).scalar_one() == before - 1
        assert db.get_one(Family, family_id).erased_at == now
        assert db.get_one(Family, family_id).children == []
        father = registration.find_caregiver(db, "o-father")
        assert father is not None
        assert father.family is None
        assert registration.find_caregiver(db, "o-mother") is None
        assert "o-elsewhere" in words
        assert broken(db, cipher, now) == wrong_before


def test_what_was_queued_is_not_sent_any_more(
    database: Database, mother: int, now: datetime
) -> None:
    with database.transaction() as db:
        privacy.erase_family(db, caregiver=db.get_one(Caregiver, mother), now=now)
        rows = db.execute(select(Notice).where(Notice.caregiver_id == mother)).scalars().all()
        assert rows
        assert {(row.state, row.reason) for row in rows} == {("skipped", "erased")}


def test_an_attended_session_stays_counted(database: Database, mother: int, now: datetime) -> None:
    with database.transaction() as db:
        found = db.execute(select(SignUp).where(SignUp.caregiver_id == mother)).scalar_one()
        found.state = "attended"
        db.flush()
        gone = privacy.erase_family(db, caregiver=db.get_one(Caregiver, mother), now=now)
        assert gone.cancelled == 0
        db.refresh(found)
        assert found.state == "attended"


def test_whoever_writes_again_is_new(database: Database, mother: int, now: datetime) -> None:
    with database.transaction() as db:
        privacy.erase_family(db, caregiver=db.get_one(Caregiver, mother), now=now)
    with database.transaction() as db:
        again = registration.follow(db, "o-mother", now)
        assert again.id != mother
        assert again.family is None


def test_a_withdrawn_consent_erases_that_child_alone(
    database: Database, mother: int, now: datetime, cipher: Cipher
) -> None:
    with database.reading() as db:
        wrong_before = broken(db, cipher, now)
    with database.transaction() as db:
        caregiver = db.get_one(Caregiver, mother)
        first, second = registration.get_family(caregiver).children
        gone = privacy.withdraw(db, caregiver=caregiver, child=first, now=now)
        assert gone.cancelled == 1
        assert [child.nickname for child in registration.get_family(caregiver).children] == ["果果"]
        consents = db.execute(select(Consent).order_by(Consent.id)).scalars().all()
        mine = {each.child_id: each.withdrawn_at for each in consents}
        assert mine[first.id] == now
        assert mine[second.id] is None
        with pytest.raises(ChildUnknown):
            privacy.withdraw(db, caregiver=caregiver, child=first, now=now)
    with database.reading() as db:
        words = stored_words(db)
        assert "团团" not in words
        assert "果果" in words
        assert broken(db, cipher, now) == wrong_before


def test_the_same_name_may_be_registered_again(
    database: Database, mother: int, now: datetime
) -> None:
    with database.transaction() as db:
        caregiver = db.get_one(Caregiver, mother)
        first = registration.get_family(caregiver).children[0]
        privacy.withdraw(db, caregiver=caregiver, child=first, now=now)
        make_family(db, now, "o-mother", "团团")
        names = {child.nickname for child in registration.get_family(caregiver).children}
        assert names == {"果果", "团团"}


def test_who_only_joined_decides_over_nobodys_data(
    database: Database, mother: int, now: datetime
) -> None:
    with database.transaction() as db:
        father = registration.find_caregiver(db, "o-father")
        assert father is not None
        assert not privacy.is_guardian(db, father)
        with pytest.raises(NotGuardian):
            privacy.erase_family(db, caregiver=father, now=now)
        with pytest.raises(NotGuardian):
            privacy.remove_caregiver(db, caregiver=father, other_id=mother, now=now)
        child = registration.get_family(father).children[0]
        with pytest.raises(NotGuardian):
            privacy.withdraw(db, caregiver=father, child=child, now=now)


def test_where_nobody_who_agreed_is_left_whoever_is_left_decides(
    database: Database, mother: int, now: datetime
) -> None:
    with database.transaction() as db:
        registration.unfollow(db, "o-mother", now)
        father = registration.find_caregiver(db, "o-father")
        assert father is not None
        assert privacy.is_guardian(db, father)


def test_a_caregiver_leaves_and_the_last_cannot(
    database: Database, mother: int, now: datetime
) -> None:
    with database.transaction() as db:
        father = registration.find_caregiver(db, "o-father")
        assert father is not None
        privacy.leave_family(db, caregiver=father, now=now)
        assert father.family is None
        with pytest.raises(LastCaregiver):
            privacy.leave_family(db, caregiver=db.get_one(Caregiver, mother), now=now)


def test_only_ones_own_family_can_be_tidied(database: Database, mother: int, now: datetime) -> None:
    with database.transaction() as db:
        elsewhere = registration.find_caregiver(db, "o-elsewhere")
        father = registration.find_caregiver(db, "o-father")
        assert elsewhere is not None
        assert father is not None
        caregiver = db.get_one(Caregiver, mother)
        with pytest.raises(CaregiverUnknown):
            privacy.remove_caregiver(db, caregiver=caregiver, other_id=elsewhere.id, now=now)
        privacy.remove_caregiver(db, caregiver=caregiver, other_id=father.id, now=now)
        assert father.family is None
        lines = privacy.consent_history(db, caregiver)
        assert [(line.nickname, line.is_own) for line in lines] == [("果果", True), ("团团", True)]


NAMES_SOMEBODY = re.compile(r"(^|_)(family|caregiver|child|openid|unionid|learner|thread)(_id)?$")
NOT_OF_ONE_FAMILY = {
    "audited_families": "who looked at the family: told as its history, and never erased",
}


def test_every_table_that_names_a_family_is_in_its_export(database: Database, mother: int) -> None:
    """By foreign key, by name or by openid; a table that a topic adds tomorrow, too."""
    with database.reading() as db:
        family_id = db.get_one(Caregiver, mother).family_id
        assert family_id is not None
        found = {own.table.name for own in holdings.find_own_rows(db, family_id)}
    by_openid = {table.name for table in Base.metadata.sorted_tables if "openid" in table.c}
    naming = {
        table.name
        for table in Base.metadata.sorted_tables
        for column in table.c
        if holdings.targets_of(column) & {*holdings.ROOTS} or NAMES_SOMEBODY.search(column.name)
    }
    assert {"family_years", "saved_packs", "caregiver_log_ins", "thread_messages"} <= naming
    assert naming - found - by_openid - NOT_OF_ONE_FAMILY.keys() == set()


def test_nothing_counted_of_an_erased_family_tells_a_birthday(
    database: Database, mother: int, now: datetime
) -> None:
    with database.transaction() as db:
        coverage_kept.bring_up_to_date(db, now)
        family_id = db.get_one(Caregiver, mother).family_id
        of_family = select(FamilyYear).where(FamilyYear.family_id == family_id)
        assert db.scalars(of_family).all()
        privacy.erase_family(db, caregiver=db.get_one(Caregiver, mother), now=now)
        assert db.scalars(of_family).all() == []
    with database.transaction() as db:
        coverage_kept.bring_up_to_date(db, now)
        assert db.scalars(of_family).all() == []
        assert coverage_kept.wrong_rows(db, now) == []


def test_every_word_that_is_encrypted_is_emptied(
    database: Database, mother: int, now: datetime
) -> None:
    """Also of tables that did not exist when this was written."""
    with database.transaction() as db:
        family_id = db.get_one(Caregiver, mother).family_id
        assert family_id is not None
        own = holdings.find_own_rows(db, family_id)
        privacy.erase_family(db, caregiver=db.get_one(Caregiver, mother), now=now)
        for rows in own:
            for column in rows.table.c:
                is_kept = (rows.table.name, column.name) in privacy.KEPT_WORDS
                if not isinstance(column.type, EncryptedText) or is_kept:
                    continue
                for value in db.execute(select(column).where(rows.condition)).scalars():
                    assert value in (None, "", privacy.ERASED_NAME) or "late_reply" in value
