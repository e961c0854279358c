"""A launcher that ties a program to its parent: when the parent dies, so does the program.

`tied.py USER PARENT_PID SIGNAL PROGRAM …` asks Linux for SIGNAL on the parent's death and then
becomes PROGRAM. A launcher rather than a preexec_fn, because running
Python between fork and exec is unsafe where the parent has threads. Linux ties the child to
the *thread* that started it: start programs from a thread that lives as long as they should.

Some programs refuse to run as root (PostgreSQL). USER says what a root process becomes first:
see User.

Elsewhere than on Linux the program simply runs untied.

It imports little: every server waits for it.
"""

import ctypes
import os
import signal
import sys
from enum import StrEnum

PR_SET_PDEATHSIG = 1  # linux/prctl.h
CLONE_NEWUSER = 0x10000000  # linux/sched.h
ORDINARY_USER = 65534  # "nobody": has a name on every system, which initdb asks for


class User(StrEnum):
    """Who the program runs as, when it is root that starts it."""

    SAME = "same"
    """Root, or whoever started it."""
    OWN_NAMESPACE = "namespace"
    """An ordinary user inside a user namespace of its own. What belongs to root outside belongs
    to that user inside, so that no folder has to be opened to anybody else."""
    NOBODY = "nobody"
    """The system's nobody, who can only enter folders that everybody may."""


def tied(
    command: tuple[str, ...],
    ending: signal.Signals = signal.SIGKILL,
    *,
    user: User = User.SAME,
) -> tuple[str, ...]:
    """The command line that runs `command` tied to the calling process."""
    launcher = (sys.executable, "-I", "-S", os.path.realpath(__file__))
    return (*launcher, user.value, str(os.getpid()), str(int(ending)), *command)


def tie_to_parent(parent: int, ending: signal.Signals) -> None:
    """Have this process end by `ending` when `parent`, its parent, dies. Survives exec."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(ending), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        # It died before the tie was made: no signal will come any more.
        sys.exit(1)


def become(wanted: User) -> None:
    """Turn root into `wanted`; raises OSError where the system refuses."""
    if wanted is User.OWN_NAMESPACE:
        libc = ctypes.CDLL(None, use_errno=True)
        user, group = os.getuid(), os.getgid()
        if libc.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
        mapped = {"uid_map": f"{ORDINARY_USER} {user} 1", "gid_map": f"{ORDINARY_USER} {group} 1"}
        for name, text in ({"setgroups": "deny"} | mapped).items():
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    elif wanted is User.NOBODY:
        os.setgroups([])
        os.setgid(ORDINARY_USER)
        os.setuid(ORDINARY_USER)


def main(arguments: list[str]) -> None:
    """Become the user, tie, become the program. Does not return."""
    user, parent, ending, *command = arguments
    # In this order: the kernel forgets the tie when the user changes.
    become(User(user))
    tie_to_parent(int(parent), signal.Signals(int(ending)))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
