"""年度计划 in the API: how the year stands, what would fill it, agreeing, stopping."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.api.answers import answer
from app.api.problems import ApiRefusal
from app.api.repeating import Key, once
from app.api.sessions import child_with
from app.api.shapes import Done, Id, In, ProposedOut, YearPlanOut, YearSessionOut
from app.api.signed_in import calling, database
from app.clock import now
from app.models import Caregiver, Child, Family
from app.services import plan_taking, registration, sessions, year_picture, year_plan
from app.services.year_supply import Planned
from app.words import pages as words

TAG = Tag(name="年度计划", description="一年六次：看进度，换一场，一次报上")
MOST = 40


class Query(In):
    """For which child, and which sessions this family does not want."""

    child: Id | None = None
    without: list[Id] = Field([], max_length=MOST)


class SwapQuery(In):
    """Another one in the place of one of a proposal."""

    child: Id
    instead_of: Id
    keep: list[Id] = Field([], max_length=MOST)
    without: list[Id] = Field([], max_length=MOST)


class SwapOut(BaseModel):
    """None where no other session fits."""

    proposed: ProposedOut | None


class AgreeBody(In):
    """Exactly what the family saw; a session that is full now takes none of them."""

    child: Id
    sessions: list[Id] = Field(max_length=MOST)
    may_wait: list[Id] = Field([], max_length=MOST)
    declined: list[Id] = Field([], max_length=MOST)


class TakingBody(In):
    """Whether what fits is signed up for without a question."""

    takes: bool


def add_routes(api: APIBlueprint) -> None:
    api.get("/year-plan", tags=[TAG], summary="今年的计划", responses={200: YearPlanOut})(
        show_year_plan
    )
    api.get("/year-plan/swap", tags=[TAG], summary="换一场", responses={200: SwapOut})(swap)
    api.post("/year-plan", tags=[TAG], summary="全部报名", responses={201: YearPlanOut})(agree)
    api.put("/year-plan/taking", tags=[TAG], summary="先问，还是直接报上", responses={200: Done})(
        set_taking
    )
    api.delete("/year-plan", tags=[TAG], summary="停止计划", responses={200: Done})(stop)


def _child_of(db: Session, family: Family, wanted: int | None) -> Child | None:
    if wanted is not None:
        child = child_with(family, wanted)
        return child if child.birth_date else None
    born = [child for child in family.living if child.birth_date]
    plan = year_plan.find_plan(db, family.id, now())
    planned = [child for child in born if plan is not None and child.id == plan.child_id]
    return next(iter(planned or born), None)


def show_year_plan(query: Query) -> Response:
    """Attended, arranged, and a proposal for what is missing."""
    with database().reading() as db:
        family = registration.get_family(calling(db))
        child = _child_of(db, family, query.child)
        return answer(_year(db, family, child, without=query.without))


def _year(
    db: Session, family: Family, child: Child | None, *, without: list[int], message: str = ""
) -> YearPlanOut:
    at = now()
    count = sessions.year_count(db, family.id, at)
    plan = year_plan.find_plan(db, family.id, at)
    proposal = (
        year_plan.propose(db, family=family, child=child, now=at, without=without)
        if child is not None
        else None
    )
    return YearPlanOut(
        year=count.year,
        attended=count.attended,
        arranged=count.arranged,
        target=count.target,
        has_plan=plan is not None,
        takes=plan is not None and plan.takes_since is not None,
        child=child.id if child else None,
        sessions=[
            YearSessionOut(
                code=one.code,
                title=one.title,
                starts_at=one.starts_at,
                station=one.station,
                state=one.state,
                children=list(one.nicknames),
            )
            for one in year_picture.load_year(db, family.id, at)
        ],
        proposed=[_proposed(one) for one in proposal.sessions] if proposal else [],
        short=proposal.short if proposal else 0,
        message=message,
    )


def _proposed(one: Planned) -> ProposedOut:
    return ProposedOut(
        id=one.session.id,
        code=one.session.code,
        title=one.session.title,
        starts_at=one.session.starts_at,
        station=one.session.station,
        township=one.session.township,
        is_waiting=one.is_waiting,
    )


def swap(query: SwapQuery) -> Response:
    """The next best session beside those that stay."""
    with database().reading() as db:
        family = registration.get_family(calling(db))
        child = child_with(family, query.child)
        if child.birth_date is None:
            return answer(SwapOut(proposed=None))
        new = year_plan.swap(
            db,
            family=family,
            child=child,
            keep=query.keep,
            instead_of=query.instead_of,
            without=query.without,
            now=now(),
        )
    return answer(SwapOut(proposed=_proposed(new) if new else None))


def agree(header: Key, body: AgreeBody) -> Response:
    """Signed up for all of them, or for none."""

    def act(db: Session, caregiver: Caregiver) -> BaseModel:
        family = registration.get_family(caregiver)
        child = child_with(family, body.child)
        agreement = year_plan.agree(
            db,
            caregiver=caregiver,
            child=child,
            session_ids=body.sessions,
            now=now(),
            may_wait=body.may_wait,
            declined=body.declined,
        )
        if agreement.plan is None:
            raise ApiRefusal(409, "plan_lost")
        said = words.plan_agreed(len(agreement.sign_ups))
        return _year(db, family, child, without=[], message=said)

    return once(header, act, 201)


def stop() -> Response:
    """No more proposals; what is signed up for stays."""
    with database().transaction() as db:
        year_plan.end(db, caregiver=calling(db), now=now())
    return answer(Done(message=words.plan_ended()))


def set_taking(body: TakingBody) -> Response:
    """From now on; refused where there is no plan."""
    with database().transaction() as db:
        plan = plan_taking.set_taking(db, caregiver=calling(db), takes=body.takes, now=now())
    if plan is None:
        raise ApiRefusal(409, "no_plan")
    return answer(Done(message=words.plan_takes() if body.takes else words.plan_asks()))
