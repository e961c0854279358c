"""`devices`: the devices on which caregivers are logged in, and an end to one of them."""

import click
from sqlalchemy import or_, true

from app import clock
from app.cli.speaking import Answer, Group, Refused, table
from app.db import LARGEST_ID
from app.models import Caregiver
from app.services import log_ins as service
from app.services.audit import OPERATOR
from app.wiring import Services


@click.group("devices", cls=Group)
def devices() -> None:
    """Where caregivers are logged in to the app and the pages."""


@devices.command("list")
@click.argument("openid")
def list_command(services: Services, openid: str) -> Answer:
    """Show the devices of the caregiver with OPENID, of the account or of the mini program."""
    whose = or_(Caregiver.openid == openid, Caregiver.mini_openid == openid)
    with services.database.reading() as db:
        if db.query(Caregiver.id).where(whose).first() is None:
            raise Refused("caregiver_unknown", "no caregiver has this openid")
        found = service.of_caregivers(db, whose, clock.now())
    lines: list[tuple[object, ...]] = [
        (one.id, one.way, str(one.device), f"{one.logged_in_at:%Y-%m-%d %H:%M}") for one in found
    ]
    return Answer(found, table(lines, "logged in nowhere"))


@devices.command("end")
@click.argument("number", type=click.IntRange(1, LARGEST_ID))
def end_command(services: Services, number: int) -> Answer:
    """End the log-in with this NUMBER; the others of the caregiver go on."""
    with services.database.transaction() as db:
        whose = service.end(db, number, whose=true(), actor=OPERATOR, now=clock.now())
    return Answer({"id": number, "caregiver": whose}, f"ended log-in {number}")
