"""`./dev flask …`: the service's command line with the settings that ./dev chooses."""

import os
import sys

from devtools.environment import ROOT, EnvironmentBroken, complete, default_settings
from devtools.run_lock import find_running


def choose_settings() -> None:
    """Complete this process's environment; links and the platform are those of a run under way."""
    running = find_running(ROOT / "var" / "run.lock")
    complete(os.environ, default_settings(ROOT, running.addresses if running else None))


def main(arguments: list[str]) -> None:
    """Hand over to Flask's command line in this process. Does not return."""
    try:
        choose_settings()
    except EnvironmentBroken as error:
        sys.exit(f"dev: {error}")
    # A .env in the caller's folder is no setting of ours.
    os.environ.setdefault("FLASK_SKIP_DOTENV", "1")
    from flask.cli import cli  # late: what is wrong above is said without waiting for Flask

    cli.main(["--app", str(ROOT / "wsgi.py"), *arguments], prog_name="./dev flask")


if __name__ == "__main__":
    main(sys.argv[1:])
