"""Many notices at once: what each may be sent through, and that they were sent.

A deliverer that asks for every notice by itself spends its time asking. What is decided here is
what app/services/delivery.py decides for one; only the number of questions differs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from app.models import Caregiver, InboxEntry, Notice
from app.models.notice_facts import NoticeFacts, PackDue
from app.rules.channel_budget import AFTER_TAPPING, AFTER_WRITING, Budget, Channel
from app.services import delivery, pack_ledger
from app.services.delivery import ClaimedNotice


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice that the platform took."""

    notice: ClaimedNotice
    channel: Channel
    text: str
    platform_id: str | None


def load_facts(db: Session, claimed: Sequence[ClaimedNotice]) -> dict[int, NoticeFacts]:
    """The facts by notice; a pack's with the children's names and whether it is the first."""
    packs = [notice for notice in claimed if isinstance(notice.facts, PackDue)]
    names = pack_ledger.nicknames(db, [pack_ledger.lead_of(one.subject) or 0 for one in packs])
    people = {notice.caregiver_id for notice in packs}
    had_one = set(
        db.scalars(
            select(Notice.caregiver_id)
            .where(Notice.caregiver_id.in_(people), Notice.kind == "pack", Notice.state == "sent")
            .distinct()
        )
        if people
        else ()
    )
    found: dict[int, NoticeFacts] = {}
    for notice in claimed:
        facts = notice.facts
        if isinstance(facts, PackDue):
            lead_id = pack_ledger.lead_of(notice.subject) or 0
            facts = facts.model_copy(
                update={
                    "nicknames": tuple(names.get(lead_id, ())),
                    "is_welcome": notice.caregiver_id not in had_one,
                }
            )
            had_one.add(notice.caregiver_id)
        found[notice.id] = facts
    return found


def find_objections(db: Session, claimed: Sequence[ClaimedNotice], now: datetime) -> dict[int, str]:
    """Why some are not wanted any more, by notice; the others are."""
    packs = [notice for notice in claimed if isinstance(notice.facts, PackDue)]
    found: dict[int, str] = {}
    if packs:
        people = {
            caregiver.id: caregiver
            for caregiver in db.scalars(
                select(Caregiver)
                .options(joinedload(Caregiver.family))
                .where(Caregiver.id.in_({one.caregiver_id for one in packs}))
            )
        }
        leads = {one.id: pack_ledger.lead_of(one.subject) or 0 for one in packs}
        about = pack_ledger.find_objections(db, list(leads.values()), now)
        for notice in packs:
            caregiver = people.get(notice.caregiver_id)
            objection = delivery.find_common_objection(notice, caregiver, now)
            if objection is None and caregiver is not None:
                objection = pack_ledger.find_refusal(caregiver) or about[leads[notice.id]]
            if objection is not None:
                found[notice.id] = objection
    for notice in claimed:
        if not isinstance(notice.facts, PackDue):
            objection = delivery.find_objection(db, notice, now)
            if objection is not None:
                found[notice.id] = objection
    return found


def budgets(db: Session, claimed: Sequence[ClaimedNotice], now: datetime) -> dict[str, Budget]:
    """What the platform still allows, by openid."""
    openids = {notice.openid for notice in claimed}
    since = now - AFTER_WRITING.lasts
    opened: dict[str, dict[str, datetime]] = defaultdict(dict)
    for openid, window, at in db.execute(
        select(
            InboxEntry.openid,
            InboxEntry.window,
            func.max(InboxEntry.received_at, type_=InboxEntry.received_at.type),
        )
        .where(
            InboxEntry.openid.in_(openids),
            InboxEntry.received_at > since,
            InboxEntry.window.is_not(None),
        )
        .group_by(InboxEntry.openid, InboxEntry.window)
    ):
        opened[openid][window or ""] = at
    sent: dict[int, list[datetime]] = defaultdict(list)
    people = {notice.caregiver_id for notice in claimed if notice.openid in opened}
    if people:
        for caregiver_id, at in db.execute(
            select(
                Notice.caregiver_id,
                func.coalesce(Notice.sent_at, Notice.claimed_at, type_=Notice.claimed_at.type),
            ).where(
                Notice.caregiver_id.in_(people),
                Notice.channel == Channel.CUSTOMER_SERVICE,
                Notice.state.in_(("sending", "sent", "unknown")),
                Notice.claimed_at > since,
            )
        ):
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


def choose_channels(db: Session, chosen: Mapping[int, Channel]) -> None:
    """Note each channel before the requests leave: from now on they may have arrived."""
    by_channel: dict[Channel, list[int]] = defaultdict(list)
    for notice_id, channel in chosen.items():
        by_channel[channel].append(notice_id)
    for channel, ids in by_channel.items():
        db.execute(
            update(Notice)
            .where(Notice.id.in_(ids), Notice.state == "sending")
            .values(channel=channel)
            .execution_options(synchronize_session=False)
        )


_RECORD = (
    update(Notice)
    # Not IN: its parameter could not be given many times over.
    .where(
        Notice.id == bindparam("notice"),
        or_(Notice.state == "sending", Notice.state == "unknown"),
    )
    .values(
        state="sent",
        reason=None,
        receipt=None,
        channel=bindparam("through"),
        text=bindparam("said"),
        platform_id=bindparam("platform"),
        sent_at=bindparam("at"),
    )
)


def record_sent(db: Session, sent: Sequence[Sent], now: datetime) -> None:
    """The platform took them. Stands even where a row was given up as unknown meanwhile."""
    db.connection().execute(
        _RECORD,
        [
            {
                "notice": one.notice.id,
                "through": one.channel,
                "said": one.text,
                "platform": one.platform_id,
                "at": now,
            }
            for one in sent
        ],
    )
    pack_ledger.follow(db, [one.notice.id for one in sent if isinstance(one.notice.facts, PackDue)])
