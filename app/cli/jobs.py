"""`jobs`: the timetable, and one job by hand."""

from datetime import datetime

import click

from app import clock
from app.cli.speaking import Answer, Group, Refused, table
from app.services.imports import read_instant
from app.wiring import Services


class InstantType(click.ParamType[datetime]):
    """A time in ISO 8601; of Shanghai where it bears no offset."""

    name = "ISO"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        at = value if isinstance(value, datetime) else read_instant(str(value))
        if at is None:
            self.fail(f"{value!r} is not a time such as 2026-12-06T09:30", param, ctx)
        return at


@click.group("jobs", cls=Group)
def jobs() -> None:
    """What the scheduler does, and when."""


@jobs.command("list")
def list_command(services: Services) -> Answer:
    """List the timetable."""
    rows = [{"name": j.name, "schedule": j.schedule, "does": j.does} for j in services.jobs]
    lines: list[tuple[object, ...]] = [(j.name, j.schedule, j.does) for j in services.jobs]
    return Answer(rows, table(lines, "no jobs"))


@jobs.command("run")
@click.argument("name")
@click.option("--now", "as_of", type=InstantType(), help="Run as of that time.")
def run_command(services: Services, name: str, as_of: datetime | None) -> Answer:
    """Run the job NAME once, now or as of a time."""
    job = next((job for job in services.jobs if job.name == name), None)
    if job is None:
        known = ", ".join(job.name for job in services.jobs)
        raise Refused("job_unknown", f"there is no job {name}; there are: {known}")
    now = as_of or clock.now()
    outcome = job.run(services, now)
    return Answer({"name": name, "now": now, "outcome": outcome}, f"{name}: {outcome}")
