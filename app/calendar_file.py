"""The calendar file of a sign-up, as RFC 5545 has it.

It bears the session and no child's name: it may be passed on, and lie in a calendar that
others see.
"""

from datetime import UTC

from app.clock import SHANGHAI
from app.services.calendar_events import CalendarEvent


def write_calendar(event: CalendarEvent, *, host: str, description: str) -> bytes:
    """The file of one event, in Shanghai's time."""
    # Imported with the first file: most workers' start need not wait for it.
    from icalendar import Calendar, Event, Timezone

    entry = Event()
    entry.add("uid", f"sign-up-{event.sign_up_id}@{host}")
    # A cancelled sign-up never comes back, so that one more is always the last.
    entry.add("sequence", event.sequence + (1 if event.is_cancelled else 0))
    entry.add("dtstamp", event.changed_at.astimezone(UTC))
    entry.add("dtstart", event.starts_at.astimezone(SHANGHAI))
    entry.add("dtend", event.ends_at.astimezone(SHANGHAI))
    entry.add("summary", event.title)
    entry.add("location", f"{event.place}，{event.address}" if event.address else event.place)
    entry.add("description", description)
    entry.add("status", _status(event))
    calendar = Calendar()
    calendar.add("prodid", "-//yuban//guidance sessions//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if event.is_cancelled else "PUBLISH")
    # Shanghai has had no daylight saving since 1991: the one rule from then on is all.
    calendar.add_component(Timezone.from_tzinfo(SHANGHAI, first_date=event.starts_at.date()))
    calendar.add_component(entry)
    return bytes(calendar.to_ical())


def _status(event: CalendarEvent) -> str:
    if event.is_cancelled:
        return "CANCELLED"
    return "CONFIRMED" if event.is_confirmed else "TENTATIVE"
