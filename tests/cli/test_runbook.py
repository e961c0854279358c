"""Every command that the runbook tells an operator to run is run here."""

import re
from pathlib import Path

import pytest

from app.wiring import Services, make_services
from devtools.environment import ROOT
from handlers import HANDLERS
from scheduler.timetable import JOBS
from tests.cli.running import Run, runner_of

TOLD = re.compile(r"`(?:DATABASE_URL=\S+ |… )?yuban ([^`]+)`")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_the_runbook_tells_to_run_runs(run: Run, services: Services, tmp_path: Path) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    commands = {" ".join(found.split()) for found in TOLD.findall(runbook)} - {"COMMAND"}
    empty = make_services(
        services.settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'b.db'}"}),
        HANDLERS,
        JOBS,
    )
    restored = runner_of(empty)
    ran: list[str] = []

    def told(command: str, *values: str, by: Run = run) -> None:
        """Run a command as it is written, with these values for what stands there in capitals."""
        assert command in commands, f"the runbook does not tell: yuban {command}"
        words = [word for word in command.split() if not (word.isupper() or "/" in word)]
        done = by(*words, *values)
        assert done.code == 0, done.err
        ran.append(command)

    kept = str(tmp_path / "kept.backup")
    told("db upgrade")
    assert run("demo", "load").code == 0
    told("backup /var/lib/yuban/backups/before-upgrade.backup", kept)
    told("db downgrade REVISION", "0021")
    told("db upgrade")
    told("doctor")
    told("restore FILE", kept, by=restored)
    told("doctor", by=restored)
    told("notices list --state queued", by=restored)
    told("db move postgresql+psycopg://…", f"sqlite:///{tmp_path / 'c.db'}")
    told("notices list --state sending")
    told("jobs run NAME", "send_notices")
    empty.database.engine.dispose()
    assert commands - set(ran) == set(), "told, and not run here"
