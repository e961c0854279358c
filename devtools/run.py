"""`./dev run`: the whole service on this machine, and a phone for it in the browser."""

import argparse
import os
import shutil
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools import embedded_redis
from devtools.environment import (
    DEFAULT_PORT,
    ROOT,
    Addresses,
    EnvironmentBroken,
    complete,
    default_settings,
    socket_path,
)
from devtools.log_lines import Printer, step
from devtools.preparing import CannotPrepare, is_prepared, prepare
from devtools.run_lock import AlreadyRunning, RunLock
from devtools.supervisor import Process, Supervisor

START_SECONDS = 300.0
"""A start that finds other examples than the model was trained with trains it first: a minute,
and several on a machine that has much else to do."""
MAX_CRASHES_BEFORE_READY = 3
PAGES_SECONDS = 1.0
"""In which web workers load their pages, on two processors."""
FREE_PORTS_TRIED = 50
# Together under ten seconds, the longest that stopping may take.
SERVICE_PATIENCE_SECONDS = 6.0
SANDBOX_PATIENCE_SECONDS = 2.0
REDIS_PATIENCE_SECONDS = 1.5
# A worker whose master was killed notices it within a second.
ORPHAN_SECONDS = 2.0
# Our own source, for compiling.
SOURCES = (
    *("app", "content", "deploy", "devtools", "handlers", "migrations", "sandbox", "scheduler"),
    "wsgi.py",
)
SERVICE_STAGE, SANDBOX_STAGE, REDIS_STAGE = 0, 1, 2


class CannotRun(Exception):
    """Something stands in the way of starting; the text says what, in one line."""


@dataclass(frozen=True)
class Options:
    """The command line."""

    port: int
    with_sandbox: bool


def read_options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="of the web server")
    parser.add_argument("--no-sandbox", action="store_true", help="no stand-in for WeChat")
    read = parser.parse_args(arguments)
    if not 1 <= read.port <= 65535:
        parser.error("--port must be between 1 and 65535")
    return Options(port=read.port, with_sandbox=not read.no_sandbox)


