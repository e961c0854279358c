"""What staff read of notices and tasks: every kind has its name in Chinese."""

from collections.abc import Iterator
from typing import Any, get_args

from app.models.notice_facts import NOTICE_FACTS
from app.services.follow_ups import FollowUpKind
from app.words.timeline import FOLLOW_UP_KINDS, NOTICE_KINDS


def kinds(schema: Any) -> Iterator[str]:
    """Every kind that a notice can be of, from the union's own schema."""
    for record in schema["$defs"].values():
        kind = record.get("properties", {}).get("kind", {})
        yield from kind.get("enum", [kind["const"]] if "const" in kind else [])


def test_every_kind_of_notice_has_its_name() -> None:
    known = set(kinds(NOTICE_FACTS.json_schema()))
    assert {"visit_confirmed", "visit_2h", "pack"} <= known, "the schema is read right"
    assert known - NOTICE_KINDS.keys() == set()


def test_every_kind_of_task_has_its_name() -> None:
    assert set(get_args(FollowUpKind)) - FOLLOW_UP_KINDS.keys() == set()
