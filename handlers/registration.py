"""Registering a child, in one line or step by step, and correcting what was entered.

The draft of a registration lives in the running dialogue only: nothing of the child is
stored before its guardian has agreed.
"""

import re
from dataclasses import dataclass, replace
from datetime import date

from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.answers import read_need, read_yes_no
from app.dialogue.reading.gestation import find_gestation, says_full_term
from app.dialogue.reading.names import read_nickname
from app.dialogue.reading.plain import tidy
from app.dialogue.reading.registration import (
    Problem,
    ProblemKind,
    RegistrationDraft,
    read_registration,
)
from app.dialogue.reading.townships import TownshipFound, TownshipUnclear, find_township
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.errors import (
    BornInFuture,
    ChildAlreadyRegistered,
    ChildTooOld,
    DomainError,
    DueDateOutOfRange,
)
from app.models import Child
from app.rules.age import age_months
from app.services import my_family, registration
from app.services.registration import ChildDraft, ConsentGiven
from app.words import registration as words
from app.words.errors import say_error

SKIPS = frozenset({"跳过", "不说", "不想说", "略过", "过", "不填", "保密", "不清楚", "不知道"})
_COMMAND = re.compile(r"^(修改|更正)[\s,，:：、]*")
_RENAMES = re.compile("叫|小名|乳名|昵称|名字|改名")
BAD_DATE = (BornInFuture, ChildTooOld, DueDateOutOfRange)


@dataclass(frozen=True, slots=True)
class _Draft:
    """What was said so far; kept between turns as plain strings."""

    nickname: str = ""
    birth: date | None = None
    due: date | None = None
    sex: str = ""
    weeks: int | None = None
    township: str = ""
    agreed: str = ""
    """The words and the key of the message by which the guardian agreed."""
    in_steps: bool = False
    asked: str = ""
    """Optional questions that were put already."""

    def dump(self) -> dict[str, str]:
        kept = {
            "nickname": self.nickname,
            "birth": self.birth.isoformat() if self.birth else "",
            "due": self.due.isoformat() if self.due else "",
            "sex": self.sex,
            "weeks": "" if self.weeks is None else str(self.weeks),
            "township": self.township,
            "agreed": self.agreed,
            "in_steps": "1" if self.in_steps else "",
            "asked": self.asked,
        }
        return {name: value for name, value in kept.items() if value}

    @staticmethod
    def load(kept: dict[str, str]) -> "_Draft":
        birth, due, weeks = kept.get("birth"), kept.get("due"), kept.get("weeks")
        return _Draft(
            nickname=kept.get("nickname", ""),
            birth=date.fromisoformat(birth) if birth else None,
            due=date.fromisoformat(due) if due else None,
            sex=kept.get("sex", ""),
            weeks=int(weeks) if weeks else None,
            township=kept.get("township", ""),
            agreed=kept.get("agreed", ""),
            in_steps=bool(kept.get("in_steps")),
            asked=kept.get("asked", ""),
        )

    def merge(self, read: RegistrationDraft) -> "_Draft":
        """With what a message added; what it does not mention stays."""
        dated = read.birth_date is not None or read.due_date is not None
        return replace(
            self,
            nickname=read.nickname or self.nickname,
            birth=read.birth_date if dated else self.birth,
            due=read.due_date
            if dated and read.birth_date is None
            else (None if dated else self.due),
            sex=read.sex or self.sex,
            weeks=read.gestation_weeks or self.weeks,
            township=read.township or self.township,
        )

    def without_dates(self) -> "_Draft":
        return replace(self, birth=None, due=None)


def start(turn: Turn) -> Answered:
    """登记, with or without fields behind it."""
    read = read_registration(turn.inbound.text or turn.text, turn.today)
    draft = _Draft().merge(read)
    given = any((draft.nickname, draft.birth, draft.due))
    draft = replace(draft, in_steps=not given, agreed=_agreed_before(turn))
    if given and read.problems:
        return _ask_again(turn, draft, read.problems[0])
    return _advance(turn, draft)


def _agreed_before(turn: Turn) -> str:
    """Evidence that this caregiver agreed to the present notice earlier; empty where not."""
    consent = my_family.find_consent(turn.db, turn.caregiver)
    if consent is None or consent.version != words.CONSENT_VERSION:
        return ""
    return f"consent {consent.id}; {turn.inbound.key}"


def _ask(turn: Turn, draft: _Draft, step: str, text: str) -> Answered:
    return Reply(text), Dialogue("registration", step, turn.now, draft.dump())


def _ask_again(turn: Turn, draft: _Draft, problem: Problem) -> Answered:
    step, text = _say_problem(problem)
    return _ask(turn, draft, step, text)