def is_free(port: int) -> bool:
    """Whether nobody listens there. Asked before starting, because servers that share a port
    on purpose (SO_REUSEPORT) would not complain about each other."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A port that a stopped server has only just left counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise CannotRun(f"port {port} needs root: choose one above 1023") from error
        except OSError:
            return False
    return True


def wait_for_orphans(options: Options) -> None:
    """After a killed run: give its last workers time to go, so that the addresses stay."""
    wanted = [options.port, options.port + 1] if options.with_sandbox else [options.port]
    deadline = time.monotonic() + ORPHAN_SECONDS
    while not all(is_free(port) for port in wanted) and time.monotonic() < deadline:
        time.sleep(0.05)


def choose_addresses(options: Options) -> Addresses:
    """The web port as asked, the sandbox on the next free one. Raises CannotRun."""
    if not is_free(options.port):
        raise CannotRun(
            f"port {options.port} is in use by another program: "
            f"choose another, as in ./dev run --port {min(options.port + 100, 65535)}"
        )
    if not options.with_sandbox:
        return Addresses(options.port, None)
    last = min(options.port + FREE_PORTS_TRIED, 65535)
    for port in range(options.port + 1, last + 1):
        if is_free(port):
            return Addresses(options.port, port)
    raise CannotRun(f"no free port for the sandbox between {options.port + 1} and {last}")


def redis_process(root: Path) -> Process:
    """The embedded server. Raises embedded_redis.RedisServerMissing."""
    command = embedded_redis.server_command(
        embedded_redis.find_server(), root / "var" / "redis", socket_path(root, "redis")
    )
    return Process("redis", command, REDIS_STAGE, REDIS_PATIENCE_SECONDS)


def sandbox_process(root: Path, addresses: Addresses) -> Process:
    command = (
        *(sys.executable, "-m", "sandbox", "--port", str(addresses.sandbox_port)),
        *("--callback", f"{addresses.web}/wechat", "--state", str(root / "var" / "sandbox.json")),
    )
    return Process("sandbox", command, SANDBOX_STAGE, SANDBOX_PATIENCE_SECONDS)


def web_process(addresses: Addresses) -> Process:
    """The server of production, with its settings."""
    command = (
        *(sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn_conf.py"),
        *("--bind", f"127.0.0.1:{addresses.web_port}", "wsgi:app"),
    )
    return Process("web", command, SERVICE_STAGE, SERVICE_PATIENCE_SECONDS)


def background_processes() -> tuple[Process, ...]:
    """What works without being asked: scheduler and deliverer."""
    return tuple(
        Process(name, (sys.executable, "-m", module), SERVICE_STAGE, SERVICE_PATIENCE_SECONDS)
        for name, module in (
            ("scheduler", "scheduler.runner"),
            ("deliverer", "scheduler.deliverer"),
        )
    )


def answers(port: int, path: str) -> bool:
    """Whether a server there answers GET with 200."""
    import http.client  # late, as app.demo below: the processes have begun to load by then

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_for_answers(supervisor: Supervisor, questions: Mapping[str, tuple[int, str]]) -> None:
    """Return once the processes answer at their (port, path), or at a stop request.

    Raises CannotRun when one of them keeps crashing, or after START_SECONDS.
    """
    answered: set[str] = set()

    def have_answered() -> bool:
        for name, (port, path) in questions.items():
            if supervisor.crashes(name) >= MAX_CRASHES_BEFORE_READY:
                raise CannotRun(f"{name} does not start: its own lines above say why")
            if name not in answered and answers(port, path):
                answered.add(name)
        return answered == questions.keys()

    if (
        not supervisor.run_until(have_answered, START_SECONDS, every=0.02)
        and not supervisor.is_stopping
    ):
        silent = " and ".join(sorted(questions.keys() - answered))
        raise CannotRun(f"{silent} did not answer within {START_SECONDS:g} s")


def welcome(addresses: Addresses) -> str:
    """What a newcomer needs to go on: the addresses and the demo log-ins."""
    from app.demo import DEMO_LOGINS

    lines = [""]
    if addresses.sandbox is not None:
        lines.append(f"  phone    {addresses.sandbox}/")
    lines += [f"  console  {addresses.web}/console/", ""]
    lines.append("  console log-ins (demo data)")
    lines += [f"    {username} / {password}   {what}" for username, password, what in DEMO_LOGINS]
    lines += ["", "  Ctrl-C stops everything; the data stays in var/."]
    return "\n".join(lines)


def start(supervisor: Supervisor, addresses: Addresses, *, own_redis: bool) -> str:
    """Everything up to web and sandbox answering, or a stop request; gives the welcome.

    Raises CannotRun and its like.

    What takes longest starts first: two cores are busy loading until the web server answers.
    """
    questions = {"web": (addresses.web_port, "/healthz")}
    is_ready = is_prepared(os.environ["DATABASE_URL"], ROOT / "migrations" / "versions")
    # It asks Redis for nothing before its first visitor, and loads for ten times as long.
    if is_ready:
        supervisor.start(web_process(addresses))
    # These two need nothing of the database: they start while it is being prepared.
    if own_redis:
        supervisor.start(redis_process(ROOT))
    if addresses.sandbox_port is not None:
        questions["sandbox"] = (addresses.sandbox_port, "/")
        supervisor.start(sandbox_process(ROOT, addresses))
    if not is_ready:
        began = time.monotonic()
        step("migrating, and loading demo data where the database is empty")
        prepare()
        step(f"database ready in {time.monotonic() - began:.1f} s")
        supervisor.start(web_process(addresses))
    if own_redis:
        embedded_redis.wait_until_ready(socket_path(ROOT, "redis"), ROOT / "var" / "redis")
    # Before the wait, not after it: it loads a part of the service.
    said = welcome(addresses)
    wait_for_answers(supervisor, questions)
    return said


def start_afterwards(supervisor: Supervisor, addresses: Addresses) -> None:
    """What nobody has to wait for: two cores are busy enough until web and sandbox answer."""
    python = sys.executable
    for process in background_processes():
        supervisor.start(process)
    if addresses.sandbox is not None:
        publish = (python, "-m", "devtools.flask_command", "menu", "publish")
        supervisor.start(Process("menu", publish, once=True))
    if sys.dont_write_bytecode:
        # Python may not write on import here, and would compile the service at every start.
        supervisor.start(
            Process("compile", (python, "-m", "compileall", "-q", *SOURCES), once=True)
        )


def process_settings(root: Path) -> dict[str, str]:
    """What the processes under us need besides the service's settings. Forgets old metrics."""
    metrics = root / "var" / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    return {
        # Python holds lines back when it writes to a pipe; the log is to be read as it happens.
        "PYTHONUNBUFFERED": "1",
        # Where the processes add up what they count.
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }


def serve(options: Options, began: float) -> None:
    """Run until somebody asks us to stop. Raises CannotRun and its like."""
    lock = RunLock(ROOT / "var" / "run.lock")
    if lock.was_killed:
        wait_for_orphans(options)
    addresses = choose_addresses(options)
    own_redis = not os.environ.get("REDIS_URL")
    complete(os.environ, default_settings(ROOT, addresses))
    complete(os.environ, process_settings(ROOT))
    lock.publish(addresses)
    with Supervisor(Printer(sys.stderr), os.environ, ROOT) as supervisor:
        said = start(supervisor, addresses, own_redis=own_redis)
        if not supervisor.is_stopping:
            print(f"Yuban is ready ({time.monotonic() - began:.1f} s)\n{said}", flush=True)
            # Else three more programs would load while somebody waits for the first page.
            supervisor.run_until(lambda: False, PAGES_SECONDS)
            if not supervisor.is_stopping:
                start_afterwards(supervisor, addresses)
            supervisor.run()
        stopping_since = time.monotonic()
        step("stopping")
    step(f"stopped in {time.monotonic() - stopping_since:.1f} s")
    lock.release()


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 after an orderly stop, 1 where it could not start."""
    began = time.monotonic()
    try:
        serve(read_options(arguments), began)
    except AlreadyRunning as error:
        where = "it is only just starting"
        if error.running is not None and error.running.addresses is not None:
            web = error.running.addresses.web
            where = f"it is at {web}/ (process {error.running.pid})"
        step(f"./dev run is already running in this folder: {where}")
        return 1
    except KeyboardInterrupt:
        step("stopped before anything had started")
    except (
        CannotRun,
        CannotPrepare,
        EnvironmentBroken,
        embedded_redis.RedisServerMissing,
        embedded_redis.RedisNotReady,
    ) as error:
        step(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
