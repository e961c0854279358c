"""The coverage report's words: what each figure means. The long form is docs/indicators.md."""

from collections.abc import Mapping
from typing import Final

DEFINITIONS: Final = (
    (
        "有需求",
        "明确回答“需要”、当年有0到3岁宝宝的家庭。没有回答的不算“需要”，也不算“不需要”，在“未答”里单独列出。",
    ),
    (
        "参加次数",
        "按家庭算，同一场活动有几个宝宝参加也只算1次；按活动开始那天所在的年份算。已签到才算。6次以上里面包含12次以上。",
    ),
    (
        "折算",
        "当年出生、满3岁或新登记的家庭，只按完整的月份折算应有的次数（例如在册6个整月，应有3次）。一个整月都没有的不参与折算。",
    ),
    (
        "还差",
        "目标次数减去已参加和已约好的。剩余名额只数还能报名的活动。7月起，还差的比剩余名额多就会提醒。",
    ),
    ("新生儿家庭、已上门", "当年有新生儿、有需求的家庭，和其中当年已经上门指导过的。"),
    ("收到、打开资料", "当年至少收到过、打开过一份按月龄资料的家庭。"),
    ("课程", "当年报名七会课程、取得结业证书的家庭。"),
    ("办过的活动", "当年已经结束、没有取消的活动，按级别和种类；签到人次按宝宝算。"),
)
LEVELS: Final[Mapping[str, str]] = {
    "station": "站级",
    "township": "乡镇级",
    "district": "区级",
    "city": "市级",
}
AREAS: Final[Mapping[str, str]] = {
    "newborn": "新生儿访视",
    "nutrition": "膳食营养",
    "growth": "生长发育",
    "vaccination": "预防接种",
    "safety": "安全防护",
    "illness": "疾病防控",
}
