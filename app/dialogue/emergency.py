"""Whether a message tells of a danger that is happening now. Pure rules, before anything else.

A missed emergency may cost a life and a false alarm a moment: where a message can be read both
ways it is an emergency. Asking how to prevent, wanting a lesson, fearing, supposing, and what is
long past and settled are not.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.dialogue.danger_signs import SIGNS
from app.dialogue.danger_signs.by_sound import mend_by_sound
from app.dialogue.danger_signs.cry import CRY_FOR_HELP
from app.dialogue.danger_signs.fever import FEVER, MILK_REFUSED
from app.dialogue.infant_age import says_older_child, stated_age_days
from app.dialogue.reading.plain import say_plain
from app.dialogue.understanding.kept import the_model
from app.late_pattern import LatePattern
from app.rules.emergencies import EmergencyCategory

YOUNG_DAYS: Final = 92
"""Any fever under three months of age is an emergency."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """What danger a message tells of, and the words that say so, in plain Mandarin."""

    category: EmergencyCategory
    text: str


LIKE_EMERGENCIES: Final = 0.62
"""How like the emergencies among the examples a message must be that no rule has found.

Well over half of the belief: a missed one costs more than two or three alarms in a thousand."""
EMERGENCY_LABEL: Final = "emergency"
SHORTEST_GUESSED: Final = 3
UNLIKE_EMERGENCIES: Final = 0.03
"""Less like them than this, a sign is a word in a talk of something else: of fresh emergencies that
the rules found, none was under 0.2 but the wish to die, which nothing clears."""
_SAYS_MORE: Final = 4
"""Characters beside the sign itself that a message needs to be a talk of something else."""
_AROUND_SIGN: Final = 14
"""Characters before and after a sign that are judged apart from a long message."""

# Spaces and emoji part the words of a sign; sentence marks end it.
_MARKS: Final = LatePattern(r"[^\w,.!?:;°]")

_LEARNING: Final = LatePattern(
    "(?:讲讲|说说|介绍一下|科普一下)|提前学|想学|学一下|预防(?!针|接种|苗)|防止|避免|怎么防|如何防|怎样防|防(?=噎|呛|烫|溺|摔|跌|坠|中毒|误|狗|触电|窒息|走失|"
    "意外|烧)|以防|"
    "急救(?:课|图解|步骤|流程|培训|知识|视频|资料|讲座|班|方法|技能|手册|包)|(?:学|教|培训|讲).{0,8}(?:急救|"
    "海姆立克|心肺复苏|处理)|"
    "(?:安全|急救|防护).{0,4}(?:课|讲座|培训|活动|知识|资料|视频)"
)
_TO_LEARN: Final = LatePattern("想(?:提前|先|来)?(?:学|了解|问问清楚)|学一下|先学|备着")
_MATERIAL: Final = LatePattern(
    "(?:有没有|有什么|有|想要|要|想看|发|推|找|看看|领|求|学|听|参加|报名|分享|了解|给我).{0,14}"
    "(?:课|讲座|培训|活动|资料|视频|文章|手册|科普|清单|资源包|知识|绘本|贴士|内容|方面的|这类的)|"
    "的(?:资料|视频|文章|手册|清单|资源包|绘本|图|那篇|那一课).{0,4}(?:再|发|给|推|来|有|在哪|找)"
)
_ASKS_WHAT: Final = LatePattern(
    "什么是|(?<!知道)是什么(?=$|[?呢啊])|是什么(?:病|意思|原因|症状|样)|是怎么(?:回事|引起|"
    "造成)的?$|有(?:什么|哪些)(?:症状|表现|前兆|信号|征兆|危害)|(?:什么|哪些)(?:症状|表现|信号|"
    "情况|东西|食物)|"
    "怎么(?:数|量|测|教)|(?:平时|日常|平常).{0,4}注意|会复发|怎么护理|的症状|怎么(?:判断|识别|区分|分辨|看出|分(?=$|[?呢]|清|得))|为什么会|原因(?:是|有|$)|的原因|多久能好|遗传|会传染|几率|概率"
)
_SUPPOSING: Final = LatePattern(
    "万一|如果|要是|假如|倘若|假使|若是|的话|一旦|当孩子|遇到.{0,8}(?:时|情况)|发生.{0,6}(?:时|"
    "情况)"
)
_FEARED: Final = LatePattern(
    "(?:会不会|不会|会|能不能|可能会|容易|怕|害怕|担心|怕他|怕她|怕孩子|怕宝宝|担心孩子|担心宝宝|"
    "老怕|生怕|别|(?<!不)小心|当心|以免|免得|省得|防|不要|别让)"
    "(?:他|她|孩子|宝宝|被|把|不小心|突然|再|又|给|自己|一下子|真的|半夜|睡着|吃东西)*$"
)
_ASKED_IN: Final = LatePattern(
    "(?<!恐)怕(?!是|人)|会不会(?!是|已经)|(?<!不)会[^了]{0,3}$|容易|担心"
)
_REAL_FEAR: Final = LatePattern("是不是|会不会是|会不会已经|是否")
_NEGATED: Final = LatePattern(
    "(?:(?<!有)没有?|(?<!是)不是|并未|并没有?|从来没有?|从没|不会|没有过|也没|都没|还没|未见|"
    "无)(?:出现|发生|再|有|被|过|什么|任何|发)*$"
)
_HABIT: Final = LatePattern(
    "老是|总是|经常|常常|常|有时候?|偶尔|每次|平时|动不动|时不时|喜欢|爱|动辄|最近老|一.{1,4}就"
)
_LONG_PAST: Final = LatePattern(
    "上次|上回|(?<![钟时刚天会觉饭])(?:以前|之前)|曾经|从前|去年|前年|小时候|上个?月|上周|"
    "上个?星期|前几天|前几个?月|前阵子|前段时间|那次|有一次|有一回|有次|"
    "(?:几|两|三|半|[一二三四五六七八九十\\d]+)个?(?:月|年|星期|周)前|早就|老早|满月时|出生时|"
    "生下来时|刚出生时|新生儿时"
)
_SETTLED: Final = LatePattern(
    "(?:已经|现在|后来|目前|如今|都|早就|早|这两天|今天)?.{0,4}(?:好了|没事了?|恢复了?|正常了?|"
    "缓过来了?|吐出来了?|咳出来了?|咳出了|(?<!泪)(?<!泪都)(?<!血)(?<!血都)(?<!沫)(?<!沫都)(?<!头都)出来了|拉出来了|排出来了|"
    "不抽了|退了|醒了|醒来了|停了|止住了|救回来了|出院了?|痊愈|治好|康复|好转|没大碍|消了|长好|"
    "结痂|好多了|看过医生|去过医院|医生说没)"
)
_AGAIN: Final = LatePattern(
    "又(?!怕|担心)|再次|还在|还是(?!怕|担心|想|要)|现在(?:还|又|开始|正|在|不|没(?!事)|叫|吐|脸|"
    "嘴|发)|今天又|刚才又|这次|正在|突然"
)
_NOW: Final = LatePattern(
    "救命|快点|快来|快救|急急|急!|!!|正在(?!学|参加)|刚刚|刚才|刚(?=从|把|吃|喝|吞|摔|掉|跌|被|"
    "烫|捞|抽|噎|呛|昏|晕)|现在(?:还|又|开始|正|在|叫|吐|脸|嘴|发|不动)|脸.{0,3}(?:紫|青|发黑)|"
    "嘴唇.{0,3}(?:紫|青)|"
    "没呼吸|叫不醒|捞上来|捞出来|打120|叫120|来不及|怎么办!|在线等|怎么都|已经.{0,6}(?:分钟|小时)"
)
_DONE: Final = LatePattern("了(?!.{0,8}(?:的(?:课|视频|资料|文章|内容|知识)|要怎么预防))")
_FRESH: Final = LatePattern("刚|今天|现在|水泡|起泡|脱皮|掉皮")
_ELSEWHERE: Final = LatePattern(
    "新闻|网上(?:说|看|有)|抖音(?:上|里|说|看)|朋友圈|小红书(?:上|说|看)|电视(?:上|里)(?:说|看|"
    "放|有)|看到(?:有人|一个|说)|听说|有人说|书上|绘本里|故事里|故事讲|动画片?里|"
    "(?:邻居|人家|别人|隔壁|亲戚|同事|朋友)家?的?(?:孩子|宝宝|小孩|娃).{0,12}(?:我们|怎么防|吓人|可怜)"
)
_MIMICKED: Final = LatePattern(
    "(?:孩子|宝宝|娃|他|她|儿子|女儿).{0,4}(?:说|讲|喊).{0,12}(?:学来|学的|学会|动画|电视|是跟)"
)
_MOTHER_MEDICINE: Final = LatePattern(
    "(?:我|妈妈|产妇|哺乳期?|孕妇|孕期|怀孕|大人|老公).{0,8}(?:吃|喝|服|用)(?!.{0,6}(?:孩子|"
    "宝宝).{0,4}(?:吃|喝|吞))|(?:喂奶|哺乳|母乳|怀孕|孕期)"
)
_CHILD_TOOK: Final = LatePattern(
    "(?:孩子|宝宝|娃|小孩|小人|他|她|儿子|女儿|孙子|孙女|小朋友|弟弟|妹妹|误|偷|把|拿).{0,10}(?:吃|喝|吞|服|食)"
)
_LIFELESS: Final = LatePattern(
    "(?:手机|电脑|平板|系统|网页|页面|小程序|公众号|程序|链接|视频|界面|屏幕|网络|按钮|app|点击|"
    "登录|验证码|消息|电话|报名|预约|课程|进度|流程|步骤|第.课|下一课)"
    ".{0,8}(?:卡|没反应|死机|不动|打不开|闪退|抽风|没有反应|堵|昏|晕|疯|崩|走不下)|(?:曲线|体重|手机|玩具|奶瓶|奶嘴|遥控器?|"
    "球|衣服|帽子|鞋|袜|被子|毛巾|钱包|钥匙|证件|书|气球|车胎|轮胎)"
    "(?:都|也|又|不小心|从.{1,6})?(?:掉|跌|摔|落|翻|没气|滚)|"
    "(?:碗|盘子?|杯子?|手机|玩具|勺子?|遥控器|花瓶|眼镜|电视|电脑)(?:都|给|又)*(?:摔|砸|扔)(?:了|碎|坏|掉)|"
    "(?:掉|摔|跌|滚)下来?的(?:大|小|那个?|一个?)*(?:毯子|玩具|东西|枕头|被子|奶嘴|奶瓶|衣服|勺|饭|头发)|(?:肚脐|脐带|头发|牙|痂|指甲|"
    "睫毛)(?:眼|上|都|快|就|也|已经|自己)*(?:掉|脱|落)"
)
_FIGURE_OF_SPEECH: Final = LatePattern(
    "笑死|累死|烦死|吵死|困死|热死|冷死|饿死|想死(?:你|我了)|急死|气死|吓死|要死(?!了)|忙死|愁死|"
    "可爱死|萌死|跳楼机|跳楼价|死活|死党|死机|打死(?:也|都)不|喜欢得要死|昏头|晕车|晕奶|"
    "笑(?:得|到)[^,.]{0,6}(?:昏|晕|抽|喘|断气|岔气)|(?:气|忙|吵|看|绕)(?:昏|晕)(?!过去|倒|了过|死过)|"
    "死鬼|抽奖|抽空|抽时间|抽血|抽查|抽屉|抽纸|抽烟|抽油烟|抽签|抽样|卡介苗|卡通|卡片|贺卡|"
    "银行卡|医保卡|社保卡|打卡|刷卡|卡号|居民卡|就诊卡|水痘|水果|开水怎么"
)
_CALM_SLEEP: Final = LatePattern(
    "(?:睡觉|睡着|做梦|入睡|睡眠|睡梦).{0,10}(?:正常|要紧|没事|缺钙|怎么回事|为什么)|(?:新生儿|"
    "宝宝).{0,4}(?:惊跳|打冷颤|打寒颤)|(?:打哈欠|犯困|快睡着|刚睡着|要睡).{0,6}翻白眼"
)
_PLAYING: Final = LatePattern("做鬼脸|扮鬼脸|学大人|学着|学别人|逗我们?笑|假装")
_HICCUP: Final = LatePattern("打饱?嗝")
_SPITTLE: Final = LatePattern("口水呛[^紫憋青喘]*$")
_WELL_SINCE: Final = LatePattern(
    "后来(?:装|买|加|就没|没再)|玩得(?:挺|蛮|很|还)?(?:好|开心|欢|起劲)|(?:现在|今天|后来|当时|看着|看上去|精神|都|还是|照样|一切).{0,5}(?:好好的|很好|蛮好|挺好|不错|正常|"
    "没事|没什么事|能吃能[玩睡]|活蹦乱跳|照样玩)|哭(?:了)?(?:几|两|一)(?:声|下|会儿?|小会儿?)就好"
)
_WORSE: Final = LatePattern("吐|呕|昏|晕|抽|嗜睡|想睡|血|凹|叫不|没反应|站不|动不了|不能动|软包")
_JOKING: Final = LatePattern(
    "报名|名额|活动|预约|密码|登记|课程|验证码|手机|系统|打翻|不肯?睡|怎么弄|笑|可爱|累死|好难|作业|"
    "公交|不会用|尿了|拉了|哄|选哪|买"
)
_SCAR: Final = LatePattern("(?:疤|留疤|疤痕|去疤|祛疤|烫伤膏|药膏推荐|保险)")
_OWN_CRAMP: Final = LatePattern(
    "(?:怀孕|孕妇|孕期|孕晚期|孕中期|我|产后|哺乳)[^孩宝娃]{0,4}抽筋|生长痛"
)
_LATE_RISER: Final = LatePattern(
    "(?:叫|喊)不?(?:起来|醒).{0,3}(?:吃夜奶|喝夜奶|夜奶|尿|小便|把尿)|起床|闹钟|迟到|上学|赖床|早上叫|上幼儿园"
)
_HAS_BEEN: Final = LatePattern(
    "过[^去来,.]{0,3}(?:[,.]|出院|好|以后|之后|现在|要注意|怎么护理|能不能|能打|可以)|"
    "过的(?:孩子|宝宝|小孩|娃|人)"
)
_TICS: Final = LatePattern("抽动症|抽动障碍|多动症")
_AFTER_CRYING: Final = LatePattern(
    "(?:哭完|哭好|不哭|马上|一会儿?|过后|抱抱|抱起来|安静下来|暖和|捂热)了?(?:就|也就|马上|又)?(?:好|恢复|正常|红|退|没了)"
)
_COME_OUT: Final = LatePattern("(?:拉|排|大便.{0,2})(?:掉|了)?出来了|已经(?:拉|排)出来")
_NEVER_HARMLESS: Final = LatePattern("电池|磁|铁|针|玻璃|刀")
_MOSQUITO: Final = LatePattern("蚊")
_BLOOD_IN_MOTHER: Final = LatePattern("恶露|月经|例假|来事|痔疮|肛裂|产后(?!孩|宝)")

_CALM: Final = (
    _LEARNING,
    _MATERIAL,
    _ASKS_WHAT,
    _SUPPOSING,
    _FIGURE_OF_SPEECH,
    _ELSEWHERE,
    _JOKING,
    _PLAYING,
    _MOTHER_MEDICINE,
    _WELL_SINCE,
    _SETTLED,
    _MOSQUITO,
    _CALM_SLEEP,
    _OWN_CRAMP,
    _LONG_PAST,
    _LATE_RISER,
)
_BY_WORD: Final = (
    (EmergencyCategory.SELF_HARM, LatePattern("死|活着|跳楼|解脱|撑不")),
    (EmergencyCategory.DROWNING, LatePattern("水里|河|塘|缸|淹|溺|池")),
    (EmergencyCategory.CHOKING, LatePattern("噎|卡|呛|堵|喉|咽|哽|梗")),
    (EmergencyCategory.SWALLOWED_OBJECT, LatePattern("吞|电池|磁|珠|针|硬币|玻璃")),
    (EmergencyCategory.POISONING, LatePattern("药|喝|误|农|毒|煤|漱|洗")),
    (EmergencyCategory.ELECTRIC_SHOCK, LatePattern("插座|触电|漏电|电线")),
    (EmergencyCategory.BURN, LatePattern("烫|烧|开水|火|油")),
    (EmergencyCategory.BITE, LatePattern("狗|猫|蛇|蜂|咬|鼠")),
    (EmergencyCategory.ALLERGY, LatePattern("过敏|疹|肿")),
    (EmergencyCategory.FALL, LatePattern("摔|掉|撞|砸|磕|楼|滚|压")),
    (EmergencyCategory.CONVULSION, LatePattern("抽|抖|白眼|僵|惊")),
    (EmergencyCategory.NOT_BREATHING, LatePattern("喘|呼吸|气|紫|青|闷|捂")),
    (EmergencyCategory.UNCONSCIOUS, LatePattern("醒|昏|晕|没反应|软|睡|倒")),
    (EmergencyCategory.BLEEDING, LatePattern("血")),
)
"""Which first aid is nearest, by one word."""
_BY_AGE: Final = LatePattern(f"{FEVER.pattern}|{MILK_REFUSED.pattern}")
_DENIED: Final = LatePattern(
    "^(?:孩子|宝宝|他|她)?(?:并|还)?没有?(?!呼吸|气|反应|意识|知觉|心跳|声音|力|脉|动)"
)
_MOURNED: Final = LatePattern(
    "(?:孩子|宝宝|娃|小囡)(?:已经|还是)?(?:没了|走了|没保住|去世|不在了)|流产|胎停"
)
_NEVER_CLEARED: Final = frozenset({EmergencyCategory.SELF_HARM, EmergencyCategory.HARM_TO_CHILD})
_HABIT_CLEARS: Final = frozenset(
    {
        EmergencyCategory.CHOKING,
        EmergencyCategory.BITE,
        EmergencyCategory.FALL,
        EmergencyCategory.BURN,
        EmergencyCategory.BLEEDING,
    }
)


def find_emergency(text: str, youngest_age_days: int | None) -> Emergency | None:
    """The danger that a message tells of, or None.

    The age of the family's youngest child decides about fever: under 92 days, by its record or
    by the message itself, any fever is an emergency. None means that no child is known.
    """
    plain, found = _without_age(text)
    # Never both: what tells of a fever is left to the age.
    return found or _young_fever(plain, youngest_age_days)


@lru_cache(maxsize=64)
def _without_age(text: str) -> tuple[str, Emergency | None]:
    """The message in plain words, and the danger in it whatever the child's age.

    A turn asks twice: before anything else, and again when the child is known.
    """
    plain = mend_by_sound(_MARKS.sub("", say_plain(text)))
    for category, pattern in SIGNS:
        for found in pattern.finditer(plain):
            if _is_cleared(category, plain, found.start(), found.end()):
                continue
            if _is_unlike(category, text, plain, found.start(), found.end()):
                continue
            return plain, Emergency(category, found.group())
    return plain, _cry_for_help(text, plain) or _like_emergencies(text, plain)


def _is_unlike(
    category: EmergencyCategory | None, text: str, plain: str, start: int, end: int
) -> bool:
    """Whether neither the message nor the words around the sign are like any emergency.

    A word list cannot tell 噎住 from 噎住那篇; two thousand messages can. It is asked last, and
    not of who wants to die, nor of what is said to happen now, nor of a cry of few words.
    """
    is_bare = len(plain) - (end - start) < _SAYS_MORE
    if is_bare or category in _NEVER_CLEARED or _NOW.search(plain) is not None:
        return False
    around = plain[max(0, start - _AROUND_SIGN) : end + _AROUND_SIGN]
    return all(
        the_model().chance(said, EMERGENCY_LABEL) < UNLIKE_EMERGENCIES for said in (text, around)
    )


def _like_emergencies(text: str, plain: str) -> Emergency | None:
    """A message in words that no rule knows, much like those of emergencies among the examples.

    Not where it asks about, learns or supposes, nor of a fever: there the age decides.
    """
    if len(plain) < SHORTEST_GUESSED or _BY_AGE.search(plain) or _MOURNED.search(plain):
        return None
    if _DENIED.match(plain):
        return None
    if any(
        calm.search(plain)
        for calm in _CALM
        if not (calm is _MOTHER_MEDICINE and _CHILD_TOOK.search(plain))
    ) or _LIFELESS.search(plain):
        return None
    if the_model().chance(text, EMERGENCY_LABEL) < LIKE_EMERGENCIES:
        return None
    for category, words in _BY_WORD:
        if found := words.search(plain):
            return Emergency(category, found.group())
    return Emergency(EmergencyCategory.OTHER_DANGER, plain[:20])


def _cry_for_help(text: str, plain: str) -> Emergency | None:
    found = CRY_FOR_HELP.search(plain)
    if (
        found is None
        or _JOKING.search(plain)
        or _LEARNING.search(plain)
        or _SUPPOSING.search(plain)
        or _is_unlike(None, text, plain, found.start(), found.end())
    ):
        return None
    return Emergency(EmergencyCategory.OTHER_DANGER, found.group())


def _young_fever(plain: str, youngest_age_days: int | None) -> Emergency | None:
    for pattern, limit_days in ((FEVER, YOUNG_DAYS), (MILK_REFUSED, 29)):
        for found in pattern.finditer(plain):
            age = stated_age_days(plain)
            if age is None and not says_older_child(plain):
                age = youngest_age_days
            if age is None or age >= limit_days:
                continue
            if not _is_cleared(EmergencyCategory.YOUNG_FEVER, plain, found.start(), found.end()):
                return Emergency(EmergencyCategory.YOUNG_FEVER, found.group())
    return None


def _is_cleared(category: EmergencyCategory, plain: str, start: int, end: int) -> bool:
    """Whether the message shows that this sign is no danger now."""
    before, sign, after = plain[:start], plain[start:end], plain[end:]
    if category in _NEVER_CLEARED:
        is_told = _ELSEWHERE.search(plain) is not None or _MIMICKED.search(plain) is not None
        return (is_told and "我" not in plain) or _LEARNING.search(before) is not None
    if _is_another_thing(category, plain, start, end):
        return True
    if _NEGATED.search(before[-12:]) and not sign.startswith(("没", "不", "无", "叫不")):
        return True
    if _is_long_over(category, plain[start:], before, after):
        return True
    if _NOW.search(plain) is not None:
        return False
    if _TO_LEARN.search(after):
        return True
    is_feared = _FEARED.search(before[-30:]) is not None and not _REAL_FEAR.search(before[-6:])
    if is_feared or _ASKED_IN.search(sign) or _ELSEWHERE.search(plain):
        return True
    if _SUPPOSING.search(before) or _LEARNING.search(before):
        return True
    if _DONE.search(sign + after[:10]) is not None:
        # 吃了农药，有什么症状: it happened, whatever is asked about it.
        return False
    is_asked = any(asked.search(plain) for asked in (_LEARNING, _SUPPOSING, _ASKS_WHAT, _MATERIAL))
    return is_asked or (category in _HABIT_CLEARS and _HABIT.search(before[-12:]) is not None)


def _is_long_over(category: EmergencyCategory, told: str, before: str, after: str) -> bool:
    """Past and settled, and not come back."""
    if _AGAIN.search(after):
        return False
    is_settled = _SETTLED.search(told) is not None
    if category is EmergencyCategory.CHOKING and is_settled:
        return True
    if not _LONG_PAST.search(before):
        return False
    is_told_as_past = after.startswith(("过", "了过")) or "过" in after[:3]
    return is_settled or is_told_as_past or _LEARNING.search(after) is not None


def _is_another_thing(category: EmergencyCategory, plain: str, start: int, end: int) -> bool:
    """The same words said of a telephone, a navel, a laugh, a mosquito, a nursing mother."""
    around = plain[max(0, start - 10) : end + 8]
    for pattern in (_LIFELESS, _FIGURE_OF_SPEECH):
        other = pattern.search(around)
        if other is not None and _overlaps(pattern, plain, start, end):
            return True
    match category:
        case EmergencyCategory.POISONING:
            return bool(_MOTHER_MEDICINE.search(plain)) and not _CHILD_TOOK.search(plain)
        case EmergencyCategory.CONVULSION if _OWN_CRAMP.search(plain):
            return True
        case EmergencyCategory.CONVULSION if "白眼" in plain[start:end] and _PLAYING.search(plain):
            return True
        case EmergencyCategory.CONVULSION if "一抽" in plain[start:end] and _HICCUP.search(plain):
            return True
        case EmergencyCategory.CONVULSION if _TICS.search(plain):
            return True
        case EmergencyCategory.UNCONSCIOUS if _LATE_RISER.search(plain):
            return True
        case EmergencyCategory.NOT_BREATHING | EmergencyCategory.CONVULSION if _HAS_BEEN.match(
            plain[end:]
        ):
            return True
        case EmergencyCategory.NOT_BREATHING if _AFTER_CRYING.search(plain[end:]):
            return not _AGAIN.search(plain)
        case EmergencyCategory.SWALLOWED_OBJECT if _COME_OUT.search(plain[end:]):
            return not _AGAIN.search(plain) and not _NEVER_HARMLESS.search(plain)
        case EmergencyCategory.CHOKING:
            return _SPITTLE.search(plain) is not None
        case EmergencyCategory.FALL if _WELL_SINCE.search(plain):
            return not _AGAIN.search(plain) and not _WORSE.search(plain)
        case EmergencyCategory.CONVULSION | EmergencyCategory.NOT_BREATHING:
            return _CALM_SLEEP.search(plain) is not None
        case EmergencyCategory.BURN:
            return bool(_SCAR.search(plain)) and not _FRESH.search(plain)
        case EmergencyCategory.ALLERGY | EmergencyCategory.BITE:
            return _MOSQUITO.search(plain) is not None
        case EmergencyCategory.BLEEDING | EmergencyCategory.INTUSSUSCEPTION:
            return _BLOOD_IN_MOTHER.search(plain) is not None
        case _:
            return False


def _overlaps(pattern: LatePattern, plain: str, start: int, end: int) -> bool:
    return any(other.start() < end and start < other.end() for other in pattern.finditer(plain))
