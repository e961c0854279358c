"""The first page: what waits for me, and what comes."""

from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.clock import SHANGHAI, now
from app.console.signed_in import acting_staff, database
from app.rules.session_life import Stage
from app.services import desk, pending_requests, rosters, thread_lists, visit_lists
from app.services.staff import scope_of

COMING_DAYS = 7
COMING_SHOWN = 8
TODAY_SHOWN = 24
"""More than that are a district's, which looks at the list of sessions."""
VISITS_SHOWN = 12
CHECKED_IN_AT = frozenset(Stage) - {Stage.DRAFT, Stage.CANCELLED}


def add_routes(console: Blueprint) -> None:
    console.get("/", endpoint="today")(show_today)


def show_today() -> ResponseReturnValue:
    """Counts of what waits, today's visits, and the sessions of the coming days."""
    at = now()
    with database().reading() as db:
        staff = acting_staff(db)
        scope = scope_of(staff)
        pending = pending_requests.count_pending(db, staff)
        follow_ups = desk.count_follow_ups(db, scope)
        notices = desk.count_notices(db, scope, desk.NOTICE_STATES_TO_LOOK_AT, settled=False)
        waiting = thread_lists.count_waiting(db, scope)
        today = at.astimezone(SHANGHAI).date()
        visit_work = visit_lists.count_work(db, scope, today)
        visits = visit_lists.of_day(db, scope, today, limit=VISITS_SHOWN + 1)
        sessions = rosters.coming_sessions(
            db,
            scope,
            now=at,
            until=at + timedelta(days=COMING_DAYS),
            limit=TODAY_SHOWN + COMING_SHOWN,
        )
    is_today = [
        session.starts_at.astimezone(SHANGHAI).date() == today and session.stage in CHECKED_IN_AT
        for session in sessions
    ]
    today_sessions = [session for session, here in zip(sessions, is_today, strict=True) if here]
    return render_template(
        "console/today/today.html",
        pending=pending,
        follow_ups=follow_ups,
        waiting=waiting,
        notices=notices,
        sessions=[session for session, here in zip(sessions, is_today, strict=True) if not here][
            :COMING_SHOWN
        ],
        visit_work=visit_work,
        visits=visits[:VISITS_SHOWN],
        more_visits=len(visits) > VISITS_SHOWN,
        today_sessions=today_sessions[:TODAY_SHOWN],
        more_today=len(today_sessions) > TODAY_SHOWN,
        coming_days=COMING_DAYS,
    )
