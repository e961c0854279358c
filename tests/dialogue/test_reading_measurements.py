import pytest

from app.dialogue.intent import read_intent
from app.dialogue.reading.measurements import read_measures


@pytest.mark.parametrize(
    "said, name, grams, length, head",
    [
        ("体重 7.2 身高 66", "", 7200, 660, None),
        ("体重7.2公斤，身长66.5厘米", "", 7200, 665, None),
        ("体重 7.2kg 身高 66cm 头围 43.5", "", 7200, 660, 435),
        ("糖糖 体重 7.2", "糖糖", 7200, None, None),
        ("糖糖今天体重7.2", "糖糖今天", 7200, None, None),
        ("体重十五斤", "", 7500, None, None),
        ("体重14.4斤", "", 7200, None, None),
        ("体重七点二公斤身高六十六厘米", "", 7200, 660, None),
        ("身高是八十五", "", None, 850, None),
        ("头围四十三点五", "", None, None, 435),
        ("体重15斤半", "", 7750, None, None),
        ("体重：7.2、身高：66。", "", 7200, 660, None),
    ],
)
def test_measures_as_people_write_and_say_them(
    said: str, name: str, grams: int | None, length: int | None, head: int | None
) -> None:
    found = read_measures(said)
    assert found is not None
    measures = (found.weight_grams, found.length_millimetres, found.head_millimetres)
    assert measures == (grams, length, head)
    assert found.name in (name, name.removesuffix("今天"))


@pytest.mark.parametrize(
    "said",
    [
        "体重不长怎么办",
        "体重 7.2 正常吗",
        "体重5公斤发烧了",
        "出生体重",
        "身高多少算高",
        "体重",
        "报名 CQ-1",
        "体重 1e9",
        "体重 7.2 " * 20,
    ],
)
def test_what_is_no_list_of_measures_is_left_to_others(said: str) -> None:
    assert read_measures(said.strip()) is None


def test_measures_are_a_wish_of_their_own() -> None:
    wish = read_intent("体重 7.2 身高 66")
    assert wish is not None
    assert (wish.label, wish.is_command) == ("growth", True)
