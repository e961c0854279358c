"""个人信息: consents, everything that is held and files of it, withdrawing, erasing."""

import json
from datetime import date, datetime, timedelta

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from app.clock import SHANGHAI, now
from app.family import looks
from app.family.opening import database, opened_by, opens_by_link, services
from app.models import Child, Family
from app.services import holdings, privacy, registration
from app.words import privacy as words
from app.words.holdings import readable

FILE_LASTS = timedelta(hours=1)
"""A link to the files for a browser that can save them; WeChat's own cannot."""
SURE = "yes"


def add_routes(family: Blueprint) -> None:
    family.get("/me/consents", endpoint="consents")(show_consents)
    family.get("/me/children/<id:child_id>/withdraw", endpoint="ask_withdraw")(ask_withdraw)
    family.post("/me/children/<id:child_id>/withdraw", endpoint="withdraw")(withdraw)
    family.get("/me/data", endpoint="my_data")(show_data)
    family.get("/me/data.json", endpoint="data_json")(data_json)
    family.get("/me/data.html", endpoint="data_html")(data_html)
    family.get("/me/erase", endpoint="ask_erase")(ask_erase)
    family.post("/me/erase", endpoint="erase")(erase)


def show_consents() -> ResponseReturnValue:
    with database().reading() as db:
        caregiver = opened_by(db)
        family = registration.get_family(caregiver)
        return render_template(
            "family/my_family/consents.html",
            lines=privacy.consent_history(db, caregiver),
            children=[(child.id, child.nickname) for child in family.children],
            is_guardian=privacy.is_guardian(db, caregiver),
            purpose_words=words.purpose_words,
            relation_words=words.relation_words,
        )


def _own_child(family: Family, child_id: int) -> Child:
    found = next((child for child in family.children if child.id == child_id), None)
    return found if found is not None else abort(404)


def ask_withdraw(child_id: int) -> ResponseReturnValue:
    with database().reading() as db:
        child = _own_child(registration.get_family(opened_by(db)), child_id)
        return render_template("family/my_family/withdraw.html", child=child, is_unsure=False)


def withdraw(child_id: int) -> ResponseReturnValue:
    with database().transaction() as db:
        caregiver = opened_by(db)
        child = _own_child(registration.get_family(caregiver), child_id)
        if request.form.get("sure") != SURE:
            page = render_template("family/my_family/withdraw.html", child=child, is_unsure=True)
            return page, 400
        name = child.nickname
        gone = privacy.withdraw(db, caregiver=caregiver, child=child, now=now())
    flash(words.withdrawn(name, gone.cancelled), "good")
    return redirect(url_for("family.my_family"), 303)


def show_data() -> ResponseReturnValue:
    at = now()
    with database().reading() as db:
        caregiver = opened_by(db)
        family = registration.get_family(caregiver)
        tables = holdings.load_holdings(db, family.id)
        links = [
            services().page_links.signed(
                f"me/data.{kind}", caregiver_id=caregiver.id, now=at, lasts=FILE_LASTS
            )
            for kind in ("html", "json")
        ]
    return render_template("family/my_family/data.html", tables=readable(tables), links=links)


@opens_by_link
def data_json() -> ResponseReturnValue:
    """Everything as it is stored, for a machine: tables, columns, values."""
    with database().reading() as db:
        family = registration.get_family(opened_by(db))
        tables = holdings.load_holdings(db, family.id)
    content = {
        "made_at": now().astimezone(SHANGHAI).isoformat(),
        "tables": {
            table.name: [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            for table in tables
        },
    }
    body = json.dumps(content, ensure_ascii=False, indent=1, default=_as_json)
    return _file(body, "application/json", "wo-jia.json")


def _as_json(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


@opens_by_link
def data_html() -> ResponseReturnValue:
    """Everything in one file that any browser shows and any printer prints."""
    with database().reading() as db:
        family = registration.get_family(opened_by(db))
        tables = holdings.load_holdings(db, family.id)
    page = render_template(
        "family/my_family/data_file.html", tables=readable(tables), style=looks.STYLE
    )
    return _file(page, "text/html", "wo-jia.html")


def _file(body: str, mimetype: str, name: str) -> Response:
    response = Response(body, content_type=f"{mimetype}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def ask_erase() -> ResponseReturnValue:
    return _erase_page(is_unsure=False)


def _erase_page(*, is_unsure: bool) -> str:
    with database().reading() as db:
        caregiver = opened_by(db)
        family = registration.get_family(caregiver)
        return render_template(
            "family/my_family/erase.html",
            names=[child.nickname for child in family.children],
            is_guardian=privacy.is_guardian(db, caregiver),
            is_unsure=is_unsure,
        )


def erase() -> ResponseReturnValue:
    if request.form.get("sure") != SURE:
        return _erase_page(is_unsure=True), 400
    with database().transaction() as db:
        gone = privacy.erase_family(db, caregiver=opened_by(db), now=now())
    session.clear()
    return render_template("family/my_family/erased.html", sentence=words.erased(gone.cancelled))
