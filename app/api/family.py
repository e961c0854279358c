"""我家 in the API: children, caregivers, what is sent, consents, what is held, erasing."""

from datetime import date, datetime
from typing import Annotated, Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy.orm import Session

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.repeating import Key, once
from app.api.sessions import child_with, family_or_none
from app.api.shapes import (
    CaregiverOut,
    ChildOut,
    ConsentList,
    ConsentNotice,
    ConsentOut,
    Done,
    FamilyOut,
    HeldTableOut,
    Holdings,
    Id,
    In,
    InvitationOut,
    Name,
    PushesOut,
    ReadableFact,
    ReadableTableOut,
    Words,
)
from app.api.signed_in import calling, database, services
from app.clock import SHANGHAI, now
from app.models import Caregiver, Child
from app.rules.people import Relation
from app.rules.quiet_hours import (
    EARLIEST_FROM,
    LATEST_UNTIL,
    QUIET_FROM,
    QUIET_UNTIL,
    check_night,
)
from app.services import holdings, privacy, push_choices, push_settings, registration
from app.services.push_settings import Wish
from app.services.registration import ChildDraft, ConsentGiven
from app.words import privacy as privacy_words
from app.words import registration as registration_words
from app.words.holdings import readable
from content.packs import TOPICS

TAG = Tag(name="我家", description="宝宝、家人、发什么")
PRIVACY = Tag(name="个人信息", description="同意、查看、导出、撤回、注销")


def _check_topic(given: str) -> str:
    if given not in TOPICS:
        raise ValueError("no topic of ours")
    return given


Topic = Annotated[str, AfterValidator(_check_topic), Field(json_schema_extra={"enum": [*TOPICS]})]


class ChildBody(In):
    """A birth date or, before birth, a due date; the rest may be left out."""

    nickname: Name
    birth_date: date | None = None
    due_date: date | None = None
    sex: Literal["girl", "boy"] | None = None
    gestation_weeks: int | None = Field(None, ge=22, le=42)
    township: Words | None = None
    """Needed for the family's first child."""
    consent_version: Words
    """The version of the notice that the guardian has read and agrees to, for this child."""


class ChildChange(In):
    """What is left out stays."""

    nickname: Name | None = None
    birth_date: date | None = None
    due_date: date | None = None
    sex: Literal["girl", "boy"] | None = None
    gestation_weeks: int | None = Field(None, ge=22, le=42)


class FamilyChange(In):
    """What is left out stays."""

    township: Words | None = None
    need: bool | None = None
    relation: Relation | None = None
    pushes: Literal["on", "paused", "off"] | None = None
    per_week: int | None = Field(None, ge=1, le=3)
    muted_topics: list[Topic] | None = Field(None, max_length=20)
    quiet_from: int | None = Field(
        None,
        ge=EARLIEST_FROM,
        le=QUIET_FROM.hour,
        description="晚上几点起不发资料和提醒（24小时制）",
    )
    quiet_until: int | None = Field(
        None, ge=QUIET_UNTIL.hour, le=LATEST_UNTIL, description="早上几点起再发"
    )


class ChildPath(BaseModel):
    child_id: Id


class CaregiverPath(BaseModel):
    caregiver_id: Id


class JoinBody(In):
    code: Words


class SureQuery(In):
    """Said on purpose: it cannot be taken back."""

    sure: bool = False


def add_routes(api: APIBlueprint) -> None:
    api.get("/family", tags=[TAG], summary="我家", responses={200: FamilyOut})(show_family)
    api.patch("/family", tags=[TAG], summary="改一改", responses={200: FamilyOut})(change)
    api.delete("/family", tags=[PRIVACY], summary="注销", responses={200: Done})(erase)
    api.post("/family/children", tags=[TAG], summary="登记宝宝", responses={201: FamilyOut})(
        register
    )
    api.patch(
        "/family/children/<int:child_id>", tags=[TAG], summary="改宝宝", responses={200: FamilyOut}
    )(correct)
    api.delete(
        "/family/children/<int:child_id>/consent",
        tags=[PRIVACY],
        summary="撤回同意",
        responses={200: Done},
    )(withdraw)
    api.post("/family/invitations", tags=[TAG], summary="邀请家人", responses={201: InvitationOut})(
        invite
    )
    api.post("/family/members", tags=[TAG], summary="加入家庭", responses={201: FamilyOut})(join)
    api.delete(
        "/family/members/<int:caregiver_id>", tags=[TAG], summary="移出", responses={200: Done}
    )(remove)
    api.get("/family/consents", tags=[PRIVACY], summary="同意", responses={200: ConsentList})(
        list_consents
    )
    api.get("/family/holdings", tags=[PRIVACY], summary="存了什么", responses={200: Holdings})(
        show_holdings
    )


