"""`stations`, `sessions` and `visitors`: taken from CSV or XLSX files."""

from pathlib import Path

import click

from app import clock
from app.cli.speaking import Answer, Group
from app.errors import FileUnreadable
from app.services.audit import OPERATOR
from app.services.import_files import MAX_BYTES
from app.services.imports import (
    SESSION_COLUMNS,
    STATION_COLUMNS,
    Imported,
    import_sessions,
    import_stations,
)
from app.services.visitor_files import VISITOR_COLUMNS, import_visitors
from app.wiring import Services
from app.words import imports as words

FILE = click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
)


@click.group("stations", cls=Group)
def stations() -> None:
    """Places: guidance stations, centres, stops of the guidance bus."""


@click.group("sessions", cls=Group)
def sessions() -> None:
    """Guidance sessions."""


@click.group("visitors", cls=Group)
def visitors() -> None:
    """Who makes home visits."""


@visitors.command(
    "import",
    help=f"""Create or update visitors by code, from CSV or XLSX.

    Columns, in any order: {", ".join(VISITOR_COLUMNS)}. Townships and weekdays (1 to 7, Monday
    is 1) are separated by spaces. The file is taken whole, or not at all: then each bad row is
    named with its line and the reason.""",
)
@FILE
def import_visitors_command(services: Services, file: Path) -> Answer:
    content = _read(file)
    with services.database.transaction() as db:
        taken = import_visitors(db, content, actor=OPERATOR, now=clock.now())
    return _told(taken, "visitors")


@stations.command(
    "import",
    help=f"""Create or update stations by code, from CSV or XLSX.

    Columns, in any order: {", ".join(STATION_COLUMNS)}. The file is taken whole, or not at
    all: then each bad row is named with its line and the reason.""",
)
@FILE
def import_stations_command(services: Services, file: Path) -> Answer:
    content = _read(file)
    with services.database.transaction() as db:
        taken = import_stations(db, content, actor=OPERATOR, now=clock.now())
    return _told(taken, "stations")


@sessions.command(
    "import",
    help=f"""Create or update guidance sessions by code, from CSV or XLSX.

    Columns, in any order: {", ".join(SESSION_COLUMNS)}. Times are ISO 8601, of Shanghai where
    they bear no offset. The file is taken whole, or not at all: then each bad row is named
    with its line and the reason.""",
)
@FILE
def import_sessions_command(services: Services, file: Path) -> Answer:
    content = _read(file)
    with services.database.transaction() as db:
        taken = import_sessions(db, content, actor=OPERATOR, now=clock.now())
    return _told(taken, "sessions")


def _read(file: Path) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise FileUnreadable("too_big")
    return content


def _told(taken: Imported, what: str) -> Answer:
    told = f"{what}: {taken.added} new, {taken.updated} updated, {taken.unchanged} unchanged"
    warnings = words.say_warnings(
        taken.past, [(each.code, each.places, each.taken) for each in taken.overfull]
    )
    return Answer(taken, "\n".join([told, *warnings]))
