"""`db`: the schema."""

import click
from alembic.util import CommandError
from sqlalchemy import Engine

from app.cli.speaking import Answer, Group, Refused
from app.migrating import current_revision, downgrade, head_revision, upgrade
from app.wiring import Services


@click.group("db", cls=Group)
def database() -> None:
    """The database's schema."""


@database.command("upgrade")
@click.argument("revision", default="head")
def upgrade_command(services: Services, revision: str) -> Answer:
    """Bring the schema to REVISION, by default to the newest. Keeps all data."""
    engine = services.database.engine
    before = current_revision(engine)
    try:
        upgrade(engine, revision)
    except CommandError as error:
        raise Refused("revision_unknown", str(error)) from None
    return _revisions(engine, before)


@database.command("downgrade")
@click.argument("revision")
def downgrade_command(services: Services, revision: str) -> Answer:
    """Take the schema back to REVISION ("-1": one step; "base": to nothing). Loses the data
    that the older schema has no room for."""
    engine = services.database.engine
    before = current_revision(engine)
    try:
        downgrade(engine, revision)
    except CommandError as error:
        raise Refused("revision_unknown", str(error)) from None
    return _revisions(engine, before)


@database.command("current")
def current_command(services: Services) -> Answer:
    """Show the schema's revision, and the newest one that this code knows."""
    engine = services.database.engine
    return _revisions(engine, current_revision(engine))


def _revisions(engine: Engine, before: str | None) -> Answer:
    revision, head = current_revision(engine), head_revision()
    told = revision or "no tables"
    if revision != head:
        told += f" (the newest is {head})"
    if before != revision:
        told = f"{before or 'no tables'} → {told}"
    return Answer({"before": before, "revision": revision, "head": head}, told)
