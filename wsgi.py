"""Wires settings, database, Redis and topics into the web application."""

import os
import sys

from app.config import SettingsError, load_settings
from app.factory import create_app
from app.telemetry import configure_logging
from app.wiring import make_services
from handlers import HANDLERS
from scheduler.timetable import JOBS

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(str(error))

# Flask's command line says so before it imports this module.
from_command_line = os.environ.get("FLASK_RUN_FROM_CLI") == "true"
if not from_command_line:
    configure_logging(settings.log_level)
app = create_app(make_services(settings, HANDLERS, JOBS), commands=from_command_line)
