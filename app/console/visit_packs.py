"""The packs that fit what was talked about at a visit."""

from datetime import date
from typing import TYPE_CHECKING, Final

from app.models.visit_facts import VisitPack
from content.packs import EVERYONE, PUSHED_STATUSES

if TYPE_CHECKING:
    from content.library import Library

MOST: Final = 3
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "feeding": ("母乳", "喂", "吃奶"),
    "sleep": ("睡",),
    "cord": ("脐",),
    "jaundice": ("黄疸",),
    "warmth": ("室温", "保暖", "穿", "捂"),
    "vaccination": ("接种", "疫苗", "针"),
    "safety": ("安全", "防"),
    "mother": ("妈妈", "情绪"),
    "play": ("抚触", "玩", "抱"),
}
"""What a pack's title holds that is about an advice."""


def fitting_packs(
    library: "Library", born: date | None, on: date, advice: tuple[str, ...]
) -> tuple[VisitPack, ...]:
    """Up to three packs of the child's age: those about what was advised first, then the current
    ones."""
    if born is None or on < born:
        return ()
    days = (on - born).days
    packs = [
        pack
        for pack in library.packs.values()
        if pack.from_days <= days < pack.until_days
        and pack.audience == EVERYONE
        and pack.status in PUSHED_STATUSES
        and pack.review_by >= on
    ]
    about = [word for each in advice for word in WORDS.get(each, ())]
    packs.sort(key=lambda pack: (not any(word in pack.title for word in about), pack.from_days))
    return tuple(VisitPack(id=pack.id, title=pack.title) for pack in packs[:MOST])
