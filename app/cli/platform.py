"""`menu` and `qr`: what is arranged with the WeChat platform."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import select

from app.cli.speaking import Answer, Group, Refused, table
from app.errors import StationUnknown
from app.models import Station
from app.wechat.deliver import make_client
from app.wechat.errors import AnswerLost, ApiRefused, NotSent
from app.wechat.menu import MENU, menu_body, publish
from app.wiring import Services


@click.group("menu", cls=Group)
def menu() -> None:
    """The account's menu."""


@menu.command("show")
def show_command(services: Services) -> Answer:
    """Show the menu as it would be published."""
    lines: list[tuple[object, ...]] = [
        (group.name, button.name, button.word) for group in MENU.groups for button in group.buttons
    ]
    return Answer(menu_body(MENU), table(lines, "no buttons"))


@menu.command("publish")
def publish_command(services: Services) -> Answer:
    """Make this the account's menu on the platform."""
    with _platform_speaking():
        published = publish(make_client(services.settings, services.redis))
    count = sum(len(group.buttons) for group in published.groups)
    return Answer(
        {"published": True, "groups": len(published.groups), "buttons": count},
        f"published: {len(published.groups)} groups, {count} buttons",
    )


@click.group("qr", cls=Group)
def qr() -> None:
    """QR codes to follow the account with."""


@qr.command("create")
@click.argument("station")
def create_command(services: Services, station: str) -> Answer:
    """Get a lasting code for STATION: who scans it follows the account and is bound to it."""
    with services.database.reading() as db:
        known = db.scalars(select(Station.code).where(Station.code == station)).one_or_none()
    if known is None:
        raise StationUnknown(station)
    with _platform_speaking():
        code = make_client(services.settings, services.redis).create_qr(known)
    record = {
        "station": known,
        "ticket": code.ticket,
        "url": code.url,
        "picture_url": code.picture_url,
    }
    return Answer(record, code.picture_url)


@contextmanager
def _platform_speaking() -> Iterator[None]:
    """Refusals of the platform as ours."""
    try:
        yield
    except ApiRefused as error:
        message = f"the platform refused with code {error.code} ({error.reaction})"
        raise Refused("platform_refused", message) from None
    except NotSent as error:
        message = f"the platform cannot be reached ({error.what})"
        raise Refused("platform_unreachable", message) from None
    except AnswerLost as error:
        message = f"the platform gave no answer ({error.what}): it may have been done"
        raise Refused("platform_answer_lost", message) from None
