"""What is held about a family, as a person reads it: on the page, in a file, in an app."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from app.words import audit, timeline, visit_signs
from app.words import privacy as words

INBOX_KINDS: Final[Mapping[str, str]] = {
    "text": "文字",
    "voice": "语音",
    "image": "图片",
    "video": "视频",
    "shortvideo": "小视频",
    "location": "位置",
    "link": "链接",
    "file": "文件",
    "subscribe": "关注",
    "unsubscribe": "取消关注",
    "scan": "扫码",
    "click": "点菜单",
    "view": "打开网页",
    "template_receipt": "通知的回执",
    "authorisation_revoked": "撤回授权",
    "authorisation_cancelled": "注销微信账号",
    "user_info_modified": "改微信资料",
    "consent_popup": "订阅通知的选择",
    "consent_change": "订阅通知的选择",
    "consent_sent": "订阅通知的回执",
    "other": "其他",
}

CODES: Final[Mapping[tuple[str, str], Callable[[str], str]]] = {
    ("audit_log", "action"): audit.say_action,
    ("audit_log", "subject_type"): lambda kind: audit.say_subject(kind, None),
    ("audit_log", "before"): audit.say_state,
    ("audit_log", "after"): audit.say_state,
    ("inbox", "kind"): lambda kind: INBOX_KINDS.get(kind, kind),
    ("consents", "purpose"): words.purpose_words,
    ("visit_dues", "purpose"): partial(timeline.say_kind, "visit"),
    ("home_visits", "purpose"): partial(timeline.say_kind, "visit"),
    ("home_visits", "state"): partial(timeline.say_state, "visit"),
    ("home_visits", "wished_half"): lambda half: visit_signs.HALVES.get(half, half),
    ("sign_ups", "state"): partial(timeline.say_state, "sign_up"),
    ("notices", "kind"): partial(timeline.say_kind, "notice"),
    ("notices", "state"): partial(timeline.say_state, "notice"),
    ("notices", "reason"): partial(timeline.say_reason, "notice"),
    ("pack_pushes", "state"): partial(timeline.say_state, "pack"),
    ("pack_pushes", "reason"): partial(timeline.say_reason, "pack"),
    ("follow_ups", "kind"): partial(timeline.say_kind, "follow_up"),
    ("help_threads", "state"): partial(timeline.say_state, "thread"),
    ("help_threads", "kind"): partial(timeline.say_kind, "thread"),
}
"""By table and column: a code that staff read in words is read in the same words at home."""


class Held(Protocol):
    """One table with the family's rows, as they are stored."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def rows(self) -> tuple[tuple[object, ...], ...]: ...


@dataclass(frozen=True, slots=True)
class ReadableTable:
    """A table's rows as names and values: what is empty is left out."""

    name: str
    rows: tuple[tuple[tuple[str, str], ...], ...]


def readable(tables: Sequence[Held]) -> list[ReadableTable]:
    """The tables in words; one that holds nothing to read is left to the machine's file."""
    found = (
        ReadableTable(
            words.table_name(table.name),
            tuple(row for row in (_facts(table, row) for row in table.rows) if row),
        )
        for table in tables
    )
    return [table for table in found if table.rows]


def _facts(table: Held, row: tuple[object, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (words.column_name(name), _value(table.name, name, value))
        for name, value in zip(table.columns, row, strict=True)
        if value not in (None, "") and words.is_for_reading(name)
    )


def _value(table: str, column: str, value: object) -> str:
    code = CODES.get((table, column))
    return code(value) if code is not None and isinstance(value, str) else words.value_words(value)
