"""By which terms a family is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.search_terms import terms_of_name, terms_of_phone, terms_of_query


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("糖", "糖糖"),
        ("tang", "糖糖"),
        ("TANG TANG", "糖糖"),
        ("tang'tang", "糖糖"),
        ("tt", "糖糖"),
        ("欧阳小美丽", "欧阳小美丽"),
        ("美丽", "欧阳小美丽"),
        ("momo", "Momo"),
        ("ｍｏｍｏ", "Momo"),
        ("mo", "Momo"),
        ("小3", "小3"),
    ],
)
def test_a_name_is_found_by_its_parts_and_its_sound(typed: str, name: str) -> None:
    terms = terms_of_query(typed)
    assert terms
    assert set(terms) <= terms_of_name(name)


@pytest.mark.parametrize("typed", ["5678", "00005678", "138 0000 5678", "138-0000-5678"])
def test_a_telephone_is_found_by_four_of_its_last_digits_or_more(typed: str) -> None:
    terms = terms_of_query(typed)
    assert terms
    assert set(terms) <= terms_of_phone("13800005678")


@pytest.mark.parametrize("typed", ["", "  ", "678", "😀", "%", "-"])
def test_too_little_finds_nothing(typed: str) -> None:
    assert terms_of_query(typed) is None


def test_what_sounds_alike_is_found_by_sound_only_when_asked() -> None:
    assert not set(terms_of_query("唐唐") or ()) <= terms_of_name("糖糖")
    assert set(terms_of_query("唐唐", by_sound=True) or ()) <= terms_of_name("糖糖")


@given(st.text(max_size=20))
def test_every_name_that_can_be_asked_for_is_found_by_itself(name: str) -> None:
    asked = terms_of_query(name)
    if asked is not None and not all(term.startswith("digits:") for term in asked):
        letters = {term for term in asked if not term.startswith("digits:")}
        assert letters <= terms_of_name(name)
