"""`notices`: what was or will be sent."""

from dataclasses import dataclass
from datetime import datetime

import click

from app.cli.speaking import Answer, Group, table
from app.services.doctor import NOTICE_STATES
from app.services.notice_overview import NoticeOverview, list_notices
from app.wiring import Services
from app.words.notices import render


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice with its words, as the published JSON has it."""

    id: int
    openid: str | None
    kind: str
    subject: str
    text: str
    state: str
    reason: str | None
    channel: str | None
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None
    attempts: int


@click.group("notices", cls=Group)
def notices() -> None:
    """What was or will be sent."""


@notices.command("list")
@click.option("--state", type=click.Choice(NOTICE_STATES))
def list_command(services: Services, state: str | None) -> Answer:
    """List notices, the oldest first, with their state and its reason."""
    with services.database.reading() as db:
        rows = [_row(notice) for notice in list_notices(db, state=state)]
    lines: list[tuple[object, ...]] = [
        (row.id, row.state, row.reason, row.kind, row.openid, row.text.replace("\n", " "))
        for row in rows
    ]
    return Answer(rows, table(lines, "no notices"))


def _row(notice: NoticeOverview) -> NoticeRow:
    return NoticeRow(
        id=notice.id,
        openid=notice.openid,
        kind=notice.kind,
        subject=notice.subject,
        # Not sent yet: as it would be said.
        text=notice.text if notice.text is not None else render(notice.facts).text,
        state=notice.state,
        reason=notice.reason,
        channel=notice.channel,
        queued_at=notice.queued_at,
        due_at=notice.due_at,
        sent_at=notice.sent_at,
        attempts=notice.attempts,
    )
