"""The settings that ./dev chooses. A variable that is already set always wins.

Imports nothing heavy: every ./dev command passes through here.
"""

import base64
import fcntl
import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from sandbox import credentials
from sandbox.template_ids import DEMO_SUBSCRIPTION_IDS, DEMO_TEMPLATE_IDS

# Not resolved: a folder of links to the project is a project of its own, with its own var/.
ROOT = Path(__file__).absolute().parent.parent
DEFAULT_PORT = 8000
KEY_NAMES = ("SECRET_KEY", "DATA_KEY")
KEY_BYTES = 32  # what Fernet wants of DATA_KEY
# The kernel's limit is 108 bytes with the closing zero, on macOS 104; the longest name of a
# socket of ours is PostgreSQL's, .s.PGSQL.5432 and a lock beside it.
MAX_SOCKET_FOLDER_BYTES = 80
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


class EnvironmentBroken(Exception):
    """A file of ours under var/ cannot be used; the text says which and what to do."""


@dataclass(frozen=True)
class Addresses:
    """Where this run listens: port of the web server, and of the sandbox where it takes part."""

    web_port: int
    sandbox_port: int | None

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def sandbox(self) -> str | None:
        return None if self.sandbox_port is None else f"http://127.0.0.1:{self.sandbox_port}"


def default_settings(root: Path, addresses: Addresses | None) -> dict[str, str]:
    """Every variable that ./dev sets where the environment does not. Makes keys once.

    Without addresses nothing is running: links and the platform's address keep the
    service's own defaults.
    """
    defaults = {
        "DATABASE_URL": f"sqlite:///{root}/var/yuban.db",
        "REDIS_URL": f"unix://{socket_path(root, 'redis')}?db=0",
        "WECHAT_APP_ID": credentials.APP_ID,
        "WECHAT_APP_SECRET": credentials.APP_SECRET,
        "WECHAT_MINI_APP_ID": credentials.MINI_APP_ID,
        "WECHAT_MINI_APP_SECRET": credentials.MINI_APP_SECRET,
        "WECHAT_TOKEN": credentials.TOKEN,
        "WECHAT_AES_KEY": credentials.AES_KEY,
        "WECHAT_TEMPLATES": json.dumps(DEMO_TEMPLATE_IDS),
        "WECHAT_SUBSCRIPTIONS": json.dumps(DEMO_SUBSCRIPTION_IDS),
        # The demo log-ins have no telephone beside them.
        "CONSOLE_SECOND_FACTOR": "optional",
        **read_or_make_keys(root / "var" / "keys.env"),
    }
    if addresses is not None:
        defaults["PUBLIC_URL"] = addresses.web
        if addresses.sandbox is not None:
            defaults["WECHAT_API_URL"] = addresses.sandbox
            defaults["WECHAT_JS_SDK_URL"] = f"{addresses.sandbox}/jweixin.js"
    return defaults


def complete(environment: MutableMapping[str, str], defaults: Mapping[str, str]) -> None:
    """Set what is missing. An empty variable counts as missing, as the settings have it."""
    for name, value in defaults.items():
        if not environment.get(name):
            environment[name] = value


def read_or_make_keys(path: Path) -> dict[str, str]:
    """SECRET_KEY and DATA_KEY for development, made once and kept for their owner's eyes only.

    Raises EnvironmentBroken where the file is there but holds no such keys: making new ones
    would leave the personal data in the database unreadable for ever.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two first commands at once must not each invent keys.
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        if not text:
            text = "".join(f"{name}={_new_key()}\n" for name in KEY_NAMES)
            file.write(text)
    keys = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if any(not keys.get(name) for name in KEY_NAMES):
        raise EnvironmentBroken(
            f"{path} holds no {' and '.join(KEY_NAMES)}: put it back from a copy, or remove it "
            "together with var/yuban.db to begin anew"
        )
    return {name: keys[name] for name in KEY_NAMES}


def _new_key() -> str:
    import secrets  # late: once in a project's life

    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def socket_path(root: Path, name: str) -> Path:
    """Where the unix socket `name` of this project lies."""
    return socket_folder(root, root / "var") / f"{name}.sock"


def socket_folder(root: Path, wanted: Path) -> Path:
    """`wanted`, made if need be, or, where sockets cannot have that path, a folder that can.

    The path of a socket is short by the kernel's rule, and ours stand in URLs; the other
    folder is private, under the system's temporary folder.
    """
    short = len(os.fsencode(wanted)) <= MAX_SOCKET_FOLDER_BYTES
    folder = wanted if short and PLAIN_PATH.fullmatch(str(wanted)) else private_folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def private_folder(root: Path) -> Path:
    """A folder with a short path that only this user can enter, always the same for `root`.

    Raises EnvironmentBroken where somebody else made it first.
    """
    import hashlib  # late: few projects lie that deep
    import tempfile

    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"yuban-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise EnvironmentBroken(f"{folder} is not a private folder of ours: remove it")
    return folder
