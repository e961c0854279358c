"""How one sandbox is set up: whose account it plays, whom it calls, how patient it is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox import credentials

DEADLINE_SECONDS = 5.0
"""How long the platform waits for an answer to one callback."""
RETRIES = 3
"""How often it asks again after a time-out."""

CALLBACK_VARIABLE = "SANDBOX_CALLBACK"
STATE_VARIABLE = "SANDBOX_STATE"
"""How the command line hands its options to the server process."""

Mode = Literal["plain", "safe"]


@dataclass(frozen=True)
class Settings:
    """Frozen; built once at start."""

    callback: str
    """The service's callback address, such as http://127.0.0.1:8000/wechat."""
    app_id: str = credentials.APP_ID
    app_secret: str = credentials.APP_SECRET
    mini_app_id: str = credentials.MINI_APP_ID
    mini_app_secret: str = credentials.MINI_APP_SECRET
    token: str = credentials.TOKEN
    aes_key: str = credentials.AES_KEY
    mode: Mode = "safe"
    account_id: str = credentials.ACCOUNT_ID
    account_name: str = credentials.ACCOUNT_NAME
    state_file: Path | None = None
    """Where people, messages and tokens outlive a restart; None keeps them in memory only."""
    deadline_seconds: float = DEADLINE_SECONDS
    retries: int = RETRIES
    retry_pause_seconds: float = 1.0
    """Between two tries after a refused connection; without it a restarting service misses all."""


def read_mode(value: str) -> Mode:
    """The callback's mode. Raises ValueError for anything but plain and safe."""
    if value == "plain":
        return "plain"
    if value == "safe":
        return "safe"
    raise ValueError(f"WECHAT_MODE must be plain or safe, not {value!r}")


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings with the account of WECHAT_* where set, else the sandbox's own.

    Raises ValueError where WECHAT_MODE or WECHAT_AES_KEY cannot be used.
    """
    aes_key = environ.get("WECHAT_AES_KEY") or credentials.AES_KEY
    if len(aes_key) != 43:
        raise ValueError("WECHAT_AES_KEY must have 43 characters")
    state_file = environ.get(STATE_VARIABLE)
    return Settings(
        callback=environ[CALLBACK_VARIABLE],
        app_id=environ.get("WECHAT_APP_ID") or credentials.APP_ID,
        app_secret=environ.get("WECHAT_APP_SECRET") or credentials.APP_SECRET,
        mini_app_id=environ.get("WECHAT_MINI_APP_ID") or credentials.MINI_APP_ID,
        mini_app_secret=environ.get("WECHAT_MINI_APP_SECRET") or credentials.MINI_APP_SECRET,
        token=environ.get("WECHAT_TOKEN") or credentials.TOKEN,
        aes_key=aes_key,
        mode=read_mode(environ.get("WECHAT_MODE") or "safe"),
        state_file=Path(state_file) if state_file else None,
    )
