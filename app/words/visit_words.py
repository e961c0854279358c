"""The word that a visitor says at the door, by the number that is kept."""

from typing import Final

_FIRST: Final = [
    "红",
    "黄",
    "蓝",
    "绿",
    "白",
    "金",
    "银",
    "青",
    "紫",
    "粉",
    "大",
    "小",
    "新",
    "老",
    "圆",
    "方",
    "长",
    "短",
    "高",
    "香",
    "甜",
    "鲜",
    "暖",
    "亮",
    "早",
    "晚",
    "春",
    "夏",
    "秋",
    "冬",
    "江",
    "海",
]
_SECOND: Final = [
    "苹果",
    "橘子",
    "西瓜",
    "葡萄",
    "桂花",
    "荷花",
    "芦苇",
    "水仙",
    "小船",
    "灯塔",
    "月亮",
    "太阳",
    "星星",
    "白鹭",
    "燕子",
    "螃蟹",
    "鲤鱼",
    "竹子",
    "米糕",
    "汤圆",
    "水桶",
    "雨伞",
    "风筝",
    "铃铛",
    "拖鞋",
    "书包",
    "剪刀",
    "茶杯",
    "木马",
    "皮球",
    "积木",
    "棉被",
]

COUNT: Final = len(_FIRST) * len(_SECOND)
"""How many words there are: numbers go from 0 to one less."""


def code_word(number: int) -> str:
    """Such as 蓝灯塔: easy to say and to hear, in whatever accent."""
    first, second = divmod(number % COUNT, len(_SECOND))
    return _FIRST[first] + _SECOND[second]


def teacher(name: str) -> str:
    """施慧老师; a name that says so already stays as it is."""
    return name if name.endswith("老师") else f"{name}老师"
