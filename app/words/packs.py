"""Words for age-tied packs: what is pushed, what 资料 answers, choices, and a loss."""

from collections.abc import Sequence

from app.models.notice_facts import PackDue

FEEDBACK_LINE = "有用回复「有用」，没用回复「没用」。"


def push(facts: PackDue, link: str) -> str:
    """A pack that we send: the message, the page, and how to answer."""
    head = (
        "以后宝宝每到一个新阶段，就给您发一条带娃的要点，一周最多3条。不想收，回复「暂停推送」。\n"
        if facts.is_welcome
        else ""
    )
    return f"{head}{_pack(facts.title, facts.message, facts.nicknames, link)}\n{FEEDBACK_LINE}"


def age_of(from_days: int, until_days: int) -> str:
    """For whom a pack is, short enough for a line of a template: 适合6～8个月."""
    if until_days <= 61:
        return f"适合出生{from_days}～{until_days - 1}天" if from_days else "适合新生儿"
    first, last = round(from_days / 30.4375), round(until_days / 30.4375)
    return f"适合{first}～{last}个月"


def say_band(from_days: int, until_days: int) -> str:
    """A stretch of ages under which packs are looked up: 1～3个月."""
    if not from_days:
        return "出生头4周"
    first, last = round(from_days / 30.4375), round(until_days / 30.4375)
    if first >= 24:
        return "2岁以后"
    if first >= 12:
        return "1岁～1岁半" if last <= 18 else "1岁半～2岁"
    return f"{first}～{last}个月"


def pack_saved() -> str:
    return "收藏好了，在「资料」里找得到。"


def pack_unsaved() -> str:
    return "不收藏了。"


def _pack(title: str, message: str, nicknames: Sequence[str], link: str) -> str:
    whose = f"给{'、'.join(nicknames)}的：" if nicknames else ""
    page = f"\n看全文：{link}" if link else ""
    return f"【{whose}{title}】\n{message}{page}"


def current(
    nicknames: Sequence[str],
    title: str,
    message: str,
    link: str,
    unread: Sequence[str],
    other_children: Sequence[str],
) -> str:
    """资料: the child's pack, and what has not been read yet, by number."""
    lines = [_pack(title, message, nicknames, link)]
    if unread:
        lines.append("还没看的（回复数字就能看）：")
        lines += [f"{number}. {name}" for number, name in enumerate(unread, 1)]
    lines += [f"看{name}的，回复「资料 {name}」。" for name in other_children]
    lines.append(FEEDBACK_LINE)
    return "\n".join(lines)


def nothing_for_this_age(nickname: str) -> str:
    return (
        f"{nickname}这个月龄暂时没有新的资料。\n"
        "想来站里和别的宝宝一起玩，回复「活动」；要找老师，回复「人工」。"
    )


def not_born_yet(nickname: str) -> str:
    return (
        f"{nickname}还没出生，育儿资料从出生那天开始，按天龄给您。\n"
        "宝宝生下来以后，回复「修改」告诉我们生日，就能收到。"
    )


def nothing_to_rate() -> str:
    return "最近没有给您发过资料。回复「资料」，看看宝宝这个月龄的。"


def rated(title: str, is_good: bool) -> str:
    if is_good:
        return f"谢谢！记下了：「{title}」对您有用。\n再看别的，回复「资料」。"
    return (
        f"谢谢您直说。「{title}」我们会改。\n"
        "哪里不合适，也可以接着写给我们；要找老师，回复「人工」。"
    )


