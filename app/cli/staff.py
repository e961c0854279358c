"""`staff`: log-ins for the console."""

import sys

import click

from app import clock
from app.cli.speaking import Answer, Group, Misused
from app.services.audit import OPERATOR
from app.services.staff import Role, add_staff
from app.wiring import Services


@click.group("staff", cls=Group)
def staff() -> None:
    """Log-ins for the console."""


@staff.command("add")
@click.argument("username")
@click.option("--role", required=True, type=click.Choice([str(role) for role in Role]))
@click.option("--station", metavar="CODE", help="The station that a worker or visitor is at.")
@click.option("--township", metavar="NAME", help="The township that a lead looks after.")
def add_command(
    services: Services, username: str, role: str, station: str | None, township: str | None
) -> Answer:
    """Add an account. The password is read from standard input, one line."""
    if role == Role.WORKER and not station:
        raise Misused("station_missing", "a worker needs --station CODE")
    if role == Role.TOWNSHIP and not township:
        raise Misused("township_missing", "a township lead needs --township NAME")
    password = _ask_password()
    with services.database.transaction() as db:
        added = add_staff(
            db,
            username=username,
            password=password,
            role=role,
            station_code=station,
            township_name=township,
            now=clock.now(),
            actor=OPERATOR,
        )
        record = {
            "id": added.id,
            "username": added.username,
            "role": added.role,
            "station": station,
            "township": township,
        }
    return Answer(record, f"added {record['username']} ({role})")


def _ask_password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Misused("password_missing", "give the password on standard input, one line")
    return line
