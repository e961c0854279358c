"""Families as staff see them: found by name, pinyin or telephone, one by one, and kept right.

Every query takes a StaffScope and shows no family outside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, false, func, select, true
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from app.clock import SHANGHAI
from app.errors import NotYours
from app.models import Caregiver, Child, Family, FamilyTerm, GuidanceSession, SignUp, Station
from app.rules.age import age_months
from app.rules.search_terms import terms_of_query
from app.rules.sign_up import SignUpState
from app.services import audit
from app.services.audit import Actor
from app.services.staff import StaffScope

NEEDS = {"yes": True, "no": False, "unknown": None}
NEWBORN_DAYS = 28
"""Owed a home visit: DOMAIN §2."""
LONGEST_CONTACT = 20


@dataclass(frozen=True, slots=True)
class FamilyQuery:
    """What staff look for; a part that is empty asks for nothing."""

    text: str = ""
    need: str = ""
    """yes, no or unknown."""
    reach: str = ""
    """wechat: somebody follows the account; paper: nobody does."""
    age: str = ""
    """newborn, unborn, under1, under2, under3 or over3: of the youngest child."""
    progress: str = ""
    """none, some or six: sessions attended this year."""
    station: str = ""
    """A station's code."""


@dataclass(frozen=True, slots=True)
class ListedChild:
    nickname: str
    age_months: int | None
    """None before birth."""


@dataclass(frozen=True, slots=True)
class ListedFamily:
    id: int
    children: tuple[ListedChild, ...]
    township: str
    station: str | None
    contact_name: str | None
    phone: str | None
    need: bool | None
    is_reachable: bool
    """Somebody of the family follows the account."""
    attended: int
    """Distinct sessions attended this calendar year."""
    arranged: int
    """Sessions of this year still to come, confirmed or requested."""
    missed: int
    """Sessions of this year that it did not come to."""
    created_at: datetime


def matching(text: str, *, by_sound: bool = False) -> ColumnElement[bool]:
    """A condition on Family: those that are found by what was typed; none by three digits.

    Lists about families (notices, visits) can use it too, where they join Family.
    """
    terms = terms_of_query(text, by_sound=by_sound)
    if terms is None:
        return false()
    return and_(
        *(Family.id.in_(select(FamilyTerm.family_id).where(FamilyTerm.term == t)) for t in terms)
    )


def find(
    db: Session,
    scope: StaffScope,
    query: FamilyQuery,
    *,
    limit: int,
    offset: int,
    now: datetime,
    only: ColumnElement[bool] | None = None,
) -> list[ListedFamily]:
    """Families in scope, the latest registered first.

    Where nothing is spelt so, families whose names sound so: voice input writes 唐唐 for 糖糖.
    """
    today = now.astimezone(SHANGHAI).date()
    wanted = _wanted(query, today)
    if only is not None:
        wanted = (*wanted, only)
    by_name = matching(query.text) if query.text else true()
    found = _fetch(db, scope, (by_name, *wanted), limit, offset)
    if not found and query.text and offset == 0:
        found = _fetch(db, scope, (matching(query.text, by_sound=True), *wanted), limit, offset)
    counts = year_counts(db, [family.id for family in found], now)
    return [listed(family, counts.get(family.id, NO_COUNTS), now) for family in found]


