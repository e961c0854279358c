"""Claims: due notices become one deliverer's to send, and others find them taken.

A deliverer locks what is due, decides, and marks it in one transaction. The channel is noted, and
committed, before anything leaves: without one nothing was sent. What cannot be claimed gets its
reason.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import (
    Integer,
    Text,
    Update,
    bindparam,
    literal_column,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.db import EncryptedText, Instant
from app.models import Caregiver, Notice, PushPreference
from app.models.notice_facts import NoticeFacts, load_facts
from app.prepared import Prepared, among
from app.rules.channel_budget import Channel
from app.rules.pack_choice import is_late
from app.rules.quiet_hours import COMMON, Night, first_loud, is_quiet, own_night
from app.services import delivery, pack_ledger
from app.services.delivery import REPEAT_MARGIN, REPEAT_SAFE_FOR, ClaimedNotice, Reason

WAITS_FOR_MORNING = frozenset(
    {
        "reminder_24h",
        "reminder_2h",
        "sign_up_offered",
        "sign_up_offer_expired",
        "plan_proposed",
        "plan_taken",
        "visit_evening",
        "visit_2h",
        "year_plan_nudge",
        "course_nudge",
        "course_module_passed",
        "course_enrolled",
        "pack",
        "thread_late",
    }
)
"""Kinds that a deliverer which comes late, in the night, puts off once more."""

WAITS_FOR_OWN_MORNING = frozenset(
    {
        "plan_proposed",
        "plan_taken",
        "year_plan_nudge",
        "course_nudge",
        "course_module_passed",
        "course_enrolled",
        "pack",
    }
)
"""Of these, what also waits for the end of a night of the caregiver's own. A reminder or an offer
that came hours later would have cost a place that the family wanted."""

MANY_FACTS = 1_000
MOST_HELD_UP = 200


class StoredFacts:
    """Reads what notices know. A pack's facts, alike for everybody, are read once."""

    def __init__(self) -> None:
        self._packs: dict[str, NoticeFacts] = {}

    def read(self, db: Session, kind: str, stored: str) -> NoticeFacts:
        """Raises pydantic.ValidationError where they are none."""
        known = self._packs.get(stored)
        if known is not None:
            return known
        facts = load_facts(
            EncryptedText().process_result_value(stored, db.get_bind().dialect) or ""
        )
        if kind == "pack":
            if len(self._packs) >= MANY_FACTS:
                self._packs.clear()
            self._packs[stored] = facts
        return facts


@dataclass(frozen=True, slots=True)
class Due:
    """What a deliverer found and has locked."""

    notices: Sequence[ClaimedNotice]
    """Its own once they are marked; until then they are queued."""
    found: int
    """These, and what could not be claimed and was settled instead."""
    held_up: int
    """More that is due, for people who have one under way: what they get is read in order."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What is due, as it is stored."""

    id: int
    caregiver_id: int
    openid: str | None
    is_following: bool
    kind: str
    facts: str
    subject: str
    dedupe_key: str
    queued_at: datetime
    due_at: datetime
    expires_at: datetime | None
    attempts: int
    channel: str | None
    claimed_at: datetime | None
    request_id: str | None
    quiet_from: int | None
    quiet_until: int | None

    @property
    def night(self) -> Night:
        """In which this notice does not come, where it can wait at all."""
        if self.kind not in WAITS_FOR_OWN_MORNING:
            return COMMON
        return own_night(self.quiet_from, self.quiet_until)


_DUE = Prepared(
    select(
        Notice.id,
        Notice.caregiver_id,
        Caregiver.openid,
        Caregiver.is_following,
        Notice.kind,
        type_coerce(Notice.facts, Text),
        Notice.subject,
        Notice.dedupe_key,
        Notice.queued_at,
        Notice.due_at,
        Notice.expires_at,
        Notice.attempts,
        Notice.channel,
        Notice.claimed_at,
        Notice.request_id,
        PushPreference.quiet_from,
        PushPreference.quiet_until,
    )
    .join(Caregiver, Caregiver.id == Notice.caregiver_id)
    .outerjoin(PushPreference, PushPreference.caregiver_id == Notice.caregiver_id)
    # A literal: the partial index serves only a query that names its state.
    .where(
        Notice.state == literal_column("'queued'"), Notice.due_at <= bindparam("now", type_=Instant)
    )
    .order_by(Notice.priority, Notice.due_at, Notice.id)
    .limit(bindparam("many", type_=Integer))
    .with_for_update(of=Notice, skip_locked=True)
)


def _mark(dialect: str) -> Update:
    return (
        update(Notice)
        .where(among(Notice.id, "ids", dialect))
        .values(
            state="sending",
            channel=bindparam("through"),
            claimed_at=bindparam("now", type_=Instant),
            claimed_by=bindparam("worker"),
            attempts=Notice.attempts + 1,
        )
    )


_MARK = Prepared(_mark)


