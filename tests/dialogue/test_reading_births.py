"""A birth in one message, in whatever order and units."""

from datetime import date

import pytest

from app.dialogue.reading.births import BirthFound, read_birth
from app.rules.visiting import RiskFactor

TODAY = date(2026, 11, 25)
BORN, LEFT = date(2026, 11, 20), date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("生了 11月20日", BirthFound(born=BORN)),
        ("生了，11月20日生的，11月23日出院", BirthFound(born=BORN, discharged=LEFT)),
        ("11月23日出院的，11月20日生", BirthFound(born=BORN, discharged=LEFT)),
        ("出院 11月23日", BirthFound(discharged=LEFT)),
        ("出院了，11月23日", BirthFound(discharged=LEFT)),
        (
            "生了 2026-11-20 2026-11-23出院 孕36周 2400克 双胞胎",
            BirthFound(BORN, LEFT, 36, 2400, is_multiple=True),
        ),
        ("生了 11月20日 39周 6斤6两", BirthFound(BORN, weeks=39, grams=3300)),
        ("11月20号生，七斤半", BirthFound(BORN, grams=3750)),
        ("生了 11月20日 3.3公斤", BirthFound(BORN, grams=3300)),
        ("生了 11月20日，单胎", BirthFound(BORN, is_multiple=False)),
        ("生了 11月20日，还在医院", BirthFound(BORN, is_still_in_hospital=True)),
        (
            "生了 11月20日 有点窒息 先心",
            BirthFound(BORN, factors=frozenset({RiskFactor.ASPHYXIA, RiskFactor.BIRTH_DEFECT})),
        ),
        ("生了 11月20日 没有窒息", BirthFound(BORN)),
        ("生了", BirthFound()),
    ],
)
def test_what_a_birth_report_says(text: str, found: BirthFound) -> None:
    assert read_birth(text, TODAY) == found
