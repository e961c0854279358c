"""Every form of console and family pages, and every file handed in, with anything in it.

No 5xx, nothing said to have broken, and the doctor finds every invariant as before: a form is
taken whole or not at all. Sixty of each by default; `--long` sends 20,000 in all.
"""

import io
from collections.abc import Callable, Mapping
from random import Random

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app import clock
from app.family.opening import CAREGIVER, LOG_IN, MARK
from app.models import Caregiver, Staff
from app.rules.identity import Device, mark_of
from app.services import log_ins
from app.services.doctor import examine
from app.services.staff import HASHER
from tests.fuzz.conftest import Target
from tests.fuzz.roaming import Roamer, address, places_of

FEW, MANY = 60, 9_100
QUIET = frozenset({"session_code_not_had", "token_not_renewed", "jobs_late"})
PASSWORD = "rice and congee"
pytestmark = pytest.mark.timeout(3_600)

characters = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
nasty = st.sampled_from(
    [
        *("", " ", "0", "-1", "1", "2147483647", "2147483648", "9" * 400, "1e999", "NaN", "٣", "½"),
        *("2026-02-29", "2026-02-30", "0001-01-01", "9999-12-31", "2026-12-31T25:61", "24:00"),
        *("2026-11-30", "2026-12-06T09:30", "09:30", "08:00", "2026-12"),
        *("=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "' OR 1=1 --", "%s%n", "{{7*7}}", "${7*7}"),
        *(
            "<script>alert(1)</script>",
            "\u202e倒过来",
            "\ud7ff",
            "糖" * 3_000,
            "a\r\nSet-Cookie: x=1",
        ),
        *("../../../etc/passwd", "//evil.example/", "javascript:alert(1)", "CQ-13", "城桥镇"),
        *("13800138000", "on", "yes", "true", "null", "[]", "{}", "A", "\ufeff", "a\u0000b"),
    ]
)


def thorough(request: pytest.FixtureRequest, share: float = 1.0) -> settings:
    many = MANY if request.config.getoption("--long") else FEW
    return settings(
        max_examples=int(many * share),
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def check(target: Target, response: TestResponse) -> None:
    assert response.status_code < 500, response.get_data(as_text=True)[:2_000]
    broken = [
        event
        for event in target.broken
        if event["log_level"] in ("error", "critical") and event["event"] not in QUIET
    ]
    assert broken == []
    target.broken.clear()
    for name, value in response.headers:
        assert "\n" not in value, name
    assert "Set-Cookie: x=1" not in str(response.headers)
    location = response.headers.get("Location", "/")
    ours = ("/", "http://localhost/", target.settings.wechat_api_url)  # where phones are asked who
    assert location.startswith(ours), location
    assert not location.startswith("//"), location


def check_stored(target: Target) -> None:
    with target.services.database.reading() as db:
        report = examine(db, cipher=target.services.cipher, now=clock.now())
    assert {each.name: each.broken for each in report.checks if not each.ok} == {}


class Desk:
    """A district officer's browser, which logs in again whenever a form has logged it out."""

    def __init__(self, target: Target, username: str) -> None:
        app = target.client.application
        self._target, self._username = target, username
        self._hash = HASHER.hash(PASSWORD)
        self.roamer = Roamer(app, app.test_client())
        self.log_ins = 0

    def enter(self) -> None:
        with self._target.services.database.transaction() as db:
            db.execute(
                update(Staff)
                .where(Staff.username == self._username)
                .values(
                    password_hash=self._hash,
                    is_active=True,
                    failed_logins=0,
                    locked_until=None,
                    totp_secret=None,
                    totp_confirmed_at=None,
                )
            )
        self.roamer.client = self.roamer.app.test_client()
        self.roamer.look("/console/login")
        entered = self.roamer.client.post(
            "/console/login",
            data={
                "username": self._username,
                "password": PASSWORD,
                "csrf_token": self.roamer.token,
            },
        )
        assert entered.status_code == 302, entered.get_data(as_text=True)
        self.roamer.look("/console/more")
        self.log_ins += 1

    def crawl(self, places: Mapping[str, str]) -> None:
        for rule in self.roamer.rules("console.", "GET"):
            if rule.endpoint not in ("console.log_in", "console.log_in_code"):
                check(self._target, self.roamer.look(address(rule, places)))


def fields_for(
    data: st.DataObject, offered: Mapping[str, list[str]], union: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    """Values for a form's fields: what its page offers, or anything; and fields of other forms."""
    filled: dict[str, list[str]] = {}
    for name, values in offered.items():
        choice = data.draw(st.integers(0, 5))
        if choice == 0:
            continue
        if choice <= 3 and values:
            filled[name] = [data.draw(st.sampled_from(values))]
        else:
            filled[name] = data.draw(st.lists(nasty | characters, min_size=1, max_size=2))
    for name in data.draw(st.lists(st.sampled_from(sorted(union)), max_size=3)):
        filled.setdefault(name, [data.draw(nasty)])
    return filled


KNOWN = {
    "code": ["CQ-13", "CQ-11", "cq-13", "CQ", "BZ-1"],
    "pack_id": ["P00-06", "P99-99"],
    "day": ["2026-12-01", "2026-02-30", "x"],
    "month": ["2026-10", "2026-13", "0000-01"],
    "kind": ["stations", "families", "x"],
    "suffix": ["csv", "xlsx", "exe"],
    "lesson_id": ["Q1-1", "x"],
    "_unknown": ["nothing", "../..", "%2e%2e"],
}


def place(data: st.DataObject, name: str) -> str:
    known = KNOWN.get(name, ["1", "2", "3", "7", "12", "999", "2147483647", "2147483648", "-1"])
    if data.draw(st.booleans()):
        return data.draw(st.sampled_from(known))
    return data.draw(nasty.filter(lambda text: text not in ("", " ")))


def first_place(name: str) -> str:
    return KNOWN.get(name, ["1"])[0]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_form_of_the_console(target: Target, request: pytest.FixtureRequest) -> None:
    desk = Desk(target, "district")
    desk.enter()
    roamer = desk.roamer
    rules = [
        rule
        for rule in (*roamer.rules("console.", "POST"), *roamer.rules("console.", "GET"))
        if rule.endpoint not in ("console.log_in", "console.log_in_code")
    ]
    desk.crawl({name: first_place(name) for name in places_of(rules)})
    union = roamer.all_fields()
    assert len(union) > 60, "or the crawl has lost the forms"
    statuses: dict[int, int] = {}

    @thorough(request)
    @given(data=st.data(), chance=st.randoms(use_true_random=True))
    def send(data: st.DataObject, chance: Random) -> None:
        rule = chance.choice(rules)  # evenly: a drawn number keeps to a few of them
        path = address(rule, {name: place(data, name) for name in rule.arguments})
        fields = fields_for(data, roamer.forms.get(rule.endpoint, {}), union)
        if "POST" in (rule.methods or ()) and data.draw(st.integers(0, 4)):
            body = {**fields, "csrf_token": [roamer.token]}
            response = roamer.client.post(path, data=body)
        else:
            response = roamer.client.get(path, query_string=fields)
        check(target, response)
        statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
        if response.headers.get("Location", "").startswith("/console/login"):
            desk.enter()

    send()
    check_stored(target)
    assert statuses.get(200, 0) >= sum(statuses.values()) / 20, "or next to nothing got through"
    assert desk.log_ins < sum(statuses.values()) / 4, "or most was sent by a stranger"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_form_of_the_family_pages(target: Target, request: pytest.FixtureRequest) -> None:
    app = target.client.application
    roamer = Roamer(app, app.test_client())
    enter = families(target, roamer)
    enter()
    rules = [*roamer.rules("family.", "POST"), *roamer.rules("family.", "GET")]
    for rule in roamer.rules("family.", "GET"):
        places = {name: first_place(name) for name in rule.arguments}
        check(target, roamer.look(address(rule, places)))
    enter()
    union = roamer.all_fields()
    assert len(union) > 12, "or the crawl has lost the forms"
    statuses: dict[int, int] = {}

    @thorough(request)
    @given(data=st.data(), chance=st.randoms(use_true_random=True))
    def send(data: st.DataObject, chance: Random) -> None:
        rule = chance.choice(rules)  # evenly: a drawn number keeps to a few of them
        path = address(rule, {name: place(data, name) for name in rule.arguments})
        fields = fields_for(data, roamer.forms.get(rule.endpoint, {}), union)
        if rule.endpoint in ("family.erase", "family.leave_family"):
            fields.pop("sure", None)  # there are not families without end
        if "POST" in (rule.methods or ()) and data.draw(st.integers(0, 4)):
            response = roamer.client.post(path, data={**fields, "csrf_token": [roamer.token]})
        else:
            response = roamer.client.get(path, query_string=fields)
        check(target, response)
        statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
        enter()

    send()
    check_stored(target)
    assert statuses.get(200, 0) >= sum(statuses.values()) / 20, "or next to nothing got through"


def families(target: Target, roamer: Roamer) -> Callable[[], None]:
    """Opens the pages as one family after the other: what a form does, it does to that one."""
    with target.services.database.reading() as db:
        people = list(
            db.execute(
                select(Caregiver.id, Caregiver.openid)
                .where(Caregiver.family_id.is_not(None), Caregiver.openid.is_not(None))
                .order_by(Caregiver.id)
            )
        )
    turns = iter(range(1_000_000))

    def enter() -> None:
        caregiver_id, openid = people[next(turns) % len(people)]
        assert openid is not None
        with target.services.database.transaction() as db:
            known = db.get_one(Caregiver, caregiver_id)
            made = log_ins.begin(db, known, way="pages", device=Device.ANDROID, now=clock.now())
        with roamer.client.session_transaction("/family/") as kept:
            kept[CAREGIVER], kept[MARK], kept[LOG_IN] = caregiver_id, mark_of(openid), made.id
        roamer.look("/family/leave-page-that-is-not")

    return enter


COLUMNS = {
    "stations": "code,name,kind,township,address,phone",
    "sessions": "code,title,kind,level,station,starts_at,ends_at,places,min_months,max_months,"
    "confirm_mode,opens_at,closes_at,cancel_until,waiting_list",
    "visitors": "code,name,phone,station,townships,weekdays,starts,ends,visit_minutes,"
    "buffer_minutes",
}


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """A kind, a name and a content: junk, a table with junk in it, a workbook with formulas."""
    kind = draw(st.sampled_from([*COLUMNS, "families", "attendance", "x"]))
    head = COLUMNS.get(kind, "a,b").split(",")
    rows = draw(st.lists(st.lists(nasty | characters, max_size=len(head) + 1), max_size=4))
    shape = draw(st.sampled_from(["bytes", "csv", "gb18030", "utf-16", "xlsx", "cut"]))
    if shape == "bytes":
        return (
            kind,
            draw(st.sampled_from(["a.csv", "a.xlsx", "../../a.csv", "a"])),
            draw(st.binary(max_size=400)),
        )
    if shape in ("xlsx", "cut"):
        book = Workbook()
        sheet = book.create_sheet(index=0)
        for row in [head, *rows]:
            sheet.append([_cell(one) for one in row])
        buffer = io.BytesIO()
        book.save(buffer)
        content = buffer.getvalue()
        return kind, "a.xlsx", content[: len(content) // 2] if shape == "cut" else content
    lines = [",".join(head), *(",".join(row) for row in rows)]
    encoding = "utf-8" if shape == "csv" else shape
    return kind, "a.csv", "\n".join(lines).encode(encoding, "replace")


def _cell(text: str) -> str:
    """What a workbook can hold: its library refuses control characters by itself."""
    return "".join(mark for mark in text if mark.isprintable())[:100]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_file_handed_in(target: Target, request: pytest.FixtureRequest) -> None:
    desk = Desk(target, "district")
    desk.enter()
    roamer = desk.roamer

    @thorough(request, 0.2)
    @given(handed=files(), takes=st.booleans())
    def send(handed: tuple[str, str, bytes], takes: bool) -> None:
        kind, name, content = handed
        response = roamer.client.post(
            "/console/files",
            data={
                "kind": kind,
                "csrf_token": roamer.token,
                "file": (io.BytesIO(content), name),
            },
        )
        check(target, response)
        location = response.headers.get("Location", "")
        if takes and location.startswith("/console/files/"):
            for act in ("take", "undo"):
                check(
                    target,
                    roamer.client.post(f"{location}/{act}", data={"csrf_token": roamer.token}),
                )

    send()
    check_stored(target)


def test_the_crawl_finds_the_fields_of_a_form() -> None:
    app = Flask("crawled")
    app.add_url_rule("/here", "here", lambda: "", methods=["GET", "POST"])
    roamer = Roamer(app, app.test_client())

    roamer._remember(
        "/here",
        '<form method="post"><input type="hidden" name="csrf_token" value="t&amp;k">'
        '<select name="kind"><option value="a">A</option><option value="b">B</option></select>'
        '<textarea name="words"></textarea></form>',
    )

    assert roamer.token == "t&k"
    assert roamer.forms == {"here": {"kind": ["a", "b"], "words": []}}
