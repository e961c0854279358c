"""Log lines: JSON, with ids, and without anything that a person said."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from app.telemetry import configure_logging


class Written:
    """The log lines so far."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def written() -> Iterator[Written]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    configure_logging("INFO")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    handler.setStream(stream)
    yield Written(stream)
    root.handlers = before
    root.setLevel(level)


def test_a_line_is_json_with_time_level_and_ids(written: Written) -> None:
    structlog.get_logger("app.x").info("notice", notice=7, state="sent")

    (line,) = written.lines
    assert (line["event"], line["notice"], line["level"]) == ("notice", 7, "info")
    assert line["timestamp"].endswith("Z")
    assert line["logger"] == "app.x"


def test_what_is_below_the_level_is_not_said(written: Written) -> None:
    structlog.get_logger("app.x").debug("no")
    logging.getLogger("urllib3.connectionpool").info("POST /cgi-bin/x?access_token=secret")
    logging.getLogger("gunicorn.error").info("listening")

    assert [line["event"] for line in written.lines] == ["listening"]


def test_an_exception_shows_its_way_and_not_its_words(written: Written) -> None:
    try:
        try:
            raise IntegrityError("insert", {"openid": "oMAMA"}, Exception("13800138000"))
        except IntegrityError as error:
            raise ValueError("糖糖") from error
    except ValueError:
        structlog.get_logger("app.x").exception("broke")
        logging.getLogger("library").exception("broke too")

    assert len(written.lines) == 2
    for line in written.lines:
        assert line["exception"][0] == "builtins.ValueError"
        assert "sqlalchemy.exc.IntegrityError" in line["exception"]
        assert any("test_telemetry.py" in frame for frame in line["exception"])
    for secret in ("oMAMA", "13800138000", "糖糖"):
        assert secret not in written.text


def test_an_operating_systems_words_are_kept(written: Written) -> None:
    try:
        raise ConnectionRefusedError(111, "Connection refused")
    except ConnectionRefusedError:
        structlog.get_logger("app.x").exception("broke")

    assert written.lines[0]["exception"][0].endswith(": Connection refused")
