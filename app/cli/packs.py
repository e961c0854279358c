"""`packs`: what became of age-based packs."""

from datetime import datetime, time, timedelta

import click

from app import clock
from app.cli.speaking import Answer, Group, table
from app.services import pack_reports, pack_totals
from app.wiring import Services


@click.group("packs", cls=Group)
def packs() -> None:
    """Age-based packs."""


@packs.command("report")
@click.option(
    "--days",
    type=click.IntRange(1, 3660),
    default=30,
    show_default=True,
    help="How many days, today included.",
)
def report_command(services: Services, days: int) -> Answer:
    """Show what became of each pack, by version: delivered, opened, liked; and why not."""
    until = clock.now().astimezone(clock.SHANGHAI)
    since = datetime.combine(until.date() - timedelta(days=days - 1), time(), clock.SHANGHAI)
    with services.database.reading() as db:
        ledger = pack_reports.read_ledger(db, first=since.date(), last=until.date())
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


@packs.command("recount")
def recount_command(services: Services) -> Answer:
    """Add up the ledger anew; for when the doctor finds a sum that is not what counting gives."""
    with services.database.transaction() as db:
        wrong = pack_totals.wrong_totals(db)
        pack_totals.recount(db)
    return Answer({"mended": wrong}, f"{len(wrong)} sums were wrong and are right now")
