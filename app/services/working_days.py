"""Working days as the calendar has them: holidays, make-up days and closed days counted right."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.rules.calendar_days import DayKind
from app.rules.visiting import UNANSWERED_WORKING_DAYS, working_days_between
from app.services.calendar_days import get_days
from app.services.visit_diaries import midnight

LONGEST_WAIT_DAYS: Final = 60
"""So far back, or ahead, it is looked: no stretch of days off is longer."""


def days_off(db: Session, since: date, until: date) -> frozenset[date]:
    """The days of a stretch on which offices do not work."""
    days = get_days(db, [since + timedelta(days=n) for n in range((until - since).days + 1)])
    return frozenset(
        day for day, known in days.items() if known.is_off or known.kind is DayKind.BLACKOUT
    )


def escalation_day(db: Session, today: date) -> date:
    """What began on this day or before has waited for three whole working days."""
    first = today - timedelta(days=LONGEST_WAIT_DAYS)
    off = days_off(db, first, today)
    day = today
    while working_days_between(day, today, off) < UNANSWERED_WORKING_DAYS and day > first:
        day -= timedelta(days=1)
    return day


def unanswered_at(db: Session, asked_at: datetime) -> datetime:
    """When what is asked at a time has waited for three whole working days."""
    asked_on = asked_at.astimezone(SHANGHAI).date()
    last = asked_on + timedelta(days=LONGEST_WAIT_DAYS)
    off = days_off(db, asked_on, last)
    day = asked_on
    while working_days_between(asked_on, day, off) < UNANSWERED_WORKING_DAYS and day < last:
        day += timedelta(days=1)
    return midnight(day + timedelta(days=1))
