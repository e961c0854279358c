"""What a full run writes beside the database holds nothing of a family, whatever goes wrong."""

import json
import re
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from app.clock import SHANGHAI, now
from app.db import Database
from app.demo import DEMO_LOGINS
from app.models import Child, Notice
from app.services import timekeeping
from tests.devtools.whole_run import Run, folder_of_links, running
from tests.faults.test_platform_broken import at_work, wait_for
from tests.outbox import book, put_notice

NICKNAME = "豆包包"
PHONE = "13912345678"
NAMED = "欧阳阿姨"
ADDRESS = "南门路9876弄12号"
NEED = "唇腭裂术后"
KEPT_APART = frozenset({"sandbox.json"})
"""The stand-in for the platform remembers the phones that it plays; it is no part of us."""
DATABASES = (".db", ".db-wal", ".db-shm", ".aof", ".rdb")


def born() -> str:
    return (now().astimezone(SHANGHAI).date() - timedelta(days=170)).isoformat()


def secrets_of(openid: str) -> list[str]:
    """What may be nowhere, in every form in which it might be written."""
    day = born()
    year, month, date = day.split("-")
    said = [NICKNAME, PHONE, f"{PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}", NAMED, ADDRESS, NEED]
    said += [openid, openid[:14], day, day.replace("-", ""), f"{year}年{int(month)}月{int(date)}日"]
    said += [f"datetime.date({int(year)}, {int(month)}, {int(date)})"]
    return sorted({form for each in said for form in (each, json.dumps(each).strip('"'))})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    # The most that an operator can ask the processes to tell.
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    with folder_of_links(tmp_path) as root, running(root) as run:
        yield run


