"""The operator's page: queue, results, jobs, how we stand with WeChat, and what went astray.

With Redis away it says so, and shows the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from app.clock import now
from app.console.paging import PAGE_SIZE, asked_page, offset_of, page_of
from app.console.said import say
from app.console.signed_in import acting_staff, database
from app.errors import NoticeNotAstray
from app.health import find_faults, head
from app.services import dead_letters, desk, operations, timekeeping
from app.services.audit import Actor
from app.services.operations import Result
from app.services.staff import scope_of
from app.services.timekeeping import JobState
from app.wechat.standing import Standing, find_standing
from app.words import operations as words
from app.words import timeline
from app.words.job_outcomes import say_outcome

LATE = timedelta(minutes=10)
"""A job that should have begun so long ago: nobody ticks, or one blocks the others."""
SHOWN_STATES = ("sent", "waiting", "queued", "skipped", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One channel's results, by the states that are shown."""

    channel: str
    counts: tuple[int, ...]


def add_routes(console: Blueprint) -> None:
    console.get("/operations", endpoint="operations")(show_operations)
    console.post("/operations/notices/<id:notice_id>/retry", endpoint="retry_notice")(retry_one)
    console.post("/operations/notices/<id:notice_id>/close", endpoint="close_notice")(close_one)
    console.post("/operations/retry", endpoint="retry_notices")(retry_group)
    console.post("/operations/close", endpoint="close_notices")(close_group)


def show_operations() -> ResponseReturnValue:
    """All of it on one page; what went astray in pages."""
    at, number = now(), asked_page()
    services = current_app.extensions["yuban"]
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        queue = operations.queue(db, at)
        results = operations.results(db, at)
        jobs = timekeeping.job_states(db, [(job.name, job.schedule) for job in services.jobs], at)
        groups = dead_letters.groups(db)
        letters = dead_letters.find(db, limit=PAGE_SIZE + 1, offset=offset_of(number), now=at)
        desk.record_view(db, scope, page="operations", subject_id=None, now=at)
    return render_template(
        "console/operations/operations.html",
        faults=find_faults(services.database, services.redis, head()),
        queue=queue,
        results=_by_channel(results),
        states=[timeline.NOTICE_STATES[state] for state in SHOWN_STATES],
        jobs=jobs,
        troubled=[job for job in jobs if is_late(job) or job.failures],
        is_late=is_late,
        standing=_standing(at),
        groups=groups,
        astray=sum(group.count for group in groups),
        page=page_of(number, letters),
        words=words,
        say_outcome=say_outcome,
        timeline=timeline,
        at_once=dead_letters.AT_ONCE,
    )


def is_late(job: JobState) -> bool:
    """Whether somebody should look why it has not begun."""
    return job.lag > LATE


def _standing(at: datetime) -> Standing | None:
    """None without Redis."""
    services = current_app.extensions["yuban"]
    try:
        return find_standing(services.redis, services.settings.wechat_app_id, at)
    except (RedisError, OSError):
        return None


def _by_channel(results: Sequence[Result]) -> list[ResultRow]:
    channels = sorted({result.channel or "" for result in results})
    counts = {(result.channel or "", result.state): result.count for result in results}
    return [
        ResultRow(
            words.CHANNELS.get(channel, channel or "还没有选渠道"),
            tuple(counts.get((channel, state), 0) for state in SHOWN_STATES),
        )
        for channel in channels
    ]


def retry_one(notice_id: int) -> ResponseReturnValue:
    """Give a notice to the deliverers again."""
    return _act("retry", [notice_id])


def close_one(notice_id: int) -> ResponseReturnValue:
    """Somebody has dealt with a notice."""
    return _act("close", [notice_id])


def retry_group() -> ResponseReturnValue:
    """All that went astray in one way, AT_ONCE of them at a time."""
    return _act("retry", None)


def close_group() -> ResponseReturnValue:
    """All that went astray in one way are dealt with."""
    return _act("close", None)


def _do(db: Session, what: str, notice_ids: Sequence[int], actor: Actor) -> dead_letters.Acted:
    if what == "close":
        return dead_letters.put_aside(db, notice_ids, actor=actor, now=now())
    return dead_letters.retry(
        db,
        notice_ids,
        actor=actor,
        now=now(),
        # The form in which this is asked says it; an old page or a hand-made request does not.
        even_if_arrived=request.form.get("even_if_arrived") == "yes",
    )


def _act(what: str, notice_ids: list[int] | None) -> ResponseReturnValue:
    """One notice, or those of the group that the form names."""
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            if notice_ids is None:
                notice_ids = dead_letters.in_group(
                    db,
                    state=request.form.get("state", ""),
                    reason=request.form.get("reason", ""),
                )
            acted = _do(db, what, notice_ids, Actor("staff", staff.id))
    except NoticeNotAstray:
        say("warning", "not_astray")
    else:
        say("success" if acted.done else "warning", f"{what}_done", acted=acted)
    return redirect(url_for("console.operations"))
