"""What a full run writes beside the database holds no name, telephone, openid or birthday."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import SHANGHAI, now
from tests.devtools.whole_run import Run, folder_of_links, running, wait_for

NICKNAME = "豆包包"
PHONE = "13912345678"
NAMED = "欧阳阿姨"
KEPT_APART = frozenset({"sandbox.json"})
"""The stand-in for the platform remembers the phones that it plays; it is no part of us."""
DATABASES = (".db", ".db-wal", ".db-shm", ".aof", ".rdb")


def born() -> str:
    return (now().astimezone(SHANGHAI).date() - timedelta(days=170)).isoformat()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with folder_of_links(tmp_path) as root, running(root) as run:
        yield run


def ask(address: str, body: dict[str, object] | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


def test_logs_and_metrics_hold_nobody(run: Run) -> None:
    people = json.loads(ask(f"{run.phone}_sandbox/people"))
    openid = people[0]["openid"]

    def act(action: str, **what: object) -> str:
        told = json.loads(ask(f"{run.phone}_sandbox/people/{openid}/{action}", what))
        return json.dumps(told, ensure_ascii=False)

    act("follow")
    said = [
        f"登记 {NICKNAME} {born()} 女 城桥镇",
        "同意",
        "活动",
        "报名 CQ-13",
        f"我是{NAMED}，电话{PHONE}，请老师回电",
        f"人工 {NAMED} {PHONE}",
        f"{NICKNAME}抽搐了没有意识",
        "我的信息",
        f"改 {NICKNAME} 生日 2026-02-30",
        f"报名 NOWHERE {NICKNAME}",
        "x" * 10_000,
    ]
    heard = [act("text", content=text) for text in said]
    act("voice", recognition=f"{NICKNAME}有点咳嗽")
    act("image")
    act("unfollow")
    act("follow")
    metrics = ask(f"{run.console.removesuffix('console/')}metrics").decode()
    log = run.root / "log"
    wait_for(lambda: "turn" in log.read_text(), "the log tells of turns")
    written = {
        path: path.read_bytes()
        for path in [log, *(run.root / "var").rglob("*")]
        if path.is_file()
        and not path.is_symlink()
        and path.name not in KEPT_APART
        and not path.name.endswith(DATABASES)
        and ".aof" not in path.name
    }

    assert any("登记成功" in each for each in heard)
    assert any("120" in each for each in heard)
    assert log in written
    day = born()
    for secret in (NICKNAME, PHONE, NAMED, openid, day, day.replace("-", "")):
        for form in (secret, json.dumps(secret).strip('"')):
            assert form not in metrics
            found = [path.name for path, content in written.items() if form.encode() in content]
            assert found == [], form


def test_the_search_would_find_what_it_looks_for(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f'{{"nickname": {json.dumps(NICKNAME)}}}')

    assert json.dumps(NICKNAME).strip('"').encode() in (tmp_path / "log").read_bytes()
