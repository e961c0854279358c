"""What a command that has run leaves behind."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask

from app.cli import init_cli
from app.wiring import Services


@dataclass(frozen=True)
class Done:
    """A command that has run."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The error's code; and the shape of a refusal checked: one line, and JSON with it."""
        assert self.code in (1, 2)
        assert self.err.startswith("Error: ")
        assert self.err.count("\n") == 1
        assert self.err.endswith("\n")
        error = self.json["error"]
        assert error["message"] == self.err.removeprefix("Error: ").rstrip("\n")
        return str(error["code"])


Run = Callable[..., Done]


def runner_of(services: Services) -> Run:
    """The command line of an application with these services."""
    app = Flask("yuban")
    app.extensions["yuban"] = services
    init_cli(app)

    def run(*arguments: str, stdin: str = "", as_json: bool = True) -> Done:
        line = [*arguments, "--json"] if as_json else list(arguments)
        result = app.test_cli_runner().invoke(args=line, input=stdin, catch_exceptions=False)
        return Done(result.exit_code, result.stdout, result.stderr)

    return run
