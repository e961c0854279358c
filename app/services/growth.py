"""Measures of children: kept one row a day, and placed in the national standard."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.models import Child, Measurement
from app.rules.age import (
    CORRECTED_UNTIL_MONTHS,
    age_months,
    corrected_age_months,
    corrected_birth_date,
    is_preterm,
)
from app.rules.growth import (
    PLAUSIBLE_GRAMS,
    PLAUSIBLE_HEAD_MILLIMETRES,
    PLAUSIBLE_MILLIMETRES,
    Level,
    Measured,
    Placed,
    Standard,
    check_is_plausible,
    moved_much,
    place,
)
from app.rules.people import Sex


@dataclass(frozen=True, slots=True)
class Point:
    """One day's measures, with the child's (corrected) age then and their levels."""

    measured_on: date
    age_months: int
    exact_months: float
    """For a chart: days of (corrected) age by the mean month."""
    is_corrected: bool
    measured: Measured
    placed: tuple[Placed, ...]
    """Empty where the sex is not known: the standard has a table for each."""
    moved: bool
    """Some measure went two levels up or down since the last time."""


MEAN_MONTH_DAYS = 30.4375


def record(db: Session, *, child: Child, measured: Measured, on: date, now: datetime) -> None:
    """Keep what was measured on a day; what was not measured then stays as it was.

    Two family members at once write one row. Raises MeasurementImplausible.
    """
    check_is_plausible(measured)
    said = {
        "weight_grams": measured.weight_grams,
        "length_millimetres": measured.length_millimetres,
        "head_millimetres": measured.head_millimetres,
    }
    given = {name: value for name, value in said.items() if value is not None}
    insert = postgresql_insert if db.get_bind().dialect.name == "postgresql" else sqlite_insert
    statement = insert(Measurement).values(
        child_id=child.id, measured_on=on, recorded_at=now, **given
    )
    db.execute(
        statement.on_conflict_do_update(
            index_elements=["child_id", "measured_on"], set_={**given, "recorded_at": now}
        )
    )


def list_points(db: Session, *, child: Child, standard: Standard) -> list[Point]:
    """All that was measured of a child, the oldest first; none before its birth date."""
    rows = db.scalars(
        select(Measurement)
        .where(Measurement.child_id == child.id)
        .order_by(Measurement.measured_on)
    )
    points: list[Point] = []
    for row in rows:
        if child.birth_date is None or row.measured_on < child.birth_date:
            continue  # the birth date was corrected to a later day
        points.append(_point(child, child.birth_date, row, standard, points))
    return points


def forget(db: Session, *, children: Collection[int]) -> None:
    """Nothing that was measured of these children is kept any longer."""
    db.execute(delete(Measurement).where(Measurement.child_id.in_(children)))


def implausible_measurements(db: Session) -> list[str]:
    """For the doctor: rows without any measure, or with one that no child has."""
    bounds = (
        (Measurement.weight_grams, PLAUSIBLE_GRAMS),
        (Measurement.length_millimetres, PLAUSIBLE_MILLIMETRES),
        (Measurement.head_millimetres, PLAUSIBLE_HEAD_MILLIMETRES),
    )
    empty = and_(*(column.is_(None) for column, _ in bounds))
    outside = or_(*(~column.between(*bound) for column, bound in bounds))
    ids = db.scalars(select(Measurement.id).where(or_(empty, outside)).order_by(Measurement.id))
    return [f"measurement:{one}" for one in ids]


def _point(
    child: Child, born: date, row: Measurement, standard: Standard, before: Sequence[Point]
) -> Point:
    on = row.measured_on
    weeks = child.gestation_weeks
    counts_corrected = (
        weeks is not None and is_preterm(weeks) and age_months(born, on) < CORRECTED_UNTIL_MONTHS
    )
    months, counted_from = age_months(born, on), born
    if weeks is not None and counts_corrected:
        months = corrected_age_months(born, on, weeks)
        counted_from = corrected_birth_date(born, weeks)
    measured = Measured(row.weight_grams, row.length_millimetres, row.head_millimetres)
    placed: tuple[Placed, ...] = ()
    # Before its due date a preterm child is on no line of this standard.
    if child.sex is not None and on >= counted_from:
        placed = tuple(place(standard, sex=Sex(child.sex), age_months=months, measured=measured))
    return Point(
        measured_on=on,
        age_months=months,
        exact_months=max((on - counted_from).days, 0) / MEAN_MONTH_DAYS,
        is_corrected=counts_corrected,
        measured=measured,
        placed=placed,
        moved=any(
            moved_much(last, one.level)
            for one in placed
            if (last := _last_level(one, before)) is not None
        ),
    )


def _last_level(one: Placed, before: Sequence[Point]) -> Level | None:
    """The level of the same measure the last time that it was taken."""
    for point in reversed(before):
        for other in point.placed:
            if other.indicator is one.indicator:
                return other.level
    return None
