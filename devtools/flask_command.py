"""`./dev flask …`: the service's command line with the settings that ./dev chooses."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from devtools.embedded_redis import is_ready, serving
from devtools.environment import (
    ROOT,
    EnvironmentBroken,
    complete,
    default_settings,
    socket_path,
)
from devtools.run_lock import find_running


def choose_settings() -> None:
    """Complete this process's environment; links and the platform are those of a run under way."""
    running = find_running(ROOT / "var" / "run.lock")
    complete(os.environ, default_settings(ROOT, running.addresses if running else None))


NEEDS_REDIS = frozenset({"jobs", "menu", "qr"})
"""Commands that call the platform, whose token and pauses lie in Redis."""


@contextmanager
def redis_for(arguments: list[str]) -> Iterator[None]:
    """The embedded Redis for a command that needs one, where `./dev run` has none running."""
    socket_file = socket_path(ROOT, "redis")
    is_ours = os.environ.get("REDIS_URL") == default_settings(ROOT, None)["REDIS_URL"]
    if not (is_ours and NEEDS_REDIS & set(arguments[:1])) or is_ready(socket_file):
        yield
        return
    folder = ROOT / "var" / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    with serving(folder, socket_file):
        yield


def main(arguments: list[str]) -> None:
    """Hand over to Flask's command line in this process. Does not return."""
    try:
        choose_settings()
    except EnvironmentBroken as error:
        sys.exit(f"dev: {error}")
    # A .env in the caller's folder is no setting of ours.
    os.environ.setdefault("FLASK_SKIP_DOTENV", "1")
    from flask.cli import cli  # late: what is wrong above is said without waiting for Flask

    with redis_for(arguments):
        cli.main(["--app", str(ROOT / "wsgi.py"), *arguments], prog_name="./dev flask")


if __name__ == "__main__":
    main(sys.argv[1:])
