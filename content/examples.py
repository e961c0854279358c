"""What people write, by what they want: `content/intents/*.tsv`, which staff may add to.

One file an intent, named after it; one message a line. A second column, after a tab, may say who
added the line and when. Empty lines and lines that begin with # are skipped.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "intents"
LONGEST_EXAMPLE: Final = 200
LABELS: Final = (
    "emergency",
    "greeting",
    "thanks",
    "register_child",
    "update_child",
    "list_sessions",
    "book_session",
    "my_bookings",
    "cancel_booking",
    "reschedule",
    "book_home_visit",
    "ask_pack",
    "course_enrol",
    "course_next",
    "course_progress",
    "human_agent",
    "opt_out",
    "complaint",
    "faq_service",
    "faq_newborn",
    "faq_feeding",
    "faq_sleep",
    "faq_growth",
    "faq_development",
    "faq_vaccine",
    "faq_illness",
    "faq_safety",
    "faq_behavior",
    "faq_play",
    "faq_toilet",
    "faq_screen",
    "faq_childcare",
    "faq_grandparent",
    "faq_oral",
    "other",
)
"""The 35 intents."""


class ExamplesBroken(Exception):
    """A file of examples cannot be used; the text names file, line and reason."""


@dataclass(frozen=True, slots=True)
class Example:
    """One message and what it wants."""

    text: str
    label: str


def load_examples(folder: Path = FOLDER) -> tuple[Example, ...]:
    """Every example, in the order of LABELS and lines. Raises ExamplesBroken."""
    files = {path.stem: path for path in sorted(folder.glob("*.tsv"))}
    unknown = sorted(set(files) - set(LABELS))
    if unknown:
        raise ExamplesBroken(f"{files[unknown[0]].name}: there is no intent of this name")
    missing = [label for label in LABELS if label not in files]
    if missing:
        raise ExamplesBroken(f"{missing[0]}.tsv: the file of this intent is missing")
    examples: list[Example] = []
    seen: dict[str, str] = {}
    for label in LABELS:
        lines = files[label].read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            text = line.partition("\t")[0].strip()
            if not text or text.startswith("#"):
                continue
            place = f"{label}.tsv:{number}"
            if len(text) > LONGEST_EXAMPLE:
                raise ExamplesBroken(f"{place}: longer than {LONGEST_EXAMPLE} characters")
            if text in seen:
                raise ExamplesBroken(f"{place}: {text} is already in {seen[text]}")
            seen[text] = place
            examples.append(Example(text, label))
    return tuple(examples)


def domain_words(folder: Path = FOLDER) -> tuple[str, ...]:
    """Words of our field that are to be kept whole: `words.txt`, one a line."""
    lines = (folder / "words.txt").read_text(encoding="utf-8").splitlines()
    return tuple(word for line in lines if (word := line.strip()) and not word.startswith("#"))


def word_classes(folder: Path = FOLDER) -> dict[str, tuple[str, ...]]:
    """Words that stand for one another, each with its classes: `classes.txt`, one class a line.

    酸奶 and 蛋黄 are both food: what is learnt of one is known of the other. Raises ExamplesBroken.
    """
    found: dict[str, tuple[str, ...]] = {}
    lines = (folder / "classes.txt").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, words = line.partition(":")
        if not colon or not name.strip() or not words.strip():
            raise ExamplesBroken(f"classes.txt:{number}: not a class, a colon and its words")
        for word in words.split():
            found[word] = (*found.get(word, ()), name.strip())
    return found


def fingerprint(folder: Path = FOLDER) -> str:
    """Changes whenever an example does."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
