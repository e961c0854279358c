"""Many notices at once: what each may be sent through, and that they were sent.

A deliverer that asks for every notice by itself spends its time asking. What is decided here is
what app/services/delivery.py decides for one; only the number of questions differs.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Text,
    Update,
    bindparam,
    cast,
    column,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app.db import EncryptedText, Instant
from app.models import Caregiver, Family, InboxEntry, Notice
from app.models.notice_facts import NoticeFacts, PackDue
from app.prepared import Prepared, among
from app.rules.channel_budget import AFTER_TAPPING, AFTER_WRITING, Budget, Channel
from app.services import delivery, pack_ledger
from app.services.delivery import ClaimedNotice, Reader


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice that the platform took."""

    notice: ClaimedNotice
    channel: Channel
    text: str
    platform_id: str | None


def _readers(dialect: str) -> Select[*tuple[Any, ...]]:
    # EXISTS ends at the first one: who has been here for long has had many.
    had_one = (
        select(Notice.id)
        .where(Notice.caregiver_id == Caregiver.id, Notice.state == "sent", Notice.kind == "pack")
        .exists()
    )
    return (
        select(
            Caregiver.id,
            Caregiver.openid,
            Caregiver.is_following,
            Family.stopped_at,
            Caregiver.pushes,
            had_one,
        )
        .outerjoin(Family, Family.id == Caregiver.family_id)
        .where(among(Caregiver.id, "people", dialect))
    )


_READERS = Prepared(_readers)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of a batch now."""

    objections: Mapping[int, str]
    """Why some are not wanted any more, by notice; the others are."""
    facts: Mapping[int, NoticeFacts]
    """By notice; a pack's with the children's names and whether it is the first."""


def examine(db: Session, due: Sequence[ClaimedNotice], now: datetime) -> Wanted:
    """Which are still wanted, and what they say. What is repeated is not asked about again."""
    leads = {
        notice.id: pack_ledger.lead_of(notice.subject) or 0
        for notice in due
        if isinstance(notice.facts, PackDue)
    }
    messages = pack_ledger.look_up(db, list(leads.values()), now) if leads else {}
    people = {notice.caregiver_id for notice in due if notice.id in leads}
    rows = _READERS.all(db, people=people) if people else []
    readers = {row[0]: Reader(row[1], row[2], row[3] is not None) for row in rows}
    refusals = {row[0]: pack_ledger.find_refusal(row[4]) for row in rows}
    had_one = {row[0] for row in rows if row[5]}
    objections: dict[int, str] = {}
    facts: dict[int, NoticeFacts] = {}
    for notice in due:
        said, who = notice.facts, notice.caregiver_id
        objection: str | None = None
        if isinstance(said, PackDue):
            message = messages[leads[notice.id]]
            said = said.model_copy(
                update={"nicknames": message.nicknames, "is_welcome": who not in had_one}
            )
            had_one.add(who)
            objection = (
                delivery.find_common_objection(notice, readers.get(who), now)
                or refusals.get(who)
                or message.objection
            )
        elif notice.repeat_on is None:
            objection = delivery.find_objection(db, notice, now)
        facts[notice.id] = said
        if objection is not None and notice.repeat_on is None:
            objections[notice.id] = objection
    return Wanted(objections, facts)


def _windows(dialect: str) -> Select[*tuple[Any, ...]]:
    return (
        select(
            InboxEntry.openid,
            InboxEntry.window,
            func.max(InboxEntry.received_at, type_=Instant),
        )
        .where(
            among(InboxEntry.openid, "openids", dialect),
            InboxEntry.received_at > bindparam("since", type_=Instant),
            InboxEntry.window.is_not(None),
        )
        .group_by(InboxEntry.openid, InboxEntry.window)
    )


def _spent(dialect: str) -> Select[*tuple[Any, ...]]:
    return select(
        Notice.caregiver_id, func.coalesce(Notice.sent_at, Notice.claimed_at, type_=Instant)
    ).where(
        among(Notice.caregiver_id, "people", dialect),
        Notice.channel == Channel.CUSTOMER_SERVICE,
        or_(Notice.state == "sending", Notice.state == "sent", Notice.state == "unknown"),
        Notice.claimed_at > bindparam("since", type_=Instant),
    )


_WINDOWS = Prepared(_windows)
_SPENT = Prepared(_spent)


def budgets(db: Session, claimed: Sequence[ClaimedNotice], now: datetime) -> dict[str, Budget]:
    """What the platform still allows, by openid."""
    since = now - AFTER_WRITING.lasts
    opened: dict[str, dict[str, datetime]] = defaultdict(dict)
    openids = {notice.openid for notice in claimed}
    for openid, window, at in _WINDOWS.all(db, openids=openids, since=since):
        opened[openid][window] = at
    sent: dict[int, list[datetime]] = defaultdict(list)
    people = {notice.caregiver_id for notice in claimed if notice.openid in opened}
    if people:
        for caregiver_id, at in _SPENT.all(db, people=people, since=since):
            sent[caregiver_id].append(at)
    found = {}
    for notice in claimed:
        windows = opened.get(notice.openid, {})
        tapped_at = windows.get("tap")
        if tapped_at is not None and now - tapped_at > AFTER_TAPPING.lasts:
            tapped_at = None
        found[notice.openid] = Budget(
            wrote_at=windows.get("write"),
            tapped_at=tapped_at,
            sent_at=tuple(sent.get(notice.caregiver_id, ())),
        )
    return found


def _record(dialect: str) -> Update:
    """The columns of a row each: its number, channel, words (encrypted) and the platform's id."""
    given = bindparam("rows", type_=Text)
    columns: tuple[ColumnElement[Any], ...]
    if dialect == "postgresql":
        listed = (
            func.jsonb_to_recordset(cast(given, JSONB))
            .table_valued(
                column("notice", Integer),
                column("through", String),
                column("said", Text),
                column("platform", String),
            )
            .render_derived(with_types=True)
        )
        columns = (listed.c.notice, listed.c.through, listed.c.said, listed.c.platform)
    else:
        each = func.json_each(given).table_valued("value").c.value
        names = ("notice", "through", "said", "platform")
        columns = tuple(func.json_extract(each, f"$.{name}") for name in names)
    notice, through, said, platform = columns
    return (
        update(Notice)
        .where(Notice.id == notice, or_(Notice.state == "sending", Notice.state == "unknown"))
        .values(
            state="sent",
            reason=null(),
            receipt=null(),
            channel=through,
            text=said,
            platform_id=platform,
            sent_at=bindparam("at", type_=Instant),
        )
    )


_RECORD = Prepared(_record)


def record_sent(db: Session, sent: Sequence[Sent], now: datetime) -> None:
    """The platform took them. Stands even where a row was given up as unknown meanwhile."""
    dialect = db.get_bind().dialect
    sealed: dict[str, str | None] = {}
    for one in sent:
        # What many were sent in the same words is encrypted once, as their facts were.
        if one.text not in sealed:
            sealed[one.text] = EncryptedText().process_bind_param(one.text, dialect)
    rows = [
        {
            "notice": one.notice.id,
            "through": one.channel,
            "said": sealed[one.text],
            "platform": one.platform_id,
        }
        for one in sent
    ]
    _RECORD.run(db, rows=json.dumps(rows), at=now)
    pack_ledger.follow(db, [one.notice.id for one in sent if isinstance(one.notice.facts, PackDue)])
