"""A birth reported in one message: 生了 11月20日 24号出院 36周 2400克 双胞胎."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.dialogue.reading.dates import DateFound, find_dates
from app.dialogue.reading.gestation import find_gestation
from app.dialogue.reading.numerals import read_number
from app.dialogue.reading.plain import normalise
from app.late_pattern import LatePattern
from app.rules.visiting import RiskFactor

_DISCHARGE: Final = LatePattern("出院|回家|到家")
_NOT_DISCHARGED: Final = LatePattern(
    "(?:没|未|没有|不能|还在|等)[^,. ]{0,4}(?:出院|住院|医院|回家)"
)
_WEIGHT: Final = LatePattern(
    r"(?P<grams>\d{3,4})\s?(?:克|g(?![a-z]))"
    r"|(?P<kilos>\d(?:\.\d{1,3})?)\s?(?:公斤|千克|kg)"
    r"|(?P<jin>[\d一二三四五六七八九十]{1,2}(?:\.\d)?)\s?斤\s?(?:(?P<liang>[\d一二三四五六七八九半])\s?两?)?"
)
_TWINS: Final = LatePattern("双胞胎|双胎|龙凤胎|三胞胎|多胎|两个(?:宝宝|孩子|小囡|毛头)|一对")
_NOT_TWINS: Final = LatePattern("(?:不是|非|没有?)(?:双|多)|单胎")
_FACTORS: Final = (
    (RiskFactor.BIRTH_DEFECT, LatePattern("出生缺陷|先心|先天性|唇裂|腭裂|畸形|遗传代谢")),
    (RiskFactor.ASPHYXIA, LatePattern("窒息|缺氧|颅内出血")),
    (RiskFactor.JAUNDICE, LatePattern("高胆红素|换血|照蓝光")),
    (RiskFactor.INFECTION, LatePattern("肺炎|败血症|感染")),
)
_DENIED: Final = LatePattern("(?:没有?|无|不是|未)$")
GRAMS_A_JIN: Final = 500
GRAMS_A_LIANG: Final = 50


@dataclass(frozen=True, slots=True)
class BirthFound:
    """What a message says of a birth; None where it does not."""

    born: date | None = None
    discharged: date | None = None
    weeks: int | None = None
    grams: int | None = None
    is_multiple: bool | None = None
    factors: frozenset[RiskFactor] = frozenset()
    is_still_in_hospital: bool = False


def read_birth(text: str, today: date) -> BirthFound:
    """The values of a birth report, in any order. Dates lie in the past.

    The date nearest to 出院 is the discharge; another one is the birth.
    """
    plain = normalise(text)
    dates = [each for each in find_dates(plain, today, "past") if isinstance(each, DateFound)]
    discharge = None if _NOT_DISCHARGED.search(plain) else _DISCHARGE.search(plain)
    left = _date_of(dates, discharge.start()) if discharge else None
    born = next((each for each in dates if each is not left), None)
    gestation = find_gestation(plain)
    return BirthFound(
        born=born.value if born else None,
        discharged=left.value if left else None,
        weeks=gestation.weeks if gestation else _bare_weeks(plain),
        grams=_grams(plain),
        is_multiple=_is_multiple(plain),
        factors=frozenset(factor for factor, rule in _FACTORS if _is_told(rule, plain)),
        is_still_in_hospital=_NOT_DISCHARGED.search(plain) is not None,
    )


def _date_of(dates: list[DateFound], at: int) -> DateFound | None:
    """The date that a word is about: the one straight before it, else the one after it."""
    before = [each for each in dates if each.end <= at and at - each.end <= 2]
    if before:
        return before[-1]
    after = [each for each in dates if each.start >= at]
    return after[0] if after else None


def _bare_weeks(plain: str) -> int | None:
    # In a message about a birth 36周 alone is the gestation.
    found = re.search(r"(?<!\d)([23]\d|4[0-4])\s?(?:\+\s?[0-6])?\s?周", plain)
    return int(found[1]) if found else None


def _grams(plain: str) -> int | None:
    found = _WEIGHT.search(plain)
    if found is None:
        return None
    if found["grams"]:
        return int(found["grams"])
    if found["kilos"]:
        return round(float(found["kilos"]) * 1000)
    jin = read_number(found["jin"])
    if jin is None:
        return None
    liang = 5 if found["liang"] == "半" else read_number(found["liang"] or "0") or 0
    return round(jin * GRAMS_A_JIN + liang * GRAMS_A_LIANG)


def _is_multiple(plain: str) -> bool | None:
    if _NOT_TWINS.search(plain):
        return False
    return True if _TWINS.search(plain) else None


def _is_told(rule: "LatePattern", plain: str) -> bool:
    found = rule.search(plain)
    return found is not None and _DENIED.search(plain[: found.start()]) is None
