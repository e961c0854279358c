"""体重 7.2 身高 66: kept, and placed in the national standard; never a verdict."""

from app.dialogue.message import Reply
from app.dialogue.reading.measurements import read_measures
from app.dialogue.turn import Answered, Turn
from app.models import Child
from app.rules.growth import HEIGHT_FROM_MONTHS, Measured
from app.services import growth as service
from app.services import registration
from app.words import growth as words


def record(turn: Turn) -> Answered:
    """Keep the measures of a child, and say where they lie."""
    from content.growth_standard import load_standard

    family = registration.get_family(turn.caregiver)
    children = [child for child in family.children if child.lost_at is None]
    measures = read_measures(turn.text)
    if measures is None:
        return Reply(words.HOW_TO_MEASURE), None
    child = _meant(children, measures.name)
    if child is None:
        names = tuple(child.nickname for child in children)
        return Reply(words.say_which_child(names, turn.text)), None
    if child.birth_date is None:
        return Reply(words.NOT_BORN.format(nickname=child.nickname)), None
    measured = Measured(
        measures.weight_grams, measures.length_millimetres, measures.head_millimetres
    )
    service.record(turn.db, child=child, measured=measured, on=turn.today, now=turn.now)
    if child.sex is None:
        return Reply(words.NO_SEX.format(nickname=child.nickname)), None
    point = service.list_points(turn.db, child=child, standard=load_standard())[-1]
    said = words.say_recorded(
        nickname=child.nickname,
        measured_on=point.measured_on,
        age_months=point.age_months,
        is_corrected=point.is_corrected,
        placed=point.placed,
        moved=point.moved,
        is_standing=point.age_months >= HEIGHT_FROM_MONTHS,
        link=turn.page_link("growth"),
    )
    return Reply(said), None


def _meant(children: list[Child], name: str) -> Child | None:
    """The child that is named, or the only one there is."""
    if name:
        named = [child for child in children if child.nickname.lower() in name.lower()]
        if len(named) == 1:
            return named[0]
    return children[0] if len(children) == 1 else None
