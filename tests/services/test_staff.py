from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import (
    AccountLocked,
    BadCredentials,
    PasswordTooWeak,
    StationUnknown,
    TownshipUnknown,
    UsernameInvalid,
    UsernameTaken,
)
from app.models import AuditEntry, Staff, Station
from app.services.audit import OPERATOR
from app.services.staff import (
    LOCK_MINUTES,
    MAX_FAILURES,
    add_staff,
    change_password,
    check_password,
    claim_attempt,
    complete_log_in,
    find_logged_in,
    scope_of,
)
from tests.console.desk_world import PASSWORD, make_staff, make_station
from tests.hashing import QUICK, SERVICES_OWN


def add(
    db: Session,
    now: datetime,
    *,
    username: str = "wang",
    password: str = PASSWORD,
    role: str = "district",
    station_code: str | None = None,
    township_name: str | None = None,
) -> Staff:
    return add_staff(
        db,
        username=username,
        password=password,
        role=role,
        station_code=station_code,
        township_name=township_name,
        now=now,
        actor=OPERATOR,
    )


def log_in(
    database: Database, now: datetime, *, username: str = "wang", password: str = PASSWORD
) -> Staff:
    """The way the log-in page goes."""
    with database.transaction() as db:
        attempt = claim_attempt(db, username=username, now=now)
    check_password(attempt, password)
    with database.transaction() as db:
        return complete_log_in(db, attempt=attempt, password=password, now=now)


def stored(database: Database, username: str = "wang") -> Staff:
    with database.transaction() as db:
        return db.scalars(select(Staff).where(Staff.username == username)).one()


def fail_times(database: Database, now: datetime, times: int) -> None:
    for _ in range(times):
        with pytest.raises(BadCredentials):
            log_in(database, now, password="a wrong guess")


