"""A family's timeline: everything that happened with it, each entry with its state and reason.

Each topic has a source: a function (db, family_id, limit) → entries. A topic that comes later
adds its own to SOURCES; the words for its kinds and reasons are in app/words/timeline.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.models import (
    AuditEntry,
    Caregiver,
    CataloguedPack,
    Certificate,
    Child,
    FollowUp,
    GuidanceSession,
    HelpThread,
    HomeVisit,
    Learner,
    ModulePass,
    Notice,
    PackPush,
    SignUp,
    Staff,
    Visitor,
)
from app.rules.visiting import Kind

SHOWN = 200
"""Of each topic, and of all together: the latest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened with a family, or will."""

    at: datetime
    topic: str
    """sign_up, notice, follow_up, thread, change; visit, pack, course."""
    kind: str
    """Within the topic: a notice's kind, an audit action; for a sign-up the session's kind."""
    state: str
    about: str = ""
    """Words of the thing itself: a session's title, a visitor's name, a pack's title."""
    code: str = ""
    """The session's code or the visit's number, for a link; empty where there is none."""
    child: str = ""
    """A nickname."""
    starts_at: datetime | None = None
    reason: str = ""
    """A code (words/timeline.py knows it) or the words that somebody wrote."""
    by: str = ""
    """The username of the staff member who did it."""


Source = Callable[[Session, int, int], Iterable[Entry]]