def _say_problem(problem: Problem) -> tuple[str, str]:
    """Which step a problem leads back to, and what to say."""
    match problem.kind:
        case ProblemKind.IMPOSSIBLE_DATE:
            return "birth", words.impossible_date(problem.text)
        case ProblemKind.LUNAR_DATE:
            return "birth", words.lunar_date(problem.text)
        case ProblemKind.VAGUE_DATE:
            return "birth", words.vague_date(problem.text)
        case ProblemKind.SEVERAL_DATES:
            return "birth", words.several_dates(problem.text)
        case ProblemKind.UNKNOWN_TOWNSHIP | ProblemKind.UNCLEAR_TOWNSHIP:
            return "township", words.township_unclear(problem.text, problem.candidates)
        case ProblemKind.NICKNAME_TOO_LONG:
            return "nickname", words.nickname_unclear()


def _advance(turn: Turn, draft: _Draft) -> Answered:
    """Ask for the next thing that is missing, or register."""
    refusal = _date_refusal(turn, draft)
    if refusal is not None:
        return _ask(turn, draft.without_dates(), "birth", say_error(refusal))
    if not draft.agreed:
        return _ask(turn, draft, "consent", words.consent_notice(turn.phone))
    if not draft.nickname:
        return _ask(turn, draft, "nickname", words.ask_nickname())
    if draft.birth is None and draft.due is None:
        return _ask(turn, draft, "birth", words.ask_birth(draft.nickname))
    if not draft.township and turn.caregiver.family is None:
        return _ask(turn, draft, "township", words.ask_township())
    if draft.in_steps and not draft.sex and "sex" not in draft.asked:
        asked = replace(draft, asked=f"{draft.asked} sex")
        return _ask(turn, asked, "sex", words.ask_sex(draft.nickname))
    if draft.in_steps and draft.birth and draft.weeks is None and "weeks" not in draft.asked:
        asked = replace(draft, asked=f"{draft.asked} weeks")
        return _ask(turn, asked, "weeks", words.ask_weeks())
    return _register(turn, draft)


def _child_draft(draft: _Draft) -> ChildDraft:
    return ChildDraft(
        nickname=draft.nickname,
        birth_date=draft.birth,
        due_date=draft.due,
        sex=draft.sex or None,
        gestation_weeks=draft.weeks,
        township=draft.township or None,
    )


def _date_refusal(turn: Turn, draft: _Draft) -> DomainError | None:
    try:
        registration.check_child(_child_draft(draft), turn.today)
    except BAD_DATE as refusal:
        return refusal
    return None


def _register(turn: Turn, draft: _Draft) -> Answered:
    consent = ConsentGiven(
        purpose=words.CONSENT_PURPOSE, version=words.CONSENT_VERSION, evidence=draft.agreed
    )
    family = turn.caregiver.family
    if family is not None and any(c.nickname == draft.nickname for c in family.children):
        refusal = say_error(ChildAlreadyRegistered(draft.nickname))
        return _ask(turn, replace(draft, nickname=""), "nickname", refusal)
    child = registration.register_child(
        turn.db,
        caregiver=turn.caregiver,
        draft=_child_draft(draft),
        consent=consent,
        now=turn.now,
    )
    home = child.family
    text = words.registered(
        child.nickname,
        child.birth_date,
        child.due_date,
        age_months(child.birth_date, turn.today) if child.birth_date else None,
        home.township.name,
        home.station.name if home.station else None,
    )
    if home.need is not None:
        return Reply(f"{text}\n{words.what_next()}"), None
    return Reply(f"{text}\n{words.ask_need()}"), Dialogue("need", "ask", turn.now)


def go_on(turn: Turn) -> Answered:
    """The next message of a running registration."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    draft = _Draft.load(dialogue.draft)
    if turn.text in ("继续", "更多"):
        return _advance(turn, draft)
    if dialogue.step == "consent":
        return _hear_consent(turn, draft)
    if turn.text in SKIPS and dialogue.step in ("sex", "weeks"):
        return _advance(turn, draft)
    said = turn.inbound.text or turn.text
    heard = _hear_step(said, draft, dialogue.step)
    if heard is not None:
        return _advance(turn, heard)
    if dialogue.step == "township":
        place = find_township(said)
        if isinstance(place, TownshipUnclear):
            text = words.township_unclear(place.text, place.candidates)
            return _ask(turn, draft, "township", text)
    read = read_registration(said, turn.today)
    if dialogue.step != "nickname" and draft.nickname:
        read = replace(read, nickname=None)
    problems = [each for each in read.problems if _say_problem(each)[0] == dialogue.step]
    if problems:
        return _ask_again(turn, draft.merge(read), problems[0])
    merged = draft.merge(read)
    if merged == draft:
        return _not_heard(turn, draft, dialogue.step)
    return _advance(turn, merged)


def _hear_step(said: str, draft: _Draft, step: str) -> _Draft | None:
    """The draft with the bare answer to the step's question; None where it is more or other."""
    if step == "nickname":
        nickname = read_nickname(said)
        return replace(draft, nickname=nickname) if nickname else None
    if step == "township":
        place = find_township(said)
        return replace(draft, township=place.name) if isinstance(place, TownshipFound) else None
    if step == "weeks":
        gestation = find_gestation(said)
        if gestation is not None:
            return replace(draft, weeks=gestation.weeks)
        return draft if says_full_term(said) or read_yes_no(said) else None
    return None


