"""`./dev documents`: writes the parts of the documents that are told by the code.

A part lies between `<!-- from the code: NAME -->` and `<!-- end -->`. `./dev check` says where what
is written differs from what the code tells now.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageMetadata, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Final

from devtools.environment import ROOT

if TYPE_CHECKING:
    from sqlalchemy import Table

PAGES: Final = ("docs/data-protection.md", "docs/children-data.md", "docs/licences.md")
PART: Final = re.compile(r"(<!-- from the code: ([a-z ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
ROLES: Final = {
    "worker": "站里老师",
    "visitor": "访视员",
    "township": "乡镇负责人",
    "district": "区里",
    "editor": "内容编辑",
    "auditor": "审计",
}
SCOPES: Final = {
    "editor": "只看遮住以后的",
    "worker": "本站",
    "visitor": "自己的上门",
    "township": "本乡镇",
    "district": "全区",
    "auditor": "全区，只看",
}
ELSEWHERE: Final = "only where"
FREE: Final = re.compile(
    r"\b(MIT|BSD|Apache|PSF|Python Software|ISC|MPL|Mozilla|Public Domain|Unlicense|LGPL|HPND|CC0|"
    r"Zlib|Historical)",
    re.IGNORECASE,
)
"""Licences under which a district may run, change and hand on the service."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _tables() -> "Mapping[str, Table]":
    from app.models import Family

    return Family.metadata.tables


def records() -> str:
    """Every table that says something of a person."""
    from app.words.records import RECORDS

    return table(
        ("记录", "用途", "保存多久", "到期以后", "工作台上谁看得到"),
        [
            (
                f"{kind.title} `{name}`",
                kind.purpose,
                kind.kept,
                kind.then,
                _who_sees(kind.pages),
            )
            for name, kind in RECORDS.items()
            if kind.is_personal
        ],
    )


def _who_sees(pages: Sequence[str]) -> str:
    from app.console.access import ACCESS

    roles = {str(role) for page in pages for role in ACCESS[page].see | ACCESS[page].act}
    seen = [f"{said}（{SCOPES[role]}）" for role, said in ROLES.items() if role in roles]
    return "、".join(seen) or "没有页面显示"


def encryption() -> str:
    """What is encrypted, and what can only be found by its keyed hash."""
    from app.db import EncryptedText, LookUp
    from app.words.records import RECORDS

    rows = []
    for name, kind in RECORDS.items():
        columns = _tables()[name].c
        sealed = [column.name for column in columns if isinstance(column.type, EncryptedText)]
        hashed = [column.name for column in columns if isinstance(column.type, LookUp)]
        if sealed or hashed:
            rows.append((f"{kind.title} `{name}`", _columns(sealed), _columns(hashed)))
    return table(("记录", "加密保存", "只存带密钥的散列"), rows)


def _columns(names: Sequence[str]) -> str:
    from app.words.privacy import COLUMNS

    said = (f"{COLUMNS[name]} `{name}`" if name in COLUMNS else f"`{name}`" for name in names)
    return "、".join(said) or "——"


def in_clear() -> str:
    """Personal data that is not encrypted by itself, and why."""
    from app.words.records import IN_CLEAR, RECORDS

    rows = []
    for place, why in IN_CLEAR.items():
        name, _, column = place.partition(".")
        assert column in _tables()[name].c, place
        rows.append((RECORDS[name].title, _columns([column]), why))
    return table(("记录", "字段", "为什么"), rows)


def beside() -> str:
    """What lies in Redis."""
    from app.dialogue.store import DIALOGUE_SECONDS, HANDLED_SECONDS

    rows = (
        ("说到一半的话", "接着上一句问；加密", f"{DIALOGUE_SECONDS // 86400}天"),
        ("刚办过的消息的编号", "同一条消息不办两次", f"{HANDLED_SECONDS // 60}分钟"),
        ("微信的访问凭证", "调微信的接口", "两小时，到期换新"),
        ("登录失败、各地址的次数", "挡住猜密码和刷接口", "几分钟"),
        ("每天发了几条", "不超过微信的额度；只有数", "两天"),
    )
    return table(("放在 Redis 里的", "用途", "保存多久"), rows)


