"""Setting up one's own second factor."""

import segno
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user
from markupsafe import Markup

from app.clock import now
from app.console.signed_in import acting_staff, database, is_second_factor_required, signed_in_as
from app.errors import SecondFactorWrong
from app.services import second_factor
from app.services.staff import DISTRICT_ROLES, Role
from app.words.errors import say_error


def add_routes(console: Blueprint) -> None:
    console.get("/second-factor", endpoint="second_factor")(show)
    console.post("/second-factor", endpoint="confirm_second_factor")(confirm)


def show() -> ResponseReturnValue:
    """What to scan, and where to type the first code; or that it is set up."""
    with database().transaction() as db:
        staff = acting_staff(db)
        is_on = staff.totp_confirmed_at is not None
        secret = "" if is_on else second_factor.begin(db, staff.id)
    picture = None
    if secret:
        address = second_factor.address(secret, current_user.username)
        # Drawn here from our own address: nobody's words are in it but a username, escaped.
        picture = Markup(segno.make(address, error="m").svg_inline(omitsize=True, border=4))
    return render_template(
        "console/account/second_factor.html",
        is_on=is_on,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=picture,
        is_required=is_second_factor_required() and Role(current_user.role) in DISTRICT_ROLES,
    )


def confirm() -> ResponseReturnValue:
    """The first code: from now on it is asked for; the recovery codes are shown once."""
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            if staff.totp_confirmed_at is not None:
                return redirect(url_for("console.second_factor"))
            codes = second_factor.confirm(
                db, staff.id, request.form.get("code", "")[:40], now=now()
            )
            user = signed_in_as(staff)
    except SecondFactorWrong as error:
        flash(say_error(error), "danger")
        return redirect(url_for("console.second_factor"))
    login_user(user)
    session.modified = True
    return render_template("console/account/recovery_codes.html", codes=codes)
