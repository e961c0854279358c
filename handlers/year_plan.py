"""年度计划: the year's sessions proposed together, agreed to with one word, changed one by one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.answers import read_yes_no
from app.dialogue.reading.numerals import read_number
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.errors import ChildUnknown
from app.models import Child, Family, SignUp
from app.rules.asking import Purpose
from app.rules.year_plan import Reason
from app.services import plan_keeping, plan_taking, registration, sessions, year_plan
from app.services.year_plan import Proposal
from app.services.year_supply import Planned
from app.words import year_plan as words
from handlers.asking import with_ask

ALL = frozenset({"全部", "全要", "全报", "都报", "都要", "都去", "都行", "都可以", "全部报上"})
_SWAPS = re.compile("换|改")
_DROPS = re.compile("不要|不去|不报|去掉|去除|删|划掉")
_NO_NUMBER = re.compile("一(?:个|场|下|次|换)")
_NUMBERS = re.compile(r"\d+|[一二两三四五六七八九十]+")


@dataclass(frozen=True, slots=True)
class _Draft:
    """The list that the family has before it."""

    child_id: int
    shown: tuple[int, ...]
    """Sessions in the order of the list."""
    waiting: frozenset[int]
    """Those of them that are full: agreeing joins the waiting list."""
    without: frozenset[int] = frozenset()
    """Swapped or taken out: not proposed again in this dialogue."""
    declined: frozenset[int] = frozenset()
    """Taken out on purpose: not proposed again this year."""
    takes: bool = False
    """With the yes the plan signs up by itself from then on."""

    def dump(self) -> dict[str, str]:
        return {
            "child": str(self.child_id),
            "shown": _join(self.shown),
            "waiting": _join(sorted(self.waiting)),
            "without": _join(sorted(self.without)),
            "declined": _join(sorted(self.declined)),
            "takes": "yes" if self.takes else "",
        }

    @staticmethod
    def load(kept: dict[str, str]) -> "_Draft":
        return _Draft(
            child_id=int(kept["child"]),
            shown=_split(kept["shown"]),
            waiting=frozenset(_split(kept["waiting"])),
            without=frozenset(_split(kept["without"])),
            declined=frozenset(_split(kept["declined"])),
            takes=bool(kept.get("takes")),
        )


def _join(numbers: Sequence[int]) -> str:
    return " ".join(str(number) for number in numbers)


def _split(kept: str) -> tuple[int, ...]:
    return tuple(int(number) for number in kept.split())


def show(turn: Turn) -> Answered:
    """年度计划, 年度计划 糖糖: how the year stands, and what would fill it."""
    family = registration.get_family(turn.caregiver)
    if turn.argument:
        return _propose(turn, family, _child_named(family, turn.argument))
    return _show(turn, family)


def _show(turn: Turn, family: Family, *, takes: bool = False) -> Answered:
    born = [child for child in family.living if child.birth_date]
    if not born:
        return Reply(words.not_born(family.children[0].nickname)), None
    plan = year_plan.find_plan(turn.db, family.id, turn.now)
    planned_for = [child for child in born if plan is not None and child.id == plan.child_id]
    count = sessions.year_count(turn.db, family.id, turn.now)
    if len(born) > 1 and not planned_for and count.attended + count.arranged < count.target:
        names = [child.nickname for child in born]
        draft = {"names": "\n".join(names), "takes": "yes" if takes else ""}
        return Reply(words.which_child(names)), Dialogue("year_plan", "child", turn.now, draft)
    return _propose_first(turn, family, (planned_for or born)[0], takes=takes)


def _propose_first(turn: Turn, family: Family, child: Child, *, takes: bool) -> Answered:
    if not takes:
        return _propose(turn, family, child)
    draft = _Draft(child.id, (), frozenset(), takes=True)
    return _propose(turn, family, child, draft, words.takes_after_yes())


def go_on(turn: Turn) -> Answered:
    """Which child; or yes, no, 换 2 or 不要 3 to the list."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    family = registration.get_family(turn.caregiver)
    if dialogue.step == "child":
        return _choose_child(turn, family, dialogue)
    draft = _Draft.load(dialogue.draft)
    child = _child_with(family, draft.child_id)
    if child is None:
        return show(turn)
    if turn.text in ("继续", "更多"):
        return _propose(turn, family, child, draft)
    # 不要 3 holds a no, and 换 2 a number that could be an answer: these are read first.
    numbers = _numbers(turn.text)
    if draft.shown and (_SWAPS.search(turn.text) or (_DROPS.search(turn.text) and numbers)):
        return _change(turn, family, child, draft, numbers)
    said = True if turn.text in ALL else read_yes_no(turn.text)
    if said is None:
        if numbers and len(turn.text) <= 6 and draft.shown:
            return Reply(words.say_how(len(draft.shown))), dialogue
        return ELSEWHERE
    # 1 means the first of the list here, and not yes.
    if turn.text.isdecimal() and draft.shown:
        return Reply(words.say_how(len(draft.shown))), dialogue
    if not said:
        return Reply(words.nothing_left()), None
    return _agree(turn, family, child, draft)


