"""What the conversations about year plans have in common."""

import re

from sqlalchemy import select

from app.models import (
    GuidanceSession,
    Notice,
    SignUp,
)
from app.models.notice_facts import load_facts
from app.wiring import Services
from app.words.notices import render
from scheduler import nudge_year_plan
from tests.conversations.conftest import Clock


def rows(services: Services) -> list[tuple[str, str]]:
    """Code and state of every sign-up, in the order of time."""
    with services.database.reading() as db:
        found = db.execute(
            select(GuidanceSession.code, SignUp.state)
            .join(SignUp, SignUp.session_id == GuidanceSession.id)
            .order_by(GuidanceSession.starts_at, SignUp.id)
        )
        return [(code, state) for code, state in found]


def listed(text: str) -> list[str]:
    """The codes of the numbered lines of an answer."""
    lines = [line for line in text.split("\n") if re.match(r"\d+\. ", line)]
    return [line.split("（")[2].split("）")[0] for line in lines]


def run_job(services: Services, clock: Clock) -> str:
    return nudge_year_plan.run(services, clock())


def told(services: Services, kind: str) -> list[str]:
    """The words of the notices of a kind, in the order they were written."""
    with services.database.reading() as db:
        stored = db.execute(select(Notice).where(Notice.kind == kind).order_by(Notice.id)).scalars()
        return [render(load_facts(notice.facts)).text for notice in stored]


def fill(services: Services, code: str) -> None:
    """All places of a session go to others."""
    with services.database.transaction() as db:
        session = db.execute(
            select(GuidanceSession).where(GuidanceSession.code == code)
        ).scalar_one()
        session.places = session.places_taken


def nudges(services: Services) -> int:
    return len(told(services, "year_plan_nudge"))
