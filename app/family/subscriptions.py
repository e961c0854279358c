"""微信提醒: what the platform still lets us send, and the buttons that allow more.

A yes is given to the platform, never to us: its script draws the button, the phone asks, and the
platform's event brings the answer (services/subscriptions.py). Where the script is not there, the
page says what to do instead.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Flask, render_template
from flask.typing import ResponseReturnValue

from app.family.looks import POLICY, STYLE_HASH
from app.family.opening import database, opened_by, services
from app.family.share_card import platform_script, under
from app.rules.asking import Ask, Held, Purpose, find_asks
from app.services import subscriptions
from app.words import asking as words

ENDPOINT = "family.subscriptions"
BUTTON_STYLE: Final = (
    ".allow{width:100%;min-height:48px;border:0;border-radius:10px;background:#9c4a2f;color:#fff;"
    "font-size:1.1em;font-weight:600}"
)
"""The button stands in a tree of the platform's own, which the page's style sheet cannot reach."""
BUTTON_HASH: Final = base64.b64encode(hashlib.sha256(BUTTON_STYLE.encode()).digest()).decode()


@dataclass(frozen=True, slots=True)
class Card:
    """One consent: what it gives, what is held, the button's words."""

    ask: Ask
    offer: words.Offer
    held: str
    button: str
    """Empty where nothing more is to be allowed."""


def add_routes(family: Blueprint) -> None:
    family.get("/subscriptions", endpoint="subscriptions")(show)


def allow_script(app: Flask, script: str) -> None:
    """Let this page alone load the platform's script, whose button has a style of ours."""
    if not script:
        return
    styles = f"'self' 'sha256-{STYLE_HASH}' 'sha256-{BUTTON_HASH}'"
    policy = {**POLICY, "script-src": f"'self' {script}", "style-src": styles}
    app.view_functions[ENDPOINT] = under(policy, app.view_functions[ENDPOINT])


def show() -> ResponseReturnValue:
    """A card for each consent that the account can ask for."""
    settings = services().settings
    asks = find_asks(settings.wechat_subscriptions, settings.wechat_templates)
    with database().reading() as db:
        openid = opened_by(db).openid or ""
        templates = [ask.template_id for ask in asks.values()]
        held = subscriptions.find_held(db, [openid], templates).get(openid, {})
    return render_template(
        "family/subscriptions/show.html",
        cards=_cards(asks, held),
        script=platform_script(),
        button_style=BUTTON_STYLE,
    )


def _cards(asks: Mapping[Purpose, Ask], held: Mapping[str, Held]) -> Sequence[Card]:
    cards = []
    for purpose, ask in asks.items():
        of = held.get(ask.template_id, Held())
        cards.append(
            Card(
                ask,
                words.OFFERS[purpose],
                words.held(of, is_lasting=ask.is_lasting),
                "" if of.is_lasting else words.button(is_lasting=ask.is_lasting),
            )
        )
    return cards
