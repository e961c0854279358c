"""`roster`, `attend` and `family`: who comes to what, and one family's whole story."""

import click

from app import clock
from app.cli.speaking import Answer, Command, Group, Refused, table
from app.errors import ChildUnclear, ChildUnknown
from app.models import Caregiver, Child
from app.rules.sign_up import ACTIVE
from app.services import overview, roster_overview
from app.services.attendance import attend
from app.services.audit import OPERATOR
from app.services.registration import find_caregiver, get_family
from app.wiring import Services


@click.command("roster", cls=Command)
@click.argument("session")
def roster_command(services: Services, session: str) -> Answer:
    """Show who signed up for SESSION, by its code."""
    with services.database.reading() as db:
        found = roster_overview.roster(db, session)
    lines = [
        (row.state, row.child, row.openid, f"{row.signed_up_at:%Y-%m-%d %H:%M}")
        for row in found.signups
    ]
    head = (
        f"{found.session}  {found.title}  {found.starts_at:%Y-%m-%d %H:%M}  "
        f"{found.taken}/{found.places} taken\n"
    )
    return Answer(found, head + table(list(lines), "nobody has signed up yet"))


@click.command("attend", cls=Command)
@click.argument("session")
@click.argument("openid")
@click.option("--child", "nickname", metavar="NICKNAME", help="Where the family has several.")
@click.option("--undo", is_flag=True, help="Take an attendance back.")
def attend_command(
    services: Services, session: str, openid: str, nickname: str | None, undo: bool
) -> Answer:
    """Enter that a family came to SESSION; also a past one, and without a sign-up."""
    with services.database.transaction() as db:
        caregiver = find_caregiver(db, openid)
        if caregiver is None:
            raise _unknown()
        booked = {
            row.child
            for row in roster_overview.roster(db, session).signups
            if row.family == caregiver.family_id and row.state in ACTIVE
        }
        child = _choose_child(caregiver, nickname, booked)
        entered = attend(
            db,
            session_code=session,
            caregiver=caregiver,
            child=child,
            actor=OPERATOR,
            now=clock.now(),
            undo=undo,
        )
        record = {
            "session": session.upper(),
            "child": child.nickname,
            "state": entered.state,
            "is_walk_in": entered.is_walk_in,
        }
    return Answer(record, f"{record['session']} {record['child']}: {record['state']}")


def _choose_child(caregiver: Caregiver, nickname: str | None, booked: set[str]) -> Child:
    """The child named; else the only one, or the only one with a sign-up for the session.

    Raises NotRegistered, ChildUnknown, ChildUnclear.
    """
    children = get_family(caregiver).children
    known = tuple(child.nickname for child in children)
    if nickname is not None:
        chosen = [child for child in children if child.nickname == nickname.strip()]
        if not chosen:
            raise ChildUnknown(nickname, known)
        return chosen[0]
    likely = [child for child in children if child.nickname in booked] or children
    if len(likely) != 1:
        raise ChildUnclear(known)
    return likely[0]


@click.group("family", cls=Group)
def family() -> None:
    """Families."""


@family.command("show")
@click.argument("openid")
def show_command(services: Services, openid: str) -> Answer:
    """Show all that is kept of the family of the caregiver with OPENID."""
    with services.database.reading() as db:
        found = overview.find_family(db, openid, clock.now())
    if found is None:
        raise _unknown()
    year = found.year
    lines: list[tuple[object, ...]] = [("family", found.family, found.township, found.station)]
    lines += [("caregiver", one.openid, one.relation) for one in found.caregivers]
    lines += [("child", one.nickname, one.birth_date or one.due_date) for one in found.children]
    lines += [("consent", one.child, one.purpose, one.version) for one in found.consents]
    lines += [
        ("sign-up", one.session, one.child, one.state, f"{one.starts_at:%Y-%m-%d %H:%M}")
        for one in found.signups
    ]
    lines += [
        ("push", one.pack, one.child, one.state, one.reason, f"{one.due_at:%Y-%m-%d}")
        for one in found.pushes
    ]
    lines += [
        (
            "visit",
            one.kind,
            one.child,
            one.state,
            f"{one.starts_at:%Y-%m-%d %H:%M}" if one.starts_at else "no time yet",
            one.visitor,
        )
        for one in found.visits
    ]
    lines.append(("year", year.year, f"{year.attended}/{year.target} attended"))
    return Answer(found, table(lines, ""))


def _unknown() -> Refused:
    return Refused("caregiver_unknown", "no caregiver has this openid")