def agree_to_proposals(turn: Turn) -> Answered:
    """同意计划: yes to what the plan has proposed by itself, or to the list in hand."""
    family = registration.get_family(turn.caregiver)
    dialogue = turn.dialogue
    if dialogue is not None and dialogue.topic == "year_plan" and dialogue.step == "agree":
        draft = _Draft.load(dialogue.draft)
        child = _child_with(family, draft.child_id)
        if child is not None:
            return _agree(turn, family, child, draft)
    plan = year_plan.find_plan(turn.db, family.id, turn.now)
    child = _child_with(family, plan.child_id) if plan is not None else None
    if plan is None or child is None:
        return show(replace(turn, argument=""))
    offered = year_plan.open_proposals(turn.db, plan, turn.now)
    if not offered:
        return _propose(turn, family, child)
    shown = tuple(session.id for session in offered)
    return _agree(turn, family, child, _Draft(child.id, shown, frozenset()))


def agree_to_whatever_waits(turn: Turn) -> Answered:
    """A bare 同意 with no question before it: yes to the plan's proposals, where there are any."""
    family = turn.caregiver.family
    plan = year_plan.find_plan(turn.db, family.id, turn.now) if family is not None else None
    if plan is not None and year_plan.open_proposals(turn.db, plan, turn.now):
        return agree_to_proposals(turn)
    return Reply(words.nothing_to_agree_to(is_registered=bool(family and family.children))), None


def stop(turn: Turn) -> Answered:
    """停止计划: no more proposals; what is signed up for stays."""
    registration.get_family(turn.caregiver)
    was_open = year_plan.end(turn.db, caregiver=turn.caregiver, now=turn.now)
    return Reply(words.ended() if was_open else words.none_to_end()), None


def take_by_itself(turn: Turn) -> Answered:
    """自动报名: what fits is signed up for without a question, from the family's yes on."""
    family = registration.get_family(turn.caregiver)
    dialogue = turn.dialogue
    if dialogue is not None and dialogue.topic == "year_plan" and dialogue.step == "agree":
        # A word about what is to come is no yes to the list in hand.
        draft = replace(_Draft.load(dialogue.draft), takes=True)
        child = _child_with(family, draft.child_id)
        if child is not None:
            return _reviewed(turn, family, child, draft, words.takes_after_yes())
    plan = plan_taking.set_taking(turn.db, caregiver=turn.caregiver, takes=True, now=turn.now)
    child = _child_with(family, plan.child_id) if plan is not None else None
    if child is None:
        return _show(turn, family, takes=True)
    return Reply(words.takes_now(child.nickname)), None


def ask_first(turn: Turn) -> Answered:
    """先问我: the plan proposes again, and signs up for nothing without a yes."""
    registration.get_family(turn.caregiver)
    plan = plan_taking.set_taking(turn.db, caregiver=turn.caregiver, takes=False, now=turn.now)
    return Reply(words.asks_now() if plan is not None else words.none_to_end()), None


