"""The board: visitors by days, with every visit in its cell and what is wrong with it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import (
    Visitor,
    VisitorTownship,
)
from app.rules.calendar_days import Day, DayKind
from app.rules.visit_slots import Diary, Span, is_in_hours, works_on
from app.rules.visiting import VisitState
from app.services.staff import StaffScope
from app.services.visit_board_rows import (
    BoardVisitor,
    Taken,
    find_away,
    find_taken,
    find_visitors,
    nicknames_of,
)
from app.services.visit_diaries import days_from, midnight

DAYS = 7


class Conflict(StrEnum):
    """Why an arranged visit cannot take place as it stands."""

    OVERLAP = "overlap"
    LEAVE = "leave"
    DAY_OFF = "day_off"
    OUT_OF_HOURS = "out_of_hours"
    NOT_COVERED = "not_covered"
    INACTIVE = "inactive"
    MOURNING = "mourning"
    """A loss was told in the family: a person speaks with it first."""


@dataclass(frozen=True, slots=True)
class BoardVisit:
    visit_id: int
    family_id: int
    starts_at: datetime
    ends_at: datetime
    state: str
    nickname: str | None
    """None where the family is another station's: the time is taken, whose it is not told."""
    township: str
    is_proposal: bool
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class BoardCell:
    day: date
    works: bool
    is_away: bool
    """On leave for some of the working hours."""
    visits: tuple[BoardVisit, ...]


@dataclass(frozen=True, slots=True)
class BoardRow:
    visitor_id: int
    code: str
    name: str
    station: str
    cells: tuple[BoardCell, ...]


@dataclass(frozen=True, slots=True)
class Troubled:
    """A visitor with a visit that cannot take place as it stands."""

    name: str
    number: int
    """Where they stand among all visitors of the board, from 0."""


@dataclass(frozen=True, slots=True)
class Board:
    days: tuple[Day, ...]
    rows: tuple[BoardRow, ...]
    """Of the page that was asked for."""
    conflicts: int
    """Of all visitors, as the two that follow."""
    visitors: int
    troubled: tuple[Troubled, ...]

    @property
    def families(self) -> set[int]:
        """Whose names are shown."""
        return {
            visit.family_id
            for row in self.rows
            for cell in row.cells
            for visit in cell.visits
            if visit.nickname is not None
        }


