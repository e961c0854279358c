"""`demo`: made-up data to try the service with."""

import click

from app import clock
from app.cli.speaking import Answer, Group
from app.demo import DEMO_LOGINS
from app.demo.loading import load
from app.wiring import Services


@click.group("demo", cls=Group)
def demo() -> None:
    """Made-up data to try the service with."""


@demo.command("load")
def load_command(services: Services) -> Answer:
    """Load made-up stations, sessions, staff and families into an empty database.

    Does nothing where there are stations or families already.
    """
    loaded = load(services.database, clock.now())
    if loaded is None:
        told = "the database is in use already: nothing was loaded"
        return Answer({"loaded": False}, told)
    record = {
        "loaded": True,
        "stations": loaded.stations,
        "sessions": loaded.sessions,
        "families": loaded.families,
        "staff": [{"username": login.username, "what": login.what} for login in DEMO_LOGINS],
    }
    told = (
        f"loaded {loaded.stations} stations, {loaded.sessions} sessions, "
        f"{loaded.families} families, {len(DEMO_LOGINS)} staff log-ins"
    )
    return Answer(record, told)
