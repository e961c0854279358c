"""Words of danger that voice input spelt with other characters of the same sound."""

from functools import lru_cache
from typing import Final

from app.rules.pinyin import syllable

_WORDS: Final = (
    "抽筋 抽搐 抽风 惊厥 昏迷 溺水 噎住 卡住 呛到 窒息 没呼吸 叫不醒 喊不醒 摇不醒 "
    "弄不醒 没反应 喘不上 喘不过 农药 老鼠药 误食 误吞 误服 中毒 触电 烫伤 "
    "烫到 摔下来 掉下来 滚下来 翻白眼 吐白沫 不想活 自杀 割腕 跳楼 救命 "
    "呼吸困难 纽扣电池 磁力珠 降压药 安眠药 消毒液 洗洁精 落水 掉水里 掉河里"
)
_OTHER_WORDS: Final = (
    "也住 爷住 业住 夜住 抢到 强到 墙到 躺到 糖到 汤到 堂到 午食 无食 五食 "
    "物食 弄药 弄要 抽出 抽紧 惊觉 穿不上 穿不过 传不上 传不过 船不上 种毒 "
    "跳漏 就命 落睡 卡主 卡注 咔住 无服 五服 吊下来 吃食 掉水离 抢道 没呼西 "
    "老鼠咬"
)
"""Spellings of equal sound that people write and mean."""


def mend_by_sound(plain: str) -> str:
    """抽近 and 汗不醒 as 抽筋 and 喊不醒: equal sound, and at least one character the same."""
    table, lengths = _by_sounds()
    sounds = [syllable(character) for character in plain]
    for start in range(len(plain)):
        for length in lengths:
            word = table.get(tuple(sounds[start : start + length]))
            said = plain[start : start + length]
            if word is None or said == word or said in _OTHER_WORDS.split():
                continue
            if any(one == other for one, other in zip(said, word, strict=True)):
                plain = plain[:start] + word + plain[start + length :]
                break
    return plain


@lru_cache(maxsize=1)
def _by_sounds() -> tuple[dict[tuple[str, ...], str], tuple[int, ...]]:
    table = {tuple(syllable(character) for character in word): word for word in _WORDS.split()}
    return table, tuple(sorted({len(sounds) for sounds in table}, reverse=True))
