"""Ports for servers that tests start.

Not asked of the kernel (`bind` to port 0): what it names lies among the ports that it also gives
to every outgoing connection, so a port named and let go may belong to one a moment later, and
such a connection is in the way of a server. These lie below that range.
"""

import itertools
import random
import socket
from pathlib import Path

FIRST = 10_000
#: Linux's own range begins here where it does not say otherwise (ip-sysctl: 32768).
USUAL_FIRST_OF_THE_KERNEL = 32_768

_places = itertools.count(random.SystemRandom().randrange(1 << 16))


def free_port(neighbours: int = 0) -> int:
    """A port of 127.0.0.1 where nobody listens, nor on as many after it as are asked for.

    A process is told none twice before it has been told all; the first is drawn by lot, so that
    processes seldom meet. Raises OSError where all are taken.
    """
    size = _first_of_the_kernel() - FIRST - neighbours
    for _ in range(size):
        port = FIRST + next(_places) % size
        for _ in range(neighbours):
            next(_places)
        if all(_is_free(each) for each in range(port, port + 1 + neighbours)):
            return port
    raise OSError(f"no free port between {FIRST} and {FIRST + size}")


def _first_of_the_kernel() -> int:
    try:
        said = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    except OSError:
        return USUAL_FIRST_OF_THE_KERNEL
    # A kernel that gives away nearly all of them leaves no range that is safe.
    return max(int(said[0]), FIRST + 1_000)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
