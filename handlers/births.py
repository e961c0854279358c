"""A birth reported in one message, and the discharge from hospital."""

import re

from app.dialogue.message import Dialogue, Reply
from app.dialogue.reading.births import BirthFound, read_birth
from app.dialogue.reading.names import read_nickname
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.errors import ConsentMissing
from app.models import Child
from app.rules.visiting import TWIN_DAYS, first_window, risk_factors
from app.services import my_family, registration, visit_claims, visit_dues
from app.services.registration import ChildDraft, ConsentGiven, get_family
from app.services.visit_dues import BirthReport
from app.words import home_visits as words
from app.words import registration as registration_words
from handlers.visit_contact import actor_of

UNNAMED = re.compile("^(二宝|还没|没有?起|没名字|不知道|跳过)")
NEWBORN_DAYS = 365
"""Older children are not meant by 出院."""


def report(turn: Turn) -> Answered:
    """生了 11月20日 11月23日出院 36周 2400克 双胞胎; 出院 11月23日."""
    said = turn.inbound.text or turn.text
    found = read_birth(said, turn.today)
    family = turn.caregiver.family
    living = visit_claims.living_children(family) if family else []
    if not living:
        had_one = family is not None and family.children
        return Reply(words.nobody_to_visit() if had_one else words.nobody_born()), None
    return _about(turn, _candidates(turn, living, said), found)


def _candidates(turn: Turn, children: list[Child], said: str) -> list[Child]:
    """Who is meant: the one named, else the expected, else the youngest newborns."""
    named = [child for child in children if child.nickname in said]
    if named:
        return named[:1]
    expected = [child for child in children if child.birth_date is None]
    if expected:
        return expected
    born = [child for child in children if child.birth_date]
    youngest = max(child.birth_date for child in born if child.birth_date)
    return [
        child
        for child in born
        if child.birth_date
        and (youngest - child.birth_date).days <= TWIN_DAYS
        and (turn.today - child.birth_date).days <= NEWBORN_DAYS
    ]


def _about(turn: Turn, children: list[Child], found: BirthFound) -> Answered:
    if not children:
        return Reply(words.nobody_born()), None
    first = children[0]
    if first.birth_date is None and found.born is None:
        dialogue = Dialogue("births", "date", turn.now, {"child": str(first.id)})
        return Reply(words.ask_birth_date(first.nickname)), dialogue
    if first.birth_date is None and len(children) > 1:
        names = [child.nickname for child in children]
        if not found.is_multiple:
            return Reply(words.which_newborn(names)), None
    for child in children:
        _store(turn, child, found, is_multiple=found.is_multiple)
    return _answer(turn, first, found)


def _store(turn: Turn, child: Child, found: BirthFound, *, is_multiple: bool | None) -> None:
    if found.born is not None or found.weeks is not None:
        registration.correct_child(
            turn.db,
            caregiver=turn.caregiver,
            child=child,
            birth_date=found.born or child.birth_date,
            gestation_weeks=found.weeks,
            now=turn.now,
        )
    visit_dues.report_birth(
        turn.db,
        child=child,
        report=BirthReport(
            discharged=found.discharged,
            weight_grams=found.grams,
            is_multiple=is_multiple,
            factors=found.factors or None,
        ),
        actor=actor_of(turn),
        now=turn.now,
    )


def _answer(turn: Turn, child: Child, found: BirthFound) -> Answered:
    newborn = visit_dues.find_newborn(turn.db, child)
    assert newborn is not None, "born, or it would have been asked for"
    due = first_window(newborn)
    text = words.born(
        child.nickname,
        newborn.born,
        newborn.discharged,
        sorted(risk_factors(newborn)),
        due.due_on if due.owed_until >= turn.today else None,
        found.is_still_in_hospital,
    )
    family = get_family(turn.caregiver)
    if found.is_multiple and len(visit_dues.twins_of(family.children, child)) == 1:
        draft = {"child": str(child.id), "grams": str(found.grams or "")}
        dialogue = Dialogue("births", "twin", turn.now, draft)
        return Reply(f"{text}\n{words.ask_twin_name(child.nickname)}"), dialogue
    return Reply(text), None


def go_on(turn: Turn) -> Answered:
    """The birth date after 生了, or the other twin's name."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    family = get_family(turn.caregiver)
    child = next(
        (each for each in family.children if str(each.id) == dialogue.draft["child"]), None
    )
    if child is None:
        return ELSEWHERE
    if dialogue.step == "date":
        found = read_birth(turn.inbound.text or turn.text, turn.today)
        if found.born is None:
            return Reply(words.ask_birth_date(child.nickname)), dialogue
        return _about(turn, [child], found)
    return _register_twin(turn, child)


def _register_twin(turn: Turn, child: Child) -> Answered:
    said = turn.text
    name = f"{child.nickname[:8]}二宝" if UNNAMED.search(said) else read_nickname(said)
    if not name:
        return Reply(words.ask_twin_name(child.nickname)), turn.dialogue
    consent = my_family.find_consent(turn.db, turn.caregiver)
    if consent is None or consent.version != registration_words.CONSENT_VERSION:
        raise ConsentMissing()
    twin = registration.register_child(
        turn.db,
        caregiver=turn.caregiver,
        draft=ChildDraft(
            nickname=name,
            birth_date=child.birth_date,
            due_date=None,
            sex=None,
            gestation_weeks=child.gestation_weeks,
            township=None,
        ),
        consent=ConsentGiven(
            purpose=registration_words.CONSENT_PURPOSE,
            version=registration_words.CONSENT_VERSION,
            evidence=f"consent {consent.id}; {turn.inbound.key}",
        ),
        now=turn.now,
    )
    first = visit_dues.find_newborn(turn.db, child)
    visit_dues.report_birth(
        turn.db,
        child=twin,
        report=BirthReport(
            discharged=first.discharged if first else None,
            is_multiple=True,
        ),
        actor=actor_of(turn),
        now=turn.now,
    )
    newborn = visit_dues.find_newborn(turn.db, twin)
    due_on = first_window(newborn).due_on if newborn else None
    return Reply(words.twin_registered(child.nickname, name, due_on)), None
