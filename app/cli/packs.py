"""`packs`: what became of age-based packs."""

from datetime import timedelta

import click

from app import clock
from app.cli.speaking import Answer, Group, table
from app.services import pack_reports
from app.wiring import Services


@click.group("packs", cls=Group)
def packs() -> None:
    """Age-based packs."""


@packs.command("report")
@click.option("--days", default=30, show_default=True, help="How far back.")
def report_command(services: Services, days: int) -> Answer:
    """Show what became of each pack, by version: delivered, opened, liked; and why not."""
    until = clock.now()
    since = until - timedelta(days=days)
    with services.database.reading() as db:
        ledger = pack_reports.read_ledger(db, since=since, until=until)
    lines: list[tuple[object, ...]] = [
        (
            row.pack,
            f"v{row.version}",
            row.title,
            f"delivered {row.delivered}/{row.planned}",
            f"opened {row.opened}",
            f"+{row.liked} -{row.disliked}",
        )
        for row in ledger.figures
    ]
    lines += [("not sent", reason, number) for reason, number in ledger.why_not.items()]
    found = {
        "since": since,
        "until": until,
        "packs": ledger.figures,
        "reasons": dict(ledger.why_not),
    }
    return Answer(found, table(lines, "nothing fell due"))
