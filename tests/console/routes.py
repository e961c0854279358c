"""Every route of the console: who may open it, who may act by it, and whose rows it names.

Whoever adds a route adds it here, written as the application writes it: test_access.py compares
the two, and then opens each as every role, and as somebody of a foreign station.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

STATION = "worker township district"
READERS = f"{STATION} auditor"
EVERYBODY = "worker visitor township district editor auditor"
DISTRICT = "district"
DISTRICT_READERS = "district auditor"
ON_A_VISIT = f"{STATION} visitor"


@dataclass(frozen=True, slots=True)
class Route:
    """Roles that may open it (GET) and act by it (POST); "" where the method is not there."""

    see: str = ""
    act: str = ""
    is_of_a_station: bool = False
    """It names a row of the station CQ: to another station's staff it is not there."""


def _of_a_station(see: str = "", act: str = "") -> Route:
    return Route(see, act, is_of_a_station=True)


ROUTES: dict[str, Route] = {
    "/console/": Route(READERS),
    "/console/more": Route(EVERYBODY),
    "/console/logout": Route(act=EVERYBODY),
    "/console/second-factor": Route(EVERYBODY, EVERYBODY),
    # To decide
    "/console/pending": Route(READERS),
    "/console/pending/bulk": Route(act=STATION),
    "/console/pending/<id:sign_up_id>/confirm": _of_a_station(act=STATION),
    "/console/pending/<id:sign_up_id>/decline": _of_a_station(act=STATION),
    "/console/pending/<id:sign_up_id>/move": _of_a_station(act=STATION),
    # Sessions
    "/console/sessions": Route(READERS),
    "/console/new-session": Route(STATION, STATION),
    "/console/new-series": Route(STATION, STATION),
    "/console/sessions/<code>": _of_a_station(READERS),
    "/console/sessions/<code>/sheet": _of_a_station(READERS),
    "/console/sessions/<code>/code": _of_a_station(READERS),
    "/console/sessions/<code>/edit": _of_a_station(STATION, STATION),
    "/console/sessions/<code>/publish": _of_a_station(act=STATION),
    "/console/sessions/<code>/cancel": _of_a_station(STATION, STATION),
    "/console/sessions/<code>/check-in": _of_a_station(STATION),
    "/console/sessions/<code>/check-in/<id:sign_up_id>": _of_a_station(act=STATION),
    "/console/sessions/<code>/check-in/<id:sign_up_id>/undo": _of_a_station(act=STATION),
    "/console/sessions/<code>/walk-in": _of_a_station(STATION, STATION),
    "/console/sessions/<code>/walk-in/new": _of_a_station(STATION, STATION),
    "/console/sessions/<code>/paper": _of_a_station(STATION, STATION),
    "/console/sessions/<code>/sign-ups/<id:sign_up_id>/seat": _of_a_station(act=STATION),
    "/console/sessions/<code>/sign-ups/<id:sign_up_id>/waive": _of_a_station(act=STATION),
    "/console/sessions/<code>/sign-ups/<id:sign_up_id>/take-back": _of_a_station(act=STATION),
    "/console/calendar": Route(DISTRICT, DISTRICT),
    "/console/calendar/<day>/clear": Route(act=DISTRICT),
    # Home visits
    "/console/visits": Route(READERS),
    "/console/visits/<id:visit_id>": _of_a_station(READERS),
    "/console/visits/<id:visit_id>/confirm": _of_a_station(act=STATION),
    "/console/visits/<id:visit_id>/decline": _of_a_station(act=STATION),
    "/console/visits/<id:visit_id>/cancel": _of_a_station(act=STATION),
    "/console/visits/<id:visit_id>/wish": _of_a_station(act=STATION),
    "/console/visits/<id:visit_id>/time": _of_a_station(STATION, STATION),
    "/console/visits/<id:visit_id>/record": _of_a_station(ON_A_VISIT, ON_A_VISIT),
    "/console/visits/<id:visit_id>/<any('set-off','arrive','miss'):step>": _of_a_station(
        act=ON_A_VISIT
    ),
    "/console/visits/arrange/<id:family_id>": _of_a_station(STATION, STATION),
    "/console/visits/due": Route(READERS),
    "/console/visits/due/<id:family_id>": _of_a_station(act=STATION),
    "/console/visits/referrals/<id:referral_id>": _of_a_station(act=STATION),
    "/console/visits/families/<id:family_id>": _of_a_station(READERS),
    "/console/visits/children/<id:child_id>/birth": _of_a_station(act=STATION),
    "/console/visits/children/<id:child_id>/special": _of_a_station(act=STATION),
    "/console/visits/medical/<id:child_id>": _of_a_station(act=STATION),
    "/console/visits/families/<id:family_id>/contact": _of_a_station(act=STATION),
    "/console/visits/board": Route(READERS),
    "/console/visits/route/<id:visitor_id>": _of_a_station(ON_A_VISIT),
    "/console/visits/visitors": Route(f"{READERS} visitor"),
    "/console/visits/visitors/<id:visitor_id>/leave": _of_a_station(act=ON_A_VISIT),
    "/console/visits/leave/<id:leave_id>/end": _of_a_station(act=ON_A_VISIT),
    "/console/visits/visitors/<id:visitor_id>/photo": _of_a_station(f"{READERS} visitor", STATION),
    "/console/my-day": Route("visitor"),
    # Families
    "/console/families": Route(READERS),
    "/console/families/<id:family_id>": _of_a_station(READERS),
    "/console/families/<id:family_id>/log-ins/<id:log_in_id>/end": _of_a_station(act=STATION),
    "/console/families/<id:family_id>/contact": _of_a_station(STATION, STATION),
    "/console/families/<id:family_id>/stop": _of_a_station(act=STATION),
    "/console/families/<id:family_id>/resume": _of_a_station(act=STATION),
    "/console/families/<id:family_id>/children/<id:child_id>/lost": _of_a_station(act=STATION),
    # What is to be followed up, what was sent, what families say
    "/console/follow-ups": Route(READERS),
    "/console/follow-ups/<id:follow_up_id>/finish": _of_a_station(act=STATION),
    "/console/follow-ups/<id:follow_up_id>/reopen": _of_a_station(act=STATION),
    "/console/notices": Route(READERS),
    "/console/threads": Route(READERS),
    "/console/threads/<id:thread_id>": _of_a_station(READERS),
    "/console/threads/<id:thread_id>/answer": _of_a_station(act=STATION),
    "/console/threads/<id:thread_id>/close": _of_a_station(act=STATION),
    "/console/threads/canned": Route(act=STATION),
    "/console/threads/canned/<id:answer_id>/drop": Route(act=STATION),
    # Packs
    "/console/packs": Route(f"{READERS} editor"),
    "/console/packs/<pack_id>": Route(f"{READERS} editor"),
    "/console/packs/<pack_id>/switch": Route(act=f"{DISTRICT} editor"),
    # The seven-skills course
    "/console/course": Route(READERS),
    "/console/course/stations": Route(READERS),
    "/console/course/questions": Route(READERS),
    "/console/course/enrol": Route(STATION, STATION),
    "/console/course/learners/<id:learner_id>": _of_a_station(READERS),
    "/console/course/learners/<id:learner_id>/name": _of_a_station(act=STATION),
    "/console/course/learners/<id:learner_id>/move": _of_a_station(act=STATION),
    "/console/course/certificates/<id:certificate_id>/revoke": _of_a_station(act=STATION),
    "/console/course/certificates/<id:certificate_id>/restore": _of_a_station(act=STATION),
    # Coverage
    "/console/coverage": Route(READERS),
    "/console/coverage/families": Route(READERS),
    "/console/coverage/report": Route("township district auditor"),
    "/console/coverage/months": Route(DISTRICT_READERS),
    "/console/coverage/months/<month>": Route(DISTRICT_READERS),
    # The district's own
    "/console/files": Route(DISTRICT, DISTRICT),
    "/console/files/template/<kind>.<suffix>": Route(DISTRICT),
    "/console/files/<id:import_id>": Route(DISTRICT),
    "/console/files/<id:import_id>/take": Route(act=DISTRICT),
    "/console/files/<id:import_id>/undo": Route(act=DISTRICT),
    "/console/accounts": Route(DISTRICT_READERS),
    "/console/accounts/new": Route(DISTRICT, DISTRICT),
    "/console/accounts/<id:staff_id>": Route(DISTRICT_READERS),
    "/console/accounts/<id:staff_id>/close": Route(act=DISTRICT),
    "/console/accounts/<id:staff_id>/open": Route(act=DISTRICT),
    "/console/accounts/<id:staff_id>/password": Route(act=DISTRICT),
    "/console/accounts/<id:staff_id>/forget-code": Route(act=DISTRICT),
    "/console/audit": Route(DISTRICT_READERS),
    "/console/operations": Route(DISTRICT_READERS),
    "/console/operations/retry": Route(act=DISTRICT),
    "/console/operations/close": Route(act=DISTRICT),
    "/console/operations/notices/<id:notice_id>/retry": Route(act=DISTRICT),
    "/console/operations/notices/<id:notice_id>/close": Route(act=DISTRICT),
    "/console/unread": Route(f"{DISTRICT_READERS} editor"),
    "/console/unread/label": Route(act=f"{DISTRICT} editor"),
    "/console/unread/review": Route(f"{DISTRICT_READERS} editor"),
    "/console/unread/<id:unread_id>/review": Route(act=f"{DISTRICT} editor"),
}
BEFORE_THE_LOG_IN = {"/console/login", "/console/login/code", "/console/<path:_unknown>"}
"""Open to everybody, and the page that says that there is none."""

