"""Every screen of one's role on one page: where a phone's bar has no room for them."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue


def add_routes(console: Blueprint) -> None:
    console.get("/more", endpoint="more")(show_more)


def show_more() -> ResponseReturnValue:
    """The screens that the role may open."""
    return render_template("console/more.html")
