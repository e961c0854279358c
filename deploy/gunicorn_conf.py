"""gunicorn: the same settings under ./dev run and in production.

`gunicorn -c deploy/gunicorn_conf.py --bind ADDRESS wsgi:app`; WEB_WORKERS and WEB_THREADS say
how much of the machine it may use.
"""

import ctypes
import gc
import os
import signal
import socket
import sys
import threading
from typing import Any

from gunicorn.sock import create_sockets

worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS") or 2)
# Many more than the turns that WEB_THREADS allows at once: a request that only waits for its
# turn must not keep an emergency, whose clock is already running, from being read.
threads = 8 * int(os.environ.get("WEB_THREADS") or 8)
# Each worker listens on a socket of its own: otherwise one worker may get every keep-alive
# connection, and a quarter of the throughput remains. gunicorn's own reuse_port would have the
# worker open it, and whoever waits there is turned away when the worker ends: on_starting.
reuse_port = False
# What answers messages is loaded once and shared by all workers.
preload_app = True

# A turn that takes longer is a fault: the platform has given up after 5 s.
timeout = 30
graceful_timeout = 5
# A reverse proxy keeps its connections for a minute as a rule; we must not close first.
keepalive = 75

# The callback's query is under 500 bytes, a console cookie under 4 kB.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# The application logs every turn; a line a request besides would only say it again.
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
# The heartbeat file must not lie on a disk that can stall.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
proc_name = "yuban"

PR_SET_PDEATHSIG = 1  # linux/prctl.h
M_ARENA_MAX = -8  # malloc.h
REST_AFTER_SECONDS = 0.3

# While the service is loaded nothing becomes garbage, and looking for it takes a tenth of the
# time. The workers look again: post_fork.
gc.disable()


def on_starting(server: Any) -> None:
    """Open a listening socket for each worker, and keep them all in the master.

    The kernel spreads new connections over them. When a worker ends, those that wait in its
    socket are taken by the one that follows it, and nobody is turned away.
    """
    if os.environ.get("LISTEN_FDS") or os.environ.get("GUNICORN_FD"):
        return  # systemd, or the master before, hands them over
    opened = []
    for address in server.cfg.address:
        if not isinstance(address, tuple) or not hasattr(socket, "SO_REUSEPORT"):
            return  # a socket file: gunicorn opens it, for all workers together
        try:
            opened += [_listen(address, server.cfg.backlog) for _ in range(server.cfg.workers)]
        except OSError as error:
            server.log.error("cannot listen at %s: %s", address, error.strerror)
            sys.exit(1)
    server.LISTENERS = create_sockets(server.cfg, server.log, opened)


def _listen(address: tuple[str, int], backlog: int) -> int:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
        listening.listen(backlog)
        return listening.detach()


def pre_fork(server: Any, worker: Any) -> None:
    """Give a worker the sockets that fewest of the living serve: with fewer workers than
    sockets several, with more one that is shared."""
    workers, listeners = max(server.num_workers, 1), server.LISTENERS
    taken = [living.slot for living in server.WORKERS.values()]
    worker.slot = min(range(workers), key=taken.count)
    own = [each for place, each in enumerate(listeners) if place % workers == worker.slot]
    worker.sockets = own or [listeners[worker.slot % len(listeners)]]


def when_ready(_server: Any) -> None:
    """Keep what was loaded before the fork shared: the collector would write to every page."""
    # Read, or on the very first start trained, once for all workers.
    from app.dialogue.understanding.kept import the_model

    the_model()
    # Collecting first would take a quarter of a second, and find 1,400 of 325,000 objects.
    gc.freeze()


def post_fork(server: Any, _worker: Any) -> None:
    """A worker ends with its master, even when that is killed outright (Linux), and keeps small."""
    gc.enable()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            # Else every thread keeps what it freed to itself.
            libc.mallopt(M_ARENA_MAX, 1)
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != server.pid:
            sys.exit(0)


def post_worker_init(worker: Any) -> None:
    """Load what waits, once the first questions are answered.

    Sooner, the workers would keep both cores from those who ask whether the service is up.
    """
    later = threading.Timer(REST_AFTER_SECONDS, _load_the_rest, [worker.wsgi])
    later.name, later.daemon = "loading", True
    later.start()


def _load_the_rest(front: Any) -> None:
    """The pages; a reader that a message may want; and the patterns nobody has needed yet."""
    front.pages()
    import phonenumbers as phonenumbers

    from app.late_pattern import compile_all

    compile_all()


def child_exit(_server: Any, worker: Any) -> None:
    """Take a gone worker's gauges out of the metrics that all workers share."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