def show_family() -> Response:
    with database().reading() as db:
        return answer(_family(db, calling(db)))


def _family(db: Session, me: Caregiver) -> FamilyOut:
    family = family_or_none(me)
    choices = push_choices.find_choices(db, me)
    pushes = PushesOut.model_validate(
        {
            "state": choices.state,
            "paused_until": choices.paused_until,
            "topics": list(TOPICS),
            "per_week": choices.per_week,
            "muted_topics": sorted(choices.muted),
            "quiet_from": choices.night.starts,
            "quiet_until": choices.night.ends,
        }
    )
    if family is None:
        return FamilyOut(
            is_registered=False,
            is_guardian=False,
            children=[],
            caregivers=[],
            township=None,
            station=None,
            station_phone=None,
            need=None,
            pushes=pushes,
        )
    return FamilyOut(
        is_registered=True,
        is_guardian=privacy.is_guardian(db, me),
        children=[_child(child) for child in family.children],
        caregivers=[
            CaregiverOut(id=each.id, relation=each.relation, is_me=each.id == me.id)
            for each in family.caregivers
            if each.openid is not None or each.mini_openid is not None
        ],
        township=family.township.name,
        station=family.station.name if family.station else None,
        station_phone=family.station.phone if family.station else None,
        need=family.need,
        pushes=pushes,
    )


def _child(child: Child) -> ChildOut:
    return ChildOut.model_validate(
        {
            "id": child.id,
            "nickname": child.nickname,
            "birth_date": child.birth_date,
            "due_date": child.due_date,
            "sex": child.sex,
            "gestation_weeks": child.gestation_weeks,
        }
    )


def change(body: FamilyChange) -> Response:
    """Township, whether guidance is wanted, who the caregiver is, what is sent."""
    with database().transaction() as db:
        caregiver = calling(db)
        if body.township is not None or body.need is not None:
            family = registration.get_family(caregiver)
            if body.township is not None and body.township != family.township.name:
                registration.set_township(db, caregiver=caregiver, name=body.township, now=now())
            if body.need is not None and body.need != family.need:
                registration.set_need(db, caregiver=caregiver, need=body.need, now=now())
        if body.relation is not None:
            registration.set_relation(db, caregiver, body.relation)
        muted = body.muted_topics
        night = None
        if body.quiet_from is not None or body.quiet_until is not None:
            kept = push_choices.find_choices(db, caregiver).night
            night = check_night(body.quiet_from or kept.starts, body.quiet_until or kept.ends)
        wish = Wish(
            night=night,
            state=body.pushes,
            per_week=body.per_week,
            muted=None if muted is None else set(muted),
        )
        if wish != Wish():
            push_settings.choose(db, caregiver=caregiver, wish=wish, now=now())
        db.flush()
        db.refresh(caregiver)
        return answer(_family(db, caregiver))


def register(header: Key, body: ChildBody) -> Response:
    """A child, on the ground of a consent to the notice as it stands today."""
    if body.consent_version != registration_words.CONSENT_VERSION:
        raise ApiRefusal(409, "consent_outdated")
    if (body.birth_date is None) == (body.due_date is None):
        raise ApiRefusal(422, "one_date")

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        if caregiver.family is None and not body.township:
            raise ApiRefusal(422, "township_missing")
        draft = ChildDraft(
            nickname=body.nickname,
            birth_date=body.birth_date,
            due_date=body.due_date,
            sex=body.sex,
            gestation_weeks=body.gestation_weeks,
            township=body.township,
        )
        consent = ConsentGiven(
            purpose=registration_words.CONSENT_PURPOSE,
            version=registration_words.CONSENT_VERSION,
            evidence=f"mini program; {header.key}",
        )
        registration.register_child(
            db, caregiver=caregiver, draft=draft, consent=consent, now=now()
        )
        db.flush()
        db.expire_all()
        return _family(db, caregiver)

    return once(header, act, 201)


