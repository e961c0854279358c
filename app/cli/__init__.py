"""The command line: `flask --app wsgi …`, in development `./dev flask …`."""

from flask import Flask

from app.cli.backup import backup_command, move_command, restore_command
from app.cli.bookings import attend_command, family, roster_command
from app.cli.content import content
from app.cli.coverage import coverage_command
from app.cli.database import database
from app.cli.demo import demo
from app.cli.devices import devices
from app.cli.doctor import doctor_command
from app.cli.examples import examples
from app.cli.families import families
from app.cli.imports import sessions, stations, visitors
from app.cli.jobs import jobs
from app.cli.keys import keys
from app.cli.notices import notices
from app.cli.packs import packs
from app.cli.platform import menu, qr
from app.cli.simulate import simulate_command
from app.cli.staff import staff
from app.cli.understand import understand_command

COMMANDS = (
    attend_command,
    backup_command,
    content,
    coverage_command,
    database,
    demo,
    doctor_command,
    examples,
    families,
    family,
    jobs,
    keys,
    devices,
    menu,
    notices,
    packs,
    qr,
    restore_command,
    roster_command,
    sessions,
    simulate_command,
    staff,
    stations,
    understand_command,
    visitors,
)


database.add_command(move_command)


def init_cli(app: Flask) -> None:
    """Put every command into Flask's own command line."""
    for command in COMMANDS:
        app.cli.add_command(command)
