"""What a loss means for a visit that was arranged: nobody rings at the door unprepared.

The family is sent nothing about it. A person of the station speaks with it, and the visitor
sees in the route that this visit is not to be made.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import Child
from app.rules.visiting import OPEN
from app.services.audit import Actor
from app.services.home_visits import cancel, find_open, lock_visit
from app.services.visit_dues import twins_of
from app.services.visit_tasks import open_task


def call_off(db: Session, child: Child, *, actor: Actor, now: datetime) -> None:
    """Cancel the open visit of a child that died, and of those born with it; staff have a task.

    A visit that is another child's stands: staff ask the family whether it is still welcome.
    """
    there = find_open(db, child.family_id)
    if there is None:
        return
    visit = lock_visit(db, there.id)
    if visit.state not in OPEN:
        return
    born_with = {each.id for each in twins_of(child.family.children, child)}
    if visit.child_id in born_with | {child.id}:
        cancel(db, visit, actor, now, None)
    open_task(db, visit, "visit_loss", "", now)


def warn(db: Session, family_id: int, now: datetime) -> None:
    """A loss was told in a family that is to be visited: a person asks it first."""
    visit = find_open(db, family_id)
    if visit is not None:
        open_task(db, visit, "visit_loss", "", now)
