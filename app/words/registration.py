"""Words for registering children, correcting, inviting, and one's own information."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.words.when import say_age, say_day

CONSENT_VERSION = "2026-11"
"""Raised with every change of consent_notice(): who agreed to what stays provable."""
CONSENT_PURPOSE = "child_data"


def consent_notice(phone: str) -> str:
    call = f"（电话 {phone}）" if phone else "（回复「人工」）"
    return (
        "登记前请看一看《儿童个人信息告知》：\n"
        "① 收什么：宝宝的小名、生日或预产期、性别（可不填）、出生孕周（可不填）、所在乡镇、要不要指导。"
        "不要真名、身份证和门牌号。\n"
        "② 做什么用：安排活动和上门指导、按月龄发养育资料、统计服务人次。不作别的用，不给别人。\n"
        "③ 谁在管：崇明区早教服务，只有您那个站和区里的经办老师看得到，存在区里的服务器上，加密保存。\n"
        "④ 留多久：宝宝满3岁、服务结束后删除；您随时可以回复「我的信息」查看、「修改」更正、"
        f"「撤回同意」或「注销」删除。有疑问找老师{call}。\n"
        "⑤ 不同意也没关系：照样可以看活动、问问题，只是不能报名。\n"
        "您是宝宝的监护人（或受监护人委托）并且同意，请回复「同意」；不同意，回复「不同意」。"
        f"（{CONSENT_VERSION}版）"
    )


def consent_again() -> str:
    return "这一步要您明确说「同意」两个字；不同意，回复「不同意」。想再看一遍告知，回复「登记」。"


def consent_refused() -> str:
    return "好的，不登记，刚才说的也没有存下来。\n您照样可以看活动（回复「活动」）、问问题（直接说）。改主意了随时回复「登记」。"


def ask_nickname() -> str:
    return "先说宝宝的小名叫什么？（不用真名，例如：糖糖）"


def nickname_unclear() -> str:
    return "小名请说1到10个字，例如：糖糖。不想填了，回复「取消」。"


def ask_birth(nickname: str) -> str:
    return f"{nickname}的生日是哪天？例如：2026-05-01，或 2026年5月1日。\n还没出生就说预产期，例如：预产期 2027-01-20。"


def birth_unclear() -> str:
    return "这个日期我没看懂。请这样说：2026年5月1日；还没出生就说：预产期 2027-01-20。"


def impossible_date(text: str) -> str:
    return f"日历上没有「{text}」这一天，请再看一看，例如：2026年5月1日。"


def lunar_date(text: str) -> str:
    return f"「{text}」是农历吧？请说阳历（公历）的日子，例如：2026年5月1日；出生证上写的就是阳历。"


def vague_date(text: str) -> str:
    return f"「{text}」是哪一天？请说到日，例如：2026年5月1日。"


def several_dates(text: str) -> str:
    return f"您说了好几个日子（{text}），生日是哪一天？例如：2026年5月1日。"


def what_next() -> str:
    return "看能报的活动，回复「活动」；看存了什么，回复「我的信息」。"


def ask_township() -> str:
    return "住在哪个乡镇？例如：城桥镇、堡镇、长兴镇。"


def township_unclear(text: str, candidates: Sequence[str]) -> str:
    if candidates:
        return f"「{text}」是哪一个：{'、'.join(candidates)}？请回复乡镇的全名。"
    said = f"「{text}」" if text else "这个地方"
    return f"{said}不在崇明的18个乡镇里。请说乡镇名，例如：城桥镇、堡镇、新村乡。"


def ask_sex(nickname: str) -> str:
    return f"{nickname}是男宝宝还是女宝宝？不想说，回复「跳过」。"


def ask_weeks() -> str:
    return "宝宝是足月生的吗？足月回复「足月」；早产请说孕周，例如：孕34周。不想说，回复「跳过」。"


def weeks_unclear() -> str:
    return "孕周请说22到44之间的数，例如：孕34周；足月就回复「足月」，不想说回复「跳过」。"


def registered(
    nickname: str,
    birth: date | None,
    due: date | None,
    months: int | None,
    township: str,
    station: str | None,
) -> str:
    if birth is not None and months is not None:
        who = f"{nickname}，{birth.year}年{birth.month}月{birth.day}日出生，现在{say_age(months)}"
    elif due is not None:
        who = f"{nickname}，预产期{due.year}年{due.month}月{due.day}日"
    else:
        who = nickname
    where = f"{township}" + (f"，归「{station}」照应" if station else "")
    return f"登记成功！\n{who}\n{where}"


def ask_need() -> str:
    return "再问一句：您家需要我们安排线下活动和上门指导吗？回复「需要」或「不需要」，以后也能改。"


def need_noted(need: bool) -> str:
    if need:
        return "记下了：需要。我们一年至少给您家安排6次活动。\n现在就看有什么能报的：回复「活动」。"
    return "记下了：暂时不需要。以后想要了，回复「需要」就行。\n看活动回复「活动」。"


def need_unclear() -> str:
    return "请回复「需要」或「不需要」；现在不想说，回复「跳过」。"


def need_skipped() -> str:
    return "好的，以后想好了回复「需要」或「不需要」。\n看活动回复「活动」。"


@dataclass(frozen=True, slots=True)
class ChildLine:
    nickname: str
    birth: date | None
    due: date | None
    months: int | None
    sex: str | None
    weeks: int | None


def child_line(child: ChildLine) -> str:
    parts = [child.nickname]
    if child.birth is not None:
        age = f"，{say_age(child.months)}" if child.months is not None else ""
        parts.append(f"{child.birth.year}年{child.birth.month}月{child.birth.day}日生{age}")
    elif child.due is not None:
        parts.append(f"预产期{child.due.year}年{child.due.month}月{child.due.day}日")
    if child.sex:
        parts.append("女宝宝" if child.sex == "girl" else "男宝宝")
    if child.weeks is not None:
        parts.append(f"孕{child.weeks}周出生")
    return "，".join(parts)


def my_information(
    children: Sequence[ChildLine],
    township: str,
    station: str | None,
    need: bool | None,
    caregivers: int,
    consent_day: date | None,
) -> str:
    wants = {
        True: "需要指导",
        False: "暂时不需要指导",
        None: "要不要指导还没说（回复「需要」或「不需要」）",
    }
    lines = ["我们存了这些："]
    lines += [f"· {child_line(child)}" for child in children]
    lines.append(f"· 住在{township}" + (f"，归「{station}」" if station else ""))
    lines.append(f"· {wants[need]}")
    lines.append(f"· 家里有{caregivers}位养育人在用")
    if consent_day is not None:
        lines.append(f"· {say_day(consent_day)}您同意了儿童个人信息告知")
    lines.append("有不对的，回复「修改」；加宝宝，回复「登记」；不要了，回复「注销」。")
    return "\n".join(lines)


def nothing_stored() -> str:
    return "我们这里没有存您家宝宝的信息。要登记，回复「登记」。"


def ask_which_child(nicknames: Sequence[str]) -> str:
    listed = "\n".join(f"{place}. {name}" for place, name in enumerate(nicknames, 1))
    return f"改哪个宝宝的？回复数字：\n{listed}"


def ask_correction(nickname: str) -> str:
    return (
        f"{nickname}的什么要改？直接说改成什么，例如：\n"
        "· 生日 2026-05-02\n· 小名 果果\n· 女 （或 男）\n· 孕34周\n· 堡镇\n不改了，回复「取消」。"
    )


def correction_unclear() -> str:
    return "没看出来要改什么。请这样说：生日 2026-05-02，或：小名 果果，或：堡镇。不改了，回复「取消」。"


def corrected(child: ChildLine, township: str) -> str:
    return f"改好了：\n{child_line(child)}\n住在{township}\n还有不对的，再回复「修改」；看活动回复「活动」。"


def invitation(code: str, days: int) -> str:
    return (
        f"请家里人先关注「崇明育伴」，再把下面这句话发进来，{days}天内有效，只能用一次：\n"
        f"加入 {code}\n"
        "加进来以后，他也能看宝宝的信息、报名和取消。"
    )


def joined(nicknames: Sequence[str]) -> str:
    return f"加入成功！您现在可以一起照应{'、'.join(nicknames)}了。\n您是宝宝的谁？例如：外婆、爸爸。不想说，回复「跳过」。"


def relation_noted() -> str:
    return "好的，记下了。看活动回复「活动」，查预约回复「我的预约」。"


def ask_code() -> str:
    return "请家里已经登记的人在这里回复「邀请」，把他收到的那句「加入 ……」转发给您，您再发进来。"
