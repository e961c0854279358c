"""What the next page says about what was just done; the sentences are in said.html."""

from typing import Literal

from flask import flash, get_template_attribute

from app.clock import now
from app.words.when import say_near


def say(tone: Literal["success", "warning", "danger"], sentence: str, **facts: object) -> None:
    """Show the macro `sentence` of said.html, filled with facts, on the next page."""
    macro = get_template_attribute("console/said.html", sentence)
    # Markup: the macro has escaped what people typed, and the page must not do so again.
    flash(macro(now=now(), say_near=say_near, **facts).strip(), tone)