def ask(address: str, body: dict[str, object] | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


@contextmanager
def without_table(run: Run, name: str) -> Iterator[None]:
    """A table is gone: whoever asks it breaks, with the statement and its values in hand."""
    with closing(sqlite3.connect(run.root / "var" / "yuban.db", timeout=20)) as stored:
        stored.execute(f"ALTER TABLE {name} RENAME TO away")
        stored.commit()
        yield
        stored.execute(f"ALTER TABLE away RENAME TO {name}")
        stored.commit()


@contextmanager
def with_unreadable_names(run: Run) -> Iterator[None]:
    """As where a key was lost: whoever reads a child's name breaks, with the name in hand."""
    with closing(sqlite3.connect(run.root / "var" / "yuban.db", timeout=20)) as stored:
        kept = stored.execute("SELECT nickname, id FROM children").fetchall()
        stored.execute("UPDATE children SET nickname = ?", (NICKNAME,))
        stored.commit()
        yield
        stored.executemany("UPDATE children SET nickname = ? WHERE id = ?", kept)
        stored.commit()


def in_the_chat(run: Run, openid: str) -> list[str]:
    def act(action: str, **what: object) -> str:
        told = json.loads(ask(f"{run.phone}_sandbox/people/{openid}/{action}", what))
        return json.dumps(told, ensure_ascii=False)

    act("follow")
    visit_on = now().astimezone(SHANGHAI).date() + timedelta(days=5)
    said = [
        f"登记 {NICKNAME} {born()} 女 城桥镇",
        "同意",
        "活动",
        "报名 CQ-13",
        f"特殊需求 {NEED}",
        f"上门 {visit_on.isoformat()} 上午",
        f"{ADDRESS} {PHONE}",
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
    with without_table(run, "sign_ups"):
        heard.append(act("text", content=f"报名 CQ-14 {NICKNAME}"))
    with with_unreadable_names(run):
        heard.append(act("text", content="我的信息"))
        heard.append(act("text", content=f"报名 CQ-14 {NICKNAME}"))
    act("unfollow")
    act("follow")
    return heard


def at_the_desk(run: Run) -> tuple[list[str], str]:
    """Staff look for the family, mistype, hand in a file that is wrong, and confirm a place: the
    pages that they saw, and the id of the request that confirmed."""
    pages = []
    with requests.Session() as desk:
        desk.trust_env = False

        def token(page: str) -> str:
            return page.partition('name="csrf_token" value="')[2].partition('"')[0]

        page = desk.get(f"{run.console}login", timeout=20).text
        wrong = {"csrf_token": token(page), "username": PHONE, "password": NAMED}
        desk.post(f"{run.console}login", data=wrong, timeout=20)
        name, password, _ = next(each for each in DEMO_LOGINS if each.username == "district")
        right = {"csrf_token": token(page), "username": name, "password": password}
        pages.append(desk.post(f"{run.console}login", data=right, timeout=20).text)
        for path in (
            f"families?q={NICKNAME}",
            f"families?q={PHONE}&file=csv",
            f"families/{NICKNAME}",
            f"notices?q={NICKNAME}",
            f"threads?q={NAMED}",
            f"nowhere?{NICKNAME}={PHONE}",
            "files",
        ):
            pages.append(desk.get(f"{run.console}{path}", timeout=20).text)
        files = {"file": (f"{NICKNAME}.csv", f"孩子,电话\n{NICKNAME},{PHONE}\n".encode())}
        kept = {"csrf_token": token(pages[-1]), "kind": "families"}
        pages.append(desk.post(f"{run.console}files", data=kept, files=files, timeout=20).text)
        waiting = desk.get(f"{run.console}pending", timeout=20).text
        confirm = re.findall(r'action="/console/(pending/\d+/confirm)"', waiting)
        kept = {"csrf_token": token(waiting)}
        confirmed = desk.post(f"{run.console}{confirm[0]}", data=kept, timeout=20)
        confirmed_by = confirmed.history[0].headers["X-Request-Id"]
        with without_table(run, "children"):
            pages.append(desk.get(f"{run.console}families?q={NICKNAME}", timeout=20).text)
    return pages, confirmed_by


def by_page_and_app(run: Run, openid: str) -> list[int]:
    """The family's pages and the mini program's API, with words where numbers belong."""
    code = json.loads(ask(f"{run.phone}_sandbox/people/{openid}/code", {}))["code"]
    base = run.console.removesuffix("console/")
    with requests.Session() as app:
        app.trust_env = False
        token = app.post(f"{base}api/v1/log-in", json={"code": code}, timeout=20).json()["token"]
        bearer = {"Authorization": f"Bearer {token}", "Idempotency-Key": "logs-hold-nobody"}
        child = {"nickname": NICKNAME, "birth_date": born(), "township": ADDRESS, "say": NEED}
        answers = [
            app.get(f"{base}api/v1/family", headers=bearer, timeout=20),
            app.post(f"{base}api/v1/family/children", json=child, headers=bearer, timeout=20),
            app.get(f"{base}api/v1/sessions?kind={NICKNAME}", headers=bearer, timeout=20),
            app.get(f"{base}family/back?state={NICKNAME}&code={openid}", timeout=20),
            app.get(f"{base}family/sessions/{NICKNAME}?key={openid}", timeout=20),
            app.get(f"{base}certificates/{PHONE}", timeout=20),
        ]
        with without_table(run, "caregivers"):
            answers.append(app.get(f"{base}api/v1/family", headers=bearer, timeout=20))
    return [answer.status_code for answer in answers]


def lines_of(run: Run, process: str) -> list[dict[str, object]]:
    """The JSON lines of one of our processes."""
    prefix = f"{process:<10}|"
    lines = (run.root / "log").read_text().splitlines()
    of_process = [line[len(prefix) :].strip() for line in lines if line.startswith(prefix)]
    return [json.loads(line) for line in of_process if line.startswith("{")]


def test_logs_and_metrics_hold_nobody(run: Run) -> None:
    people = json.loads(ask(f"{run.phone}_sandbox/people"))
    openid = people[0]["openid"]
    for trouble in ({"garbage": "after"}, {"errcode": 47003}):
        fault = {"path": "/cgi-bin/message/custom/send", "times": 1, **trouble}
        ask(f"{run.phone}_sandbox/faults", fault)

    heard = in_the_chat(run, openid)
    statuses = by_page_and_app(run, openid)
    pages, confirmed_by = at_the_desk(run)
    metrics = ask(f"{run.console.removesuffix('console/')}metrics").decode()
    log = run.root / "log"

    def is_told(process: str, sign: str) -> bool:
        return any(sign in json.dumps(line) for line in lines_of(run, process))

    wait_for(lambda: is_told("web", "exception"))
    # One search through the logs leads from what somebody did to what was sent for it.
    wait_for(lambda: is_told("deliverer", confirmed_by))
    wait_for(lambda: is_told("scheduler", "runner_started"))
    written = {
        path: path.read_bytes()
        for path in [log, *(run.root / "var").rglob("*")]
        if path.is_file()
        and not path.is_symlink()
        and path.name not in KEPT_APART
        and not path.name.endswith(DATABASES)
        and ".aof" not in path.name
    }

    # It was a full run: everything was said, found, kept and broken that is looked for below.
    assert any("登记成功" in each for each in heard)
    assert any("上门申请已提交" in each for each in heard)
    assert any("120" in each for each in heard)
    assert any(NICKNAME in page for page in pages)
    assert {200, 422, 503} <= set(statuses)
    assert log in written
    for secret in secrets_of(openid):
        assert secret not in metrics
        found = [path.name for path, content in written.items() if secret.encode() in content]
        assert found == [], secret


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_and_a_sending_that_break_say_where_and_not_whose(
    database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    """The scheduler's and the deliverer's own lines, with their tracebacks."""
    at = now()
    with database.transaction() as db:
        booking = book(db, "oSECRET-of-the-family", at)
        put_notice(db, booking, at)
        for child in db.query(Child):
            child.nickname = NICKNAME
        # As where a key was lost: whoever reads it breaks with the words in hand.
        db.execute(text("UPDATE notices SET facts = :words"), {"words": f"{NICKNAME} {PHONE}"})
        for job in ("remind_sessions", "nudge_year_plan"):
            timekeeping.record_start(db, job, at - timedelta(days=300))
        db.execute(text("ALTER TABLE sign_ups RENAME TO away"))
    logs = {name: tmp_path / name for name in ("scheduler.runner", "scheduler.deliverer")}
    with ExitStack() as processes:
        for name, path in logs.items():
            processes.enter_context(at_work(name, environment | {"LOG_LEVEL": "DEBUG"}, path))
        wait_for(lambda: all('"exception"' in path.read_text() for path in logs.values()))
    for path in logs.values():
        said = path.read_text()
        assert all(json.loads(line) for line in said.splitlines())
        day = (at - timedelta(days=300)).date().isoformat()
        for secret in (NICKNAME, json.dumps(NICKNAME).strip('"'), PHONE, "oSECRET", day):
            assert secret not in said, path.name
    with database.reading() as db:
        assert db.query(Notice.id).count() == 1


def test_the_search_would_find_what_it_looks_for(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f'{{"nickname": {json.dumps(NICKNAME)}}}')

    assert json.dumps(NICKNAME).strip('"').encode() in (tmp_path / "log").read_bytes()