SEES = {rule: route.see for rule, route in ROUTES.items() if route.see}
DOES = {rule: route.act for rule, route in ROUTES.items() if route.act}
"""Rule → the roles."""
OF_A_STATION = frozenset(rule for rule, route in ROUTES.items() if route.is_of_a_station)

VALUES: dict[str, object] = {
    "code": "CQ-1",
    "day": "2026-12-01",
    "pack_id": "P00-06",
    "kind": "families",
    "suffix": "csv",
    "month": "2026-10",
    "step": "set-off",
    "unread_id": 1,
}
FIELDS = {
    "own_reason": "名额满了",
    "reason": "老师病了",
    "child_id": "1",
    "name": "李四",
    "caregiver": "1",
    "text": "先加米粉",
    "key": "0123456789abcdef0123456789abcdef",
    "slot": "1@2026-11-24T09:00:00+08:00",
    "first": "2026-11-24",
    "day": "2026-11-20",
    "outcome": "reached",
}
"""What the forms are sent with."""


def filled(rule: str, rows: Mapping[str, object]) -> str:
    """The address of these rows."""
    values = {**VALUES, **rows}
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda found: str(values[found[1]]), rule)


def named_in(rule: str) -> list[str]:
    """The names of the values in a rule."""
    return re.findall(r"<(?:[^<>]*:)?(\w+)>", rule)
