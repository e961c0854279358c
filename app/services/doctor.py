"""Every invariant of the stored data, checked. Reads only."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from cryptography.fernet import InvalidToken
from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, Text, and_, exists, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Base, EncryptedText
from app.models import (
    AuditEntry,
    Caregiver,
    Child,
    Consent,
    Family,
    GuidanceSession,
    Notice,
    SignUp,
    Staff,
)
from app.models.notice_facts import ERASED_FACTS, load_facts
from app.rules.sign_up import ACTIVE, SEATED, SessionState, SignUpState
from app.services import (
    course_checks,
    coverage_kept,
    dead_letters,
    family_index,
    growth,
    log_ins,
    pack_checks,
    pack_totals,
    subscriptions,
    thread_care,
    unread,
    visit_checks,
    waiting_checks,
)

KEYED = tuple(table for table in Base.metadata.sorted_tables if table.primary_key.columns)
"""Tables whose rows can be named; the others only say of which family something changed."""

SENDING_AT_MOST = timedelta(minutes=2)
"""A notice longer in `sending` was left there by a crash and should be unknown by now."""

NOTICE_STATES = ("queued", "sending", "waiting", "sent", "failed", "skipped", "unknown")
REASONED_STATES = ("waiting", "failed", "skipped", "unknown")

UNDECIDED = (SignUpState.REQUESTED, SignUpState.WAITLISTED)

NOTICE_OF_DECISION: dict[str, str] = {
    SignUpState.CONFIRMED: "sign_up_confirmed",
    SignUpState.DECLINED: "sign_up_declined",
    SignUpState.CANCELLED: "sign_up_cancelled",
    "override": "sign_up_confirmed",
}
"""What a staff member's decision owes the family, once."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    broken: tuple[str, ...]
    """Identifiers of the rows at fault, such as sign_up:12; never a person's datum."""


@dataclass(frozen=True, slots=True)
class Report:
    ok: bool
    checks: tuple[Check, ...]


def examine(db: Session, *, cipher: Cipher, now: datetime) -> Report:
    """Every check, on one snapshot of a database whose schema is at head."""
    if db.get_bind().dialect.name == "postgresql" and not db.in_transaction():
        # Checks that compare two queries must see the same moment of a service at work.
        db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    found = [(name, find(db)) for name, find in CHECKS]
    found.append(("notices_do_not_stay_in_sending", _stuck_notices(db, now)))
    found.append(("offers_end_in_time", waiting_checks.late_offers(db, now)))
    found.append(("no_seat_is_idle_while_somebody_waits", waiting_checks.idle_seats(db, now)))
    found.append(("log_ins_are_somebodys", log_ins.of_nobody(db, now)))
    found.append(("requests_for_visits_go_up", visit_checks.stale_requests(db, now)))
    found.append(("family_years_are_what_counting_gives", coverage_kept.wrong_rows(db, now)))
    found.append(("notices_can_be_read", _unreadable_notices(db, cipher)))
    found.append(("personal_data_is_encrypted", _unreadable_columns(db, cipher)))
    return report(found)


def report(found: Iterable[tuple[str, Iterable[str]]]) -> Report:
    """The checks by name, each with the rows at fault."""
    checks = []
    for name, identifiers in found:
        broken = tuple(identifiers)
        checks.append(Check(name, ok=not broken, broken=broken))
    return Report(ok=all(check.ok for check in checks), checks=tuple(checks))


def _seats() -> ColumnElement[int]:
    """Seats that a session's sign-ups hold; walk-ins and overrides are beyond the places."""
    holds = and_(
        SignUp.state.in_(SEATED), SignUp.is_walk_in.is_(False), SignUp.is_override.is_(False)
    )
    return (
        select(func.count(SignUp.id))
        .where(SignUp.session_id == GuidanceSession.id, holds)
        .correlate(GuidanceSession)
        .scalar_subquery()
    )


def _miscounted_sessions(db: Session) -> list[str]:
    statement = select(GuidanceSession.code).where(GuidanceSession.places_taken != _seats())
    return _named("session", db.scalars(statement.order_by(GuidanceSession.code)))


