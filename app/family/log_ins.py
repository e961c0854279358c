"""Where one is logged in: each device with its own way out, for a phone that was lost or lent."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.family.opening import database, opened_by, this_log_in
from app.models import Caregiver
from app.services import log_ins
from app.services.audit import Actor
from app.words import pages as words
from app.words.privacy import value_words


def add_routes(family: Blueprint) -> None:
    family.get("/me/log-ins", endpoint="log_ins")(show)
    family.post("/me/log-ins/<id:log_in_id>/end", endpoint="end_log_in")(end)


def show() -> ResponseReturnValue:
    """The caregiver's own devices, the latest first."""
    with database().reading() as db:
        me = opened_by(db)
        found = log_ins.of_caregivers(db, Caregiver.id == me.id, now())
    return render_template(
        "family/my_family/log_ins.html", found=found, this=this_log_in(), say=value_words
    )


def end(log_in_id: int) -> ResponseReturnValue:
    with database().transaction() as db:
        me = opened_by(db)
        log_ins.end(
            db,
            log_in_id,
            whose=Caregiver.id == me.id,
            actor=Actor("caregiver", me.id),
            now=now(),
        )
    flash(words.log_in_ended(), "good")
    return redirect(url_for("family.log_ins"), 303)
