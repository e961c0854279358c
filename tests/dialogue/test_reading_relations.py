"""Who is writing."""

import pytest

from app.dialogue.reading.relations import read_relation
from app.rules.people import Relation


@pytest.mark.parametrize(
    "text, relation",
    [
        ("妈妈", Relation.MOTHER),
        ("我是宝妈", Relation.MOTHER),
        ("姆妈", Relation.MOTHER),
        ("媽媽", Relation.MOTHER),
        ("爸爸", Relation.FATHER),
        ("宝爸", Relation.FATHER),
        ("奶奶", Relation.GRANDMOTHER),
        ("外婆", Relation.GRANDMOTHER),
        ("阿婆", Relation.GRANDMOTHER),
        ("好婆", Relation.GRANDMOTHER),
        ("我是外婆，妈妈上班", Relation.GRANDMOTHER),
        ("我是宝宝的奶奶", Relation.GRANDMOTHER),
        ("外公", Relation.GRANDFATHER),
        ("爷爷", Relation.GRANDFATHER),
        ("阿爷", Relation.GRANDFATHER),
        ("其他", Relation.OTHER),
        ("保姆", Relation.OTHER),
        ("我是姑姑", Relation.OTHER),
    ],
)
def test_a_relation_is_read(text: str, relation: Relation) -> None:
    assert read_relation(text) is relation


@pytest.mark.parametrize("text", ["", "你好", "爸爸妈妈", "糖糖"])
def test_none_or_several_relations_are_none(text: str) -> None:
    assert read_relation(text) is None
