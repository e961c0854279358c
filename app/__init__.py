"""The service. What every part of it imports first is imported here, as slim as it goes."""

from app.importing import instead

# Its coloured tracebacks are for a terminal; ours are JSON. They are 7 MB and 50 ms a process.
with instead("rich", None):
    import structlog as structlog
