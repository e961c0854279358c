"""One person in several apps: the official account and the mini program, joined by UnionID."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from app.models import (
    Caregiver,
    Consent,
    FollowUp,
    HelpThread,
    HomeVisit,
    Invitation,
    Learner,
    MutedTopic,
    Notice,
    PackPush,
    PushPreference,
    SavedPack,
    SignUp,
    YearPlan,
)
from app.services import audit, log_ins
from app.services.audit import SYSTEM

LEARNT_AT_ONCE = 100
"""As many as the platform tells about in one call."""

WITHOUT_A_RIVAL: Final = (Consent, FollowUp, HomeVisit, Notice, SignUp, YearPlan)
OneOfAKind = Learner | MutedTopic | PackPush | PushPreference | SavedPack
ONE_OF_A_KIND: Final[Mapping[type[OneOfAKind], tuple[str, ...]]] = {
    Learner: (),
    MutedTopic: ("topic",),
    PackPush: ("child_id", "pack_id"),
    PushPreference: (),
    SavedPack: ("pack_id",),
}
"""Of these a caregiver has one each of what is named."""


def log_in_by_mini(db: Session, *, openid: str, unionid: str | None, now: datetime) -> Caregiver:
    """The caregiver behind a mini program's openid, the account's own one where UnionID says so.

    Made where new: without an openid of the account there is nothing to send to, and no
    following is claimed.
    """
    known = db.execute(
        select(Caregiver).where(Caregiver.mini_openid == openid)
    ).scalar_one_or_none()
    if known is not None:
        if unionid is not None and known.unionid is None:
            known = learn_unionid(db, known, unionid, now)
        return known
    same = None
    if unionid is not None:
        same = db.execute(
            select(Caregiver).where(Caregiver.unionid == unionid)
        ).scalar_one_or_none()
    if same is None:
        same = Caregiver(
            mini_openid=openid, unionid=unionid, is_following=False, pushes="on", created_at=now
        )
        db.add(same)
    else:
        same.mini_openid = openid
    db.flush()
    return same


def learn_unionid(db: Session, caregiver: Caregiver, unionid: str, now: datetime) -> Caregiver:
    """The platform said who a caregiver is in all apps; two rows of one person become one.

    The row with the account's openid stays: only there a reminder can be sent. It takes the
    family of the other where it has none of its own, with all that was done and agreed to in
    its name; where both have one, each family keeps its row.
    """
    other = db.execute(
        select(Caregiver).where(Caregiver.unionid == unionid, Caregiver.id != caregiver.id)
    ).scalar_one_or_none()
    if other is None:
        caregiver.unionid = unionid
        db.flush()
        return caregiver
    keeps, goes = (caregiver, other) if caregiver.openid is not None else (other, caregiver)
    mini_openid = goes.mini_openid or keeps.mini_openid
    goes.unionid = goes.mini_openid = None
    log_ins.end_all(db, goes.id, now)
    db.flush()
    keeps.unionid, keeps.mini_openid = unionid, mini_openid
    if keeps.family_id is None or goes.family_id is None:
        keeps.family_id, goes.family_id = keeps.family_id or goes.family_id, None
        keeps.relation = keeps.relation or goes.relation
        db.flush()
        _hand_over(db, goes.id, keeps.id)
    else:
        _hand_over_what_is_new(db, SavedPack, ONE_OF_A_KIND[SavedPack], goes.id, keeps.id)
    audit.record(
        db,
        actor=SYSTEM,
        action="join_apps",
        subject_type="caregiver",
        subject_id=keeps.id,
        now=now,
    )
    db.flush()
    db.expire(keeps)
    return keeps


def _hand_over(db: Session, before: int, after: int) -> None:
    """All that is in one caregiver's name is the other's; what that one has already, stays."""
    for model in WITHOUT_A_RIVAL:
        db.execute(update(model).where(model.caregiver_id == before).values(caregiver_id=after))
    for name in (Invitation.created_by, Invitation.used_by):
        db.execute(update(Invitation).where(name == before).values({name: after}))
    is_asking = aliased(HelpThread)
    db.execute(
        update(HelpThread)
        .where(
            HelpThread.caregiver_id == before,
            HelpThread.closed_at.is_not(None)
            | ~exists().where(is_asking.caregiver_id == after, is_asking.closed_at.is_(None)),
        )
        .values(caregiver_id=after)
    )
    for kind, key in ONE_OF_A_KIND.items():
        _hand_over_what_is_new(db, kind, key, before, after)


def _hand_over_what_is_new(
    db: Session, model: type[OneOfAKind], key: Sequence[str], before: int, after: int
) -> None:
    own = aliased(model)
    rival = exists().where(
        own.caregiver_id == after,
        *(getattr(own, column) == getattr(model, column) for column in key),
    )
    db.execute(update(model).where(model.caregiver_id == before, ~rival).values(caregiver_id=after))


def find_without_unionid(db: Session, *, before: int | None) -> list[tuple[int, str]]:
    """Followers of whom the platform has not said it yet, the newest first: id and openid."""
    statement = (
        select(Caregiver.id, Caregiver.openid)
        .where(Caregiver.is_following, Caregiver.openid.is_not(None), Caregiver.unionid.is_(None))
        .order_by(Caregiver.id.desc())
        .limit(LEARNT_AT_ONCE)
    )
    if before is not None:
        statement = statement.where(Caregiver.id < before)
    return [(caregiver_id, openid or "") for caregiver_id, openid in db.execute(statement)]


def learn_all(db: Session, said: Mapping[str, str], now: datetime) -> int:
    """UnionIDs by openid, as the platform told them; how many were new."""
    count = 0
    for openid, unionid in said.items():
        caregiver = db.execute(
            select(Caregiver).where(Caregiver.openid == openid)
        ).scalar_one_or_none()
        if caregiver is not None and caregiver.unionid is None:
            learn_unionid(db, caregiver, unionid, now)
            count += 1
    return count
