"""QR codes, followers, and the codes of the web authorisation."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from sandbox import credentials
from tests.sandbox.playing import BABA, MAMA, Handle, Service

QRCODE = "/cgi-bin/qrcode/create"
AUTHORIZE = "/connect/oauth2/authorize"
BACK = "http://127.0.0.1:8000/family/plan?year=2026"


def permanent(scene: str) -> dict[str, Any]:
    return {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": scene}}}


def authorize(sandbox: Handle, **more: str) -> Any:
    query = {
        "appid": credentials.APP_ID,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s1",
        **more,
    }
    return sandbox.client.get(AUTHORIZE, query_string=query)


def code_of(sandbox: Handle, **more: str) -> str:
    location = authorize(sandbox, **more).headers["Location"]
    code: str = parse_qs(urlsplit(location).query)["code"][0]
    return code


def spend(sandbox: Handle, code: str, **more: str) -> Any:
    query = {
        "appid": credentials.APP_ID,
        "secret": credentials.APP_SECRET,
        "code": code,
        "grant_type": "authorization_code",
        **more,
    }
    return sandbox.client.get("/sns/oauth2/access_token", query_string=query).get_json()


def test_a_code_scanned_by_a_stranger_follows_with_its_scene(
    sandbox: Handle, service: Service
) -> None:
    ticket = sandbox.call(QRCODE, permanent("station:CQ"))["ticket"]
    sandbox.act(MAMA, "scan", scene="station:CQ")
    xml = ElementTree.fromstring(service.received[0].xml)
    told = (xml.findtext("Event"), xml.findtext("EventKey"), xml.findtext("Ticket"))
    assert told == ("subscribe", "qrscene_station:CQ", ticket)
    info = sandbox.call("/cgi-bin/user/info", openid=MAMA)
    assert (info["subscribe"], info["qr_scene_str"], info["nickname"]) == (1, "station:CQ", "")


def test_a_code_scanned_by_a_follower_is_a_scan(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, "scan", scene="check-in:7")
    xml = ElementTree.fromstring(service.received[1].xml)
    assert (xml.findtext("Event"), xml.findtext("EventKey")) == ("SCAN", "check-in:7")


def test_a_temporary_code_runs_out(sandbox: Handle) -> None:
    temporary = {
        "action_name": "QR_STR_SCENE",
        "action_info": {"scene": {"scene_str": "today"}},
        "expire_seconds": 600,
    }
    assert sandbox.call(QRCODE, temporary)["expire_seconds"] == 600
    sandbox.act(MAMA, "follow")
    sandbox.shift(599)
    assert "error" not in sandbox.act(MAMA, "scan", scene="today")
    sandbox.shift(1)
    assert sandbox.act(MAMA, "scan", scene="today") == {"error": "this code has run out"}


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"action_name": "QR_WISH"}, 40052),
        ({"action_info": {"scene": {"scene_str": ""}}}, 40053),
        ({"action_info": {"scene": {"scene_str": "x" * 65}}}, 40053),
        ({"action_name": "QR_STR_SCENE", "expire_seconds": 2_592_001}, 40053),
        ({"action_name": "QR_SCENE"}, 40053),
        ({"action_info": {}}, 47001),
    ],
)
def test_a_badly_shaped_code_is_refused(
    sandbox: Handle, change: dict[str, Any], errcode: int
) -> None:
    assert sandbox.call(QRCODE, permanent("a") | change)["errcode"] == errcode


def test_a_code_can_be_looked_at(sandbox: Handle) -> None:
    ticket = sandbox.call(QRCODE, permanent("x" * 64))["ticket"]
    answer = sandbox.client.get("/cgi-bin/showqrcode", query_string={"ticket": ticket})
    assert answer.data.startswith(b"\x89PNG")
    assert sandbox.client.get("/cgi-bin/showqrcode?ticket=no").status_code == 404


def test_followers_are_listed_in_pages(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(BABA, "follow")
    assert sandbox.call("/cgi-bin/user/get")["data"]["openid"] == [MAMA, BABA]
    rest = sandbox.call("/cgi-bin/user/get", next_openid=MAMA)
    assert (rest["data"]["openid"], rest["total"]) == ([BABA], 2)
    assert sandbox.call("/cgi-bin/user/info", openid="oNobody")["errcode"] == 40003


def test_a_page_learns_who_opened_it(sandbox: Handle) -> None:
    sandbox.client.set_cookie("sandbox_openid", MAMA, path="/connect")
    location = authorize(sandbox).headers["Location"]
    query = parse_qs(urlsplit(location).query)
    assert location.startswith("http://127.0.0.1:8000/family/plan?year=2026&code=")
    assert query["state"] == ["s1"]
    answer = spend(sandbox, query["code"][0])
    assert (answer["openid"], answer["scope"]) == (MAMA, "snsapi_base")
    assert "is_snapshotuser" not in answer


def test_a_code_works_once(sandbox: Handle) -> None:
    code = code_of(sandbox, openid=MAMA)
    assert spend(sandbox, code)["openid"] == MAMA
    assert spend(sandbox, code)["errcode"] == 40163


@pytest.mark.parametrize(("seconds", "works"), [(295, True), (300, False)])
def test_a_code_works_for_five_minutes(sandbox: Handle, seconds: float, works: bool) -> None:
    code = code_of(sandbox, openid=MAMA)
    sandbox.shift(seconds)
    assert spend(sandbox, code).get("errcode") == (None if works else 40029)


def test_a_snapshot_gives_another_openid_and_says_so(sandbox: Handle) -> None:
    sandbox.act(MAMA, "snapshot", on=True)
    answer = spend(sandbox, code_of(sandbox, openid=MAMA))
    assert answer["is_snapshotuser"] == 1
    assert answer["openid"] != MAMA
    assert spend(sandbox, code_of(sandbox, openid=BABA, snapshot="1"))["is_snapshotuser"] == 1


def test_a_wrong_secret_spends_no_code(sandbox: Handle) -> None:
    code = code_of(sandbox, openid=MAMA)
    assert spend(sandbox, code, secret="0" * 32)["errcode"] == 40125
    assert spend(sandbox, "")["errcode"] == 41008
    assert spend(sandbox, code)["openid"] == MAMA


@pytest.mark.parametrize(
    "change",
    [
        {"appid": "wx0"},
        {"response_type": "token"},
        {"scope": "everything"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://elsewhere.example/family/back"},
        {"state": "not/allowed"},
        {"state": "s" * 129},
    ],
)
def test_a_wrong_authorisation_address_leads_nowhere(
    sandbox: Handle, change: dict[str, str]
) -> None:
    assert authorize(sandbox, openid=MAMA, **change).status_code == 400


def test_where_nobody_is_known_the_platform_asks(sandbox: Handle) -> None:
    page = authorize(sandbox).get_data(as_text=True)
    assert "是谁打开的" in page
    assert MAMA in page


def test_a_mini_program_code_gives_another_openid_and_the_same_person(sandbox: Handle) -> None:
    code = sandbox.client.post(f"/_sandbox/people/{MAMA}/code").get_json()["code"]
    query = {
        "appid": credentials.MINI_APP_ID,
        "secret": credentials.MINI_APP_SECRET,
        "js_code": code,
        "grant_type": "authorization_code",
    }
    answer = sandbox.client.get("/sns/jscode2session", query_string=query).get_json()
    assert answer["openid"] not in ("", MAMA)
    assert answer["session_key"]
    sandbox.act(MAMA, "follow")
    asked = {"user_list": [{"openid": MAMA}, {"openid": BABA}]}
    told = sandbox.call("/cgi-bin/user/info/batchget", asked)["user_info_list"]
    assert told[0]["unionid"] == answer["unionid"]
    assert told[1] == {"subscribe": 0, "openid": BABA}
    again = sandbox.client.get("/sns/jscode2session", query_string=query).get_json()
    assert again["errcode"] == 40163
