"""One's own information, second caregivers, and what we may send."""

from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.relations import read_relation
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.rules.age import age_months
from app.services import my_family as service
from app.services import registration
from app.words import registration as words
from app.words.privacy import see_all

SKIPS = frozenset({"跳过", "不说", "不想说", "略过", "过"})


def my_information(turn: Turn) -> Answered:
    family = turn.caregiver.family
    if family is None or not family.children:
        return Reply(words.nothing_stored()), None
    facts = service.about(turn.db, turn.caregiver)
    children = [
        words.ChildLine(
            nickname=child.nickname,
            birth=child.birth_date,
            due=child.due_date,
            months=age_months(child.birth_date, turn.today) if child.birth_date else None,
            sex=child.sex,
            weeks=child.gestation_weeks,
        )
        for child in family.children
    ]
    text = words.my_information(
        children,
        family.township.name,
        family.station.name if family.station else None,
        family.need,
        facts.caregivers,
        facts.consent_given_at.date() if facts.consent_given_at else None,
    )
    return Reply(f"{text}\n{see_all(turn.page_link('me'))}"), None


def invite(turn: Turn) -> Answered:
    made = registration.invite(turn.db, caregiver=turn.caregiver, now=turn.now)
    return Reply(words.invitation(made.code, registration.INVITATION_DAYS)), None


def join(turn: Turn) -> Answered:
    if not turn.argument:
        return Reply(words.ask_code()), None
    code = turn.argument.split(" ")[0]
    family = registration.join(turn.db, caregiver=turn.caregiver, code=code, now=turn.now)
    names = [child.nickname for child in family.children]
    return Reply(words.joined(names)), Dialogue("relation", "ask", turn.now)


def go_on_relation(turn: Turn) -> Answered:
    relation = read_relation(turn.text)
    if relation is not None:
        registration.set_relation(turn.db, turn.caregiver, relation)
    elif turn.text not in SKIPS:
        return ELSEWHERE
    return Reply(words.relation_noted()), None
