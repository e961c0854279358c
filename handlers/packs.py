"""资料: the pack of the child's age and what is unread; choices of pushes; a loss."""

import re
from collections.abc import Sequence

from app.clock import SHANGHAI
from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.numerals import read_number
from app.dialogue.reading.slots import read_slots
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.models import Child
from app.pack_links import PackLinks
from app.rules.asking import Purpose
from app.rules.quiet_hours import COMMON, Night, check_night
from app.services import audit, losses, push_choices, registration
from app.services import packs as service
from app.services.follow_ups import open_follow_up
from app.words import asking as asking_words
from app.words import general
from app.words import packs as words
from content.packs import TOPICS, Pack
from handlers.asking import PAGE, with_ask

LISTED = 5
"""Unread packs by number in one answer."""
EVENINGS = frozenset({"晚上", "夜里", "傍晚", "晚", "下午"})
AS_BEFORE = ("照旧", "原来", "恢复", "默认", "关")
_HOUR = re.compile(
    r"(?P<part>晚上|夜里|傍晚|下午|早上|早晨|上午|中午|第二天|晚|早)?"
    r"(?P<hour>[0-9]{1,2}|[一二三四五六七八九十两]{1,3})(?:点钟?|时|[:：][0-5]?[0-9])(?P<half>半)?"
)
_PER_WEEK = re.compile(r"([一二两三1-9])")


def show(turn: Turn) -> Answered:
    """资料, 资料 糖糖: the current pack, and the unread ones by number."""
    family = registration.get_family(turn.caregiver)
    children = [child for child in family.children if child.lost_at is None]
    named = [child for child in children if turn.argument and child.nickname in turn.argument]
    shelves = [
        service.find_shelf(
            turn.db,
            caregiver=turn.caregiver,
            child=child,
            packs=turn.desk.library.packs.values(),
            today=turn.today,
        )
        for child in (named or children)
    ]
    # Who has something unread comes first, the youngest of them in front.
    shelves.sort(key=lambda shelf: (not shelf.unread, shelf.current is None, -shelf.child.id))
    if not shelves:
        return Reply(words.nothing_for_this_age("宝宝")), None
    shelf = shelves[0]
    if shelf.current is None:
        child = shelf.child
        if child.birth_date is None:
            return Reply(words.not_born_yet(child.nickname)), None
        return Reply(words.nothing_for_this_age(child.nickname)), None
    together = service.of_one_birth(shelf.child, children)
    others = [one.nickname for one in children if one not in together and one.birth_date]
    return _give(turn, shelf.current, together, shelf.unread[:LISTED], others)


def _give(
    turn: Turn,
    pack: Pack,
    children: Sequence[Child],
    unread: Sequence[Pack],
    others: Sequence[str],
) -> Answered:
    lead_id = service.give(
        turn.db, caregiver=turn.caregiver, children=children, pack=pack, now=turn.now
    )
    links = PackLinks(turn.desk.pages.public_url, turn.desk.pages.secret_key)
    text = words.current(
        [child.nickname for child in children],
        pack.title,
        pack.message,
        links.url(pack.id, lead_id),
        [one.title for one in unread],
        others,
    )
    draft = {
        "packs": " ".join(one.id for one in unread),
        "children": " ".join(str(child.id) for child in children),
    }
    following = Dialogue("packs", "choose", turn.now, draft) if unread else None
    return with_ask(turn, (Reply(text), following), Purpose.PACK)


