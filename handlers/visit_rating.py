"""How a visit was: 评价 好, 评价 不好 老师没洗手."""

import re

from app.dialogue.message import Reply
from app.dialogue.turn import Answered, Turn
from app.services import visit_day
from app.services.follow_ups import open_follow_up
from app.services.registration import get_family
from app.words import home_visits as words

_SCORES = (
    (3, re.compile("不好|不满意|差|不行|生气|3")),
    (2, re.compile("一般|还行|还可以|凑合|2")),
    (1, re.compile("好|满意|不错|棒|灵|赞|谢|1")),
)


def rate(turn: Turn) -> Answered:
    """The family's word on its last visit; a bad one goes to a person."""
    family = get_family(turn.caregiver)
    score = next((each for each, rule in _SCORES if rule.search(turn.argument)), None)
    if score is None:
        return Reply(words.ask_rating()), None
    visit = visit_day.rate(
        turn.db, family_id=family.id, score=score, said=turn.argument, now=turn.now
    )
    if visit is None:
        return Reply(words.nothing_to_rate()), None
    if score == 3:
        open_follow_up(
            turn.db,
            kind="complaint",
            caregiver=turn.caregiver,
            detail=turn.inbound.text,
            now=turn.now,
        )
    return Reply(words.rated(score)), None
