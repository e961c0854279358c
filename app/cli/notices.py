"""`notices`: what was or will be sent."""

import click

from app.cli.speaking import Answer, Group, table
from app.models.notice_facts import NoticeFacts
from app.services.doctor import NOTICE_STATES
from app.services.notice_overview import list_notices
from app.wiring import Services
from app.words.notices import render


@click.group("notices", cls=Group)
def notices() -> None:
    """What was or will be sent."""


@notices.command("list")
@click.option("--state", type=click.Choice(NOTICE_STATES))
def list_command(services: Services, state: str | None) -> Answer:
    """List notices, the oldest first, with their state and its reason."""
    with services.database.reading() as db:
        rows = list_notices(db, say=_say, state=state)
    lines: list[tuple[object, ...]] = [
        (row.id, row.state, row.reason, row.kind, row.openid, row.text.replace("\n", " "))
        for row in rows
    ]
    return Answer(rows, table(lines, "no notices"))


def _say(facts: NoticeFacts) -> str:
    return render(facts).text
