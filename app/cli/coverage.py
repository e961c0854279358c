"""`coverage`: how far the district keeps its promise to the families in need."""

import click

from app import clock
from app.cli.speaking import Answer, Command, table
from app.clock import SHANGHAI
from app.services.coverage import Counts, report
from app.wiring import Services


@click.command("coverage", cls=Command)
@click.option(
    "--year",
    type=click.IntRange(2000, 2100),
    help="A calendar year in Shanghai; the present one where not said.",
)
def coverage_command(services: Services, year: int | None) -> Answer:
    """Show how many sessions the families in need attended, by township and station."""
    now = clock.now()
    with services.database.reading() as db:
        found = report(db, year=year or now.astimezone(SHANGHAI).year, now=now)
    rows: list[tuple[object, ...]] = [
        ("", "in need", "not answered", "reached 6", "reached 12", "owed", "seats left")
    ]
    rows += [
        (
            one.township,
            *_shown(one),
            one.forecast.sessions_owed,
            one.forecast.seats_left,
            *(("SHORT OF SEATS",) if one.forecast.warns else ()),
        )
        for one in found.townships
    ]
    rows += [(f"{one.station or '-'} {one.name or ''}", *_shown(one)) for one in found.stations]
    total = found.total.forecast
    rows.append(("total", *_shown(found.total), total.sessions_owed, total.seats_left))
    head = f"{found.year} as of {found.as_of:%Y-%m-%d %H:%M}, {found.definitions_version}\n"
    return Answer(found, head + table(rows, ""))


def _shown(row: Counts) -> tuple[object, ...]:
    return (
        row.families_in_need,
        row.families_not_answered,
        _percent(row.share_reaching_6),
        _percent(row.share_reaching_12),
    )


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"