def _overfull_sessions(db: Session) -> list[str]:
    """More seats than places, and than there were before any cut in places."""
    seats = _seats()
    overfull = db.execute(
        select(GuidanceSession.id, GuidanceSession.code, seats, GuidanceSession.places)
        .where(
            or_(
                GuidanceSession.places_taken > GuidanceSession.places,
                seats > GuidanceSession.places,
            )
        )
        .order_by(GuidanceSession.code)
    ).all()
    cuts = db.execute(
        select(AuditEntry.subject_id, AuditEntry.before).where(
            AuditEntry.subject_type == "session", AuditEntry.action == "cut_places"
        )
    ).all()
    broken = []
    for session_id, code, held, places in overfull:
        once = [int(before or 0) for cut_id, before in cuts if cut_id == session_id]
        if held > max(places, *once, 0):
            broken.append(code)
    return _named("session", broken)


def _disordered_sessions(db: Session) -> list[str]:
    statement = select(GuidanceSession.code).where(
        or_(
            GuidanceSession.ends_at <= GuidanceSession.starts_at,
            GuidanceSession.min_months > GuidanceSession.max_months,
            GuidanceSession.state.not_in(list(SessionState)),
            GuidanceSession.code != func.upper(GuidanceSession.code),
        )
    )
    return _named("session", db.scalars(statement.order_by(GuidanceSession.code)))


def _doubled_sign_ups(db: Session) -> list[str]:
    statement = (
        select(SignUp.session_id, SignUp.child_id)
        .where(SignUp.state.in_(ACTIVE))
        .group_by(SignUp.session_id, SignUp.child_id)
        .having(func.count() > 1)
    )
    return [f"session:{session}/child:{child}" for session, child in db.execute(statement)]


def _strange_sign_ups(db: Session) -> list[str]:
    statement = select(SignUp.id).where(SignUp.state.not_in(list(SignUpState)))
    return _named("sign_up", db.scalars(statement.order_by(SignUp.id)))


def _misplaced_sign_ups(db: Session) -> list[str]:
    statement = (
        select(SignUp.id)
        .join(Child, Child.id == SignUp.child_id)
        .where(SignUp.family_id != Child.family_id)
    )
    return _named("sign_up", db.scalars(statement.order_by(SignUp.id)))


def _unaudited_sign_ups(db: Session) -> list[str]:
    """Sign-ups whose last audit row does not tell of the state that they are in."""
    last = (
        select(func.max(AuditEntry.id).label("id"), AuditEntry.subject_id.label("sign_up_id"))
        .where(AuditEntry.subject_type == "sign_up")
        .group_by(AuditEntry.subject_id)
        .subquery()
    )
    statement = (
        select(SignUp.id)
        .outerjoin(last, last.c.sign_up_id == SignUp.id)
        .outerjoin(AuditEntry, AuditEntry.id == last.c.id)
        .where(or_(AuditEntry.after.is_(None), AuditEntry.after != SignUp.state))
    )
    return _named("sign_up", db.scalars(statement.order_by(SignUp.id)))


def _undecided_decisions(db: Session) -> list[str]:
    """Sign-ups that were decided, without saying when; or declined without a reason."""
    statement = select(SignUp.id).where(
        or_(
            and_(SignUp.state.not_in(UNDECIDED), SignUp.decided_at.is_(None)),
            and_(SignUp.state == SignUpState.DECLINED, SignUp.reason.is_(None)),
        )
    )
    return _named("sign_up", db.scalars(statement.order_by(SignUp.id)))


def _untold_decisions(db: Session) -> list[str]:
    """Staff decisions without their notice, notices without their decision, doubled ones."""
    decided = db.execute(
        select(AuditEntry.subject_id, AuditEntry.action).where(
            AuditEntry.subject_type == "sign_up",
            # An operator decides too: an import that moves a session takes places back for age.
            AuditEntry.actor_type.in_(("staff", "operator")),
            AuditEntry.action.in_(NOTICE_OF_DECISION),
        )
    )
    owed = {(f"sign_up:{sign_up_id}", NOTICE_OF_DECISION[action]) for sign_up_id, action in decided}
    counts = {
        (subject, kind): count
        for subject, kind, count in db.execute(
            select(Notice.subject, Notice.kind, func.count())
            .where(Notice.subject.like("sign_up:%"), Notice.kind.in_(NOTICE_OF_DECISION.values()))
            .group_by(Notice.subject, Notice.kind)
        )
    }
    wrong = owed ^ counts.keys() | {told for told, count in counts.items() if count > 1}
    return [f"{subject}/{kind}" for subject, kind in sorted(wrong)]


