"""Large type, larger at a tap, and remembered."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from app.family.log_in import page_of_ours

COOKIE = "yuban_text"
SIZES = ("large", "larger", "largest")
SECONDS = 400 * 24 * 3600
"""As long as browsers keep a cookie at most."""


def add_routes(family: Blueprint) -> None:
    family.post("/text-size", endpoint="text_size")(change)


def chosen() -> str:
    """What this browser chose before; large where it never did."""
    kept = request.cookies.get(COOKIE, "")
    return kept if kept in SIZES else SIZES[0]


def change() -> ResponseReturnValue:
    """One size up; from the largest back to the first. The page stays where it is."""
    bigger = SIZES[(SIZES.index(chosen()) + 1) % len(SIZES)]
    response = redirect(page_of_ours(request.form.get("next", "")))
    response.set_cookie(
        COOKIE,
        bigger,
        max_age=SECONDS,
        path="/family",
        samesite="Lax",
        secure=request.is_secure,
        httponly=True,
    )
    return response
