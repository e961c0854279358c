"""Markdown files with front matter: read strictly, every fault with its file, line and reason.

Reasons are in Chinese: they are read by those who write the content.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C library's where there is one: ten times faster, the same answers."""

FENCE = "---"
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with one file."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class ContentBroken(Exception):
    """Content that cannot be served; `faults` says all that is wrong, in the order of files."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the front matter, with the line it stands on."""

    value: Any
    line: int
    lines: tuple[int, ...] = ()
    """Where the items of a list stand."""


@dataclass(slots=True)
class Document:
    """A file's front matter and its text. The getters note a fault and go on.

    `text`, `number` and so on return a harmless value beside the fault they note: a caller reads
    all fields first, and asks `faults` at the end, so that an author sees everything at once.
    """

    file: str
    fields: Mapping[str, Field]
    body: str
    body_line: int
    faults: list[Fault] = field(default_factory=list)

    def fault(self, reason: str, *, key: str | None = None, line: int | None = None) -> None:
        """Note what is wrong: at a line, at a field, or else at the head of the file."""
        if line is None:
            found = self.fields.get(key) if key else None
            line = found.line if found else 1
        self.faults.append(Fault(self.file, line, f"{key}：{reason}" if key else reason))

    def check_keys(self, known: Collection[str]) -> None:
        """A field that nobody reads is a slip of the pen."""
        for key in self.fields:
            if key not in known:
                self.fault("没有这个字段，请检查拼写或删去", key=key)

    def text(self, key: str, *, longest: int = 200, optional: bool = False) -> str:
        """A line or a paragraph; trimmed."""
        value = self._get(key, optional)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault("要写成文字；像数字或日期的文字请加引号", key=key)
            return ""
        text: str = value.strip()
        if not text and not optional:
            self.fault("是空的，请填写", key=key)
        if len(text) > longest:
            self.fault(f"有{len(text)}个字，最多{longest}个", key=key)
        return text

    def texts(self, key: str, *, at_least: int = 1) -> tuple[str, ...]:
        """A list of lines, none of them empty."""
        value = self._get(key, optional=at_least == 0)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fault("要写成列表，每行以“- ”开头", key=key)
            return ()
        found = self.fields[key]
        for item, line in zip(value, found.lines, strict=True):
            if not isinstance(item, str) or not item.strip():
                self.fault(f"{key}：这一项要写成文字，不能空着", line=line)
        if len(value) < at_least:
            self.fault(
                "是空的，至少要有一项" if at_least == 1 else f"至少要有{at_least}项", key=key
            )
        return tuple(item.strip() for item in value if isinstance(item, str))

    def number(self, key: str, *, lowest: int, highest: int) -> int:
        """A whole number within bounds, both inclusive."""
        value = self._get(key)
        if value is None:
            return lowest
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault("要写成整数", key=key)
            return lowest
        if not lowest <= value <= highest:
            self.fault(f"{value} 超出范围，要在 {lowest} 到 {highest} 之间", key=key)
            return lowest
        return value

    def day(self, key: str) -> date:
        """A date such as 2027-11-25."""
        value = self._get(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if value is not None:
            self.fault("要写成日期，如 2027-11-25", key=key)
        return date.min

    def choice(self, key: str, of: Collection[str]) -> str:
        """One of a few words."""
        value = self.text(key)
        if value and value not in of:
            self.fault(f"“{value}”不在可选的里面，请从 {'、'.join(of)} 里选一个", key=key)
        return value

    def _get(self, key: str, optional: bool = False) -> Any:
        found = self.fields.get(key)
        if found is None or found.value is None:
            if not optional:
                self.fault("没有填写，请补上", key=key)
            return None
        return found.value


def read_document(path: Path, file: str) -> Document:
    """The file's front matter and text. `file` is what faults call it.

    Raises ContentBroken where the file is not even front matter and text.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ContentBroken([Fault(file, 1, f"读不了这个文件（{error.strerror}）")]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ContentBroken([Fault(file, line, "文字编码不是 UTF-8，请另存为 UTF-8")]) from None
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != FENCE:
        raise ContentBroken([Fault(file, 1, "第一行要是“---”，下面写各个字段")])
    end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        raise ContentBroken([Fault(file, 1, "字段写完以后，要另起一行写“---”")])
    fields = _read_fields("\n".join(lines[1:end]), file)
    body = "\n".join(lines[end + 1 :])
    return Document(file, fields, body.strip("\n"), end + 2)


def read_folder(
    folder: Path, read: Callable[[Document], Item]
) -> tuple[list[tuple[Document, Item]], list[Fault]]:
    """Every Markdown file of a folder that can be read, in the order of names; and the faults.

    `read` makes an item of a document and notes what is wrong in it. README.md is for authors
    and no item. An absent folder holds nothing.
    """
    items: list[tuple[Document, Item]] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.md")):
        if path.name == "README.md":
            continue
        try:
            document = read_document(path, f"content/{folder.name}/{path.name}")
        except ContentBroken as broken:
            faults += broken.faults
            continue
        item = read(document)
        faults += document.faults
        if not document.faults:
            items.append((document, item))
    return items, faults


def find_repeated_ids(items: Iterable[tuple[Document, str]]) -> list[Fault]:
    """Documents whose id another one before them has."""
    first: dict[str, str] = {}
    faults = []
    for document, item_id in items:
        if item_id in first:
            line = document.fields["id"].line
            reason = f"id：编号 {item_id} 重复了，{first[item_id]} 已经用了它"
            faults.append(Fault(document.file, line, reason))
        else:
            first[item_id] = document.file
    return faults


def _read_fields(text: str, file: str) -> dict[str, Field]:
    """Fields by name. Line 1 of the text is line 2 of the file."""
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ContentBroken([Fault(file, 2, "字段要一行一个，写成“名字: 内容”")])
        _check_repeated(node, file)
        fields = {}
        for key, value in node.value:
            line = key.start_mark.line + 2
            items = value.value if isinstance(value, yaml.SequenceNode) else ()
            try:
                made = loader.construct_object(value, deep=True)
            except ValueError:
                # 2026-02-30 looks like a date to YAML, and is none.
                reason = f"{key.value}：{value.value} 不是真有的日期"
                raise ContentBroken([Fault(file, line, reason)]) from None
            fields[str(key.value)] = Field(
                made, line, tuple(item.start_mark.line + 2 for item in items)
            )
        return fields
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else 1
        reason = f"写法不对（{error.problem or error.context}）；内容里有冒号、引号时请整句加引号"
        raise ContentBroken([Fault(file, line, reason)]) from None
    except yaml.YAMLError as error:
        reason = f"有不能用的字符（{str(error).splitlines()[0]}）"
        raise ContentBroken([Fault(file, 1, reason)]) from None
    finally:
        loader.dispose()


def _check_repeated(node: yaml.Node, file: str) -> None:
    """YAML itself lets the last of two equal keys win, silently."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_repeated(item, file)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ContentBroken([Fault(file, key.start_mark.line + 2, "字段名要是一个词")])
            if key.value in seen:
                reason = f"{key.value}：同一个字段写了两遍，请删去一个"
                raise ContentBroken([Fault(file, key.start_mark.line + 2, reason)])
            seen.add(key.value)
            _check_repeated(value, file)
