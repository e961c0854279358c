"""A running dialogue as text and back."""

import json
from datetime import datetime

from app.dialogue.message import Dialogue


def dump(dialogue: Dialogue) -> str:
    """The JSON that the store keeps."""
    return json.dumps(
        {
            "topic": dialogue.topic,
            "step": dialogue.step,
            "since": dialogue.since.isoformat(),
            "draft": dialogue.draft,
        },
        ensure_ascii=False,
    )


def load(stored: str) -> Dialogue | None:
    """The dialogue again; None for what an older version of this code wrote differently."""
    try:
        fields = json.loads(stored)
        return Dialogue(
            topic=str(fields["topic"]),
            step=str(fields["step"]),
            since=datetime.fromisoformat(fields["since"]),
            draft={str(key): str(value) for key, value in fields["draft"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
