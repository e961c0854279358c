"""Wires settings, database, Redis and topics into the web application."""

import sys

from app.config import SettingsError, load_settings
from app.factory import create_app
from app.wiring import make_services
from handlers import HANDLERS
from scheduler.timetable import JOBS

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(str(error))

app = create_app(make_services(settings, HANDLERS, JOBS))
