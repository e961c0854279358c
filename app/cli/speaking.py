"""How every command answers: text or JSON on standard output, a refusal in one line.

A command is a plain function: it gets the Services and its parameters, and returns an Answer.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import IO, Any, cast

import click
from click.exceptions import NoArgsIsHelpError
from flask.cli import ScriptInfo
from redis import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.clock import SHANGHAI
from app.errors import DomainError, FileUnreadable, ImportRefused
from app.migrating import current_revision, head_revision
from app.telemetry import configure_logging
from app.wiring import Services
from app.words.errors import say_error
from app.words.imports import say_refused, say_unreadable

WANTS_JSON = "yuban.wants_json"
"""Key in click's meta: whether errors go to standard output as JSON too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: a record (or rows of them) for machines, text for people."""

    record: object
    text: str
    refusal: "Refused | None" = None
    """Set where the record is bad news: it is printed, and the exit code says so."""


class Refused(click.ClickException):
    """The command was not done: a code for machines, one line for people."""

    def __init__(self, code: str, message: str, *, details: object = None) -> None:
        super().__init__(" ".join(message.split()))
        self.code = code
        self.details = details
        self.wants_json = False

    def record(self) -> dict[str, object]:
        """The published shape of an error."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        return error

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"Error: {self.message}", err=True, file=file)
        if self.wants_json:
            click.echo(as_json({"error": self.record()}))


class Misused(Refused):
    """The command was not given what it needs."""

    exit_code = 2


def as_json(record: object) -> str:
    """JSON of records: dataclasses by their fields, times in ISO 8601 with Shanghai's offset."""
    return json.dumps(record, default=_encode, ensure_ascii=False, indent=2)


def _encode(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


def snake_case(name: str) -> str:
    """session_unknown for SessionUnknown."""
    return "".join("_" + mark.lower() if mark.isupper() else mark for mark in name).lstrip("_")


@contextmanager
def refusing(ctx: click.Context | None, engine: Engine | None = None) -> Iterator[None]:
    """Turn whatever a command may run into into a Refused."""
    wants_json = bool(ctx and ctx.meta.get(WANTS_JSON))
    try:
        yield
    except NoArgsIsHelpError:
        raise  # a group alone shows what it holds
    except Refused as refusal:
        raise _spoken(refusal, wants_json) from None
    except click.ClickException as error:
        raise _spoken(_from_usage(error), wants_json) from None
    except DomainError as error:
        raise _spoken(_from_domain(error), wants_json) from None
    except RedisError as error:
        unreachable = Refused("redis_unreachable", f"Redis cannot be reached: {error}")
        raise _spoken(unreachable, wants_json) from None
    except SQLAlchemyError as error:
        raise _spoken(_from_database(error, engine), wants_json) from error


def _spoken(refused: Refused, wants_json: bool) -> Refused:
    refused.wants_json = refused.wants_json or wants_json
    return refused


def _from_usage(error: click.ClickException) -> Refused:
    message = error.format_message().rstrip(".")
    if isinstance(error, click.UsageError) and error.ctx is not None:
        message += f" (see {error.ctx.command_path} --help)"
    kind = Misused if isinstance(error, click.UsageError) else Refused
    return kind(snake_case(type(error).__name__), message)


def _from_domain(error: DomainError) -> Refused:
    code = snake_case(type(error).__name__)
    if isinstance(error, ImportRefused):
        return Refused(code, say_refused(error.rows), details=error.rows)
    if isinstance(error, FileUnreadable):
        return Refused(code, say_unreadable(error.reason))
    return Refused(code, say_error(error))


def _from_database(error: SQLAlchemyError, engine: Engine | None) -> Refused:
    """Why the database would not: it is away, empty, or of another version than the code."""
    try:
        revision = current_revision(engine) if engine is not None else None
    except SQLAlchemyError as unreachable:
        reason = _reason(unreachable)
        return Refused("database_unreachable", f"database cannot be reached: {reason}")
    refused = schema_refusal(revision)
    return refused or Refused("database_error", f"database error: {_reason(error)}")


def schema_refusal(revision: str | None) -> Refused | None:
    """What to say where the schema is not this code's; None where it is."""
    if revision is None:
        return Refused("database_empty", "database has no tables: run db upgrade")
    head = head_revision()
    if revision != head:
        return Refused(
            "database_not_current",
            f"database is at revision {revision}, this code needs {head}: run db upgrade",
        )
    return None


def _reason(error: SQLAlchemyError) -> str:
    """The first line of the driver's own message: never the statement and its values."""
    cause: object = error.orig if isinstance(error, DBAPIError) else error
    return next(iter(str(cause).strip().splitlines()), type(error).__name__)


class Command(click.Command):
    """A command with --json, its errors in one line, and the Services as first argument."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.params.append(
            click.Option(
                ["--json"], is_flag=True, expose_value=False, help="Print JSON, for scripts."
            )
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[WANTS_JSON] = "--json" in args
        with refusing(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> None:
        app = ctx.ensure_object(ScriptInfo).load_app()
        services = cast(Services, app.extensions["yuban"])
        assert self.callback is not None, "every command has its function"
        _log_to_standard_error(services)
        with refusing(ctx, services.database.engine):
            answer: Answer = ctx.invoke(self.callback, services, **ctx.params)
        click.echo(as_json(answer.record) if ctx.meta[WANTS_JSON] else answer.text)
        if answer.refusal is not None:
            raise answer.refusal


def _log_to_standard_error(services: Services) -> None:
    """Errors only, so that a refusal stays one line; everything with LOG_LEVEL=DEBUG."""
    # Who runs commands inside of another program has set up logging already.
    if not logging.getLogger().handlers:
        level = services.settings.log_level
        configure_logging(level if level == "DEBUG" else "ERROR")


class Group(click.Group):
    """Commands under one word; an unknown one is refused in one line."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[WANTS_JSON] = "--json" in args
        with refusing(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        with refusing(ctx):
            return super().resolve_command(ctx, args)


def table(rows: list[tuple[object, ...]], empty: str) -> str:
    """Rows as lines of values set apart by two blanks; `empty` where there is none."""
    return "\n".join("  ".join("-" if v is None else str(v) for v in row) for row in rows) or empty