def _hear_consent(turn: Turn, draft: _Draft) -> Answered:
    agreed = read_yes_no(turn.text)
    # A child's data needs an explicit consent: a mere 好的 is asked for the word itself.
    if agreed is None or (agreed and "同意" not in turn.text):
        # They may already go on with what they wanted to say.
        read = read_registration(turn.inbound.text or turn.text, turn.today)
        return _ask(turn, draft.merge(read), "consent", words.consent_again())
    if not agreed:
        return Reply(words.consent_refused()), None
    evidence = f"{turn.inbound.text or turn.inbound.event_key}; {turn.inbound.key}"
    return _advance(turn, replace(draft, agreed=evidence))


def _not_heard(turn: Turn, draft: _Draft, step: str) -> Answered:
    match step:
        case "nickname":
            text = words.nickname_unclear()
        case "township":
            text = words.township_unclear(turn.text[:20], ())
        case "sex":
            text = words.ask_sex(draft.nickname)
        case "weeks":
            text = words.weeks_unclear()
        case _:
            text = words.birth_unclear()
    return _ask(turn, draft, step, text)


def go_on_need(turn: Turn) -> Answered:
    if "同意" in turn.text:  # said once more, to the question before
        return Reply(words.need_unclear()), turn.dialogue
    need = read_need(turn.text)
    if need is not None:
        return _note_need(turn, need)
    if turn.text in SKIPS:
        return Reply(words.need_skipped()), None
    return ELSEWHERE


def note_need(turn: Turn) -> Answered:
    """需要 or 不需要, outside of a dialogue."""
    need = read_need(turn.text)
    if need is None:
        return Reply(words.need_unclear()), Dialogue("need", "ask", turn.now)
    return _note_need(turn, need)


def _note_need(turn: Turn, need: bool) -> Answered:
    registration.set_need(turn.db, caregiver=turn.caregiver, need=need, now=turn.now)
    return Reply(words.need_noted(need)), None


def start_correction(turn: Turn) -> Answered:
    """修改, 修改 糖糖 生日 2026-05-02, 生日填错了."""
    family = registration.get_family(turn.caregiver)
    said = _COMMAND.sub("", tidy(turn.inbound.text)) if turn.argument else ""
    named = [child for child in family.children if child.nickname in said]
    if len(family.children) == 1:
        named = family.children
    if len(named) != 1:
        names = [child.nickname for child in family.children]
        text = words.ask_which_child(names)
        return Reply(text), Dialogue("correction", "child", turn.now, {"said": said})
    return _correct(turn, named[0], said.removeprefix(named[0].nickname).strip(" 的"))


def go_on_correcting(turn: Turn) -> Answered:
    """Which child, or what to change."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    family = registration.get_family(turn.caregiver)
    if dialogue.step == "field":
        for child in family.children:
            if str(child.id) == dialogue.draft.get("child"):
                said = "" if turn.text == "继续" else tidy(turn.inbound.text or turn.text)
                return _correct(turn, child, said)
        return ELSEWHERE
    for place, child in enumerate(family.children, 1):
        if turn.text.rstrip(".号个") == str(place) or child.nickname.lower() == turn.text:
            return _correct(turn, child, dialogue.draft.get("said", ""))
    names = [child.nickname for child in family.children]
    return Reply(words.ask_which_child(names)), dialogue


def _correct(turn: Turn, child: Child, said: str) -> Answered:
    here = Dialogue("correction", "field", turn.now, {"child": str(child.id)})
    if not said:
        return Reply(words.ask_correction(child.nickname)), here
    read = read_registration(said, turn.today)
    if not _RENAMES.search(said):
        read = replace(read, nickname=None)
    problems = [p for p in read.problems if p.kind is not ProblemKind.UNKNOWN_TOWNSHIP]
    if problems:
        return Reply(_say_problem(problems[0])[1]), here
    changes = (read.nickname, read.birth_date, read.due_date, read.sex, read.gestation_weeks)
    if not any(changes) and not read.township:
        place = find_township(said)
        if not isinstance(place, TownshipFound):
            return Reply(words.correction_unclear()), here
        read = replace(read, township=place.name)
    if any(changes):
        registration.correct_child(
            turn.db,
            caregiver=turn.caregiver,
            child=child,
            now=turn.now,
            nickname=read.nickname,
            birth_date=read.birth_date,
            due_date=read.due_date,
            sex=read.sex,
            gestation_weeks=read.gestation_weeks,
        )
    if read.township:
        registration.set_township(
            turn.db, caregiver=turn.caregiver, name=read.township, now=turn.now
        )
    line = words.ChildLine(
        nickname=child.nickname,
        birth=child.birth_date,
        due=child.due_date,
        months=age_months(child.birth_date, turn.today) if child.birth_date else None,
        sex=child.sex,
        weeks=child.gestation_weeks,
    )
    return Reply(words.corrected(line, child.family.township.name)), None
