"""`doctor`: every invariant of the stored data."""

import click

from app import clock
from app.cli.speaking import Answer, Command, Refused, schema_refusal
from app.migrating import current_revision
from app.services.doctor import Report, examine, report
from app.wiring import Services

SHOWN = 3
"""Identifiers named in the one line on standard error; the rest is in the report."""


@click.command("doctor", cls=Command)
def doctor_command(services: Services) -> Answer:
    """Check every invariant on the stored data; exit with 1 where one is broken."""
    revision = current_revision(services.database.engine)
    outdated = schema_refusal(revision)
    schema = report([("schema_is_current", [f"revision:{revision}"] if outdated else [])])
    if outdated is not None:
        # The other checks read columns that may not be there.
        return _answer(schema, outdated)
    with services.database.reading() as db:
        found = examine(db, cipher=services.cipher, now=clock.now())
    whole = Report(ok=found.ok, checks=schema.checks + found.checks)
    if whole.ok:
        return _answer(whole, None)
    faults = "; ".join(
        f"{check.name}: {', '.join(check.broken[:SHOWN])}"
        + (f" and {len(check.broken) - SHOWN} more" if len(check.broken) > SHOWN else "")
        for check in whole.checks
        if not check.ok
    )
    return _answer(whole, Refused("data_broken", faults))


def _answer(found: Report, refusal: Refused | None) -> Answer:
    record: dict[str, object] = {"ok": found.ok, "checks": found.checks}
    if refusal is not None:
        record["error"] = refusal.record()
    lines = [f"{'ok' if check.ok else 'BROKEN':<8}{check.name}" for check in found.checks]
    return Answer(record, "\n".join(lines), refusal)
