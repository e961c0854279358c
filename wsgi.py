"""Wires settings, database, Redis and topics into the web application."""

import os
import sys

from app.config import SettingsError, load_settings
from app.factory import create_app
from app.telemetry import configure_logging
from app.wiring import check_content, make_services
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
services = make_services(settings, HANDLERS, JOBS)
if not from_command_line:
    check_content(services)
app = create_app(services, commands=from_command_line)
