"""Who opened a page: by the cookie that WeChat's answer left, or by a signed link."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec

from flask import abort, current_app, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from app.clock import now
from app.db import Database
from app.models import Caregiver, Family
from app.page_links import KEY
from app.rules.identity import device_of, mark_of
from app.services import log_ins
from app.services.audit import Actor
from app.services.registration import get_family
from app.wiring import Services

OPEN_TO_ALL = frozenset(
    {
        "family.share",
        "family.static",
        "family.back",
        "family.text_size",
        "family.nothing",
        "family.enter",
        "family.pack",
        "family.rate_pack",
    }
)
CAREGIVER = "caregiver"
MARK = "mark"
LOG_IN = "log_in"

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


@dataclass(frozen=True, slots=True)
class Opened:
    """Who opened this page, as cookie or link says; the database has the last word."""

    caregiver_id: int
    mark: str | None
    """What the cookie remembers of the openid; None for a link."""
    log_in_id: int = 0
    """The device's log-in that the cookie names; 0 for a link."""

    @property
    def is_by_link(self) -> bool:
        return self.mark is None


def services() -> Services:
    """The wired services, read at the edge only."""
    found: Services = current_app.extensions["yuban"]
    return found


def database() -> Database:
    return services().database


def opens_by_link(view: View[P]) -> View[P]:
    """Marks a page that a signed link opens without a log-in.

    It must show and do only what its address names. A form in it posts to the address it was
    opened by (action="" keeps the key).
    """
    vars(view)["opens_by_link"] = True
    return view


def find_opener() -> ResponseReturnValue | None:
    """Before each page: who opened it; strangers are sent to ask WeChat."""
    if request.endpoint in OPEN_TO_ALL:
        return None
    key = request.args.get(KEY)
    if key is not None:
        return _open_by_link(key)
    named = _named_by_cookie()
    if named is None:
        return ask_who()
    g.opened = named
    return None


def _named_by_cookie() -> Opened | None:
    match session.get(CAREGIVER), session.get(MARK), session.get(LOG_IN):
        case int(caregiver_id), str(mark), int(log_in_id):
            return Opened(caregiver_id, mark, log_in_id)
    return None


def known_by_cookie(db: Session) -> Caregiver | None:
    """Whoever WeChat told us of in this browser, as long as they follow and the log-in holds."""
    named = _named_by_cookie()
    return _logged_in(db, named) if named is not None else None


def _logged_in(db: Session, opened: Opened) -> Caregiver | None:
    caregiver = log_ins.find_caregiver(db, opened.log_in_id, opened.caregiver_id, now())
    if caregiver is None or caregiver.openid is None:
        return None
    return caregiver if opened.mark == mark_of(caregiver.openid) else None


def _open_by_link(key: str) -> ResponseReturnValue | None:
    named = services().page_links.read(key, request.path)
    view = current_app.view_functions.get(request.endpoint or "")
    if named is None or not getattr(view, "opens_by_link", False):
        return render_template("family/link.html", is_expired=False, path=request.path), 404
    if named.is_expired(now()):
        return render_template("family/link.html", is_expired=True, path=request.path), 410
    g.opened = Opened(named.caregiver_id, mark=None)
    return None


def ask_who() -> BaseResponse:
    """To the platform and back to this page; a form that was posted begins at the first page."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("family.enter", next=wanted))


def opened_by(db: Session) -> Caregiver:
    """The caregiver who opened the page, read inside the page's own transaction.

    Sends to the log-in where they have left the account since, or were erased.
    """
    opened: Opened = g.opened
    caregiver = (
        db.get(Caregiver, opened.caregiver_id) if opened.is_by_link else _logged_in(db, opened)
    )
    if caregiver is None or caregiver.openid is None:
        session.clear()
        abort(ask_who())
    return caregiver


def family_of(db: Session) -> Family:
    """The family of who opened the page. Raises NotRegistered, which has a page of its own."""
    return get_family(opened_by(db))


def this_log_in() -> int:
    """The number of this browser's log-in; 0 for a signed link."""
    opened: Opened = g.opened
    return opened.log_in_id


def is_by_link() -> bool:
    """Whether this page was opened by a signed link, and nothing but it may be shown."""
    opened: Opened = g.opened
    return opened.is_by_link


def remember(db: Session, caregiver: Caregiver) -> None:
    """From now on this browser is the caregiver's. What was planted in it before is gone."""
    session.clear()
    assert caregiver.openid is not None, "found by its openid"
    device = device_of(request.user_agent.string)
    made = log_ins.begin(db, caregiver, way="pages", device=device, now=now())
    session[CAREGIVER], session[LOG_IN] = caregiver.id, made.id
    session[MARK] = mark_of(caregiver.openid)
    session.permanent = True


def forget(db: Session) -> None:
    """This browser is nobody's any more, and a copy of its cookie is worth nothing."""
    named = _named_by_cookie()
    caregiver = known_by_cookie(db)
    if named is not None and caregiver is not None:
        actor = Actor("caregiver", caregiver.id)
        log_ins.end(db, named.log_in_id, whose=Caregiver.id == caregiver.id, actor=actor, now=now())
    session.clear()