def read_board(
    db: Session,
    scope: StaffScope,
    first: date,
    *,
    days: int = DAYS,
    township_id: int | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Board:
    """Some days from one on, for the visitors whose time this staff member watches, by code.

    Only those of the page are read with their names, which costs a decryption each; conflicts
    are looked for with everybody, so that none hides on another page.
    """
    calendar = days_from(db, first, days)
    since, until = midnight(first), midnight(first + timedelta(days=days))
    visitors = find_visitors(db, scope, since, until, township_id)
    ids = [visitor.id for visitor in visitors]
    taken = find_taken(db, scope, ids, since, until)
    away = find_away(db, ids, since, until)
    covers: dict[int, set[int]] = defaultdict(set)
    for visitor_id, covered in db.execute(
        select(VisitorTownship.visitor_id, VisitorTownship.township_id).where(
            VisitorTownship.visitor_id.in_(ids)
        )
    ):
        covers[visitor_id].add(covered)
    found = [
        _conflicts_of(
            visitor,
            calendar,
            taken.get(visitor.id, []),
            tuple(away.get(visitor.id, ())),
            covers[visitor.id],
        )
        for visitor in visitors
    ]
    until_row = None if limit is None else offset + limit
    shown = list(zip(visitors, found, strict=True))[offset:until_row]
    troubled = [
        (number, visitor.id) for number, visitor in enumerate(visitors) if any(found[number])
    ]
    named = {visitor.id for visitor, _ in shown} | {each for _, each in troubled}
    names = dict(db.execute(select(Visitor.id, Visitor.name).where(Visitor.id.in_(named))).all())
    nicknames = nicknames_of(db, [one for v, _ in shown for one in taken.get(v.id, ())])
    rows = tuple(
        _row(
            visitor,
            names[visitor.id],
            calendar,
            list(zip(taken.get(visitor.id, ()), conflicts, strict=True)),
            tuple(away.get(visitor.id, ())),
            nicknames,
        )
        for visitor, conflicts in shown
    )
    return Board(
        days=tuple(calendar),
        rows=rows,
        conflicts=sum(bool(each) for conflicts in found for each in conflicts),
        visitors=len(visitors),
        troubled=tuple(Troubled(names[each], number) for number, each in troubled),
    )


def _conflicts_of(
    visitor: BoardVisitor,
    days: list[Day],
    taken: list[Taken],
    away: tuple[Span, ...],
    covers: set[int],
) -> list[tuple[Conflict, ...]]:
    """Of each visit, in the order of `taken`, what is wrong with it."""
    diary = Diary(visitor.id, visitor.hours, away=away)
    by_day: dict[date, list[Taken]] = defaultdict(list)
    for one in taken:
        by_day[one.span.starts_at.astimezone(SHANGHAI).date()].append(one)
    calendar = {day.day: day for day in days}
    found = []
    for one in taken:
        day = calendar[one.span.starts_at.astimezone(SHANGHAI).date()]
        found.append(_conflicts(visitor, diary, day, one, by_day[day.day], covers))
    return found


def _row(
    visitor: BoardVisitor,
    name: str,
    days: list[Day],
    visits: list[tuple[Taken, tuple[Conflict, ...]]],
    away: tuple[Span, ...],
    nicknames: Mapping[int, str],
) -> BoardRow:
    by_day: dict[date, list[BoardVisit]] = defaultdict(list)
    for one, conflicts in visits:
        by_day[one.span.starts_at.astimezone(SHANGHAI).date()].append(
            BoardVisit(
                visit_id=one.visit_id,
                family_id=one.family_id,
                starts_at=one.span.starts_at,
                ends_at=one.ends_at,
                state=one.state,
                nickname=nicknames.get(one.child_id) if one.is_ours else None,
                township=one.township,
                is_proposal=one.is_proposal,
                conflicts=conflicts,
            )
        )
    cells = []
    for day in days:
        start = midnight(day.day)
        whole = Span(start, start + timedelta(days=1))
        cells.append(
            BoardCell(
                day=day.day,
                works=works_on(visitor.hours, day),
                is_away=any(whole.overlaps(span) for span in away),
                visits=tuple(by_day[day.day]),
            )
        )
    return BoardRow(visitor.id, visitor.code, name, visitor.station, tuple(cells))


def _conflicts(
    visitor: BoardVisitor,
    diary: Diary,
    day: Day,
    one: Taken,
    others: list[Taken],
    covers: set[int],
) -> tuple[Conflict, ...]:
    if one.state == VisitState.COMPLETED:
        return ()
    found = []
    if any(one.visit_id != other.visit_id and one.span.overlaps(other.span) for other in others):
        found.append(Conflict.OVERLAP)
    visit = Span(one.span.starts_at, one.ends_at)
    if any(visit.overlaps(span) for span in diary.away):
        found.append(Conflict.LEAVE)
    elif day.kind in (DayKind.HOLIDAY, DayKind.BLACKOUT) or not works_on(diary.hours, day):
        found.append(Conflict.DAY_OFF)
    elif not is_in_hours(diary, day, one.span.starts_at.astimezone(SHANGHAI)):
        found.append(Conflict.OUT_OF_HOURS)
    if one.township_id not in covers:
        found.append(Conflict.NOT_COVERED)
    if not visitor.is_active:
        found.append(Conflict.INACTIVE)
    if one.is_stopped and one.is_ours:
        found.append(Conflict.MOURNING)
    return tuple(found)