def lock_due(
    db: Session,
    facts: StoredFacts,
    *,
    now: datetime,
    limit: int,
    under_way: Collection[int] | None = None,
    held_up: int = 0,
) -> Due:
    """Up to `limit` due notices, locked, to be marked in this transaction.

    Expired ones, and those of people who left, are skipped with their reason instead. Deliverers
    at work at the same time find different rows. With the caregivers who have one `under_way`,
    nobody gets a second one; where that `held_up` some the last time, it looks beyond them.
    """
    rows = [_Row(*row) for row in _DUE.all(db, now=now, many=limit + held_up)]
    people = set(under_way or ())
    free: list[ClaimedNotice] = []
    settled: list[int] = []
    waiting = 0
    for row in rows:
        if len(free) + len(settled) == limit:
            break
        if row.caregiver_id in people:
            waiting += 1
            continue
        notice = _judge(db, row, facts, now)
        if notice is None:
            settled.append(row.id)
            continue
        free.append(notice)
        if under_way is not None:
            people.add(row.caregiver_id)
    pack_ledger.follow(db, settled)
    return Due(free, len(free) + len(settled), min(waiting, MOST_HELD_UP))


def _judge(db: Session, row: _Row, facts: StoredFacts, now: datetime) -> ClaimedNotice | None:
    """What is to be sent, as if claimed; None where the notice was settled or put off."""
    repeat_on = Channel(row.channel) if row.channel else None
    tried = row.claimed_at
    if repeat_on and tried and now - tried > REPEAT_SAFE_FOR - REPEAT_MARGIN:
        delivery.give_up_knowing(db, _stored(db, row), Reason.CRASHED, now)
    elif row.openid is None or not row.is_following:
        _skip(db, row, Reason.NOT_FOLLOWING)
    elif row.expires_at is not None and row.expires_at <= now:
        _skip(db, row, Reason.EXPIRED)
    elif row.kind == "pack" and is_late(row.due_at, now):
        _skip(db, row, Reason.TOO_LATE)
    elif row.kind in WAITS_FOR_MORNING and is_quiet(now.astimezone(SHANGHAI), row.night):
        _stored(db, row).due_at = first_loud(now.astimezone(SHANGHAI), row.night)
    else:
        try:
            known = facts.read(db, row.kind, row.facts)
        except ValidationError:
            delivery.fail_knowing(db, _stored(db, row), Reason.FACTS_UNREADABLE, now)
            return None
        return ClaimedNotice(
            id=row.id,
            caregiver_id=row.caregiver_id,
            openid=row.openid,
            facts=known,
            subject=row.subject,
            dedupe_key=row.dedupe_key,
            queued_at=row.queued_at,
            expires_at=row.expires_at,
            attempts=row.attempts + 1,
            request_id=row.request_id,
            repeat_on=repeat_on,
        )
    return None


def _stored(db: Session, row: _Row) -> Notice:
    return db.execute(select(Notice).where(Notice.id == row.id)).scalar_one()


def _skip(db: Session, row: _Row, reason: Reason) -> None:
    notice = _stored(db, row)
    notice.state, notice.reason = "skipped", reason


def _by_channel(
    chosen: Iterable[tuple[ClaimedNotice, Channel | None]],
) -> Mapping[Channel | None, list[int]]:
    """The notices' numbers: of each channel one statement, whatever their number."""
    found: dict[Channel | None, list[int]] = defaultdict(list)
    for notice, channel in chosen:
        found[channel].append(notice.id)
    return found


def mark(
    db: Session,
    chosen: Iterable[tuple[ClaimedNotice, Channel | None]],
    *,
    now: datetime,
    worker: str,
) -> None:
    """These are in sending and this worker's. With a channel: they may have gone already."""
    for channel, ids in _by_channel(chosen).items():
        _MARK.run(db, ids=ids, through=channel, now=now, worker=worker)


def _note(dialect: str) -> Update:
    return (
        update(Notice)
        .where(
            among(Notice.id, "ids", dialect),
            Notice.state == literal_column("'sending'"),
            Notice.claimed_by == bindparam("worker"),
            or_(Notice.channel.is_(None), Notice.channel == bindparam("through")),
        )
        .values(channel=bindparam("through"))
        .returning(Notice.id)
    )


_NOTE = Prepared(_note)


def note_channels(
    db: Session,
    chosen: Iterable[tuple[ClaimedNotice, Channel]],
    *,
    worker: str,
) -> Collection[int]:
    """The numbers of those that are still this worker's: from now on they may have gone.

    Somebody else may have taken the others for what a crash had left, and sent them.
    """
    return {
        row[0]
        for channel, ids in _by_channel(chosen).items()
        for row in _NOTE.all(db, ids=ids, through=channel, worker=worker)
    }


def _give_back(dialect: str) -> Update:
    return (
        update(Notice)
        .where(
            among(Notice.id, "ids", dialect),
            Notice.state == literal_column("'sending'"),
            Notice.claimed_by == bindparam("worker"),
        )
        .values(state="queued", channel=bindparam("through"), attempts=Notice.attempts - 1)
    )


_GIVE_BACK = Prepared(_give_back)


def give_back(db: Session, notices: Iterable[ClaimedNotice], worker: str) -> None:
    """Untouched: these are everybody's again. One that is repeated keeps its channel."""
    repeated = ((notice, notice.repeat_on) for notice in notices)
    for channel, ids in _by_channel(repeated).items():
        _GIVE_BACK.run(db, ids=ids, through=channel, worker=worker)
