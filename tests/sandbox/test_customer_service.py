"""Customer-service messages: who may be written to, how often, how long."""

import pytest

from tests.sandbox.playing import BABA, MAMA, Handle

SEND = "/cgi-bin/message/custom/send"


def test_somebody_unknown_and_somebody_who_does_not_follow_get_nothing(sandbox: Handle) -> None:
    assert sandbox.send_text("oNobody") == 40003
    assert sandbox.send_text(BABA) == 43004


def test_following_allows_three_messages_within_a_minute(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    assert [sandbox.send_text(MAMA) for _ in range(4)] == [0, 0, 0, 45047]
    sandbox.shift(60)
    assert sandbox.send_text(MAMA) == 45015


def test_writing_allows_five_messages_within_two_days(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.shift(60)
    sandbox.act(MAMA, "text", content="活动")
    assert [sandbox.send_text(MAMA) for _ in range(6)] == [0, 0, 0, 0, 0, 45047]


@pytest.mark.parametrize(("seconds", "errcode"), [(48 * 3600 - 5, 0), (48 * 3600, 45015)])
def test_the_long_window_closes_after_two_days(
    sandbox: Handle, seconds: float, errcode: int
) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, "text", content="活动")
    sandbox.shift(seconds)
    assert sandbox.send_text(MAMA) == errcode


def test_writing_again_counts_anew_and_adds_nothing(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.shift(60)
    sandbox.act(MAMA, "text", content="活动")
    assert sandbox.send_text(MAMA) == 0
    sandbox.act(MAMA, "text", content="活动")
    assert [sandbox.send_text(MAMA) for _ in range(6)] == [0, 0, 0, 0, 0, 45047]


@pytest.mark.parametrize(
    ("action", "details"), [("click", {"key": "sessions"}), ("scan", {"scene": "station"})]
)
def test_a_tap_allows_three_messages_within_a_minute(
    sandbox: Handle, action: str, details: dict[str, str]
) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.shift(60)
    assert sandbox.send_text(MAMA) == 45015
    sandbox.act(MAMA, action, **details)
    assert [sandbox.send_text(MAMA) for _ in range(4)] == [0, 0, 0, 45047]


def test_opening_a_page_from_the_menu_allows_nothing(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.shift(60)
    sandbox.act(MAMA, "view", url="https://example.test/")
    assert sandbox.send_text(MAMA) == 45015


def test_the_short_window_is_spent_before_the_long_one(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, "text", content="活动")
    assert [sandbox.send_text(MAMA) for _ in range(3)] == [0, 0, 0]
    sandbox.shift(60)
    assert [sandbox.send_text(MAMA) for _ in range(6)] == [0, 0, 0, 0, 0, 45047]


def test_leaving_closes_all_windows(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, "text", content="活动")
    sandbox.act(MAMA, "unfollow")
    assert sandbox.send_text(MAMA) == 43004
    sandbox.act(MAMA, "follow")
    sandbox.shift(60)
    assert sandbox.send_text(MAMA) == 45015


def test_a_message_is_shown_and_listed_as_accepted(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    assert sandbox.send_text(MAMA, "见面聊 😀") == 0
    assert sandbox.shown(MAMA)[-1]["text"] == "见面聊 😀"
    (row,) = sandbox.accepted()
    assert (row["openid"], row["kind"], row["text"]) == (MAMA, "custom", "见面聊 😀")


def test_a_refused_message_costs_nothing(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    assert sandbox.send_text(MAMA, "字" * 683) == 45002
    assert [sandbox.send_text(MAMA, "字" * 682) for _ in range(4)] == [0, 0, 0, 45047]
    assert len(sandbox.accepted()) == 3


@pytest.mark.parametrize(
    ("more", "errcode"),
    [
        ({"msgtype": "text"}, 47001),
        ({"msgtype": "text", "text": {"content": ""}}, 47001),
        ({"msgtype": "hologram", "hologram": {}}, 40008),
        ({"msgtype": "image", "image": {"media_id": ""}}, 40007),
        ({"msgtype": "news", "news": {"articles": []}}, 45008),
        ({"msgtype": "news", "news": {"articles": [{"title": "一"}, {"title": "二"}]}}, 45008),
        ({"msgtype": "msgmenu", "msgmenu": {"list": []}}, 47001),
    ],
)
def test_a_badly_shaped_message_is_refused(
    sandbox: Handle, more: dict[str, object], errcode: int
) -> None:
    sandbox.act(MAMA, "follow")
    assert sandbox.call(SEND, {"touser": MAMA, **more})["errcode"] == errcode


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"msgtype": "image", "image": {"media_id": "m1"}}, "image"),
        ({"msgtype": "voice", "voice": {"media_id": "m1"}}, "voice"),
        (
            {
                "msgtype": "news",
                "news": {"articles": [{"title": "会坐了", "url": "http://a.test"}]},
            },
            "news",
        ),
        (
            {
                "msgtype": "msgmenu",
                "msgmenu": {
                    "head_content": "想问哪个？",
                    "list": [{"id": "1", "content": "活动"}],
                    "tail_content": "也可以直接写。",
                },
            },
            "msgmenu",
        ),
    ],
)
def test_every_kind_of_message_is_shown(
    sandbox: Handle, more: dict[str, object], kind: str
) -> None:
    sandbox.act(MAMA, "follow")
    assert sandbox.call(SEND, {"touser": MAMA, **more})["errcode"] == 0
    assert sandbox.shown(MAMA)[-1]["kind"] == kind


def test_tapping_a_line_of_a_message_menu_counts_as_a_tap(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.shift(60)
    sandbox.act(MAMA, "text", content="活动", choice="1")
    assert [sandbox.send_text(MAMA) for _ in range(4)] == [0, 0, 0, 45047]


def test_an_empty_body_is_named(sandbox: Handle) -> None:
    token = sandbox.stable_token()["access_token"]
    answer = sandbox.client.post(SEND, query_string={"access_token": token})
    assert answer.get_json()["errcode"] == 44002
