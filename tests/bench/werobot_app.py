"""The other reference: WeRoBot that echoes and keeps its users' sessions, as its guide shows.

WEROBOT_SESSIONS names the store: `redis`, in the database of REDIS_URL, or `sqlite`, in the file
WEROBOT_FILE. Each worker process has a robot of its own: its SQLite store is one connection.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import werobot
from flask import Flask
from redis import Redis
from werobot.contrib.flask import make_view
from werobot.session.redisstorage import RedisStorage
from werobot.session.sqlitestorage import SQLiteStorage

app = Flask(__name__)


@lru_cache
def view(process: int) -> Callable[[], Any]:
    """A robot and its store, for this process."""
    del process
    if os.environ["WEROBOT_SESSIONS"] == "redis":
        store = RedisStorage(Redis.from_url(os.environ["REDIS_URL"]))
    else:
        store = SQLiteStorage(os.environ["WEROBOT_FILE"])
    robot = werobot.WeRoBot(
        token=os.environ["WECHAT_TOKEN"],
        encoding_aes_key=os.environ["WECHAT_AES_KEY"],
        app_id=os.environ["WECHAT_APP_ID"],
        enable_session=True,
        session_storage=store,
    )

    def echo(message: Any, session: dict[str, int]) -> Any:
        session["heard"] = session.get("heard", 0) + 1
        return message.content

    robot.add_handler(echo)
    answering: Callable[[], Any] = make_view(robot)
    return answering


@app.post("/wechat")
def answer() -> Any:
    return view(os.getpid())()


@app.get("/healthz")
def healthz() -> str:
    return "ok"
