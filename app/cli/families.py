"""`families`: the index that staff search by."""

import click

from app.cli.speaking import Answer, Group
from app.services import family_index
from app.wiring import Services


@click.group("families", cls=Group)
def families() -> None:
    """Families as the console finds them."""


@families.command("index")
def index_command(services: Services) -> Answer:
    """Make the index for searching anew, as after a change of DATA_KEY."""
    count = index_all(services)
    return Answer({"families": count}, f"{count} families indexed")


def index_all(services: Services) -> int:
    """Every family's terms made anew, a batch a transaction; how many families."""
    count = 0
    after: int | None = 0
    while after is not None:
        with services.database.transaction() as db:
            done, after = family_index.rebuild_batch(db, after=after)
        count += done
    return count
