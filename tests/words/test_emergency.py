"""What is said in an emergency."""

import re

import pytest

from app.rules.emergencies import EmergencyCategory
from app.words.emergency import emergency_words

PHONE = "021-59612345"
ON_THE_MIND = (EmergencyCategory.SELF_HARM, EmergencyCategory.HARM_TO_CHILD)


@pytest.mark.parametrize("category", EmergencyCategory)
def test_help_comes_first_and_all_of_it_is_short(category: EmergencyCategory) -> None:
    words = emergency_words(category, PHONE, staff_told=True)
    first = words.splitlines()[0]
    assert "120" in first
    assert len(words) <= 300


@pytest.mark.parametrize("category", ON_THE_MIND)
def test_despair_is_given_the_helpline_and_the_police(category: EmergencyCategory) -> None:
    first = emergency_words(category, None, staff_told=False).splitlines()[0]
    assert "12356" in first
    assert "110" in first


@pytest.mark.parametrize("category", EmergencyCategory)
def test_no_link_dose_or_diagnosis_is_given(category: EmergencyCategory) -> None:
    words = emergency_words(category, PHONE, staff_told=True)
    assert re.search(r"https?:|www|毫克|毫升|mg|ml|诊断", words) is None


@pytest.mark.parametrize("category", EmergencyCategory)
def test_staff_and_telephone_are_named_only_where_true(category: EmergencyCategory) -> None:
    bare = emergency_words(category, None, staff_told=False)
    full = emergency_words(category, PHONE, staff_told=True)
    assert "值班老师" not in bare
    assert "电话" not in bare.splitlines()[-1]
    assert full == bare + f"已通知值班老师。指导站电话：{PHONE}。"


def test_choking_tells_babies_from_older_children() -> None:
    assert emergency_words(EmergencyCategory.CHOKING, PHONE, staff_told=True) == (
        "请马上拨打120，开免提，边做边等：\n"
        "还能咳、能哭：让他自己用力咳，别拍、别抠喉咙。\n"
        "咳不出、哭不出声：1岁以内，脸朝下趴在前臂上，掌根拍背5下，翻过来用一只手的掌根压胸5下；"
        "1岁以上，弯腰拍背5下，再从身后抱住、往上冲击肚子5下。交替做，到吐出来为止。\n"
        "没反应了：放平，开始胸外按压和人工呼吸。\n"
        "不用等我回复。已通知值班老师。指导站电话：021-59612345。"
    )


def test_despair_is_answered_kindly() -> None:
    assert emergency_words(EmergencyCategory.SELF_HARM, None, staff_told=False) == (
        "你现在很难，请别一个人扛。马上拨打12356（心理援助）；要是已经受伤或马上有危险，拨打120和110。\n"
        "请现在就把孩子交给家里人，或放在安全的小床里；离开窗边、水边、药和刀。\n"
        "给一个信得过的人打电话，请他来陪着你，别挂断。\n"
        "这样的念头很多妈妈都有过，是可以治好的。\n"
        "不用等我回复。"
    )


@pytest.mark.parametrize(
    "category, says",
    [
        (EmergencyCategory.NOT_BREATHING, "按压30下、吹气2口"),
        (EmergencyCategory.CONVULSION, "侧躺"),
        (EmergencyCategory.CONVULSION, "不掐人中"),
        (EmergencyCategory.UNCONSCIOUS, "侧躺"),
        (EmergencyCategory.FALL, "别抱起来摇"),
        (EmergencyCategory.DROWNING, "不控水"),
        (EmergencyCategory.DROWNING, "先吹气"),
        (EmergencyCategory.BURN, "流动的凉水冲15到30分钟"),
        (EmergencyCategory.BURN, "不抹酱油、牙膏"),
        (EmergencyCategory.ELECTRIC_SHOCK, "断电"),
        (EmergencyCategory.POISONING, "不催吐"),
        (EmergencyCategory.POISONING, "包装"),
        (EmergencyCategory.SWALLOWED_OBJECT, "现在就去急诊"),
        (EmergencyCategory.ALLERGY, "喘"),
        (EmergencyCategory.INTUSSUSCEPTION, "不吃不喝"),
        (EmergencyCategory.BLEEDING, "压住"),
        (EmergencyCategory.BITE, "冲15分钟"),
        (EmergencyCategory.YOUNG_FEVER, "现在就去医院"),
        (EmergencyCategory.HARM_TO_CHILD, "不摇晃孩子"),
        (EmergencyCategory.OTHER_DANGER, "在哪个镇"),
    ],
)
def test_each_danger_is_told_its_first_aid(category: EmergencyCategory, says: str) -> None:
    assert says in emergency_words(category, None, staff_told=False)
