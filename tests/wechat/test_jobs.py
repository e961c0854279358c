"""A callback on its way: what is done with it bears its request's id, in whichever thread."""

from contextvars import ContextVar, copy_context
from datetime import datetime

from app.dialogue.message import Inbound, Kind, Window
from app.wechat.jobs import Job, Race

REQUEST: ContextVar[str] = ContextVar("request")


def test_it_is_called_back_before_it_is_let_go(now: datetime) -> None:
    REQUEST.set("r-1")
    inbound = Inbound(
        key="k",
        openid="o-1",
        kind=Kind.TEXT,
        received_at=now,
        text="你好",
        event_key="",
        window=Window.WRITE,
    )
    job = Job(inbound, Race(), copy_context())
    seen: list[str] = []

    def call_back(job: Job) -> None:
        job.run(lambda _: seen.append(REQUEST.get()))

    job.run(call_back)

    assert seen == ["r-1"]
