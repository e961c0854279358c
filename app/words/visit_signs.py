"""What the codes of a visit's record are called: for the visitor's form and for the family."""

from typing import Final

DANGER: Final = {
    "temperature": "体温37.5℃及以上，或35.5℃及以下",
    "response": "反应差、面色发灰、吸吮无力",
    "breathing": "呼吸少于20次或多于60次/分，呼吸费力、暂停或发紫",
    "heart": "心率少于100次或多于160次/分，或明显不齐",
    "skin": "手心脚心发黄，皮肤苍白、青紫、发凉，出血点，硬肿，脓疱5个以上",
    "convulsion": "抽搐，囟门鼓、绷紧",
    "limbs": "四肢不动、两边不一样，没有肌张力，不会握",
    "dehydration": "眼窝囟门凹陷、皮肤没弹性、尿少",
    "eyes_ears": "眼皮肿得厉害、很红、脓多，或耳朵流脓",
    "belly": "肚子胀得明显又吐",
    "cord": "脐部脓多、有肉芽，或周围红肿",
}
"""As the visitor ticks them: with what only a trained person measures."""

DANGER_FOR_FAMILY: Final = {
    "temperature": "体温不正常",
    "response": "反应差、没力气吃奶",
    "breathing": "呼吸不对",
    "heart": "心跳不对",
    "skin": "皮肤颜色不对",
    "convulsion": "抽搐或囟门鼓起",
    "limbs": "手脚动得不对",
    "dehydration": "缺水、尿少",
    "eyes_ears": "眼睛或耳朵有脓",
    "belly": "肚子胀又吐",
    "cord": "肚脐红肿或有脓",
}

ADVISED: Final = {
    "feeding": "吃奶困难",
    "yellow_or_rash": "身上四肢发黄，皮疹，指甲边红肿",
    "teary_eyes": "眼睛流泪、分泌物多",
    "neck_lump": "颈部有包块",
    "heart_murmur": "心脏有杂音",
    "liver_spleen": "肝脾肿大",
    "malformation": "五官、胸廓、脊柱、四肢、外生殖器畸形，还没看过医生",
}

FEEDING: Final = {"breast": "纯母乳", "mixed": "混合喂养", "formula": "配方奶"}
JAUNDICE: Final = {
    "none": "不黄",
    "face": "只有脸上黄",
    "body": "身上也黄",
    "limbs": "手心脚心黄",
}
CORD: Final = {
    "attached": "还没脱落，干燥",
    "fallen": "已脱落，干净",
    "wet": "有点潮",
    "inflamed": "红肿、有脓或肉芽",
}
SLEEP: Final = {"safe": "仰睡、单独睡、床上没有软东西", "advised": "有不安全的地方，已当面指导"}
MOTHER: Final = {
    "well": "身体和心情都好",
    "tired": "累，需要家里多搭手",
    "low": "情绪低落，要老师再联系",
}
VACCINATIONS: Final = {
    "both": "乙肝第1剂、卡介苗都打了",
    "missing": "有没打的",
    "unknown": "没看到接种本",
}
ADVICE: Final = {
    "feeding": "喂养",
    "sleep": "睡眠安全",
    "cord": "脐带护理",
    "jaundice": "黄疸怎么看",
    "warmth": "保暖和室温",
    "vaccination": "预防接种",
    "safety": "居家安全",
    "mother": "妈妈休息和心情",
    "play": "抱、说、看着玩",
}
RISKS: Final = {
    "preterm": "早产",
    "low_weight": "出生体重不到2500克",
    "multiple": "双胎或多胎",
    "birth_defect": "出生缺陷",
    "asphyxia": "窒息等缺氧情况",
    "jaundice": "高胆红素血症",
    "infection": "严重感染",
    "mother": "母亲孕产异常或养育有困难",
}
STATES: Final = {
    "requested": "待确认",
    "confirmed": "已确认",
    "declined": "没能安排",
    "en_route": "老师在路上",
    "completed": "已上门",
    "missed": "没遇到",
    "cancelled": "已取消",
}
HALVES: Final = {"morning": "上午", "afternoon": "下午"}
PURPOSES: Final = {
    "newborn": "新生儿上门指导",
    "high_risk": "高危新生儿再次上门",
    "special_needs": "特殊需求家庭上门",
    "again": "再次上门",
}
