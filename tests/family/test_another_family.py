"""Every page and every operation of the API, as one family with another's identifiers."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr
from werkzeug.routing import Rule

from app.config import Settings
from app.factory import Application
from app.models import Caregiver
from app.services.registration import find_caregiver
from app.wiring import Services
from tests.conversations.conftest import Person, Publisher
from tests.family.conftest import Phone
from tests.guarded import missing_guards

THEIRS = ("果果", "o-other-mother", "北门路9号")
PASSING = frozenset(
    {"family.static", "family.enter", "family.back", "family.leave", "family.nothing"}
)
OWN = frozenset({"family.erase", "family.leave_family", "family.withdraw"})
"""Would do what they say to the walker's own family, and end the walk."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"wechat_mini_app_id": "wx-mini", "wechat_mini_app_secret": SecretStr("s" * 32)}
    )


@pytest.fixture
def other(person: Callable[[str], Person], publish: Publisher) -> Person:
    """Another family, with a booking, a visit asked for, and an address."""
    publish("CQ-1")
    mother = person("o-other-mother")
    mother.follows()
    mother.says("登记 果果 2026-04-10 男 城桥镇")
    mother.says("同意")
    mother.says("报名 CQ-1")
    mother.says("上门 2026-11-26 上午")
    mother.says("城桥镇北门路9号 13800000000")
    return mother


@pytest.fixture
def mine(other: Person, person: Callable[[str], Person]) -> Person:
    """The walker's family, registered after the other: its numbers are the higher ones."""
    mother = person("o-mother")
    mother.follows()
    mother.says("登记 糖糖 2026-05-01 女 城桥镇")
    mother.says("同意")
    return mother


def theirs(rule: Rule) -> dict[str, Any]:
    """The other family's identifiers for a rule's places."""
    known = {"code": "CQ-1", "child_id": 1, "other_id": 1, "caregiver_id": 1, "log_in_id": 2}
    return {name: known.get(name, 1) for name in rule.arguments}


FORM = {
    "child": "果果",
    "sure": "yes",
    "shown": "1",
    "nickname": "偷来",
    "answer": "accept",
    "township": "堡镇",
}


def test_no_page_shows_or_changes_anything_of_another_family(
    app: Flask, mine: Person, other: Person, open_as: Callable[[str], Phone]
) -> None:
    walker, owner = open_as(mine.openid), open_as(other.openid)
    before = [owner.opens(path) for path in ("bookings", "me/consents", "me/data")]
    assert all(word in before[2] for word in THEIRS), "or the walk would find nothing to find"
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("family.")]
    walked = 0
    token = walker.token()
    with app.test_request_context():
        addresses = [
            (rule, app.url_map.bind("localhost").build(rule.endpoint, theirs(rule)))
            for rule in rules
            if rule.endpoint not in PASSING
        ]
    for rule, address in addresses:
        methods = rule.methods or set()
        if "GET" in methods:
            answer = walker.client.get(address, follow_redirects=True)
            assert answer.status_code < 500, address
            assert missing_guards(answer) == [], address
            said = answer.get_data(as_text=True)
            assert not any(word in said for word in THEIRS), address
            walked += 1
        if "POST" in methods and (rule.endpoint not in OWN or rule.arguments):
            answer = walker.client.post(
                address, data={**FORM, "csrf_token": token}, follow_redirects=True
            )
            assert answer.status_code < 500, address
            said = answer.get_data(as_text=True).replace("没有叫「果果」的宝宝", "")
            assert not any(word in said for word in THEIRS), address
            walked += 1
    assert walked > 25
    after = [owner.opens(path) for path in ("bookings", "me/consents", "me/data")]
    assert strip(after) == strip(before)


def strip(pages: list[str]) -> list[str]:
    """Without the form tokens, which are new each time, and the signed links."""
    lines = [page.split("<main", 1)[1].split("</main>")[0].splitlines() for page in pages]
    return [
        "\n".join(line for line in each if "csrf_token" not in line and "key=" not in line)
        for each in lines
    ]


def test_no_operation_shows_or_changes_anything_of_another_family(
    app: Flask, services: Services, mine: Person, other: Person, open_as: Callable[[str], Phone]
) -> None:
    assert isinstance(app, Application)
    owner = open_as(other.openid)
    before = [owner.opens(path) for path in ("bookings", "me/consents", "me/data")]
    with services.database.transaction() as db:
        caregiver = find_caregiver(db, mine.openid)
        assert caregiver is not None
        caregiver.mini_openid = "oMini-mine"
        caregiver_id = caregiver.id
    token = token_for(app, caregiver_id)
    spec = app.test_client().get("/api/openapi.json").get_json()
    walked = 0
    for path, operations in spec["paths"].items():
        for method in operations:
            if (method, path) in ENDING:
                continue
            has_body = method in ("post", "put", "patch")
            for body in BODIES if has_body else BODIES[:1]:
                address = path
                for name, value in IDS.items():
                    address = address.replace("{" + name + "}", str(value))
                query = {"child": 1, "instead_of": 1, "sure": "true"} if method != "post" else {}
                answer = app.test_client().open(
                    address,
                    method=method.upper(),
                    query_string=query,
                    json=body if has_body else None,
                    headers={
                        "Authorization": f"Bearer {token}",
                        "Idempotency-Key": f"walk-{walked:05d}",
                    },
                )
                assert answer.status_code < 500 or answer.status_code == 503, address
                said = answer.get_data(as_text=True)
                assert not any(word in said for word in THEIRS), (method, address, said)
                walked += 1
    assert walked > 60
    after = [owner.opens(path) for path in ("bookings", "me/consents", "me/data")]
    assert strip(after) == strip(before)


IDS = {
    "code": "CQ-1",
    "child_id": 1,
    "caregiver_id": 1,
    "pack_id": "P01-01",
    "lesson_id": "x",
    "log_in_id": 1,
}
BODIES: tuple[dict[str, Any], ...] = (
    {},
    {"children": [1]},
    {"child": 1, "sessions": [1]},
    {"nickname": "偷来"},
    {"answer": "accept"},
    {"birth_date": "2026-04-11", "weight_grams": 3000},
    {"category": "偷来", "child": 1},
    {"address": "偷来路1号"},
    {"rating": "bad", "words": "偷来"},
)
ENDING = frozenset({("delete", "/api/v1/family"), ("post", "/api/v1/log-in")})


def token_for(app: Application, caregiver_id: int) -> str:
    """A token as the log-in would give it."""
    from app.api.signed_in import make_token
    from app.clock import now

    services: Services = app.extensions["yuban"]
    with app.api.test_request_context(), services.database.transaction() as db:
        token, _ = make_token(db, db.get_one(Caregiver, caregiver_id), now())
    return token