def screens() -> str:
    """Who may open which screen of the console, and act there."""
    from app.console.access import TABS, may
    from app.services.staff import Role

    rows = []
    for tab in TABS:
        cells = []
        for role in ROLES:
            pages = (tab.endpoint, *sorted(tab.inside))
            acts = any(may(Role(role), page, acts=True) for page in pages)
            sees = may(Role(role), tab.endpoint, acts=False)
            cells.append("看、办" if sees and acts else "看" if sees else "——")
        rows.append((f"{tab.name}：{tab.does}", *cells))
    return table(("页面", *ROLES.values()), rows)


def consents() -> str:
    """What guardians are asked to agree to, in the words that they read."""
    from app.words import registration
    from app.words.privacy import PURPOSES

    rows = [(f"`{name}`", said) for name, said in PURPOSES.items()]
    quoted = "".join(f"> {line}\n>\n" for line in registration.consent_notice("").splitlines())
    version = registration.CONSENT_VERSION
    return f"{table(('同意', '用途'), rows)}\n告知的原文（{version}版）：\n\n{quoted}"


def removals() -> str:
    """The jobs that take away what has done its service."""
    from scheduler.timetable import JOBS

    said = {
        "apply_retention": "清空到期的通知文字和导入的文件、删掉办完的跟进、清空服务期满的家庭；"
        "每次报告各去掉多少",
        "tidy": "删掉旧的消息、用过和过期的邀请码、旧的回执、到期的登录；每次报告各去掉多少",
    }
    rows = [
        (f"`{job.name}`", f"`{job.schedule}`", said[job.name]) for job in JOBS if job.name in said
    ]
    return table(("任务", "什么时候（cron，上海时间）", "做什么"), rows)


def licences() -> str:
    """The packages that the service runs on, as pinned, with the licences that they state."""
    rows = [(name, version, licence) for name, version, licence in _pinned("base")]
    return table(("Package", "Version", "Licence"), rows)


def _pinned(which: str) -> Iterator[tuple[str, str, str]]:
    text = (ROOT / "requirements" / f"{which}.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)(?: ; ([^\\\n]+?))?(?: \\)?$", text, re.M)
    for name, version, marker in pins:
        if marker:
            # Here it is perhaps not installed: the page is to be the same everywhere.
            yield name, version, f"{ELSEWHERE} `{marker.strip()}`"
        else:
            yield name, version, _licence(distribution(name).metadata)


def _licence(metadata: PackageMetadata) -> str:
    """Its SPDX expression, else its classifiers, else the first line of what it says."""
    stated = metadata.json
    expression, said = stated.get("license_expression"), stated.get("license")
    if isinstance(expression, str):
        return expression
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in stated.get("classifier", ())
        if line.startswith("License :: OSI Approved ::")
    ]
    if classifiers:
        return ", ".join(classifiers)
    return said.strip().splitlines()[0] if isinstance(said, str) and said.strip() else "not stated"


PARTS: Final[dict[str, Callable[[], str]]] = {
    "records": records,
    "encryption": encryption,
    "in clear": in_clear,
    "beside the database": beside,
    "screens": screens,
    "consents": consents,
    "removals": removals,
    "licences": licences,
}


def told_anew(text: str) -> str:
    """A page with its parts as the code tells them now. Raises KeyError for an unknown part."""
    return PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n{found[4]}", text)


def find_document_faults(root: Path) -> list[str]:
    """Tables of the database without words, and pages that differ from the code."""
    from app.words.records import RECORDS

    faults = [
        f"app/words/records.py: say what the table {name} holds, what for and how long"
        for name in sorted(_tables().keys() - RECORDS.keys())
    ]
    faults += [
        f"app/words/records.py: there is no table {name}"
        for name in sorted(RECORDS.keys() - _tables().keys())
    ]
    faults += [
        f"requirements: {name} states the licence {licence!r}: may a district run it?"
        for name, _, licence in _pinned("base")
        if not licence.startswith(ELSEWHERE) and not FREE.search(licence)
    ]
    if faults:
        return faults
    for page in PAGES:
        text = (root / page).read_text(encoding="utf-8")
        if told_anew(text) != text:
            faults.append(f"{page} differs from the code: run ./dev documents")
    return faults


def main() -> int:
    """Write the parts anew."""
    for page in PAGES:
        path = ROOT / page
        path.write_text(told_anew(path.read_text(encoding="utf-8")), encoding="utf-8")
        print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