def _fetch(
    db: Session,
    scope: StaffScope,
    wanted: tuple[ColumnElement[bool], ...],
    limit: int,
    offset: int,
) -> Sequence[Family]:
    latest_first = (Family.created_at.desc(), Family.id.desc())
    # The page's numbers first, off an index: a family's row is wide, and all before it are passed.
    page = (
        select(Family.id)
        .where(scope.families(), *wanted)
        .order_by(*latest_first)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    return db.scalars(
        select(Family)
        .join(page, page.c.id == Family.id)
        .join(Family.township)
        .outerjoin(Family.station)
        .options(
            contains_eager(Family.township),
            contains_eager(Family.station),
            selectinload(Family.children),
            selectinload(Family.caregivers),
        )
        .order_by(*latest_first)
    ).all()


def _wanted(query: FamilyQuery, today: date) -> tuple[ColumnElement[bool], ...]:
    """The conditions of everything but the search."""
    conditions: list[ColumnElement[bool]] = []
    if query.need:
        conditions.append(Family.need.is_(NEEDS[query.need]))
    if query.station:
        of_station = select(Station.id).where(Station.code == query.station)
        conditions.append(Family.station_id.in_(of_station))
    if query.reach:
        follows = exists().where(Caregiver.family_id == Family.id, Caregiver.is_following)
        conditions.append(follows if query.reach == "wechat" else ~follows)
    if query.age:
        conditions.append(_age(query.age, today))
    if query.progress:
        conditions.append(_progress(query.progress, today.year))
    return tuple(conditions)


def _age(band: str, today: date) -> ColumnElement[bool]:
    """The family has a child in this band of age."""

    def born(after: date | None, until: date) -> ColumnElement[bool]:
        is_after = Child.birth_date > after if after else true()
        return exists().where(Child.family_id == Family.id, is_after, Child.birth_date <= until)

    years = [_years_before(today, count) for count in range(4)]
    match band:
        case "unborn":
            return exists().where(
                Child.family_id == Family.id,
                Child.birth_date.is_(None) | (Child.birth_date > today),
            )
        case "newborn":
            return born(today - timedelta(days=NEWBORN_DAYS + 1), today)
        case "under1":
            return born(years[1], today)
        case "under2":
            return born(years[2], years[1])
        case "under3":
            return born(years[3], years[2])
        case _:
            # All its children are three or older: nothing is owed any more.
            young = (Child.birth_date > years[3]) | Child.birth_date.is_(None)
            return ~exists().where(Child.family_id == Family.id, young)


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


def _progress(progress: str, year: int) -> ColumnElement[bool]:
    # One list of families with their counts, looked into for each: not a count for each family.
    attended = (
        select(SignUp.family_id)
        .join(SignUp.session)
        .where(
            SignUp.state == SignUpState.ATTENDED,
            GuidanceSession.starts_at >= datetime(year, 1, 1, tzinfo=SHANGHAI),
            GuidanceSession.starts_at < datetime(year + 1, 1, 1, tzinfo=SHANGHAI),
        )
        .group_by(SignUp.family_id)
    )
    sessions = func.count(func.distinct(SignUp.session_id))
    match progress:
        case "none":
            return Family.id.not_in(attended)
        case "some":
            return Family.id.in_(attended.having(sessions <= 5))
        case _:
            return Family.id.in_(attended.having(sessions >= 6))


@dataclass(frozen=True, slots=True)
class YearCounts:
    """Distinct sessions of one calendar year."""

    attended: int
    arranged: int
    missed: int


NO_COUNTS = YearCounts(0, 0, 0)
_COUNTED = {
    SignUpState.ATTENDED: "attended",
    SignUpState.CONFIRMED: "arranged",
    SignUpState.REQUESTED: "arranged",
    SignUpState.NO_SHOW: "missed",
}


def year_counts(db: Session, family_ids: Sequence[int], now: datetime) -> dict[int, YearCounts]:
    """By family: what it attended, has arranged and missed in the running year. One query."""
    if not family_ids:
        return {}
    year = now.astimezone(SHANGHAI).year
    sets: dict[int, dict[str, set[int]]] = {}
    rows = db.execute(
        select(SignUp.family_id, SignUp.session_id, SignUp.state)
        .join(SignUp.session)
        .where(
            SignUp.family_id.in_(family_ids),
            SignUp.state.in_(list(_COUNTED)),
            GuidanceSession.starts_at >= datetime(year, 1, 1, tzinfo=SHANGHAI),
            GuidanceSession.starts_at < datetime(year + 1, 1, 1, tzinfo=SHANGHAI),
        )
    )
    for family_id, session_id, state in rows:
        of_family = sets.setdefault(family_id, {})
        of_family.setdefault(_COUNTED[SignUpState(state)], set()).add(session_id)
    return {
        family_id: YearCounts(
            attended=len(of.get("attended", ())),
            # A sibling's place in a session that was attended is no other session.
            arranged=len(of.get("arranged", set()) - of.get("attended", set())),
            missed=len(of.get("missed", set()) - of.get("attended", set())),
        )
        for family_id, of in sets.items()
    }


def listed(family: Family, counts: YearCounts, now: datetime) -> ListedFamily:
    """A family, loaded with its children and caregivers, as lists show it."""
    today = now.astimezone(SHANGHAI).date()
    return ListedFamily(
        id=family.id,
        children=tuple(
            ListedChild(
                child.nickname,
                None
                if child.birth_date is None or child.birth_date > today
                else age_months(child.birth_date, today),
            )
            for child in family.children
        ),
        township=family.township.name,
        station=family.station.name if family.station else None,
        contact_name=family.contact_name,
        phone=family.phone,
        need=family.need,
        is_reachable=any(caregiver.is_following for caregiver in family.caregivers),
        attended=counts.attended,
        arranged=counts.arranged,
        missed=counts.missed,
        created_at=family.created_at,
    )


def get(db: Session, scope: StaffScope, family_id: int) -> Family:
    """One family with children, caregivers, township and station.

    Raises NotYours, also where there is no such family.
    """
    found = (
        db.scalars(
            select(Family)
            .join(Family.township)
            .outerjoin(Family.station)
            .options(
                contains_eager(Family.township),
                contains_eager(Family.station),
                joinedload(Family.children),
                joinedload(Family.caregivers),
            )
            .where(Family.id == family_id, scope.families())
        )
        .unique()
        .one_or_none()
    )
    if found is None:
        raise NotYours()
    return found


def set_contact(
    db: Session, scope: StaffScope, family_id: int, *, name: str, phone: str, now: datetime
) -> None:
    """Whom to ask for, and on which telephone; empty where the family told neither.

    Raises NotYours. The values are checked by whoever took them in.
    """
    family = get(db, scope, family_id)
    family.contact_name, family.phone = name or None, phone or None
    db.flush()
    audit.record(
        db,
        actor=Actor("staff", scope.staff_id),
        action="set_contact",
        subject_type="family",
        subject_id=family_id,
        now=now,
    )
