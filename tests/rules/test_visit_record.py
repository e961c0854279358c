"""What must lead to a referral: each sign, and each measured bound."""

from datetime import date

import pytest
from pydantic import ValidationError

from app.rules.visit_record import (
    AdviceSign,
    ChildRecord,
    Cord,
    DangerSign,
    Jaundice,
    Urgency,
    advice_signs,
    check_on,
    danger_signs,
    urgency_of,
)

NEWBORN = 10


@pytest.mark.parametrize(
    ("seen", "sign"),
    [
        ({"temperature": 37.5}, DangerSign.TEMPERATURE),
        ({"temperature": 37.4}, None),
        ({"temperature": 35.6}, None),
        ({"temperature": 35.5}, DangerSign.TEMPERATURE),
        ({"breaths": 19}, DangerSign.BREATHING),
        ({"breaths": 20}, None),
        ({"breaths": 60}, None),
        ({"breaths": 61}, DangerSign.BREATHING),
        ({"pulse": 99}, DangerSign.HEART),
        ({"pulse": 100}, None),
        ({"pulse": 160}, None),
        ({"pulse": 161}, DangerSign.HEART),
        ({"jaundice": Jaundice.LIMBS}, DangerSign.SKIN),
        ({"jaundice": Jaundice.FACE}, None),
        ({"cord": Cord.INFLAMED}, DangerSign.CORD),
        ({"cord": Cord.WET}, None),
    ],
)
def test_a_measured_value_decides_by_itself(
    seen: dict[str, object], sign: DangerSign | None
) -> None:
    record = ChildRecord.model_validate({"child_id": 1, **seen})
    assert danger_signs(record, NEWBORN) == ({sign} if sign else set())


@pytest.mark.parametrize("sign", list(DangerSign))
def test_any_danger_sign_means_hospital_now(sign: DangerSign) -> None:
    assert urgency_of(ChildRecord(child_id=1, danger=frozenset({sign})), NEWBORN) is Urgency.NOW


@pytest.mark.parametrize("sign", list(AdviceSign))
def test_any_other_sign_means_soon(sign: AdviceSign) -> None:
    assert urgency_of(ChildRecord(child_id=1, advised=frozenset({sign})), NEWBORN) is Urgency.SOON


def test_a_yellow_body_is_seen_soon_and_yellow_palms_now() -> None:
    body = ChildRecord(child_id=1, jaundice=Jaundice.BODY)
    assert advice_signs(body) == {AdviceSign.YELLOW_OR_RASH}
    assert urgency_of(body, NEWBORN) is Urgency.SOON


def test_nothing_found_leads_nowhere() -> None:
    record = ChildRecord(child_id=1, temperature=36.8, breaths=45, pulse=130)
    assert urgency_of(record, NEWBORN) is None


@pytest.mark.parametrize(("age", "signs"), [(60, {DangerSign.HEART}), (61, set())])
def test_an_older_childs_slower_pulse_is_no_danger(age: int, signs: set[DangerSign]) -> None:
    assert danger_signs(ChildRecord(child_id=1, pulse=95), age) == signs


def test_the_day_to_ask_what_came_of_it() -> None:
    assert check_on(Urgency.NOW, date(2026, 12, 31)) == date(2027, 1, 1)
    assert check_on(Urgency.SOON, date(2028, 2, 27)) == date(2028, 3, 1)


@pytest.mark.parametrize(
    "seen", [{"temperature": 368}, {"weight_grams": 3}, {"breaths": -1}, {"feeding": "tea"}]
)
def test_a_slip_of_the_hand_is_refused(seen: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ChildRecord.model_validate({"child_id": 1, **seen})
