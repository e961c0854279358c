"""What the scheduler's processes share: how one starts, and how it is told to stop."""

import os
import secrets
import signal
import socket
import sys
from threading import Event
from types import FrameType

from app.config import Settings, SettingsError, load_settings
from app.telemetry import configure_logging


def begin() -> Settings:
    """Settings and logging. Exits with one line on standard error where the settings are wrong."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(str(error))
    configure_logging(settings.log_level)
    return settings


def stop_on_signals() -> Event:
    """Set by SIGTERM or SIGINT: finish what is in hand, then end."""
    stopping = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


def worker_name() -> str:
    """This process's name among all on all hosts, in at most 60 characters."""
    return f"{socket.gethostname()[:36]}:{os.getpid()}:{secrets.token_hex(4)}"
