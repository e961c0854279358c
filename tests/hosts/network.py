"""Hosts with addresses of their own, on one machine: network namespaces on a bridge.

Only root may make them, and not everywhere. Processes in them share the machine's files.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from pathlib import Path

from devtools.environment import ROOT
from devtools.tied import tied

STOP_SECONDS = 20


class NoNetwork(Exception):
    """This machine gives us no namespaces; the text says what it said."""


def _ip(*words: str) -> None:
    try:
        done = subprocess.run(("ip", *words), capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NoNetwork("there is no `ip` here") from error
    if done.returncode != 0:
        raise NoNetwork(f"ip {' '.join(words)}: {done.stderr.strip()}")


@dataclass
class Host:
    """A machine in the network, and what runs on it."""

    name: str
    address: str
    cable: str
    environment: dict[str, str]
    logs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, what: str, *command: str) -> None:
        """Run a module of ours there; its lines go into a file of its name."""
        inside = ("ip", "netns", "exec", self.name, sys.executable, "-m", *command)
        with (self.logs / f"{self.name}-{what}.log").open("ab") as out:
            self.processes[what] = subprocess.Popen(
                tied(inside),
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def log(self, what: str) -> str:
        return (self.logs / f"{self.name}-{what}.log").read_text()

    def cut_off(self) -> None:
        """Pull its cable: nothing comes or goes, and nobody is told."""
        _ip("link", "set", self.cable, "down")

    def plug_in(self) -> None:
        _ip("link", "set", self.cable, "up")

    def die(self) -> None:
        """All that runs there ends without a word."""
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def bridge(tag: str, network: IPv4Interface) -> Iterator[None]:
    """A switch that this process is plugged into at the network's address. Raises NoNetwork."""
    _ip("link", "add", tag, "type", "bridge")
    try:
        _ip("address", "add", str(network), "dev", tag)
        _ip("link", "set", tag, "up")
        yield
    finally:
        _ip("link", "del", tag)


@contextmanager
def host(
    tag: str, number: int, network: IPv4Interface, environment: dict[str, str], logs: Path
) -> Iterator[Host]:
    """A host plugged into the switch of that tag. Raises NoNetwork."""
    name, cable = f"{tag}n{number}", f"{tag}c{number}"
    address = network.ip + number
    _ip("netns", "add", name)
    found = Host(name, str(address), cable, environment, logs)
    try:
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", cable, "master", tag, "up")
        inside = f"{address}/{network.network.prefixlen}"
        _ip("-n", name, "address", "add", inside, "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        _ip("-n", name, "link", "set", "lo", "up")
        yield found
    finally:
        found.stop()
        _ip("netns", "del", name)