def _incomplete_sent_notices(db: Session) -> list[str]:
    statement = select(Notice.id).where(
        Notice.state == "sent",
        or_(Notice.text.is_(None), Notice.channel.is_(None), Notice.sent_at.is_(None)),
    )
    return _named("notice", db.scalars(statement.order_by(Notice.id)))


def _unexplained_notices(db: Session) -> list[str]:
    """Notices in no known state, or held back, failed or skipped without a reason."""
    statement = select(Notice.id).where(
        or_(
            Notice.state.not_in(NOTICE_STATES),
            and_(Notice.state.in_(REASONED_STATES), func.coalesce(Notice.reason, "") == ""),
        )
    )
    return _named("notice", db.scalars(statement.order_by(Notice.id)))


def _unreadable_notices(db: Session, cipher: Cipher) -> list[str]:
    """Notices whose facts are no record of their kind, and were not erased either."""
    broken = []
    # Taken as stored: one cell that no key opens must not end the whole examination.
    stored = select(Notice.id, Notice.kind, type_coerce(Notice.facts, Text)).order_by(Notice.id)
    for notice_id, kind, token in db.execute(stored).yield_per(1000):
        try:
            facts = load_facts(cipher.decrypt(token))
            is_readable = facts == ERASED_FACTS or facts.kind == kind
        except (InvalidToken, UnicodeError, ValidationError):
            is_readable = False
        if not is_readable:
            broken.append(notice_id)
    return _named("notice", broken)


def _stuck_notices(db: Session, now: datetime) -> list[str]:
    statement = select(Notice.id).where(
        Notice.state == "sending",
        or_(Notice.claimed_at.is_(None), Notice.claimed_at < now - SENDING_AT_MOST),
    )
    return _named("notice", db.scalars(statement.order_by(Notice.id)))


def _children_without_consent(db: Session) -> list[str]:
    consented = exists(select(Consent.id).where(Consent.child_id == Child.id))
    statement = select(Child.id).where(~consented)
    return _named("child", db.scalars(statement.order_by(Child.id)))


def _children_without_date(db: Session) -> list[str]:
    """Children that have neither a birth date nor a due date, or both."""
    statement = select(Child.id).where(
        Child.birth_date.is_(None) == Child.due_date.is_(None), Child.erased_at.is_(None)
    )
    return _named("child", db.scalars(statement.order_by(Child.id)))


def _families_without_caregiver(db: Session) -> list[str]:
    cared_for = exists(select(Caregiver.id).where(Caregiver.family_id == Family.id))
    statement = select(Family.id).where(~cared_for, Family.erased_at.is_(None))
    return _named("family", db.scalars(statement.order_by(Family.id)))


def _erased_that_are_not(db: Session) -> list[str]:
    """Children whose data was erased and who still have a date, a consent or a place."""
    consented = exists().where(Consent.child_id == Child.id, Consent.withdrawn_at.is_(None))
    waiting = (SignUpState.WAITLISTED, SignUpState.OFFERED)
    waits = exists().where(SignUp.child_id == Child.id, SignUp.state.in_(waiting))
    dated = or_(Child.birth_date.is_not(None), Child.due_date.is_not(None), Child.sex.is_not(None))
    statement = select(Child.id).where(Child.erased_at.is_not(None), or_(dated, consented, waits))
    return _named("child", db.scalars(statement.order_by(Child.id)))


def _followed_identities(db: Session) -> list[str]:
    """Caregivers who left and whose WeChat identity is still kept, or who follow without one."""
    statement = select(Caregiver.id).where(
        or_(
            and_(Caregiver.unfollowed_at.is_not(None), Caregiver.openid.is_not(None)),
            and_(Caregiver.is_following, Caregiver.openid.is_(None)),
        )
    )
    return _named("caregiver", db.scalars(statement.order_by(Caregiver.id)))


