"""What a message wants, on messages that no example holds."""

from pathlib import Path

import pytest

from app.dialogue.intent import Understood, label_of, understand
from app.dialogue.understanding import kept
from app.dialogue.understanding.cutter import Cutter, full_dictionary
from app.dialogue.understanding.features import features
from app.dialogue.understanding.model import Model, Trained
from app.dialogue.understanding.training import train
from content.examples import LABELS, Example, ExamplesBroken, load_examples, word_classes

LABELLED = Path(__file__).parent / "messages" / "labelled.tsv"
FRESH = LABELLED.with_name("fresh.tsv")


def _labelled() -> list[tuple[str, str]]:
    lines = LABELLED.read_text(encoding="utf-8").splitlines()
    return [(text, label) for text, _, label in (line.partition("\t") for line in lines)]


def test_no_example_is_a_message_that_we_are_measured_by() -> None:
    examples = {example.text for example in load_examples()}
    assert examples.isdisjoint(text for text, _ in _labelled())
    assert len(examples) >= 3000


def test_nearly_all_unseen_messages_are_understood_and_what_is_sure_is_right() -> None:
    answers = [(label_of(text), label) for text, label in _labelled()]
    right = [found.label == label for found, label in answers]
    sure = [found.label == label for found, label in answers if found.confidence >= 0.8]
    assert sum(right) >= 0.95 * len(right)
    assert sum(sure) >= 0.98 * len(sure)
    assert len(sure) >= len(right) / 2


def test_a_fresh_set_is_understood() -> None:
    """Six sets by people who had not read the examples: at first look 94, 87, 91, 87, 95, 97 %.

    Short forms such as 下一节 are examples as well, and are left out here.
    """
    examples = {example.text for example in load_examples()}
    lines = FRESH.read_text(encoding="utf-8").splitlines()
    labelled = [(text, label) for text, _, label in (line.partition("\t") for line in lines)]
    labelled = [(text, label) for text, label in labelled if text not in examples]
    assert len(labelled) >= 450
    answers = [(label_of(text), label) for text, label in labelled]
    assert sum(found.label == label for found, label in answers) >= 0.92 * len(answers)
    sure = [found.label == label for found, label in answers if found.confidence >= 0.8]
    assert sum(sure) >= 0.98 * len(sure)


@pytest.mark.parametrize(
    "text, label",
    [
        ("阿拉孙子还没登记，哪能弄", "register_child"),
        ("帮我报下周六城桥那个活动，两个孩子都去", "book_session"),
        ("你好，请问老师，小囡发寒热捂汗有用伐，谢谢", "faq_illness"),
        ("登记 糖糖 2026-05-01 女 城桥镇", "register_child"),
        ("取消 CQ-1206", "cancel_booking"),
        ("上门 2026-12-03 上午", "book_home_visit"),
        ("答 ABA", "course_next"),
        ("宝宝噎住了", "emergency"),
        ("怎么预防噎到", "faq_safety"),
    ],
)
def test_people_and_one_line_forms_get_the_label_of_what_they_mean(text: str, label: str) -> None:
    assert label_of(text).label == label


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\x00"])
def test_nothing_said_is_nothing_understood(text: str) -> None:
    assert label_of(text) == Understood(None, 0.0, ())


@pytest.mark.parametrize("text", ["龘靐齉爩", "qzx vbnm kjh", "ｷﾞｮｳﾑ", "嘸" * 10_000, "a" * 10_000])
def test_what_nobody_has_said_before_is_asked_back_or_out_of_scope(text: str) -> None:
    found = label_of(text)
    assert found.label in (None, "other") or found.confidence < 0.8


def test_an_emergency_is_never_guessed_from_examples() -> None:
    assert "emergency" not in understand("宝宝噎住了").likeliest


def _small() -> list[Example]:
    by_label: dict[str, list[Example]] = {}
    for example in load_examples():
        by_label.setdefault(example.label, []).append(example)
    return [
        example for label in ("greeting", "opt_out", "faq_sleep") for example in by_label[label]
    ]


def test_training_twice_gives_the_same_model_and_it_says_why() -> None:
    full = full_dictionary()
    once, again = train(_small(), full), train(_small(), full)
    assert (once.weights, once.places, once.words) == (again.weights, again.places, again.words)
    model = Model(once, kept.SHARPNESS)
    assert model.guess("夜里老是睡不好")[0].label == "faq_sleep"
    reasons = model.reasons("夜里老是睡不好", "faq_sleep")
    assert "睡" in reasons[0].feature
    assert reasons[0].weight > 0


def test_the_model_is_kept_and_made_anew_where_the_file_was_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tuple(_small())
    monkeypatch.setattr("content.examples.load_examples", lambda: small)
    made = kept.load_or_train(tmp_path)
    (path,) = tmp_path.glob("*.model")
    assert _same(kept.load_or_train(tmp_path), made)
    path.write_bytes(path.read_bytes()[:-100])
    assert _same(kept.load_or_train(tmp_path), made)


def _same(one: Trained, other: Trained) -> bool:
    return (one.labels, dict(one.places), one.weights) == (
        other.labels,
        dict(other.places),
        other.weights,
    )


@pytest.mark.parametrize(
    "name, lines, reason",
    [
        ("holiday.tsv", "放假", "holiday.tsv: there is no intent of this name"),
        ("thanks.tsv", "你好", r"thanks.tsv:1: 你好 is already in greeting.tsv:1"),
        ("thanks.tsv", "谢" * 201, r"thanks.tsv:1: longer than 200 characters"),
    ],
)
def test_broken_examples_are_refused_with_file_and_line(
    tmp_path: Path, name: str, lines: str, reason: str
) -> None:
    for label in LABELS:
        text = {"greeting": "你好"}.get(label, label)
        (tmp_path / f"{label}.tsv").write_text(text, encoding="utf-8")
    (tmp_path / name).write_text(lines, encoding="utf-8")
    with pytest.raises(ExamplesBroken, match=reason):
        load_examples(tmp_path)


def test_a_missing_intent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "greeting.tsv").write_text("你好\tadded by wang 2026-11-25\n# a note\n\n")
    with pytest.raises(ExamplesBroken, match=r"emergency\.tsv"):
        load_examples(tmp_path)


def test_a_class_of_words_teaches_of_words_that_no_example_holds(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("# 说明\n食物: 鸡蛋 酸奶\n奶: 酸奶\n", encoding="utf-8")
    assert word_classes(tmp_path) == {"鸡蛋": ("食物",), "酸奶": ("食物", "奶")}
    (tmp_path / "classes.txt").write_text("食物 鸡蛋\n", encoding="utf-8")
    with pytest.raises(ExamplesBroken, match=r"classes\.txt:1: not a class"):
        word_classes(tmp_path)
    shared = set(features("什么时候能吃荔枝", Cutter({}))) & set(
        features("什么时候能吃蛋黄", Cutter({}))
    )
    assert {"c:食物", "x:吃<食物>"} <= shared