def correct(path: ChildPath, body: ChildChange) -> Response:
    with database().transaction() as db:
        caregiver = calling(db)
        child = child_with(registration.get_family(caregiver), path.child_id)
        registration.correct_child(
            db,
            caregiver=caregiver,
            child=child,
            now=now(),
            nickname=body.nickname,
            birth_date=body.birth_date,
            due_date=body.due_date,
            sex=body.sex,
            gestation_weeks=body.gestation_weeks,
        )
        return answer(_family(db, caregiver))


def withdraw(path: ChildPath, query: SureQuery) -> Response:
    """The child's data is erased; it cannot be taken back."""
    if not query.sure:
        raise ApiRefusal(409, "not_sure")
    with database().transaction() as db:
        caregiver = calling(db)
        child = child_with(registration.get_family(caregiver), path.child_id)
        name = child.nickname
        gone = privacy.withdraw(db, caregiver=caregiver, child=child, now=now())
    return answer(Done(message=privacy_words.withdrawn(name, gone.cancelled)))


def erase(query: SureQuery) -> Response:
    """Everything of the family is erased; it cannot be taken back."""
    if not query.sure:
        raise ApiRefusal(409, "not_sure")
    with database().transaction() as db:
        gone = privacy.erase_family(db, caregiver=calling(db), now=now())
    return answer(Done(message=privacy_words.erased(gone.cancelled)))


def invite(header: Key) -> Response:
    """A code by which one more caregiver joins, here or in the chat."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        made = registration.invite(db, caregiver=caregiver, now=now())
        said = registration_words.invitation(made.code, registration.INVITATION_DAYS)
        return InvitationOut(code=made.code, expires_at=made.expires_at, message=said)

    return once(header, act, 201)


def join(header: Key, body: JoinBody) -> Response:
    """The caregiver becomes one of the family that the code is for."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        registration.join(db, caregiver=caregiver, code=body.code, now=now())
        db.flush()
        return _family(db, caregiver)

    return once(header, act, 201)


def remove(path: CaregiverPath) -> Response:
    """Another caregiver leaves the family, or whoever calls."""
    with database().transaction() as db:
        caregiver = calling(db)
        if path.caregiver_id == caregiver.id:
            privacy.leave_family(db, caregiver=caregiver, now=now())
            said = privacy_words.left_family()
        else:
            gone = privacy.remove_caregiver(
                db, caregiver=caregiver, other_id=path.caregiver_id, now=now()
            )
            said = privacy_words.removed(gone.relation)
    return answer(Done(message=said))


def list_consents() -> Response:
    """The notice as it stands, and who agreed to what and when."""
    with database().reading() as db:
        caregiver = calling(db)
        lines = privacy.consent_history(db, caregiver) if family_or_none(caregiver) else []
        items = [
            ConsentOut(
                child=line.nickname,
                purpose=line.purpose,
                version=line.version,
                given_at=line.given_at,
                is_own=line.is_own,
                withdrawn_at=line.withdrawn_at,
            )
            for line in lines
        ]
    notice = ConsentNotice(
        version=registration_words.CONSENT_VERSION,
        text=registration_words.consent_notice(services().settings.service_phone),
    )
    return answer(ConsentList(items=items, notice=notice))


def show_holdings() -> Response:
    with database().reading() as db:
        family = registration.get_family(calling(db))
        tables = holdings.load_holdings(db, family.id)
    return answer(
        Holdings(
            tables=[
                HeldTableOut(
                    name=table.name,
                    columns=list(table.columns),
                    rows=[[_plain(value) for value in row] for row in table.rows],
                )
                for table in tables
            ],
            readable=[
                ReadableTableOut(
                    name=table.name,
                    rows=[
                        [ReadableFact(name=name, value=value) for name, value in row]
                        for row in table.rows
                    ],
                )
                for table in readable(tables)
            ],
        )
    )


def _plain(value: object) -> str | int | float | bool | None:
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