def _staff_without_place(db: Session) -> list[str]:
    """Workers without a station and township leads without a township: they see nothing."""
    statement = select(Staff.id).where(
        or_(
            and_(Staff.role == "worker", Staff.station_id.is_(None)),
            and_(Staff.role == "township", Staff.township_id.is_(None)),
        )
    )
    return _named("staff", db.scalars(statement.order_by(Staff.id)))


def _dangling_references(db: Session) -> list[str]:
    """Rows that point at a row which is not there, in any table."""
    broken = []
    for name, statement in _searches_for_dangling():
        broken += _named(name, db.scalars(statement))
    return broken


@cache
def _searches_for_dangling() -> tuple[tuple[str, Select[tuple[object]]], ...]:
    """For each column that points somewhere, the keys of the rows that point at nothing."""
    searches = []
    for table in KEYED:
        key = next(iter(table.primary_key.columns))
        for column in table.columns:
            for reference in column.foreign_keys:
                target = reference.column.table.alias()
                is_there = exists().where(target.c[reference.column.name] == column)
                statement = select(key).where(column.is_not(None), ~is_there).order_by(key)
                searches.append((f"{table.name}.{column.name}", statement))
    return tuple(searches)


def _unreadable_columns(db: Session, cipher: Cipher) -> list[str]:
    """Cells of encrypted columns that hold clear text, or what no key of ours opens."""
    broken = []
    for table in KEYED:
        key = next(iter(table.primary_key.columns))
        for column in table.columns:
            if not isinstance(column.type, EncryptedText):
                continue
            stored = select(key, type_coerce(column, Text)).where(column.is_not(None))
            for row_key, token in db.execute(stored.order_by(key)).yield_per(1000):
                try:
                    cipher.decrypt(token)
                except (InvalidToken, UnicodeError):
                    broken.append(f"{table.name}.{column.name}:{row_key}")
    return broken


def _named(kind: str, keys: Iterable[object]) -> list[str]:
    return [f"{kind}:{key}" for key in keys]


CHECKS: tuple[tuple[str, Callable[[Session], list[str]]], ...] = (
    ("references_lead_somewhere", _dangling_references),
    ("places_taken_equals_seats_held", _miscounted_sessions),
    ("no_seat_beyond_places", _overfull_sessions),
    ("sessions_are_in_order", _disordered_sessions),
    ("one_active_sign_up_a_child_and_session", _doubled_sign_ups),
    ("sign_ups_are_in_a_known_state", _strange_sign_ups),
    ("sign_ups_belong_to_the_childs_family", _misplaced_sign_ups),
    ("sign_ups_are_audited", _unaudited_sign_ups),
    ("decisions_have_their_time_and_reason", _undecided_decisions),
    ("staff_decisions_are_told_once", _untold_decisions),
    ("offers_have_their_time", waiting_checks.broken_offers),
    ("waiting_has_its_time", waiting_checks.timeless_waits),
    ("offers_are_told_once", waiting_checks.untold_steps),
    ("overrides_have_their_reason", waiting_checks.unreasoned_overrides),
    *visit_checks.CHECKS,
    ("sent_notices_are_complete", _incomplete_sent_notices),
    ("notices_have_state_and_reason", _unexplained_notices),
    ("only_what_went_astray_is_put_aside", dead_letters.misplaced_marks),
    ("pushes_have_state_and_reason", pack_checks.unexplained),
    ("pushes_say_what_their_message_says", pack_checks.unfollowed),
    ("a_push_has_one_message", pack_checks.doubled),
    ("pushes_belong_to_the_childs_family", pack_checks.misplaced),
    ("consents_to_messages_are_somebodys", subscriptions.strangers),
    ("measurements_are_a_childs", growth.implausible_measurements),
    ("changes_that_reports_count_are_noticed", coverage_kept.missing_triggers),
    ("sums_of_packs_are_what_counting_gives", pack_totals.wrong_totals),
    ("children_have_consent", _children_without_consent),
    ("children_have_one_date", _children_without_date),
    ("families_can_be_found", family_index.unfindable),
    ("erased_children_are_erased", _erased_that_are_not),
    ("families_have_a_caregiver", _families_without_caregiver),
    ("identities_are_kept_of_followers_only", _followed_identities),
    ("staff_have_their_place", _staff_without_place),
    *course_checks.CHECKS,
    *thread_care.CHECKS,
    ("examples_were_reviewed_by_another", unread.unreviewed_examples),
)