def test_the_right_password_logs_in_and_is_never_stored(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        add(db, now)

    staff = log_in(database, now)

    assert staff.username == "wang"
    assert staff.last_login_at == now
    assert staff.password_hash.startswith("$argon2id$")
    assert PASSWORD not in staff.password_hash


def test_guessing_a_stolen_hash_is_as_slow_as_it_should_be() -> None:
    """OWASP's least for argon2id; the tests' own hashes are quick."""
    slow, quick = SERVICES_OWN, QUICK
    assert (slow.memory_cost, slow.time_cost, slow.parallelism) == (19 * 1024, 2, 1)
    assert slow.check_needs_rehash(quick.hash(PASSWORD))


@pytest.mark.parametrize("typed", ["WANG", " wang ", "ｗａｎｇ"])
def test_a_username_is_found_however_it_is_typed(
    database: Database, now: datetime, typed: str
) -> None:
    with database.transaction() as db:
        add(db, now)

    assert log_in(database, now, username=typed).username == "wang"


@pytest.mark.parametrize("username", ["", "   ", "wang li", "w" * 41, "wa\nng"])
def test_a_username_that_cannot_be_typed_again_is_refused(
    database: Database, now: datetime, username: str
) -> None:
    with database.transaction() as db, pytest.raises(UsernameInvalid):
        add(db, now, username=username)


def test_a_username_is_given_once_whatever_its_case(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        add(db, now)
    with database.transaction() as db, pytest.raises(UsernameTaken):
        add(db, now, username="Wang")


@pytest.mark.parametrize(
    "username, password",
    [("wang", "short1234"), ("wangxiaoming", "WangXiaoming"), ("wang", "x" * 201)],
)
def test_a_weak_password_is_refused(
    database: Database, now: datetime, username: str, password: str
) -> None:
    with database.transaction() as db, pytest.raises(PasswordTooWeak):
        add(db, now, username=username, password=password)


def test_ten_characters_are_a_password(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        assert add(db, now, password="tenletters").id


def test_a_worker_needs_a_station_that_exists(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        make_station(db, "CQ")
        with pytest.raises(StationUnknown):
            add(db, now, role="worker")
        with pytest.raises(StationUnknown):
            add(db, now, role="worker", station_code="NOWHERE")
        worker = add(db, now, role="worker", station_code="CQ")
        assert worker.station is not None
        assert worker.station.code == "CQ"


@pytest.mark.parametrize("name", ["城桥镇", "城桥"])
def test_a_township_lead_needs_a_township_which_may_be_short(
    database: Database, now: datetime, name: str
) -> None:
    with database.transaction() as db:
        with pytest.raises(TownshipUnknown):
            add(db, now, role="township")
        with pytest.raises(TownshipUnknown):
            add(db, now, role="township", township_name="没有镇")
        lead = add(db, now, role="township", township_name=name)
        assert lead.township is not None
        assert lead.township.name == "城桥镇"


def test_an_unknown_role_is_a_mistake_of_the_caller(database: Database, now: datetime) -> None:
    with database.transaction() as db, pytest.raises(ValueError, match="boss"):
        add(db, now, role="boss")


def test_an_unknown_name_a_closed_account_and_a_wrong_password_are_refused_alike(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        add(db, now)
        add(db, now, username="gone").is_active = False

    answers = set()
    for username, password in [
        ("wang", "a wrong guess"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
    ]:
        with pytest.raises(BadCredentials) as refused:
            log_in(database, now, username=username, password=password)
        answers.add(refused.value.attempts_left)

    assert answers == {MAX_FAILURES - 1}


def test_the_stand_in_hash_costs_as_much_as_a_real_one(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        add(db, now)
        known = claim_attempt(db, username="wang", now=now)
        unknown = claim_attempt(db, username="nobody", now=now)

    # Algorithm, version and parameters: what the time of a check depends on.
    assert known.password_hash.split("$")[1:4] == unknown.password_hash.split("$")[1:4]


def test_every_try_is_on_record_also_for_a_name_that_does_not_exist(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        claim_attempt(db, username="nobody", now=now)
    with database.reading() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "try_log_in")).one()
        assert entry.subject_id is None


def test_five_failures_lock_the_account_also_for_the_right_password(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        add(db, now)
    fail_times(database, now, MAX_FAILURES)

    with pytest.raises(AccountLocked) as locked:
        log_in(database, now + timedelta(minutes=LOCK_MINUTES, seconds=-1))
    assert locked.value.until == now + timedelta(minutes=LOCK_MINUTES)


def test_the_right_password_works_again_when_the_lock_has_run_out(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        add(db, now)
    fail_times(database, now, MAX_FAILURES)

    log_in(database, now + timedelta(minutes=LOCK_MINUTES))

    assert stored(database).failed_logins == 0
    assert stored(database).locked_until is None


def test_a_failure_after_the_lock_starts_a_new_count(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        add(db, now)
    fail_times(database, now, MAX_FAILURES)
    later = now + timedelta(minutes=LOCK_MINUTES)

    fail_times(database, later, 1)

    assert stored(database).failed_logins == 1
    assert stored(database).locked_until is None


def test_the_fifth_try_may_still_be_right(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        add(db, now)
    fail_times(database, now, MAX_FAILURES - 1)

    log_in(database, now)

    assert stored(database).failed_logins == 0


def test_guesses_at_once_are_all_counted(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        add(db, now)
    guesses = 12
    together = Barrier(guesses)
    outcomes: list[str] = []

    def guess() -> None:
        together.wait(timeout=20)
        try:
            log_in(database, now, password="a wrong guess")
        except (BadCredentials, AccountLocked) as refused:
            outcomes.append(type(refused).__name__)

    threads = [Thread(target=guess) for _ in range(guesses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert outcomes.count("BadCredentials") == MAX_FAILURES
    assert outcomes.count("AccountLocked") == guesses - MAX_FAILURES


def test_an_old_hash_is_renewed_at_the_log_in(database: Database, now: datetime) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with database.transaction() as db:
        add(db, now).password_hash = old

    log_in(database, now)

    renewed = stored(database).password_hash
    assert renewed != old
    log_in(database, now)
    assert stored(database).password_hash == renewed


def test_a_password_changed_between_check_and_log_in_does_not_let_the_old_one_in(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        staff_id = add(db, now).id
    with database.transaction() as db:
        attempt = claim_attempt(db, username="wang", now=now)
    check_password(attempt, PASSWORD)
    with database.transaction() as db:
        change_password(db, staff_id=staff_id, password="another one", now=now, actor=OPERATOR)

    with database.transaction() as db, pytest.raises(BadCredentials):
        complete_log_in(db, attempt=attempt, password=PASSWORD, now=now)


def test_a_changed_password_logs_every_browser_out_and_unlocks(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        staff = add(db, now)
    fail_times(database, now, MAX_FAILURES)

    with database.transaction() as db:
        change_password(db, staff_id=staff.id, password="another one", now=now, actor=OPERATOR)

    with database.reading() as db:
        assert find_logged_in(db, staff_id=staff.id, login_epoch=0) is None
        assert find_logged_in(db, staff_id=staff.id, login_epoch=1) is not None
    assert log_in(database, now, password="another one").id == staff.id


def test_a_closed_account_is_logged_out(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        staff = add(db, now)
        staff.is_active = False
    with database.reading() as db:
        assert find_logged_in(db, staff_id=staff.id, login_epoch=0) is None


def test_each_role_sees_its_own_stations_and_no_others(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        chengqiao = make_station(db, "CQ", township="城桥镇")
        second = make_station(db, "CQ2", township="城桥镇")
        make_station(db, "BH", township="堡镇")
        staff = {
            "worker": make_staff(db, "worker", now, station=chengqiao),
            "township": make_staff(db, "lead", now, role="township", township="城桥镇"),
            "district": make_staff(db, "district", now, role="district"),
            "visitor": make_staff(db, "visitor", now, role="visitor", station=second),
        }
        expected = {
            "worker": {"CQ"},
            "township": {"CQ", "CQ2"},
            "district": {"CQ", "CQ2", "BH"},
            "visitor": set[str](),
        }

        for role, member in staff.items():
            scope = scope_of(member)
            queried = set(db.scalars(select(Station.code).where(scope.stations())))
            assert queried == expected[role], role
