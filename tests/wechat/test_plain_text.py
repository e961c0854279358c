"""Cutting text to what a chat bubble takes."""

from app.wechat.plain_text import ELLIPSIS_LINE, TEXT_LIMIT_BYTES, fit


def test_a_text_at_the_limit_is_left_whole() -> None:
    exact = "啊" * 666 + "ab"
    assert len(exact.encode()) == TEXT_LIMIT_BYTES

    assert fit(exact) == exact
    assert fit(exact + "c") != exact + "c"


def test_a_longer_text_is_cut_at_a_line_and_says_so() -> None:
    lines = "\n".join(f"{number:03d} 活动报名" for number in range(200))

    cut = fit(lines)

    assert len(cut.encode()) <= TEXT_LIMIT_BYTES
    assert cut.endswith(ELLIPSIS_LINE)
    assert all(len(line) == 8 for line in cut.removesuffix(ELLIPSIS_LINE).split("\n"))


def test_without_a_line_near_the_end_the_room_is_used() -> None:
    cut = fit("短\n" + "长" * 2_000)

    assert len(cut.encode()) > TEXT_LIMIT_BYTES - 4


def test_no_emoji_is_left_half() -> None:
    for shift in range(12):
        cut = fit("a" * shift + "👩‍🍼" * 400).removesuffix(ELLIPSIS_LINE)

        assert "�" not in cut
        assert not cut.endswith("\u200d")


def test_every_kind_of_line_break_is_one() -> None:
    assert fit("一\r\n二\r三\n四") == "一\n二\n三\n四"