def with_replacement(turn: Turn, reply: Reply) -> Reply:
    """The answer to a cancellation, and what the family's plan offers instead."""
    family = turn.caregiver.family
    if family is None:
        return reply
    turn.db.flush()
    offered = plan_keeping.replace_missing(turn.db, family, turn.now)
    if not offered:
        return reply
    lines = [_line(one) for one in offered]
    return replace(reply, text=f"{reply.text}\n{words.instead(lines)}")


def _choose_child(turn: Turn, family: Family, dialogue: Dialogue) -> Answered:
    names = dialogue.draft["names"].split("\n")
    number = read_number(turn.text.removeprefix("第").rstrip("个号.。 "))
    takes = bool(dialogue.draft.get("takes"))
    if number is not None and number == int(number) and 1 <= number <= len(names):
        child = _child_named(family, names[int(number) - 1])
        return _propose_first(turn, family, child, takes=takes)
    for name in names:
        if name.lower() in turn.text:
            return _propose_first(turn, family, _child_named(family, name), takes=takes)
    return ELSEWHERE


def _propose(
    turn: Turn, family: Family, child: Child, draft: _Draft | None = None, lead: str = ""
) -> Answered:
    """A fresh proposal, without what this dialogue has turned down."""
    if child.birth_date is None:
        return Reply(words.not_born(child.nickname)), None
    draft = draft or _Draft(child.id, (), frozenset())
    proposal = year_plan.propose(
        turn.db,
        family=family,
        child=child,
        now=turn.now,
        without=draft.without | draft.declined,
    )
    return _shown(turn, family, child, proposal, draft, lead)


def _shown(
    turn: Turn, family: Family, child: Child, proposal: Proposal, draft: _Draft, lead: str
) -> Answered:
    plan = year_plan.find_plan(turn.db, family.id, turn.now)
    asks = bool(proposal.sessions) or (plan is None and proposal.short > 0)
    text = words.plan_shown(
        _stands(turn, proposal),
        _coming(turn, family),
        [_line(one) for one in proposal.sessions],
        nickname=child.nickname,
        short=proposal.short,
        has_plan=plan is not None,
        takes=draft.takes or (plan is not None and plan.takes_since is not None),
        # What happens after a yes is said where there is something to say yes to.
        lead="" if draft.takes and not asks else lead,
    )
    if not asks:
        return Reply(text), None
    following = replace(
        draft,
        shown=tuple(one.session.id for one in proposal.sessions),
        waiting=frozenset(one.session.id for one in proposal.sessions if one.is_waiting),
    )
    return Reply(text), Dialogue("year_plan", "agree", turn.now, following.dump())


def _change(
    turn: Turn, family: Family, child: Child, draft: _Draft, numbers: Sequence[int]
) -> Answered:
    """换 2, 不要 3, 换 1 和 2."""
    count = len(draft.shown)
    places = sorted(set(numbers)) or ([1] if count == 1 else [])
    if not places or not all(1 <= place <= count for place in places):
        return Reply(words.say_which(count)), turn.dialogue
    chosen = [draft.shown[place - 1] for place in places]
    if not _SWAPS.search(turn.text):
        kept = tuple(one for one in draft.shown if one not in chosen)
        if not kept:
            return Reply(words.nothing_left()), None
        draft = replace(draft, shown=kept, declined=draft.declined.union(chosen))
        return _reviewed(turn, family, child, draft, words.taken_out())
    stuck = []
    for place, old in zip(places, chosen, strict=True):
        new = year_plan.swap(
            turn.db,
            family=family,
            child=child,
            keep=[one for one in draft.shown if one != old],
            instead_of=old,
            without=draft.without | draft.declined,
            now=turn.now,
        )
        if new is None:
            stuck.append(place)
            continue
        shown = tuple(new.session.id if one == old else one for one in draft.shown)
        draft = replace(draft, shown=shown, without=draft.without | {old})
    lead = words.none_to_swap(stuck) if stuck else words.swapped()
    return _reviewed(turn, family, child, draft, lead)


