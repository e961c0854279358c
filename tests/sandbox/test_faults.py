"""Troubles to order: they meet the calls they wait for, and no others."""

import random
import time

from sandbox import faults
from sandbox.records import Fault
from tests.sandbox.playing import BABA, MAMA, Handle

SEND = "/cgi-bin/message/custom/send"


def test_a_fault_is_used_up(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.fault(path=SEND, errcode=-1, times=2)
    assert [sandbox.send_text(MAMA) for _ in range(3)] == [-1, -1, 0]
    assert len(sandbox.accepted()) == 1


def test_a_fault_for_all_times_stays_until_it_is_cleared(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.fault(path="*", errcode=40164, times=None)
    assert [sandbox.stable_token()["errcode"] for _ in range(3)] == [40164] * 3
    sandbox.client.delete("/_sandbox/faults")
    assert sandbox.send_text(MAMA) == 0


def test_a_fault_waits_for_its_api_and_its_person(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(BABA, "follow")
    sandbox.fault(path=SEND, errcode=43019, openid=BABA)
    assert [sandbox.send_text(MAMA), sandbox.send_text(BABA)] == [0, 43019]


def test_a_fault_may_come_by_chance(sandbox: Handle) -> None:
    faults.add(sandbox.world, Fault(path=SEND, errcode=-1, times=None, probability=0.25))
    chance = random.Random(1)
    met = sum(faults.take(sandbox.world, SEND, "", chance) is not None for _ in range(1000))
    assert 200 < met < 300


def test_a_failing_gateway_takes_nothing(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    token = sandbox.stable_token()["access_token"]
    sandbox.fault(path=SEND, http_status=503)
    body = {"touser": MAMA, "msgtype": "text", "text": {"content": "你好"}}
    answer = sandbox.client.post(SEND, query_string={"access_token": token}, json=body)
    assert answer.status_code == 503
    assert sandbox.accepted() == []


def test_garbage_may_come_before_or_after_the_message_was_taken(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    token = sandbox.stable_token()["access_token"]
    body = {"touser": MAMA, "msgtype": "text", "text": {"content": "你好"}}
    taken = []
    for moment in ("before", "after"):
        sandbox.fault(path=SEND, garbage=moment)
        answer = sandbox.client.post(SEND, query_string={"access_token": token}, json=body)
        assert answer.mimetype == "text/html"
        taken.append(len(sandbox.accepted()))
    assert taken == [0, 1]


def test_a_slow_answer_comes_after_the_message_was_taken(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.stable_token()
    sandbox.fault(path=SEND, delay_seconds=0.2)
    begun = time.monotonic()
    assert sandbox.send_text(MAMA) == 0
    assert time.monotonic() - begun >= 0.2


def test_a_badly_shaped_fault_is_refused(sandbox: Handle) -> None:
    for wrong in ({}, {"path": SEND, "drop": "sideways"}, {"path": SEND, "times": "often"}):
        assert sandbox.client.post("/_sandbox/faults", json=wrong).status_code == 400
    assert sandbox.client.get("/_sandbox/faults").get_json() == []


def test_the_operator_page_shows_what_waits_and_what_was_taken(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.send_text(MAMA, "<b>见面聊</b>")
    sandbox.fault(path=SEND, errcode=45009)
    page = sandbox.client.get("/_sandbox/").get_data(as_text=True)
    assert "等着的故障" in page
    assert "&lt;b&gt;见面聊" in page


def test_stats_count(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.send_text(MAMA)
    stats = sandbox.client.get("/_sandbox/stats").get_json()
    assert stats["accepted_by_kind"] == {"custom": 1}
    assert (stats["people"], stats["following"]) == (3, 1)
    assert stats["calls_today"][SEND] == 1