def of_family(db: Session, family_id: int, *, topic: str = "", limit: int = SHOWN) -> list[Entry]:
    """The latest entries, the newest first; of one topic where it is named.

    One query a source. Whoever calls has made sure that the family is in their scope.
    """
    wanted = [source for name, source in SOURCES.items() if topic in ("", name)]
    entries = [entry for source in wanted for entry in source(db, family_id, limit)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


def _sign_ups(db: Session, family_id: int, limit: int) -> Iterable[Entry]:
    rows = db.execute(
        select(SignUp, Child, Staff.username)
        .join(SignUp.session)
        .join(Child, Child.id == SignUp.child_id)
        .outerjoin(Staff, Staff.id == SignUp.decided_by)
        .options(contains_eager(SignUp.session))
        .where(SignUp.family_id == family_id)
        .order_by(GuidanceSession.starts_at.desc(), SignUp.id.desc())
        .limit(limit)
    )
    for found, child, username in rows:
        yield Entry(
            at=found.decided_at or found.requested_at,
            topic="sign_up",
            kind=found.session.kind,
            state=found.state,
            about=found.session.title,
            code=found.session.code,
            child=child.nickname,
            starts_at=found.session.starts_at,
            reason=found.reason or "",
            by=username or "",
        )


def _notices(db: Session, family_id: int, limit: int) -> Iterable[Entry]:
    rows = db.execute(
        select(Notice, Caregiver.relation)
        .join(Caregiver, Caregiver.id == Notice.caregiver_id)
        .where(Caregiver.family_id == family_id)
        .order_by(Notice.id.desc())
        .limit(limit)
    )
    for notice, relation in rows:
        yield Entry(
            at=notice.sent_at or notice.queued_at,
            topic="notice",
            kind=notice.kind,
            state=notice.state,
            about=relation or "",
            reason=notice.reason or "",
        )


def _follow_ups(db: Session, family_id: int, limit: int) -> Iterable[Entry]:
    rows = db.execute(
        select(FollowUp, Staff.username)
        .join(Caregiver, Caregiver.id == FollowUp.caregiver_id)
        .outerjoin(Staff, Staff.id == FollowUp.done_by)
        .where(Caregiver.family_id == family_id)
        .order_by(FollowUp.id.desc())
        .limit(limit)
    )
    for follow_up, username in rows:
        is_about_notice = follow_up.kind.startswith("notice_")
        yield Entry(
            at=follow_up.done_at or follow_up.created_at,
            topic="follow_up",
            kind=follow_up.kind,
            state="done" if follow_up.done_at else "open",
            about="" if is_about_notice else follow_up.detail,
            by=username or "",
        )


def _changes(db: Session, family_id: int, limit: int) -> Iterable[Entry]:
    """What the audit log knows of the family and its children. Views are not shown here."""
    children = select(Child.id).where(Child.family_id == family_id)
    about_the_family = and_(AuditEntry.subject_type == "family", AuditEntry.subject_id == family_id)
    about_a_child = and_(AuditEntry.subject_type == "child", AuditEntry.subject_id.in_(children))
    rows = db.execute(
        select(AuditEntry, Staff.username)
        .outerjoin(Staff, and_(AuditEntry.actor_type == "staff", Staff.id == AuditEntry.actor_id))
        .where(or_(about_the_family, about_a_child), AuditEntry.action != "view")
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    for found, username in rows:
        yield Entry(
            at=found.at,
            topic="change",
            kind=found.action,
            state="",
            about=found.after or "",
            reason=found.reason or "",
            by=username or "",
        )


def _packs(db: Session, family_id: int, limit: int) -> Iterable[Entry]:
    """The ledger of pushes: also what was not sent, and why."""
    rows = db.execute(
        select(PackPush, Child.nickname, CataloguedPack.title, Caregiver.relation)
        .join(Child, Child.id == PackPush.child_id)
        .join(Caregiver, Caregiver.id == PackPush.caregiver_id)
        .outerjoin(CataloguedPack, CataloguedPack.id == PackPush.pack_id)
        .where(Child.family_id == family_id)
        .order_by(PackPush.due_at.desc(), PackPush.id.desc())
        .limit(limit)
    )
    for push, nickname, title, relation in rows:
        yield Entry(
            at=push.sent_at or push.due_at,
            topic="pack",
            kind=relation or "other",
            state=push.state,
            about=title or push.pack_id,
            child=nickname,
            reason=push.reason or "",
        )


def _course(db: Session, family_id: int, limit: int) -> Iterable[Entry]:
    """What the family's learners have reached: modules, the course, certificates."""
    rows = db.execute(
        select(Learner, ModulePass, Certificate)
        .outerjoin(ModulePass, ModulePass.learner_id == Learner.id)
        .outerjoin(Certificate, Certificate.learner_id == Learner.id)
        .where(Learner.family_id == family_id)
        .order_by(Learner.id.desc())
        .limit(limit)
    ).all()
    learners = {learner.id: learner for learner, _, _ in rows}
    passed = {(one.learner_id, one.module): one for _, one, _ in rows if one is not None}
    certificates = {one.id: one for _, _, one in rows if one is not None}
    for one in learners.values():
        who = one.relation or ""
        yield Entry(one.enrolled_at, "course", "enrolled", "", about=who)
        if one.left_at is not None:
            yield Entry(one.left_at, "course", "left", "", about=who)
    for (learner_id, module), each in passed.items():
        who = learners[learner_id].relation or ""
        yield Entry(each.passed_at, "course", f"module_{module}", "done", about=who)
    for found in certificates.values():
        yield Entry(found.issued_at, "course", "certificate", "issued", about=found.code)
        if found.revoked_at is not None:
            yield Entry(
                found.revoked_at,
                "course",
                "certificate",
                "revoked",
                about=found.code,
                reason=found.revoked_reason or "",
            )


def _threads(db: Session, family_id: int, limit: int) -> Iterable[Entry]:
    """Conversations with a person; their words stand on the conversation's own page."""
    rows = db.execute(
        select(HelpThread, Caregiver.relation, Staff.username)
        .join(Caregiver, Caregiver.id == HelpThread.caregiver_id)
        .outerjoin(Staff, Staff.id == HelpThread.closed_by)
        .where(Caregiver.family_id == family_id)
        .order_by(HelpThread.id.desc())
        .limit(limit)
    )
    for thread, relation, username in rows:
        state = "closed" if thread.closed_at else "waiting" if thread.waiting_since else "answered"
        yield Entry(
            at=thread.last_at,
            topic="thread",
            kind=thread.kind,
            state=state,
            about=relation or "",
            by=username or "",
        )


def _visits(db: Session, family_id: int, limit: int) -> Iterable[Entry]:
    """Home visits, and the health centre's own ones."""
    rows = db.execute(
        select(HomeVisit, Child.nickname, Visitor.name, Staff.username)
        .join(Child, Child.id == HomeVisit.child_id)
        .outerjoin(Visitor, Visitor.id == HomeVisit.visitor_id)
        .outerjoin(Staff, Staff.id == HomeVisit.decided_by)
        .where(HomeVisit.family_id == family_id)
        .order_by(HomeVisit.id.desc())
        .limit(limit)
    )
    for visit, nickname, visitor, username in rows:
        is_medical = visit.kind == Kind.MEDICAL
        yield Entry(
            at=visit.completed_at or visit.decided_at or visit.requested_at,
            topic="visit",
            kind=visit.kind if is_medical else visit.purpose,
            state=visit.state,
            about=visitor or "",
            code="" if is_medical else str(visit.id),
            child=nickname,
            starts_at=visit.starts_at,
            reason=visit.reason or "",
            by=username or "",
        )


SOURCES: dict[str, Source] = {
    "sign_up": _sign_ups,
    "visit": _visits,
    "notice": _notices,
    "follow_up": _follow_ups,
    "thread": _threads,
    "pack": _packs,
    "course": _course,
    "change": _changes,
}
