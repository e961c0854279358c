"""`roster`, `attend` and `family show` on the demo data."""

import pytest
from sqlalchemy import select

from app.models import Staff
from app.services import decisions, pending_requests, registration, subscriptions
from app.wiring import Services
from tests.cli.running import Run

pytestmark = pytest.mark.usefixtures("demo")


def test_a_roster_holds_what_scripts_read(run: Run) -> None:
    roster = run("roster", "cq-14").json

    assert roster["session"] == "CQ-14"
    assert (roster["places"], roster["taken"]) == (2, 2)
    assert [(row["child"], row["openid"], row["state"]) for row in roster["signups"]] == [
        ("果果", "demo-family-1", "confirmed"),
        ("乐乐", "demo-family-2", "confirmed"),
    ]
    for row in roster["signups"]:
        assert (row["position"], row["offer_expires_at"]) == (None, None)
        assert row["signed_up_at"].endswith("+08:00")
    first, second = roster["signups"]
    assert first["family"] == run("family", "show", "demo-family-1").json["family"]
    assert first["family"] != second["family"]


def test_people_read_a_roster_too(run: Run) -> None:
    lines = run("roster", "CQ-14", as_json=False).out.splitlines()

    assert lines[0].endswith("2/2 taken")
    assert lines[1].startswith("confirmed  果果  demo-family-1  ")
    assert run("roster", "XH-11", as_json=False).out.endswith("nobody has signed up yet\n")


def test_an_attendance_is_entered_and_taken_back(run: Run) -> None:
    assert run("attend", "CQ-14", "demo-family-1").json == {
        "session": "CQ-14",
        "child": "果果",
        "state": "attended",
        "is_walk_in": False,
    }
    assert run("attend", "CQ-14", "demo-family-1").json["state"] == "attended"
    assert run("family", "show", "demo-family-1").json["year"]["attended"] == 2
    assert run("attend", "cq-14", "demo-family-1", "--undo").json["state"] == "confirmed"
    assert run("family", "show", "demo-family-1").json["year"]["attended"] == 1
    assert run("doctor").json["ok"] is True


def test_a_walk_in_takes_no_place_of_a_full_session(run: Run) -> None:
    done = run("attend", "CQ-14", "demo-family-3")

    assert done.json["is_walk_in"] is True
    assert run("roster", "CQ-14").json["taken"] == 2
    assert run("attend", "CQ-14", "demo-family-3", "--undo").json["state"] == "cancelled"
    assert run("attend", "CQ-14", "demo-family-3", "--undo").error == "sign_up_unknown"
    assert run("doctor").json["ok"] is True


def test_of_several_children_the_one_who_signed_up_is_meant_or_the_one_named(run: Run) -> None:
    assert run("attend", "BZ-11", "demo-family-4").json["child"] == "安安"
    assert run("attend", "BZ-13", "demo-family-4").json["child"] == "宁宁"
    assert run("attend", "CQ-01", "demo-family-4").error == "child_unclear"
    assert run("attend", "CQ-01", "demo-family-4", "--child", "宁宁").json["is_walk_in"] is True
    assert run("attend", "CQ-01", "demo-family-4", "--child", "小王").error == "child_unknown"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_entered_is_refused(run: Run, services: Services) -> None:
    with services.database.transaction() as db:
        registration.follow(db, "curious", db.scalars(select(Staff.created_at).limit(1)).one())

    assert run("attend", "NOWHERE", "demo-family-1").error == "session_unknown"
    assert run("attend", "CQ-14", "nobody").error == "caregiver_unknown"
    assert run("attend", "CQ-14", "curious").error == "not_registered"


def test_a_family_is_shown_whole(run: Run) -> None:
    shown = run("family", "show", "demo-family-4").json

    assert (shown["township"], shown["station"], shown["need"]) == ("堡镇", "BZ", True)
    assert [one["openid"] for one in shown["caregivers"]] == ["demo-family-4"]
    assert [child["nickname"] for child in shown["children"]] == ["安安", "宁宁"]
    assert [child["age_months"] for child in shown["children"]] == [7, 28]
    assert [consent["child"] for consent in shown["consents"]] == ["安安", "宁宁"]
    year = shown["year"]
    assert (year["attended"], year["target"]) == (0, 6)
    states = {row["session"]: (row["child"], row["state"]) for row in shown["signups"]}
    assert states == {
        "BZ-11": ("安安", "requested"),
        "BZ-12": ("安安", "confirmed"),
        "BZ-13": ("宁宁", "confirmed"),
    }
    assert (shown["visits"], shown["pushes"]) == ([], [])
    assert shown["course"] == {
        "module": None,
        "lessons_passed": 0,
        "completed": False,
        "certificate": None,
    }


def test_what_a_caregiver_allowed_is_shown_with_the_family(run: Run, services: Services) -> None:
    with services.database.transaction() as db:
        at = db.scalars(select(Staff.created_at).limit(1)).one()
        yes = [subscriptions.Answer("T1", "accept")]
        subscriptions.note_popup(db, "demo-family-4", yes, at)

    (row,) = run("family", "show", "demo-family-4").json["subscriptions"]

    assert (row["openid"], row["template"]) == ("demo-family-4", "T1")
    assert (row["sends_left"], row["lasting"], row["refused_at"]) == (1, False, None)


def test_an_expected_child_has_no_age_yet(run: Run) -> None:
    (child,) = run("family", "show", "demo-family-6").json["children"]

    assert child["birth_date"] is None
    assert child["due_date"]
    assert child["age_months"] is None


def test_who_only_follows_is_shown_without_a_family(run: Run, services: Services) -> None:
    with services.database.transaction() as db:
        registration.follow(db, "curious", db.scalars(select(Staff.created_at).limit(1)).one())

    shown = run("family", "show", "curious").json

    assert shown["family"] is None
    assert [one["openid"] for one in shown["caregivers"]] == ["curious"]
    assert (shown["children"], shown["signups"], shown["consents"]) == ([], [], [])
    assert shown["year"]["attended"] == 0


def test_people_read_a_family_too(run: Run) -> None:
    out = run("family", "show", "demo-family-1", as_json=False).out

    assert "child  果果" in out
    assert "1/6 attended" in out


def test_a_decision_shows_in_notices_as_it_will_be_said(run: Run, services: Services) -> None:
    # The demo's home visit was confirmed and is told, too.
    before = [notice["id"] for notice in run("notices", "list").json]
    with services.database.transaction() as db:
        teacher = db.scalars(select(Staff).where(Staff.username == "chengqiao")).one()
        request = next(one for one in pending_requests.pending(db, teacher) if one.code == "CQ-11")
        decisions.confirm(db, sign_up_id=request.sign_up_id, staff=teacher, now=teacher.created_at)

    (notice,) = (one for one in run("notices", "list").json if one["id"] not in before)

    assert (notice["openid"], notice["kind"]) == ("demo-family-1", "sign_up_confirmed")
    assert notice["subject"] == f"sign_up:{request.sign_up_id}"
    assert "果果" in notice["text"]
    assert (notice["state"], notice["reason"], notice["channel"]) == ("queued", None, None)
    assert notice["queued_at"].endswith("+08:00")
    assert notice["sent_at"] is None
    assert notice in run("notices", "list", "--state", "queued").json
    assert run("notices", "list", "--state", "sent").json == []
    assert run("notices", "list", "--state", "sent", as_json=False).out == "no notices\n"
    assert "sign_up_confirmed" in run("notices", "list", as_json=False).out
