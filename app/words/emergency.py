"""What we say when a child, or its caregiver, is in danger: whom to call, and the one thing to do.

First aid as published: choking after the American Heart Association's guidelines of 2025; young
babies' fever and febrile seizures after the National Health Commission's and Beijing Children's
Hospital's advice; burns, poisons, water and bites after the district's safety packs. No doses, no
diagnosis, no links: whoever reads this has one hand free.
"""

from collections.abc import Mapping
from typing import Final

from app.rules.emergencies import EmergencyCategory

_CALL: Final = "请马上拨打120，开免提，边做边等："
_CALL_FOR_ONESELF: Final = (
    "你现在很难，请别一个人扛。马上拨打12356（心理援助）；要是已经受伤或马上有危险，拨打120和110。"
)
_CALL_FOR_CHILD: Final = (
    "孩子有危险请马上拨打110，受伤了拨打120；是自己快撑不住，拨打12356（心理援助）。"
)

_CALLS: Final[Mapping[EmergencyCategory, str]] = {
    EmergencyCategory.SELF_HARM: _CALL_FOR_ONESELF,
    EmergencyCategory.HARM_TO_CHILD: _CALL_FOR_CHILD,
}

_TO_DO: Final[Mapping[EmergencyCategory, str]] = {
    EmergencyCategory.CHOKING: (
        "还能咳、能哭：让他自己用力咳，别拍、别抠喉咙。\n"
        "咳不出、哭不出声：1岁以内，脸朝下趴在前臂上，掌根拍背5下，翻过来用一只手的掌根压胸5下；"
        "1岁以上，弯腰拍背5下，再从身后抱住、往上冲击肚子5下。交替做，到吐出来为止。\n"
        "没反应了：放平，开始胸外按压和人工呼吸。"
    ),
    EmergencyCategory.NOT_BREATHING: (
        "拿开捂住口鼻的东西，放平，轻抬下巴。\n"
        "叫不应又没有呼吸：在胸口正中按压30下、吹气2口，一直做到救护车来；听120指导。\n"
        "还有呼吸：抱着坐起来，松开衣领，别喂水喂药。"
    ),
    EmergencyCategory.CONVULSION: (
        "让孩子侧躺，松开衣领，清掉身边的硬东西，看着表计时。\n"
        "不按住、不掐人中，嘴里不塞任何东西，不喂水喂药。\n"
        "停下来也要去医院看。"
    ),
    EmergencyCategory.UNCONSCIOUS: (
        "拍脚底、大声叫。有呼吸：侧躺，头稍后仰，别喂水喂药。\n"
        "没有呼吸：放平，在胸口正中按压30下、吹气2口，一直做到救护车来；听120指导。"
    ),
    EmergencyCategory.FALL: (
        "先别抱起来摇，别揉。头颈尽量不动，让他躺平；要吐就连头带身子一起侧过来。\n"
        "流血用干净布压住。\n"
        "呕吐、一直想睡、抽搐、叫不醒，或从高处摔下：等救护车，不自己搬动。看着没事，今天也请去医院看。"
    ),
    EmergencyCategory.DROWNING: (
        "捞上来不控水、不倒背。\n"
        "没有呼吸：放平，先吹气2到5口，再胸外按压30下、吹气2口，一直做到救护车来；听120指导。\n"
        "有呼吸：侧躺，脱掉湿衣，裹暖。缓过来了也要去医院。"
    ),
    EmergencyCategory.BURN: (
        "马上用流动的凉水冲15到30分钟，边冲边轻轻脱或剪开衣服，粘住的不撕。\n"
        "不抹酱油、牙膏、香油，不挑水泡，不用冰。\n"
        "冲好盖上干净的布，裹暖，去医院。脸、手、会阴或大片烫伤，等救护车。"
    ),
    EmergencyCategory.ELECTRIC_SHOCK: (
        "先拉闸断电，没断电之前不用手碰孩子；拉不了闸，用干木棍把电线拨开。\n"
        "没有呼吸：放平，在胸口正中按压30下、吹气2口，一直做到救护车来；听120指导。\n"
        "看着没事也要去医院。"
    ),
    EmergencyCategory.POISONING: (
        "拿开毒物，擦掉嘴里剩下的。不催吐，不灌水灌奶。\n"
        "带上药瓶或包装，告诉120吃了什么、多少、几点。\n"
        "昏睡就侧躺；溅到眼睛皮肤，用清水一直冲；煤气中毒，先开窗、抱到室外。"
    ),
    EmergencyCategory.SWALLOWED_OBJECT: (
        "不等难受了再去：纽扣电池、磁铁、尖东西，现在就去急诊。\n"
        "不催吐，不喂饭喂醋，不用手抠。带上同样的东西给医生看。\n"
        "呛咳、脸发紫：按噎住来做，拍背5下，1岁以内压胸5下，1岁以上冲击肚子5下，交替。"
    ),
    EmergencyCategory.ALLERGY: (
        "马上停掉刚吃的、刚碰的东西，告诉120吃了什么、打了什么针。\n"
        "喘：抱着坐起来；脸白、发软：放平，脚垫高。不喂水喂药。\n"
        "没有呼吸：胸外按压30下、吹气2口，一直做到救护车来。"
    ),
    EmergencyCategory.INTUSSUSCEPTION: (
        "先不吃不喝，不揉肚子，不喂止痛药、止泻药。\n"
        "把带血的尿布装好，或拍下来，给医生看。\n"
        "脸色发白、没精神、一直吐：等救护车；还清醒：现在就去有儿科急诊的医院。"
    ),
    EmergencyCategory.BLEEDING: (
        "用干净的布用力压住出血的地方，压住不松、不反复掀开看，至少10分钟；手脚抬高。\n"
        "流鼻血：坐着低头，捏住鼻翼。\n"
        "断下来的手指：干布包好、装袋，外面放冰，一起带去。"
    ),
    EmergencyCategory.BITE: (
        "猫狗鼠咬抓：马上用肥皂水和流动清水交替冲15分钟，不包扎，当天去犬伤门诊。\n"
        "蛇咬：坐下少动，伤处放低，不吸、不割、不扎紧。\n"
        "蜂蜇：刮掉毒刺，冷敷。喘、脸肿、没精神：等救护车。"
    ),
    EmergencyCategory.YOUNG_FEVER: (
        "3个月以内的宝宝发热、不吃奶、发软，都不能在家等，现在就去医院急诊；28天以内更急。\n"
        "路上松开衣被，不捂汗，不用酒精擦，不自己喂退烧药。\n"
        "抽搐、叫不醒、喘、脸发青：等救护车。"
    ),
    EmergencyCategory.SELF_HARM: (
        "请现在就把孩子交给家里人，或放在安全的小床里；离开窗边、水边、药和刀。\n"
        "给一个信得过的人打电话，请他来陪着你，别挂断。\n"
        "这样的念头很多妈妈都有过，是可以治好的。"
    ),
    EmergencyCategory.HARM_TO_CHILD: (
        "请马上把孩子轻轻放进安全的小床，你走到另一个房间，深呼吸，叫家里人来替。\n"
        "千万不摇晃孩子。\n"
        "孩子被摇过、打过，没精神、呕吐、叫不醒：马上打120。是别人在伤害孩子：先带孩子离开。"
    ),
    EmergencyCategory.OTHER_DANGER: (
        "告诉120：孩子多大、怎么了、在哪个镇哪个村几号。\n"
        "叫不应又没有呼吸：放平，在胸口正中按压30下、吹气2口，一直做到救护车来；听120指导。\n"
        "有呼吸：侧躺，别喂水喂药，让人去路口等车。"
    ),
}


def emergency_words(
    category: EmergencyCategory, station_phone: str | None, *, staff_told: bool
) -> str:
    """The answer to an emergency, at most 300 characters: whom to call, what to do, who knows.

    The station's telephone is given where there is one. That staff were told is said only where
    they were.
    """
    lines = [_CALLS.get(category, _CALL), _TO_DO[category], "不用等我回复。"]
    if staff_told:
        lines[-1] += "已通知值班老师。"
    if station_phone:
        lines[-1] += f"指导站电话：{station_phone}。"
    return "\n".join(lines)
