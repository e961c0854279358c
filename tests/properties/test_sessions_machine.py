"""Families, staff, the clock and the job act in any order: what must hold, holds after each step.

The line is reckoned here once more, by hand, and not with the service's own functions.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Database, make_engine
from app.errors import DomainError, OfferExpired
from app.models import (
    AuditEntry,
    Caregiver,
    Notice,
    Staff,
)
from app.rules.sign_up import ACTIVE, SEATED, TRANSITIONS, SignUpState
from app.rules.waiting_list import offer_ends
from app.services import attendance, decisions, sessions, waiting_list
from app.services.audit import OPERATOR
from app.services.publishing import SessionRow, put_session
from tests.properties.world import (
    FAMILIES,
    START,
    Picture,
    Row,
    forget_the_disk,
    settle,
    take_picture,
)

CODE = "CQ-1"

S = SignUpState
families = st.integers(0, FAMILIES - 1)
picks = st.integers(0, 30)


class Machine(RuleBasedStateMachine):
    """One session, seven families, two members of staff."""

    database: Database
    now: datetime

    def __init__(self, migrated: Path, folder: Path, cipher: Cipher) -> None:
        super().__init__()
        path = folder / "machine.db"
        for old in folder.glob("machine.db*"):
            old.unlink()
        shutil.copyfile(migrated, path)
        engine = make_engine(f"sqlite:///{path}", cipher)
        event.listen(engine, "connect", forget_the_disk)
        self.database = Database(engine)
        self.now = START

    def teardown(self) -> None:
        self.database.engine.dispose()

    @initialize(
        places=st.integers(0, 3),
        confirm=st.sampled_from(["auto", "staff"]),
        order=st.sampled_from(["first_come", "fewest_attended"]),
        hours=st.sampled_from([5, 9, 25, 49]),
    )
    def arrange(self, places: int, confirm: str, order: str, hours: int) -> None:
        self.starts = START + timedelta(hours=hours)
        self.row = SessionRow(
            code=CODE,
            title="亲子抚触",
            kind="站点指导活动",
            level="station",
            station_code="CQ",
            starts_at=self.starts,
            ends_at=self.starts + timedelta(hours=1),
            places=places,
            min_months=0,
            max_months=36,
            confirm_mode=confirm,
            opens_at=START,
            closes_at=self.starts,
            cancel_until=self.starts - timedelta(hours=1),
            waiting_list=order,
        )
        with self.database.transaction() as db:
            self.caregivers, self.staff_id, self.attended = settle(db)
            put_session(db, self.row, actor=OPERATOR, now=self.now)
        self.before = self.after = self.picture()

    # What people, staff and time do.

    @rule(crowd=st.lists(families, min_size=1, unique=True), together=st.booleans())
    def sign_up(self, crowd: list[int], together: bool) -> None:
        for who in crowd:
            with self.step() as db:
                caregiver = self.caregiver(db, who)
                assert caregiver.family is not None
                children = caregiver.family.children
                sessions.sign_up_together(
                    db,
                    caregiver=caregiver,
                    children=children if together else children[:1],
                    code=CODE,
                    now=self.now,
                )

    @rule(who=families)
    def cancel(self, who: int) -> None:
        has_something = any(
            row.state in (S.REQUESTED, S.CONFIRMED, S.WAITLISTED) for row in self.rows_of(who)
        )
        with self.step() as db:
            try:
                sessions.cancel_by_family(
                    db, caregiver=self.caregiver(db, who), code=CODE, now=self.now
                )
            except DomainError:
                assert not has_something or self.now > self.row.cancel_until
                raise

    @rule(who=families, says_code=st.booleans())
    def accept(self, who: int, says_code: bool) -> None:
        rows = [row for row in self.rows_of(who) if row.state is S.OFFERED]
        is_open = any(row.expires_at and row.expires_at > self.now for row in rows)
        with self.step() as db:
            try:
                waiting_list.accept(
                    db,
                    caregiver=self.caregiver(db, who),
                    code=CODE if says_code else None,
                    now=self.now,
                )
            except OfferExpired:
                assert not is_open
                raise
            except DomainError:
                assert not rows or self.now >= self.starts
                raise
            assert is_open

    @rule(who=families)
    def decline_offer(self, who: int) -> None:
        with self.step() as db:
            waiting_list.decline(db, caregiver=self.caregiver(db, who), now=self.now)

    @rule(pick=picks)
    def staff_confirm(self, pick: int) -> None:
        self.decide(pick, S.REQUESTED, decisions.confirm)

    @rule(pick=picks)
    def staff_decline(self, pick: int) -> None:
        self.decide(
            pick,
            S.REQUESTED,
            lambda db, *, sign_up_id, staff, now: decisions.decline(
                db, sign_up_id=sign_up_id, staff=staff, reason="这次不合适", now=now
            ),
        )

    @rule(pick=picks, state=st.sampled_from([S.CONFIRMED, S.WAITLISTED, S.OFFERED]))
    def staff_cancel(self, pick: int, state: SignUpState) -> None:
        self.decide(
            pick,
            state,
            lambda db, *, sign_up_id, staff, now: decisions.cancel_by_staff(
                db, sign_up_id=sign_up_id, staff=staff, reason="老师请假", now=now
            ),
        )

    @rule(pick=picks)
    def staff_override(self, pick: int) -> None:
        self.decide(
            pick,
            S.WAITLISTED,
            lambda db, *, sign_up_id, staff, now: decisions.override_seat(
                db, sign_up_id=sign_up_id, staff=staff, reason="特殊家庭", now=now
            ),
        )

    @rule(who=families, undo=st.booleans())
    def attend(self, who: int, undo: bool) -> None:
        with self.step() as db:
            caregiver = self.caregiver(db, who)
            assert caregiver.family is not None
            attendance.attend(
                db,
                session_code=CODE,
                caregiver=caregiver,
                child=caregiver.family.children[0],
                actor=OPERATOR,
                now=self.now,
                undo=undo,
            )

    @rule(places=st.integers(0, 5))
    def change_places(self, places: int) -> None:
        with self.step() as db:
            put_session(db, replace(self.row, places=places), actor=OPERATOR, now=self.now)

    @rule(minutes=st.sampled_from([1, 59, 60, 180, 359, 361, 720]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(hours_late=st.sampled_from([0, 0, 3, 6]))
    def the_job_runs(self, hours_late: int) -> None:
        self.now += timedelta(hours=hours_late)
        with self.step() as db:
            for session_id in waiting_list.find_to_promote(db, self.now):
                waiting_list.promote_locked(db, session_id, self.now)
        assert not any(
            row.state is S.OFFERED and row.expires_at and row.expires_at <= self.now
            for row in self.after.rows
        )

    # What must hold.

    def the_counter_is_the_count(self) -> None:
        assert self.after.taken == self.after.held

    def seats_never_grow_beyond_the_places(self) -> None:
        grown = self.after.held > self.before.held
        assert self.after.held <= self.after.places or not grown

    def a_child_is_active_once(self) -> None:
        active = [row.child_id for row in self.after.rows if row.state in ACTIVE]
        assert len(active) == len(set(active))

    def no_free_seat_is_kept_from_who_waits(self) -> None:
        if self.after.waiting and self.after.held < self.after.places:
            assert self.too_late()

    def nobody_jumps_the_queue(self) -> None:
        known = {row.id: row for row in self.before.rows}
        seated = [
            row
            for row in self.after.rows
            if row.state in SEATED
            and row.holds
            and (row.id not in known or known[row.id].state is S.WAITLISTED)
        ]
        still = [row for row in self.after.waiting if row.id in known]
        for row in seated:
            if row.id not in known:
                # Who is new and seated at once found nobody waiting.
                assert not self.after.waiting
                continue
            assert all(self.turn(row) < self.turn(other) for other in still)

    def every_change_has_its_audit_row_and_is_a_step_that_there_is(self) -> None:
        was = {row.id: row.state for row in self.before.rows}
        with self.database.reading() as db:
            entries = db.execute(
                select(
                    AuditEntry.subject_id, AuditEntry.before, AuditEntry.after, AuditEntry.action
                )
                .where(AuditEntry.id > self.before.audit, AuditEntry.subject_type == "sign_up")
                .order_by(AuditEntry.id)
            ).all()
        path: dict[int | None, str | None] = dict(was.items())
        for sign_up_id, before, after, action in entries:
            assert before == path.get(sign_up_id)
            path[sign_up_id] = after
            if action == after:
                assert before is not None
                assert S(after) in TRANSITIONS[S(before)]
        assert path == {row.id: row.state for row in self.after.rows}

    def each_step_that_is_owed_a_notice_has_one(self) -> None:
        owed = {
            S.OFFERED: "sign_up_offered",
            S.EXPIRED: "sign_up_offer_expired",
            S.DECLINED: "sign_up_declined",
        }
        with self.database.reading() as db:
            changes = db.execute(
                select(AuditEntry.after, func.count())
                .where(AuditEntry.subject_type == "sign_up", AuditEntry.after.in_(owed))
                .group_by(AuditEntry.after)
            ).all()
            by_staff = db.execute(
                select(func.count()).where(
                    AuditEntry.actor_type == "staff", AuditEntry.after == S.CANCELLED
                )
            ).scalar_one()
            told = dict(db.execute(select(Notice.kind, func.count()).group_by(Notice.kind)).all())
        for state, count in changes:
            assert told.pop(owed[S(state or "")]) == count
        assert told.pop("sign_up_cancelled", 0) == by_staff
        assert set(told) <= {"sign_up_confirmed"}

    # How it is done.

    @contextmanager
    def step(self, *, may_refuse: bool = True) -> Iterator[Session]:
        """One transaction; a refusal rolls it back. Then all that must hold is looked at."""
        self.before = self.after
        try:
            with self.database.transaction() as db:
                yield db
        except DomainError:
            if not may_refuse:
                raise
        self.after = self.picture()
        self.the_counter_is_the_count()
        self.seats_never_grow_beyond_the_places()
        self.a_child_is_active_once()
        self.no_free_seat_is_kept_from_who_waits()
        self.nobody_jumps_the_queue()
        self.every_change_has_its_audit_row_and_is_a_step_that_there_is()
        self.each_step_that_is_owed_a_notice_has_one()

    def decide(self, pick: int, state: SignUpState, decision: Callable[..., object]) -> None:
        rows = [row for row in self.after.rows if row.state is state]
        assume(rows)
        # Nothing that staff may do to a sign-up in its state is ever refused here.
        with self.step(may_refuse=False) as db:
            staff = db.get_one(Staff, self.staff_id)
            decision(db, sign_up_id=rows[pick % len(rows)].id, staff=staff, now=self.now)

    def caregiver(self, db: Session, who: int) -> Caregiver:
        return db.get_one(Caregiver, self.caregivers[who])

    def rows_of(self, who: int) -> list[Row]:
        with self.database.reading() as db:
            family_id = self.caregiver(db, who).family_id
        return [row for row in self.after.rows if row.family_id == family_id]

    def too_late(self) -> bool:
        return offer_ends(self.now, 6, self.starts) is None

    def turn(self, row: Row) -> tuple[int, datetime, int]:
        """A place in line: the smaller, the earlier."""
        attended = self.attended[row.family_id] if self.row.waiting_list != "first_come" else 0
        if self.row.waiting_list != "first_come":
            attended += any(
                other.state is S.ATTENDED and other.family_id == row.family_id
                for other in self.before.rows
            )
        return attended, row.since, row.id

    def picture(self) -> Picture:
        with self.database.reading() as db:
            return take_picture(db, CODE)


def run(migrated: Path, folder: Path, cipher: Cipher, examples: int, steps: int) -> None:
    class Here(Machine):
        def __init__(self) -> None:
            super().__init__(migrated, folder, cipher)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_happens_in_whatever_order_every_invariant_holds(
    migrated_sqlite: Path, tmp_path: Path, cipher: Cipher
) -> None:
    run(migrated_sqlite, tmp_path, cipher, examples=5, steps=20)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_and_in_many_more_orders(migrated_sqlite: Path, tmp_path: Path, cipher: Cipher) -> None:
    run(migrated_sqlite, tmp_path, cipher, examples=400, steps=60)
