"""What a command that has run leaves behind."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


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