def settings(
    state: str,
    per_week: int,
    topics: Sequence[tuple[str, bool]],
    paused_until: str | None,
    night: tuple[int, int],
) -> str:
    """推送设置: how it stands, and every way to change it."""
    how = {
        "on": f"现在：正常发，一周最多{per_week}条。",
        "paused": f"现在：暂停了{f'，{paused_until}起再发' if paused_until else ''}。",
        "off": "现在：已退订，一条都不发。",
    }[state]
    listed = "\n".join(
        f"{number}. {topic}{'' if wanted else '（不要）'}"
        for number, (topic, wanted) in enumerate(topics, 1)
    )
    return (
        f"{how}\n您想收哪些内容？回复数字，要的变不要，不要的变要：\n{listed}\n"
        "想少收些，回复「每周1条」或「每周2条」；先停一停，回复「暂停推送」；"
        "再发，回复「恢复推送」；都不要，回复「退订」。\n"
        f"{_say_night(night)}不发；改时间，回复「免打扰」。"
    )


def per_week_set(number: int) -> str:
    return f"好的，一周最多给您发{number}条资料。想再改，回复「推送设置」。"


def _say_night(night: tuple[int, int]) -> str:
    starts, ends = night
    return f"晚上{starts - 12}点到早上{ends}点" if ends < 12 else f"晚上{starts - 12}点到中午12点"


def quiet_hours(night: tuple[int, int]) -> str:
    """免打扰: how it stands, and how to change it."""
    return (
        f"现在：{_say_night(night)}，不给您发资料和提醒学习的消息。\n"
        "想改，回复「免打扰 晚上8点到早上9点」这样一句；"
        "照原来的，回复「免打扰 照旧」。"
    )


def quiet_hours_set(night: tuple[int, int]) -> str:
    return (
        f"好的，{_say_night(night)}不打扰您。\n"
        "您报了名的活动、约好的上门，要紧的消息还是在早8点到晚9点之间发。"
        "想再改，回复「免打扰」。"
    )


def quiet_hours_unclear() -> str:
    return (
        "没听清是几点到几点。请回复「免打扰 晚上8点到早上9点」这样一句；"
        "照原来的，回复「免打扰 照旧」。"
    )


def paused(until: str) -> str:
    return f"已暂停到{until}，那天起再发。\n想早点恢复，回复「恢复推送」；随时想看，回复「资料」。"


def condolence(phone: str) -> str:
    """A loss was told. Nothing else is asked, nothing more is sent."""
    call = f"（{phone}）" if phone else ""
    return (
        "听到这个消息，我们很难过，请您和家人多保重。\n"
        "给您的资料和提醒都已经停了，不会再发。\n"
        f"想找人说说话，可以拨打12356心理援助热线；站里的老师{call}也会轻轻联系您，不想接可以不接。\n"
        "如果是我们理解错了，回复「恢复推送」就好。"
    )


REASONS = {
    "loss": "宝宝不在了，都不再发",
    "family_stopped": "家里有变故，全部停下",
    "not_following": "家长没有关注公众号",
    "opted_out": "家长退订了",
    "paused": "家长暂停了推送",
    "topic_muted": "家长不要这类内容",
    "window_closed": "过了这个月龄",
    "too_late": "该发的时候没发成，过了两天就不补了",
    "birth_date_changed": "生日改过，还没到时候",
    "weekly_cap": "这周已经发满，往后排",
    "asked": "家长自己要过了",
    "with_twin": "和双胞胎一起收到了",
    "no_channel": "微信现在不让发；家长下次来就给",
    "daily_quota": "今天微信的额度用完，明天再发",
    "superseded": "情况变了",
    "expired": "过了这个月龄",
    "crashed_while_sending": "发送时中断，不知道有没有送到",
}
BLOCKED = {
    "switched_off": "已停用",
    "past_review": "过了复核日期",
    "withdrawn": "已撤下",
    "draft": "草稿",
    "retired": "不再使用",
}


def reason(code: str) -> str:
    """Why a push is as it is; what the platform said stays as it said it."""
    if code.startswith("pack_"):
        return f"资料{blocked(code.removeprefix('pack_'))}"
    return REASONS.get(code, code)


def blocked(code: str) -> str:
    """Why a pack is not pushed at all."""
    return BLOCKED.get(code, code)
