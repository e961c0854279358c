"""What is said of weight and length: where they lie, when to measure again, never a verdict."""

from collections.abc import Sequence
from datetime import date

from app.rules.growth import HEIGHT_FROM_MONTHS, Indicator, Level, Placed, wants_a_look
from app.words.when import say_age, say_day

NAMES = {
    Indicator.WEIGHT: "体重",
    Indicator.LENGTH: "身长",
    Indicator.HEAD: "头围",
    Indicator.WEIGHT_FOR_LENGTH: "体重配身长",
    Indicator.WEIGHT_FOR_HEIGHT: "体重配身高",
}
LEVELS = {
    Level.LOWEST: "在最低那条线下面一点",
    Level.LOWER: "在中间偏低的一档",
    Level.MIDDLE: "在中间一档，一半的孩子都在这里",
    Level.UPPER: "在中间偏高的一档",
    Level.HIGHEST: "在最高那条线上面一点",
}
HOW_TO_MEASURE = (
    "写成「体重 7.2 身高 66」这样就行，单位是公斤和厘米；只量了一样，就写一样。"
    "有几个宝宝的，前面加上小名。"
)
NO_SEX = (
    "标准分男孩和女孩，{nickname}还没登记性别，先替您记下了。回复「修改」补上，就能看在哪一档。"
)
NOT_READ = "没看懂这几个数，没有记下。请只填数字，如 7.2 和 66。"
KEPT = "记下了。"
NOT_BORN = "{nickname}还没出生，等生下来再量。回复「资料」看看现在该准备什么。"


def say_which_child(nicknames: Sequence[str], said: str) -> str:
    """The measures again, with a name before them to copy."""
    names = "、".join(nicknames)
    return f"是哪个宝宝的？您家有{names}。请在前面加上小名再发一次，如「{nicknames[0]} {said}」。"


def say_implausible(what: str, value: int) -> str:
    """A number that somebody has mistyped."""
    if what == "weight":
        return (
            f"体重 {value / 1000:g} 公斤，看着不像，是不是小数点漏了，或者写成了斤？"
            "没有记下。请再发一次，如「体重 7.2」；是斤就写「体重 14.4斤」。"
        )
    name = "头围" if what == "head" else "身高"
    example = "头围 43.5" if what == "head" else "身高 66.5"
    return (
        f"{name} {value / 10:g} 厘米，看着不像，是不是多了或少了一位？"
        f"没有记下。请再发一次，如「{example}」。"
    )


def say_recorded(
    *,
    nickname: str,
    measured_on: date,
    age_months: int,
    is_corrected: bool,
    placed: Sequence[Placed],
    moved: bool,
    is_standing: bool,
    link: str,
) -> str:
    """A measurement that was kept, with the level of each measure and what to do next."""
    corrected = "（早产，按矫正月龄看）" if is_corrected else ""
    lines = [f"记下了：{nickname}，{say_day(measured_on)}，{say_age(age_months)}{corrected}。"]
    lines += [_say_placed(one, is_standing=is_standing) for one in placed]
    lines.append(say_advice(moved, wants_a_look(placed)))
    lines.append(f"看曲线：{link}")
    return "\n".join(lines)


def say_advice(moved: bool, wants_a_look: bool) -> str:
    """What to do next; never alarming."""
    if wants_a_look:
        return (
            "一个数不算数，很多孩子一直就在线的边上走，长得好好的。"
            "这几天有空，带上体检手册，请社区卫生服务中心的医生看一看。"
        )
    if moved:
        return (
            "和上一次比，走得快了些或慢了些。过几天按同样的办法再量一回；"
            "还是这样，就把两次的数带给医生看看。"
        )
    return "不跟别家比，看他自己的线往上走就好。下个月同一天再量。"


def say_chart(indicator: Indicator, points: Sequence[tuple[float, float]]) -> str:
    """A chart in words, for whoever hears the page."""
    unit = "公斤" if indicator is Indicator.WEIGHT else "厘米"
    own = "，".join(f"{months:.0f}个月{value:g}{unit}" for months, value in points[-6:])
    return f"{NAMES[indicator]}曲线：{own}。背景是国家标准的百分位线。"


def say_point(placed: Placed, age_months: int) -> str:
    """体重 7.2 公斤：在中间一档…"""
    return _say_placed(placed, is_standing=age_months >= HEIGHT_FROM_MONTHS).removeprefix("· ")


def _say_placed(placed: Placed, *, is_standing: bool) -> str:
    name = NAMES[placed.indicator]
    if placed.indicator is Indicator.LENGTH and is_standing:
        name = "身高"
    if placed.indicator in (Indicator.WEIGHT_FOR_LENGTH, Indicator.WEIGHT_FOR_HEIGHT):
        return f"· {name}：{LEVELS[placed.level]}"
    unit = "公斤" if placed.indicator is Indicator.WEIGHT else "厘米"
    return f"· {name} {placed.value:g} {unit}：{LEVELS[placed.level]}"
