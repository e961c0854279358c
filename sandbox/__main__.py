"""Serves the sandbox on 127.0.0.1 until it is told to stop."""

import argparse
import os
import socket
import sys
from pathlib import Path

from sandbox.serving import HOST
from sandbox.settings import CALLBACK_VARIABLE, STATE_VARIABLE, from_environment


def main() -> None:
    """Reads the command line and becomes gunicorn. Exits 1 with one line where it cannot."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--callback", default="http://127.0.0.1:8000/wechat")
    parser.add_argument("--state", type=Path, metavar="FILE.json")
    arguments = parser.parse_args()
    environ = dict(os.environ)
    environ.pop("GUNICORN_CMD_ARGS", None)
    environ[CALLBACK_VARIABLE] = arguments.callback
    environ[STATE_VARIABLE] = str(arguments.state.absolute()) if arguments.state else ""
    try:
        settings = from_environment(environ)
        _check_port(arguments.port)
    except (ValueError, OSError) as error:
        sys.exit(f"sandbox: {error}")
    address = f"{HOST}:{arguments.port}"
    print(
        f"sandbox: phone http://{address}/ · callback {settings.callback}",
        file=sys.stderr,
        flush=True,
    )
    command = [sys.executable, "-m", "gunicorn", "--config", "python:sandbox.serving"]
    command += ["--bind", address, "sandbox.web:create_app_from_environment()"]
    # The same process goes on under the same id: whoever started it need not know.
    os.execve(sys.executable, command, environ)


def _check_port(port: int) -> None:
    """Raises OSError at once; gunicorn would try for five seconds and print a page."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))


if __name__ == "__main__":
    main()
