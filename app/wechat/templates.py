"""Template messages: which of the account's templates says a notice, in which of its lines.

WECHAT_TEMPLATES pairs a notice's kind with a template's id. Where the account's template has
other lines than LINES, they follow the id: "ID thing6=title time2=when phone_number9=phone".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.late_pattern import LatePattern
from app.wechat.plain_text import clean
from app.words.notices import Field, NoticeWords

REMINDER_LINES = (
    ("thing1", Field.TITLE),
    ("time2", Field.WHEN),
    ("thing3", Field.PLACE),
    ("thing4", Field.CHILD),
)

PLAN_LINES = (
    ("thing1", Field.TITLE),
    ("time2", Field.WHEN),
    ("thing3", Field.PLACE),
    ("thing4", Field.HINT),
)

COURSE_LINES = (("thing1", Field.TITLE), ("thing2", Field.HINT))
VISIT_LINES = (
    ("thing1", Field.TITLE),
    ("time2", Field.WHEN),
    ("thing3", Field.PERSON),
    ("phone_number4", Field.PHONE),
    ("thing5", Field.HINT),
)

LINES: dict[str, tuple[tuple[str, Field], ...]] = {
    "sign_up_confirmed": (
        ("thing1", Field.TITLE),
        ("time2", Field.WHEN),
        ("thing3", Field.PLACE),
        ("thing4", Field.CHILD),
        ("phone_number5", Field.PHONE),
    ),
    "sign_up_declined": (
        ("thing1", Field.TITLE),
        ("time2", Field.WHEN),
        ("thing3", Field.REASON),
        ("phone_number4", Field.PHONE),
    ),
    "sign_up_cancelled": (
        ("thing1", Field.TITLE),
        ("time2", Field.WHEN),
        ("thing3", Field.REASON),
        ("phone_number4", Field.PHONE),
    ),
    "sign_up_offered": (
        ("thing1", Field.TITLE),
        ("time2", Field.WHEN),
        ("time3", Field.UNTIL),
        ("thing4", Field.HINT),
    ),
    "session_changed": (
        ("thing1", Field.TITLE),
        ("time2", Field.WAS),
        ("time3", Field.WHEN),
        ("thing4", Field.PLACE),
    ),
    "reminder_24h": REMINDER_LINES,
    "reminder_2h": REMINDER_LINES,
    "plan_proposed": PLAN_LINES,
    "plan_taken": PLAN_LINES,
    "year_plan_nudge": PLAN_LINES,
    "course_nudge": COURSE_LINES,
    "course_module_passed": COURSE_LINES,
    "pack": (("thing1", Field.TITLE), ("thing2", Field.AGE)),
    "visit_confirmed": VISIT_LINES,
    "visit_moved": VISIT_LINES,
    "visit_proposed": VISIT_LINES,
    "visit_evening": VISIT_LINES,
    "visit_2h": VISIT_LINES,
    "visit_on_the_way": VISIT_LINES,
    "pack_long_term": (("thing1", Field.TITLE), ("thing2", Field.HINT)),
}
"""The lines that a kind fills where the setting says nothing else."""

NOT_PRINTABLE_ASCII = LatePattern(r"[^ -~]")
NOT_CHINESE = LatePattern(r"[^\u3400-\u9fff\uf900-\ufaff]")
NOT_OF_A_NUMBER = LatePattern(r"[^0-9+\-() ]")


@dataclass(frozen=True, slots=True)
class Rule:
    """What the platform takes in one type of line; a breach is 47003."""

    characters: int
    without: LatePattern | None = None


RULES = {
    "thing": Rule(20),
    "const": Rule(20),
    "character_string": Rule(32, NOT_PRINTABLE_ASCII),
    "phrase": Rule(5, NOT_CHINESE),
    "name": Rule(10),
    "phone_number": Rule(17, NOT_OF_A_NUMBER),
    "time": Rule(32),
    "date": Rule(32),
}


class TemplateSettingWrong(Exception):
    """WECHAT_TEMPLATES holds something that is no template; the text says for which kind."""


@dataclass(frozen=True, slots=True)
class NoticeTemplate:
    """One of the account's templates, and what each of its lines is filled with."""

    id: str
    lines: tuple[tuple[str, Field], ...]

    def fill(self, words: NoticeWords) -> tuple[tuple[str, str], ...] | None:
        """Each line's key and value within the platform's limits.

        None where a line would stay empty: the platform would refuse the message.
        """
        said = dict(words.fields)
        filled = tuple((key, _within(key, said.get(field, ""))) for key, field in self.lines)
        return filled if all(value for _, value in filled) else None


def read_templates(setting: Mapping[str, str]) -> dict[str, NoticeTemplate]:
    """The templates by notice kind, of WECHAT_TEMPLATES or of WECHAT_SUBSCRIPTIONS, where
    pack is the one-time template and pack_long_term the lasting one. Raises TemplateSettingWrong.
    """
    return {kind: _read(kind, value) for kind, value in setting.items()}


def _read(kind: str, value: str) -> NoticeTemplate:
    if not value.strip():
        raise TemplateSettingWrong(f"{kind}: no template id")
    template_id, *pairs = value.split()
    if not pairs:
        if kind not in LINES:
            raise TemplateSettingWrong(f"{kind}: name the template's lines")
        return NoticeTemplate(template_id, LINES[kind])
    lines = []
    for pair in pairs:
        key, _, field = pair.partition("=")
        if _kind_of(key) not in RULES or field not in set(Field):
            raise TemplateSettingWrong(f"{kind}: {pair} is not a line such as thing1=title")
        lines.append((key, Field(field)))
    return NoticeTemplate(template_id, tuple(lines))


def _kind_of(key: str) -> str:
    return key.rstrip("0123456789")


def _within(key: str, value: str) -> str:
    rule = RULES[_kind_of(key)]
    line = " ".join(clean(value).split())
    if rule.without is not None:
        line = rule.without.sub("", line).strip()
    if len(line) > rule.characters:
        line = line[: rule.characters - 1] + ("…" if rule.without is None else "")
    return line
