"""Takes up what nobody has answered, and keeps the list of owed home visits whole."""

from datetime import datetime

from app.services import thread_care, visit_dues, visit_reminding
from app.wiring import Services


def run(services: Services, now: datetime) -> str:
    """One pass as of a time, in short transactions; what went up once does not go up again."""
    after: int | None = 0
    while after is not None:
        with services.database.transaction() as db:
            after = visit_dues.plan_missing(db, after=after, now=now)
    with services.database.transaction() as db:
        ended = visit_reminding.settle(db, now)
        requests = visit_reminding.escalate_requests(db, now)
    dues = 0
    while True:
        with services.database.transaction() as db:
            late = visit_reminding.escalate_dues(db, now)
        dues += late
        if not late:
            break
    with services.database.transaction() as db:
        threads = thread_care.escalate(db, now)
        silent = thread_care.end_silent(db, now)
    return (
        f"took up {requests} requests, {dues} overdue visits and {threads} conversations, ended"
        f" {ended} proposals and {silent} silent conversations"
    )
