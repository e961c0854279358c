"""`understand`: what the service makes of messages, one a line."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import click
from flask.cli import ScriptInfo

from app import clock
from app.cli.jobs import InstantType
from app.cli.speaking import WANTS_JSON, Command, as_json, refusing
from app.clock import SHANGHAI
from app.dialogue.intent import label_of
from app.dialogue.reading.slots import Slots, read_slots
from app.wiring import Services


@dataclass(frozen=True, slots=True)
class Reading:
    """One message, understood."""

    text: str
    intent: str | None
    """None where we would ask back."""
    confidence: float
    slots: Slots


def read(text: str, now: datetime) -> Reading:
    """The intent and the values of a message from somebody whose child is not known."""
    understood = label_of(text)
    return Reading(text, understood.label, round(understood.confidence, 3), read_slots(text, now))


class LineCommand(Command):
    """A command that answers each line of standard input with a line, as soon as it is read."""

    def invoke(self, ctx: click.Context) -> None:
        app = ctx.ensure_object(ScriptInfo).load_app()
        services = cast(Services, app.extensions["yuban"])
        assert self.callback is not None, "every command has its function"
        with refusing(ctx, services.database.engine):
            for reading in ctx.invoke(self.callback, services, **ctx.params):
                click.echo(_json_line(reading) if ctx.meta[WANTS_JSON] else _text_line(reading))


@click.command("understand", cls=LineCommand)
@click.option(
    "--now", type=InstantType(), help="What 明天 is reckoned from; the present where not said."
)
def understand_command(_services: Services, now: datetime | None) -> Iterator[Reading]:
    """Read messages from standard input, one a line, and show intent and values of each."""
    at = (now or clock.now()).astimezone(SHANGHAI)
    # Bytes that are no UTF-8 spoil a message, not the run.
    for line in sys.stdin.buffer:
        yield read(line.decode(errors="replace").rstrip("\r\n"), at)


def _json_line(reading: Reading) -> str:
    return json.dumps(json.loads(as_json(reading)), ensure_ascii=False)


def _text_line(reading: Reading) -> str:
    slots = json.loads(as_json(reading.slots))
    found = "  ".join(
        f"{name}: {' '.join(map(str, values))}" for name, values in slots.items() if values
    )
    return f"{reading.intent or '?'}  {reading.confidence:.2f}  {reading.text}  {found}".rstrip()