def _reviewed(turn: Turn, family: Family, child: Child, draft: _Draft, lead: str) -> Answered:
    proposal = year_plan.review(
        turn.db, family=family, child=child, session_ids=draft.shown, now=turn.now
    )
    return _shown(turn, family, child, proposal, draft, lead)


def _agree(turn: Turn, family: Family, child: Child, draft: _Draft) -> Answered:
    agreement = year_plan.agree(
        turn.db,
        caregiver=turn.caregiver,
        child=child,
        session_ids=draft.shown,
        now=turn.now,
        may_wait=draft.waiting,
        declined=draft.declined,
    )
    if agreement.plan is None:
        fresh = replace(draft, shown=(), waiting=frozenset())
        return _propose(turn, family, child, fresh, words.lost(agreement.lost or ""))
    if draft.takes:
        plan_taking.set_taking(turn.db, caregiver=turn.caregiver, takes=True, now=turn.now)
    proposal = year_plan.review(turn.db, family=family, child=child, session_ids=(), now=turn.now)
    made = sorted(agreement.sign_ups, key=lambda one: one.session.starts_at)
    text = words.agreed(
        _stands(turn, proposal),
        [_arranged(one, turn.now) for one in made],
        nickname=child.nickname,
        short=max(0, proposal.short - proposal.waiting),
        takes=agreement.plan.takes_since is not None,
    )
    return with_ask(turn, (Reply(text), None), Purpose.REMINDER)


def _stands(turn: Turn, proposal: Proposal) -> words.YearStands:
    count = proposal.count
    return words.YearStands(
        year=count.year,
        attended=count.attended,
        arranged=count.arranged,
        waiting=proposal.waiting,
        target=count.target,
        today=turn.today,
    )


def _coming(turn: Turn, family: Family) -> list[words.ArrangedLine]:
    """What the family still has before it this year; siblings' places in one session once."""
    found = sessions.find_sign_ups(turn.db, family.id, after=turn.now)
    lines = {
        signed_up.session.code: _arranged(signed_up, turn.now)
        for signed_up, _ in found
        if signed_up.session.starts_at.year == turn.today.year
    }
    return list(lines.values())


def _arranged(signed_up: SignUp, now: datetime) -> words.ArrangedLine:
    session = signed_up.session
    return words.ArrangedLine(
        session.code,
        session.title,
        session.starts_at,
        signed_up.state,
        may_leave=sessions.may_leave(signed_up.state, session.cancel_until, session.starts_at, now),
    )


def _line(one: Planned) -> words.PlanLine:
    session, reasons = one.session, one.reasons
    elsewhere = {Reason.NEAR, Reason.FURTHER, Reason.OVER_WATER}.intersection(reasons)
    return words.PlanLine(
        code=session.code,
        title=session.title,
        starts_at=session.starts_at,
        station=session.station,
        township=session.township if elsewhere else "",
        over_water=Reason.OVER_WATER in reasons,
        is_waiting=one.is_waiting,
        few_seats=Reason.FEW_SEATS_LEFT in reasons,
    )


def _child_named(family: Family, said: str) -> Child:
    """The child by its nickname, in any case. Raises ChildUnknown."""
    for child in family.children:
        if child.nickname.lower() == said.lower():
            return child
    raise ChildUnknown(said, tuple(child.nickname for child in family.children))


def _child_with(family: Family, child_id: int) -> Child | None:
    return next((child for child in family.children if child.id == child_id), None)


def _numbers(text: str) -> list[int]:
    """The places named in 换 2, 第二场不要, 不要 1 和 3."""
    found = (read_number(each) for each in _NUMBERS.findall(_NO_NUMBER.sub("", text)))
    return [int(number) for number in found if number is not None]
