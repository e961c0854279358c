"""`examples`: what staff have reviewed goes into the examples that the service learns from."""

from dataclasses import dataclass
from pathlib import Path

import click

from app import clock
from app.cli.speaking import Answer, Group
from app.rules.masking import as_example
from app.services import unread
from app.wiring import Services
from content.examples import FOLDER, LABELS, LONGEST_EXAMPLE, load_examples


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the reviewed messages."""

    added: int
    known: int
    """Among the examples already, or nothing left after masking."""
    folder: str


@click.group("examples", cls=Group)
def examples() -> None:
    """Examples of what people write."""


@examples.command("take")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=FOLDER,
    help="Where the files of examples are; content/intents where not said.",
)
def take_command(services: Services, folder: Path) -> Answer:
    """Append what staff have reviewed to the files of examples; the next start learns it."""
    known = {example.text for example in load_examples(folder)}
    added = 0
    now = clock.now()
    with services.database.transaction() as db:
        rows = unread.accepted(db)
        for row in rows:
            text = as_example(row.text)
            is_new = text not in known and row.label in LABELS and 1 < len(text) <= LONGEST_EXAMPLE
            if not is_new:
                continue
            known.add(text)
            with (folder / f"{row.label}.tsv").open("a", encoding="utf-8") as file:
                file.write(f"{text}\treviewed {now:%Y-%m-%d}\n")
            added += 1
        unread.mark_taken(db, [row.id for row in rows], now)
    taken = Taken(added, len(rows) - added, str(folder))
    return Answer(taken, f"{taken.added} added, {taken.known} known or empty")
