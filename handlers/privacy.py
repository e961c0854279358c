"""导出信息, 撤回同意, 注销: what is held goes where the family wants it, or away."""

import re

from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.numerals import read_number
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.models import Family
from app.services import privacy as service
from app.services import registration
from app.words import privacy as words

WORDS = {"withdraw": "确认撤回", "erase": "确认注销", "leave": "确认退出"}
"""What has to be written, whole: nobody loses a record by a yes to something else."""
PAGE = "me/data"

_WITHDRAWS = re.compile("撤回|withdraw|(撤销|收回|取消).{0,4}(同意|授权)")
_ERASES = re.compile("注销|erase|删|清除|清空|清掉|抹|销毁|销户|撤掉")


def request(turn: Turn) -> Answered:
    """One of the three, by its word."""
    said = turn.text or turn.inbound.event_key
    if _WITHDRAWS.search(said):
        return withdraw(turn)
    if _ERASES.search(said):
        return erase(turn)
    return export(turn)


def export(turn: Turn) -> Answered:
    family = turn.caregiver.family
    if family is None or not family.children:
        return Reply(words.nothing_to_export()), None
    return Reply(words.export_ready(turn.page_link(PAGE))), None


def withdraw(turn: Turn) -> Answered:
    family = registration.get_family(turn.caregiver)
    if not service.is_guardian(turn.db, turn.caregiver):
        return _leaving(turn)
    names = [child.nickname for child in family.children]
    if len(names) > 1:
        draft = {"names": "\n".join(names)}
        asked = Dialogue("privacy", "which", turn.now, draft)
        return Reply(words.which_to_withdraw(names)), asked
    return _ask(turn, "withdraw", words.confirm_withdrawal(names[0]), names[0])


def erase(turn: Turn) -> Answered:
    family = registration.get_family(turn.caregiver)
    if not service.is_guardian(turn.db, turn.caregiver):
        return _leaving(turn)
    names = [child.nickname for child in family.children]
    return _ask(turn, "erase", words.confirm_erasure(names))


def _leaving(turn: Turn) -> Answered:
    return _ask(turn, "leave", words.confirm_leaving())


def _ask(turn: Turn, step: str, text: str, name: str = "") -> Answered:
    return Reply(text), Dialogue("privacy", step, turn.now, {"name": name})


def go_on(turn: Turn) -> Answered:
    """Which child; or the word that confirms."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    if dialogue.step == "which":
        return _choose(turn, dialogue.draft["names"].split("\n"))
    word = WORDS[dialogue.step]
    if turn.text.strip("「」。.！! ") != word:
        if turn.text.startswith(("确", "是", "好", "对")):
            return Reply(words.say_confirm(word)), dialogue
        return ELSEWHERE
    family = registration.get_family(turn.caregiver)
    if dialogue.step == "withdraw":
        return _withdraw(turn, family, dialogue.draft["name"])
    if dialogue.step == "erase":
        gone = service.erase_family(turn.db, caregiver=turn.caregiver, now=turn.now)
        return Reply(words.erased(gone.cancelled)), None
    service.leave_family(turn.db, caregiver=turn.caregiver, now=turn.now)
    return Reply(words.left_family()), None


def _choose(turn: Turn, names: list[str]) -> Answered:
    number = read_number(turn.text.removeprefix("第").rstrip("个号.。 "))
    if number is not None and number == int(number) and 1 <= number <= len(names):
        name = names[int(number) - 1]
    else:
        name = next((each for each in names if each.lower() in turn.text), "")
    if not name:
        return ELSEWHERE
    return _ask(turn, "withdraw", words.confirm_withdrawal(name), name)


def _withdraw(turn: Turn, family: Family, name: str) -> Answered:
    child = registration.child_named(family, name)
    gone = service.withdraw(turn.db, caregiver=turn.caregiver, child=child, now=turn.now)
    return Reply(words.withdrawn(name, gone.cancelled)), None
