"""The mini-service API: the same rules and sentences as the chat, once whatever happens."""

from collections.abc import Callable

import pytest
from flask import Flask

from app.dialogue.message import Kind
from app.wiring import Services
from content.packs import TOPICS
from sandbox.world import World
from scheduler import learn_people
from tests.api.conftest import BABA, MAMA, Caller, register
from tests.conversations.conftest import Person, Publisher
from tests.family.conftest import MovedClock

PROBLEM = "application/problem+json"


def test_without_a_token_nothing_is_told(app: Flask) -> None:
    caller = Caller(app.test_client())
    answer = caller.asks("GET", "/family")
    assert answer.status_code == 401
    assert answer.content_type == PROBLEM
    body = answer.get_json(force=True)
    assert body["code"] == "not_logged_in"
    assert "请先登录" in body["detail"]


@pytest.mark.parametrize("token", ["x", "WzEsIngiLDFd.abc", "é"])
def test_a_made_up_token_opens_nothing(app: Flask, token: str) -> None:
    client = app.test_client()
    answer = client.get("/api/v1/family", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_a_code_logs_in_once(app: Flask, world: World, log_in: Callable[[str], Caller]) -> None:
    caller = log_in(MAMA)
    assert caller.gets("/family")["is_registered"] is False
    assert caller.posts("/log-in", {"code": "made-up"}, 401)["code"] == "code_spent"


def test_a_token_ends_after_a_week(mama: Caller, clock: MovedClock) -> None:
    clock.moves(days=7)
    assert mama.gets("/family", 401)["code"] == "not_logged_in"


def test_one_device_is_logged_out_and_the_other_goes_on(
    mama: Caller, log_in: Callable[[str], Caller]
) -> None:
    lost = log_in(MAMA)
    found = lost.gets("/log-ins")["items"]
    assert [one["is_this"] for one in found] == [True, False]
    assert found[0]["way"] == "app"
    mama.deletes(f"/log-ins/{found[0]['id']}")
    assert lost.gets("/family", 401)["code"] == "not_logged_in"
    mama.gets("/family")
    assert mama.deletes(f"/log-ins/{found[0]['id']}", 404)["code"] == "log_in_unknown"
    mama.deletes(f"/log-ins/{found[1]['id']}")
    mama.gets("/family", 401)


def test_nobody_logs_somebody_else_out(mama: Caller, log_in: Callable[[str], Caller]) -> None:
    baba = log_in(BABA)
    theirs = baba.gets("/log-ins")["items"][0]["id"]
    mama.deletes(f"/log-ins/{theirs}", 404)
    baba.gets("/log-ins")


def test_a_child_is_registered_with_a_consent(mama: Caller) -> None:
    family = mama.gets("/family")
    assert [child["nickname"] for child in family["children"]] == ["糖糖"]
    assert family["township"] == "城桥镇"
    consent = mama.gets("/family/consents")["items"][0]
    assert consent["child"] == "糖糖"
    assert consent["is_own"] is True


def test_an_old_notice_is_no_consent(log_in: Callable[[str], Caller]) -> None:
    caller = log_in(MAMA)
    body = {"nickname": "糖糖", "birth_date": "2026-05-01", "township": "城桥镇"}
    answer = caller.posts("/family/children", {**body, "consent_version": "2020-01"}, 409)
    assert answer["code"] == "consent_outdated"
    assert caller.posts("/family/children", body, 422)["facts"]["fields"] == ["consent_version"]


def test_a_sign_up_again_with_its_key_is_the_same_answer(mama: Caller, publish: Publisher) -> None:
    publish("CQ-1", places=3)
    child = mama.gets("/family")["children"][0]["id"]
    body = {"children": [child]}
    first = mama.asks("POST", "/sessions/CQ-1/sign-ups", body, Idempotency_Key="wish-0001")
    again = mama.asks("POST", "/sessions/CQ-1/sign-ups", body, Idempotency_Key="wish-0001")
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert again.headers["Idempotency-Replayed"] == "true"
    other = mama.posts(
        "/sessions/CQ-1/sign-ups", {"children": [child, child]}, 422, Idempotency_Key="wish-0001"
    )
    assert other["code"] == "key_reused"
    fresh = mama.posts("/sessions/CQ-1/sign-ups", body, 409)
    assert fresh["code"] == "already_signed_up"
    assert fresh["facts"]["nickname"] == "糖糖"
    assert mama.gets("/sessions/CQ-1")["places_left"] == 2


def test_a_refusal_keeps_no_key(mama: Caller, publish: Publisher) -> None:
    publish("CQ-1", opens_days=1)
    child = mama.gets("/family")["children"][0]["id"]
    body = {"children": [child]}
    refused = mama.posts("/sessions/CQ-1/sign-ups", body, 409, Idempotency_Key="wish-0001")
    assert refused["code"] == "sign_up_not_open_yet"
    assert "尚未开放" in refused["detail"]
    publish("CQ-1", opens_days=-1)
    mama.posts("/sessions/CQ-1/sign-ups", body, 201, Idempotency_Key="wish-0001")


def test_without_a_key_nothing_is_booked(mama: Caller, publish: Publisher) -> None:
    publish("CQ-1")
    answer = mama.posts("/sessions/CQ-1/sign-ups", {"children": [1]}, 422, Idempotency_Key="")
    assert answer["facts"]["fields"] == ["Idempotency-Key"]
    assert mama.gets("/sign-ups")["items"] == []


def test_the_waiting_list_goes_its_whole_way(
    mama: Caller, publish: Publisher, person: Callable[[str], Person]
) -> None:
    publish("CQ-1", places=1, waiting_list="first_come")
    other = person("o-other")
    other.follows()
    other.says("登记 果果 2026-04-10 男 堡镇")
    other.says("同意")
    other.says("报名 CQ-1")
    child = mama.gets("/family")["children"][0]["id"]
    made = mama.posts("/sessions/CQ-1/sign-ups", {"children": [child]})
    assert (made["items"][0]["state"], made["items"][0]["position"]) == ("waitlisted", 1)
    other.says("取消 CQ-1")
    assert mama.gets("/sign-ups")["items"][0]["state"] == "offered"
    taken = mama.posts("/sessions/CQ-1/offer", {"answer": "accept"}, 200)
    assert taken["items"][0]["state"] == "confirmed"
    assert "名额已取消" in mama.deletes("/sessions/CQ-1/sign-ups")["message"]
    assert mama.deletes("/sessions/CQ-1/sign-ups", 404)["code"] == "sign_up_unknown"


def test_a_booking_says_whether_it_may_be_given_back(
    mama: Caller, publish: Publisher, clock: MovedClock
) -> None:
    publish("CQ-1", days=2)
    child = mama.gets("/family")["children"][0]["id"]
    made = mama.posts("/sessions/CQ-1/sign-ups", {"children": [child]})["items"][0]
    assert (made["child_id"], made["can_cancel"]) == (child, True)
    clock.moves(hours=40)
    assert mama.gets("/sign-ups")["items"][0]["can_cancel"] is False
    assert mama.deletes("/sessions/CQ-1/sign-ups", 409)["code"] == "too_late_to_cancel"


def test_a_list_comes_in_pages_and_unchanged_it_is_not_sent_again(
    mama: Caller, publish: Publisher
) -> None:
    for number in range(1, 6):
        publish(f"CQ-{number}", days=number + 1)
    first = mama.gets("/sessions?page_size=2")
    assert (len(first["items"]), first["total"]) == (2, 5)
    assert first["kinds"] == ["站点指导活动"]
    last = mama.gets("/sessions?page_size=2&page=3")
    assert [one["code"] for one in last["items"]] == ["CQ-5"]
    answer = mama.asks("GET", "/sessions")
    etag = answer.headers["ETag"]
    same = mama.asks("GET", "/sessions", If_None_Match=etag)
    assert (same.status_code, same.data) == (304, b"")
    child = mama.gets("/family")["children"][0]["id"]
    mama.posts("/sessions/CQ-1/sign-ups", {"children": [child]})
    assert mama.asks("GET", "/sessions", If_None_Match=etag).status_code == 200


def test_the_year_is_planned_swapped_and_agreed_to(mama: Caller, publish: Publisher) -> None:
    publish("CQ-1", days=5)
    publish("CQ-2", days=5, title="同一天的")
    plan = mama.gets("/year-plan")
    (proposed,) = plan["proposed"]
    swapped = mama.gets(f"/year-plan/swap?child={plan['child']}&instead_of={proposed['id']}")
    other = swapped["proposed"]
    assert other["id"] != proposed["id"]
    agreed = mama.posts("/year-plan", {"child": plan["child"], "sessions": [other["id"]]})
    assert (agreed["arranged"], agreed["has_plan"]) == (1, True)
    lost = mama.posts("/year-plan", {"child": plan["child"], "sessions": [other["id"]]}, 409)
    assert lost["code"] == "plan_lost"
    assert "直接报上" in mama.puts("/year-plan/taking", {"takes": True})["message"]
    assert mama.gets("/year-plan")["takes"] is True
    assert "先问您" in mama.puts("/year-plan/taking", {"takes": False})["message"]
    assert "停了" in mama.deletes("/year-plan")["message"]
    assert mama.puts("/year-plan/taking", {"takes": True}, 409)["code"] == "no_plan"


def test_the_family_is_changed_and_joined(mama: Caller, log_in: Callable[[str], Caller]) -> None:
    changed = mama.patches(
        "/family",
        {"township": "堡镇", "need": True, "relation": "mother", "pushes": "paused", "per_week": 1},
    )
    assert (changed["township"], changed["need"]) == ("堡镇", True)
    assert changed["pushes"] == {
        "state": "paused",
        "paused_until": None,
        "per_week": 1,
        "topics": list(TOPICS),
        "muted_topics": [],
        "quiet_from": 21,
        "quiet_until": 8,
    }
    night = mama.patches("/family", {"quiet_from": 19})["pushes"]
    assert (night["quiet_from"], night["quiet_until"]) == (19, 8)
    mama.patches("/family", {"quiet_until": 13}, 422)
    assert mama.patches("/family", {"muted_topics": ["亲子阅读"]})["pushes"]["muted_topics"]
    mama.patches("/family", {"muted_topics": ["不存在"]}, 422)
    code = mama.posts("/family/invitations")["code"]
    baba = log_in(BABA)
    joined = baba.posts("/family/members", {"code": code})
    assert [child["nickname"] for child in joined["children"]] == ["糖糖"]
    assert joined["is_guardian"] is False
    assert baba.deletes("/family?sure=true", 403)["code"] == "not_guardian"
    me = next(each for each in mama.gets("/family")["caregivers"] if not each["is_me"])
    assert "移出" in mama.deletes(f"/family/members/{me['id']}")["message"]
    assert baba.gets("/family")["is_registered"] is False


def test_a_child_is_corrected_and_forgotten(mama: Caller) -> None:
    child = mama.gets("/family")["children"][0]["id"]
    changed = mama.patches(f"/family/children/{child}", {"nickname": "糖宝"})
    assert changed["children"][0]["nickname"] == "糖宝"
    wrong = mama.patches(f"/family/children/{child}", {"birth_date": "2030-01-01"}, 422)
    assert wrong["code"] == "born_in_future"
    held = mama.gets("/family/holdings")
    assert {"children", "consents", "caregivers"} <= {table["name"] for table in held["tables"]}
    in_words = [
        fact["value"] for table in held["readable"] for row in table["rows"] for fact in row
    ]
    assert "糖宝" in in_words
    assert mama.deletes(f"/family/children/{child}/consent", 409)["code"] == "not_sure"
    assert "已撤回" in mama.deletes(f"/family/children/{child}/consent?sure=true")["message"]
    assert mama.gets("/family")["is_registered"] is False


def test_erasing_ends_the_token(mama: Caller) -> None:
    assert "已注销" in mama.deletes("/family?sure=true")["message"]
    mama.gets("/family", 401)


def test_the_course_is_learned_by_the_app(mama: Caller) -> None:
    assert mama.gets("/course")["is_enrolled"] is False
    first = mama.posts("/course/enrolment")["next"]
    lesson = mama.gets(f"/course/lessons/{first}")
    assert "answer" not in lesson["quiz"][0]
    wrong = {"quiz_key": "0" * 16, "answers": ["A"] * len(lesson["quiz"])}
    assert mama.posts(f"/course/lessons/{first}/answers", wrong, 409)["code"] == "quiz_changed"
    marks = [
        mama.posts(
            f"/course/lessons/{first}/answers",
            {"quiz_key": lesson["quiz_key"], "answers": [letter] * len(lesson["quiz"])},
            200,
        )["correct"]
        for letter in "ABC"
    ]
    assert sum(marks) == len(lesson["quiz"])
    assert mama.posts("/course/practice", {"note": "抱了抱"})["module"] == 1
    assert mama.gets("/course")["practised"] == [1]
    assert "停" in mama.deletes("/course/enrolment")["message"]
    assert mama.deletes("/course/enrolment", 409)["code"] == "not_enrolled"
    assert mama.posts("/course/enrolment")["passed"] == []


def finish_course(caller: Caller, services: Services) -> str:
    """The number of the certificate that the last step earned."""
    caller.posts("/course/enrolment")
    code = None
    for lesson in services.library.course.lessons:
        given = {"quiz_key": lesson.quiz_key, "answers": list(lesson.right)}
        code = caller.posts(f"/course/lessons/{lesson.id}/answers", given, 200)["certificate"]
        practised = caller.posts("/course/practice", {"module": lesson.module})
        code = practised["certificate"] or code
    assert code is not None
    return str(code)


def test_the_certificate_is_named_once_shown_and_kept_as_a_picture(
    mama: Caller, services: Services, log_in: Callable[[str], Caller]
) -> None:
    modules = mama.gets("/course/lessons")["items"]
    assert sum(len(one["lessons"]) for one in modules) == mama.gets("/course")["lessons"]
    assert mama.gets("/course/certificate", 409)["code"] == "not_enrolled"
    code = finish_course(mama, services)
    shown = mama.gets("/course/certificate")
    assert (shown["code"], shown["name"], shown["may_set_name"]) == (code, None, True)
    assert shown["check_url"].endswith(f"/certificates/{code}")
    mama.posts("/course/certificate/name", {"name": "<b>王"}, 422)
    named = mama.posts("/course/certificate/name", {"name": "王秀英"}, 200)
    assert (named["name"], named["may_set_name"]) == ("王秀英", False)
    kept = mama.posts("/course/certificate/name", {"name": "李四"}, 200)
    assert kept["name"] == "王秀英"
    assert "王秀英" in kept["message"]
    picture = mama.asks("GET", "/course/certificate/picture")
    assert picture.content_type == "image/png"
    assert picture.data.startswith(b"\x89PNG")
    baba = log_in(BABA)
    register(baba, "果果")
    baba.posts("/course/enrolment")
    assert baba.gets("/course/certificate", 404)["code"] == "no_certificate"


def test_what_was_measured_is_kept_once_and_placed(mama: Caller) -> None:
    child = mama.gets("/family")["children"][0]["id"]
    mama.patches(f"/family/children/{child}", {"sex": "girl"})
    body = {"child": child, "measured_on": "2026-11-01", "weight_grams": 7300}
    first = mama.asks("POST", "/growth", body, Idempotency_Key="weighed-1")
    again = mama.asks("POST", "/growth", body, Idempotency_Key="weighed-1")
    assert (first.status_code, first.data) == (201, again.data)
    made = mama.posts("/growth", {**body, "weight_grams": None, "length_millimetres": 660})
    (point,) = made["items"]
    assert (point["weight_grams"], point["length_millimetres"]) == (7300, 660)
    assert point["age_months"] == 6
    assert {one["indicator"] for one in point["placed"]} >= {"weight_for_age"}
    assert all(0 <= one["level"] <= 4 for one in point["placed"])
    assert mama.gets(f"/growth?child={child}") == made


@pytest.mark.parametrize(
    "given, code",
    [
        ({}, "nothing_measured"),
        ({"weight_grams": 7}, "invalid"),
        ({"weight_grams": 7300, "measured_on": "2026-04-30"}, "day_out_of_range"),
        ({"weight_grams": 7300, "measured_on": "2027-01-01"}, "day_out_of_range"),
    ],
)
def test_measures_that_cannot_be_are_refused(
    mama: Caller, given: dict[str, object], code: str
) -> None:
    child = mama.gets("/family")["children"][0]["id"]
    assert mama.posts("/growth", {"child": child, **given}, 422)["code"] == code
    assert mama.gets(f"/growth?child={child}")["items"] == []


def test_a_visit_without_visitors_waits_for_a_person(mama: Caller) -> None:
    assert mama.gets("/visit", 404)["code"] == "no_visit"
    assert mama.gets("/visit/times")["items"] == []
    made = mama.posts("/visit", {"day": "2026-11-26", "half": "morning"})
    assert (made["state"], made["child"], made["visitor"]) == ("requested", "糖糖", None)
    again = mama.posts("/visit", {"day": "2026-11-26"}, 409)
    assert again["code"] == "visit_already_open"
    assert "取消" in mama.deletes("/visit")["message"]
    assert mama.deletes("/visit", 404)["code"] == "visit_unknown"


def test_one_person_in_account_and_app_is_one(
    person: Callable[[str], Person],
    world: World,
    services: Services,
    clock: MovedClock,
    log_in: Callable[[str], Caller],
) -> None:
    world.get_person(MAMA).following = True
    mother = person(MAMA)
    mother.follows()
    mother.says("登记 糖糖 2026-05-01 女 城桥镇")
    mother.says("同意")
    assert learn_people.run(services, clock()) == "learnt 1"
    assert learn_people.run(services, clock()) == "learnt 0"
    assert [child["nickname"] for child in log_in(MAMA).gets("/family")["children"]] == ["糖糖"]


def test_who_came_by_the_app_first_is_joined_later(
    mama: Caller,
    person: Callable[[str], Person],
    world: World,
    services: Services,
    clock: MovedClock,
    log_in: Callable[[str], Caller],
) -> None:
    world.get_person(MAMA).following = True
    mother = person(MAMA)
    mother.follows()
    assert "没有存" in mother.says("我的信息")
    learn_people.run(services, clock())
    assert "糖糖" in mother.says("我的信息")
    assert "确认注销" in mother.says("注销"), "whoever agreed in the app is the guardian here"
    mama.gets("/family", 401)
    assert log_in(MAMA).gets("/family")["is_guardian"] is True


def test_leaving_the_account_unlinks_the_person(
    person: Callable[[str], Person], world: World, services: Services, clock: MovedClock
) -> None:
    world.get_person(MAMA).following = True
    mother = person(MAMA)
    mother.follows()
    learn_people.run(services, clock())
    mother.sends(Kind.UNSUBSCRIBE)
    assert learn_people.run(services, clock()) == "learnt 0"


def test_another_familys_numbers_lead_nowhere(
    mama: Caller, log_in: Callable[[str], Caller], publish: Publisher
) -> None:
    publish("CQ-1")
    baba = log_in(BABA)
    register(baba, "果果")
    theirs = mama.gets("/family")
    child = theirs["children"][0]["id"]
    caregiver = theirs["caregivers"][0]["id"]
    mama.posts("/sessions/CQ-1/sign-ups", {"children": [child]})
    answers = [
        baba.patches(f"/family/children/{child}", {"nickname": "偷来"}, 404),
        baba.deletes(f"/family/children/{child}/consent?sure=true", 404),
        baba.deletes(f"/family/members/{caregiver}", 404),
        baba.deletes("/sessions/CQ-1/sign-ups", 404),
        baba.deletes(f"/sessions/CQ-1/sign-ups?child={child}", 404),
        baba.posts("/sessions/CQ-1/sign-ups", {"children": [child]}, 404),
        baba.posts("/year-plan", {"child": child, "sessions": []}, 404),
        baba.gets(f"/year-plan?child={child}", 404),
        baba.gets(f"/year-plan/swap?child={child}&instead_of=1", 404),
        baba.gets(f"/packs?child={child}", 404),
        baba.gets(f"/growth?child={child}", 404),
        baba.posts("/growth", {"child": child, "weight_grams": 7300}, 404),
        baba.gets("/sessions/CQ-1"),
        baba.gets("/sign-ups"),
        baba.gets("/family"),
        baba.gets("/family/consents"),
        baba.gets("/family/holdings"),
    ]
    assert "糖糖" not in str(answers)
    assert mama.gets("/sign-ups")["items"][0]["child"] == "糖糖"


def test_too_many_calls_are_slowed_down(mama: Caller) -> None:
    statuses = [mama.asks("GET", "/family").status_code for _ in range(125)]
    assert statuses[-1] == 429
    answer = mama.asks("GET", "/family")
    assert answer.content_type == PROBLEM
    assert "一分钟" in answer.get_json(force=True)["detail"]


@pytest.mark.parametrize(
    "body, status",
    [(b"{", 400), (b"[]", 422), (b'{"code": 1}', 422), (b'{"code": "a\\u0000"}', 422), (b"", 400)],
)
def test_nonsense_gets_a_problem(app: Flask, body: bytes, status: int) -> None:
    answer = app.test_client().post("/api/v1/log-in", data=body, content_type="application/json")
    assert answer.status_code in (status, 422)
    assert answer.content_type == PROBLEM


def test_unknown_addresses_and_methods_are_problems_too(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/api/v1/nothing").content_type == PROBLEM
    answer = client.put("/api/v1/family")
    assert (answer.status_code, answer.content_type) == (405, PROBLEM)
    assert "GET" in answer.headers["Allow"]


def test_the_description_is_there_for_machines_and_for_people(app: Flask) -> None:
    client = app.test_client()
    spec = client.get("/api/openapi.json").get_json()
    assert spec["openapi"].startswith("3.")
    assert "/api/v1/sessions/{code}/sign-ups" in spec["paths"]
    page = client.get("/api/")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "POST /api/v1/log-in" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text
