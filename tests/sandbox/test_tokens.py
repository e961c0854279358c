"""Access tokens: how long they live and what ends them."""

import pytest

from sandbox import credentials
from tests.sandbox.playing import Handle


def check(sandbox: Handle, token: str) -> int:
    answer = sandbox.client.get("/cgi-bin/menu/get", query_string={"access_token": token})
    errcode: int = answer.get_json()["errcode"]
    return errcode


GOOD = 46003
"""The token passed: the call went on, and there is no menu."""


def test_a_stable_token_stays_the_same_until_five_minutes_before_its_end(sandbox: Handle) -> None:
    first = sandbox.stable_token()
    assert first["expires_in"] == 7200
    sandbox.shift(7200 - 301)
    again = sandbox.stable_token()
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] == 301


def test_in_its_last_five_minutes_the_old_token_is_good_beside_the_new_one(
    sandbox: Handle,
) -> None:
    old = sandbox.stable_token()["access_token"]
    sandbox.shift(7200 - 299)
    new = sandbox.stable_token()["access_token"]
    assert new != old
    assert [check(sandbox, old), check(sandbox, new)] == [GOOD, GOOD]
    sandbox.shift(299)
    assert [check(sandbox, old), check(sandbox, new)] == [42001, GOOD]


def test_a_forced_refresh_ends_the_old_token_at_once(sandbox: Handle) -> None:
    old = sandbox.stable_token()["access_token"]
    new = sandbox.stable_token(force_refresh=True)["access_token"]
    assert [check(sandbox, old), check(sandbox, new)] == [40001, GOOD]


def test_forced_refreshes_less_than_thirty_seconds_apart_are_refused(sandbox: Handle) -> None:
    sandbox.stable_token(force_refresh=True)
    assert sandbox.stable_token(force_refresh=True)["errcode"] == 45011
    sandbox.shift(30)
    assert "access_token" in sandbox.stable_token(force_refresh=True)


def test_the_twenty_first_forced_refresh_of_a_day_is_refused(sandbox: Handle) -> None:
    for _ in range(20):
        assert "access_token" in sandbox.stable_token(force_refresh=True)
        sandbox.shift(31)
    assert sandbox.stable_token(force_refresh=True)["errcode"] == 45009
    sandbox.shift(86_400)
    assert "access_token" in sandbox.stable_token(force_refresh=True)


def test_a_classic_token_ends_the_one_before_and_leaves_the_stable_one(sandbox: Handle) -> None:
    query = {
        "grant_type": "client_credential",
        "appid": credentials.APP_ID,
        "secret": credentials.APP_SECRET,
    }
    stable = sandbox.stable_token()["access_token"]
    first, second = (
        sandbox.client.get("/cgi-bin/token", query_string=query).get_json()["access_token"]
        for _ in range(2)
    )
    assert [check(sandbox, token) for token in (first, second, stable)] == [40001, GOOD, GOOD]


@pytest.mark.parametrize(
    ("token", "errcode"),
    [("", 41001), ("nonsense", 40014), ("x" * 100, 40001)],
)
def test_a_bad_token_is_refused_with_its_own_code(
    sandbox: Handle, token: str, errcode: int
) -> None:
    assert check(sandbox, token) == errcode


def test_expired_tokens_are_refused_and_replaced(sandbox: Handle) -> None:
    old = sandbox.stable_token()["access_token"]
    sandbox.client.post("/_sandbox/expire_tokens")
    assert check(sandbox, old) == 42001
    assert check(sandbox, sandbox.stable_token()["access_token"]) == GOOD


@pytest.mark.parametrize(
    ("wrong", "errcode"),
    [
        ({"grant_type": "password"}, 40002),
        ({"appid": ""}, 41002),
        ({"appid": "wx0000000000000000"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "0" * 32}, 40125),
        ({"appid": 7}, 47001),
    ],
)
def test_a_wrong_account_gets_no_token(
    sandbox: Handle, wrong: dict[str, object], errcode: int
) -> None:
    assert sandbox.stable_token(**wrong)["errcode"] == errcode


def test_a_wrong_method_is_named(sandbox: Handle) -> None:
    assert sandbox.client.get("/cgi-bin/stable_token").get_json()["errcode"] == 43002
    token = sandbox.stable_token()["access_token"]
    answer = sandbox.client.post("/cgi-bin/menu/get", query_string={"access_token": token})
    assert answer.get_json()["errcode"] == 43001


OUR_FAULT = [40037, 41030, 47003, 48001, 48004, 40164, 40243]
THEIR_WISH = [40003, 43004, 43019, 50002, 43101, 45015, 45047]
FOR_NOW = [-1, 40001, 40014, 42001, 45009, 45011, 43117, 40241]


@pytest.mark.parametrize("errcode", [*OUR_FAULT, *THEIR_WISH, *FOR_NOW])
def test_every_error_code_can_be_ordered(sandbox: Handle, errcode: int) -> None:
    sandbox.fault(path="/cgi-bin/user/get", errcode=errcode)
    answer = sandbox.call("/cgi-bin/user/get")
    assert answer["errcode"] == errcode
    assert answer["errmsg"] != "unknown error"
    assert "errcode" not in sandbox.call("/cgi-bin/user/get")
