"""Wires settings, database, Redis and topics into the web application."""

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from app.config import SettingsError, load_settings
from app.front import Front
from app.telemetry import configure_logging
from app.wiring import check_content, make_services
from handlers import HANDLERS

if TYPE_CHECKING:
    from flask import Flask

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(str(error))

# Flask's command line says so before it imports this module.
from_command_line = os.environ.get("FLASK_RUN_FROM_CLI") == "true"
if not from_command_line:
    configure_logging(settings.log_level)
services = make_services(settings, HANDLERS)
if not from_command_line:
    check_content(services)


def make_application() -> "Flask":
    """The pages, and the command line where wanted: all that a web worker loads when it serves."""
    from app.factory import create_app
    from scheduler.timetable import JOBS

    return create_app(replace(services, jobs=JOBS), commands=from_command_line)


app = make_application() if from_command_line else Front(services, make_application)