def go_on(turn: Turn) -> Answered:
    """A number after the unread ones; 更多 and 下一条 give the first."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    listed = dialogue.draft["packs"].split(" ")
    number = read_number(turn.text.removeprefix("第").rstrip("个条篇号.。 "))
    if turn.text in ("更多", "下一条", "继续"):
        number = 1
    if number is None or number != int(number) or not 1 <= number <= len(listed):
        return ELSEWHERE
    family = registration.get_family(turn.caregiver)
    wanted = dialogue.draft["children"].split(" ")
    children = [child for child in family.children if str(child.id) in wanted]
    packs = turn.desk.library.packs
    pack = packs.get(listed[int(number) - 1])
    if pack is None or not children:
        return show(turn)
    rest = [packs[each] for each in listed if each != pack.id and each in packs]
    return _give(turn, pack, children, rest, ())


def rate_up(turn: Turn) -> Answered:
    return _rate(turn, is_good=True)


def rate_down(turn: Turn) -> Answered:
    return _rate(turn, is_good=False)


def _rate(turn: Turn, *, is_good: bool) -> Answered:
    push = service.find_last_given(turn.db, turn.caregiver, turn.now)
    if push is None:
        return Reply(words.nothing_to_rate()), turn.dialogue
    service.rate(turn.db, push, is_good=is_good, now=turn.now)
    pack = turn.desk.library.packs.get(push.pack_id)
    return Reply(words.rated(pack.title if pack else push.pack_id, is_good)), turn.dialogue


def settings(turn: Turn) -> Answered:
    """推送设置: how it stands, and the topics by number."""
    return _settings(turn)


def _settings(turn: Turn) -> Answered:
    choices = push_choices.find_choices(turn.db, turn.caregiver)
    until = choices.paused_until
    text = words.settings(
        choices.state,
        choices.per_week,
        [(topic, topic not in choices.muted) for topic in TOPICS],
        f"{until.month}月{until.day}日" if until else None,
        _pair(choices.night),
    )
    if turn.desk.asks:
        text = f"{text}\n{asking_words.where(turn.page_link(PAGE))}"
    return Reply(text), Dialogue("push_settings", "choose", turn.now)


def go_on_settings(turn: Turn) -> Answered:
    """Numbers or names of topics, which change sides."""
    chosen = []
    for part in re.split(r"[\s,，、和]+", turn.text):
        number = read_number(part.removeprefix("第").rstrip("个条号.。"))
        if number is not None and number == int(number) and 1 <= number <= len(TOPICS):
            chosen.append(TOPICS[int(number) - 1])
        elif part in TOPICS:
            chosen.append(part)
        else:
            return ELSEWHERE
    push_choices.toggle_topics(turn.db, turn.caregiver, chosen)
    return _settings(turn)


def per_week(turn: Turn) -> Answered:
    """每周1条."""
    found = _PER_WEEK.search(turn.text)
    number = read_number(found[1]) if found else None
    if number is None:
        return _settings(turn)
    wanted = push_choices.set_per_week(turn.db, turn.caregiver, int(number))
    return Reply(words.per_week_set(wanted)), None


def quiet(turn: Turn) -> Answered:
    """免打扰, 免打扰 晚上8点到早上9点, 免打扰 照旧. An end that is left out stays as it was."""
    said = turn.argument or turn.text
    night = push_choices.find_choices(turn.db, turn.caregiver).night
    hours = read_hours(said)
    if any(word in said for word in AS_BEFORE):
        wanted = COMMON
    elif hours == (None, None):
        has_asked = turn.argument and "免打扰" not in turn.argument
        text = words.quiet_hours_unclear() if has_asked else words.quiet_hours(_pair(night))
        return Reply(text), turn.dialogue
    else:
        starts, ends = hours
        wanted = check_night(
            night.starts if starts is None else starts, night.ends if ends is None else ends
        )
    push_choices.set_night(turn.db, turn.caregiver, wanted)
    return Reply(words.quiet_hours_set(_pair(wanted))), None


def _pair(night: Night) -> tuple[int, int]:
    return night.starts, night.ends


def read_hours(said: str) -> tuple[int | None, int | None]:
    """Evening and morning hours of a sentence, of 24; None for what is not named.

    Half hours are rounded to the quieter side.
    """
    evening = morning = None
    for number, found in enumerate(_HOUR.finditer(said)):
        value = read_number(found["hour"])
        if value is None or value != int(value) or not 0 <= value <= 24:
            continue
        hour, part = int(value), found["part"] or ""
        is_evening = part in EVENINGS or (not part and (hour > 12 or number == 0))
        has_half = found["half"] is not None
        if is_evening:
            evening = hour + 12 if hour < 12 else hour
        else:
            morning = hour + 1 if has_half else hour
    return evening, morning


def pause(turn: Turn) -> Answered:
    """暂停推送, 暂停推送 到12月5日: a pause without an end lasts until 恢复推送."""
    until = None
    if turn.argument:
        local = turn.now.astimezone(SHANGHAI)
        dates = [day for day in read_slots(turn.argument, local).dates if day > turn.today]
        until = max(dates, default=None)
    push_choices.pause(turn.db, turn.caregiver, until)
    if until is None:
        return Reply(general.pushes_paused()), None
    return Reply(words.paused(f"{until.month}月{until.day}日")), None


def resume(turn: Turn) -> Answered:
    """恢复推送; also where a loss was understood wrongly."""
    caregiver = turn.caregiver
    caregiver.pushes = "on"
    push_choices.end_pause(turn.db, caregiver)
    if caregiver.family is not None:
        actor = audit.Actor("caregiver", caregiver.id)
        losses.resume_family(turn.db, caregiver.family, actor=actor, now=turn.now)
    return Reply(general.pushes_resumed()), None


def opt_out(turn: Turn) -> Answered:
    turn.caregiver.pushes = "off"
    return Reply(general.opted_out()), None


def loss(turn: Turn) -> Answered:
    """A child died, before or after birth: everything stops, and a person will call, gently."""
    family = turn.caregiver.family
    if family is not None:
        actor = audit.Actor("caregiver", turn.caregiver.id)
        losses.stop_family(turn.db, family, actor=actor, now=turn.now)
    open_follow_up(
        turn.db, kind="loss", caregiver=turn.caregiver, detail=turn.inbound.text, now=turn.now
    )
    return Reply(words.condolence(turn.phone)), None
