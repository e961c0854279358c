"""One callback through line, transaction and deadline: late turns, lost connections, order."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import event, func, select, text, update
from sqlalchemy.orm import Session

from app.config import Settings
from app.dialogue import store
from app.dialogue.message import Inbound, Kind, Reply, Window
from app.dialogue.turn import Answered, Handlers, Turn
from app.models import Caregiver, InboxEntry, Notice
from app.models.notice_facts import LateReply, load_facts
from app.services import inbox, registration
from app.wechat import keeping, line, working
from app.wechat.jobs import Job
from app.wechat.kept_replies import dump_reply, load_reply
from app.wiring import Services, make_services
from handlers import HANDLERS


def with_handler(label: str, handler: Callable[[Turn], Answered]) -> Handlers:
    return replace(HANDLERS, intents={**HANDLERS.intents, label: handler})


@pytest.fixture
def start(settings: Settings, now: datetime) -> Iterator[Callable[..., Services]]:
    """Services with some handlers and a deadline of the test's own."""
    started: list[Services] = []

    def make(handlers: Handlers = HANDLERS, deadline: float = 4.0, threads: int = 8) -> Services:
        changed = {"turn_deadline_seconds": deadline, "web_threads": threads}
        mine = settings.model_copy(update=changed)
        services = make_services(mine, handlers, clock=lambda: now)
        started.append(services)
        return services

    yield make
    for services in started:
        services.turns.close()
        services.redis.close()


def inbound(text: str, now: datetime, openid: str = "o-1", number: int = 1) -> Inbound:
    return Inbound(
        key=hashlib.sha256(f"{openid} {number}".encode()).hexdigest(),
        openid=openid,
        kind=Kind.TEXT,
        received_at=now,
        text=text,
        window=Window.WRITE,
    )


def stand_in_line(redis: Redis, many: int) -> bool:
    return bool(redis.llen("turns:o-1") == many)


def late_replies(services: Services) -> list[str]:
    with services.database.reading() as db:
        facts = [load_facts(row.facts) for row in db.execute(select(Notice)).scalars()]
    return [each.text for each in facts if isinstance(each, LateReply)]


def wait_for(claim: Callable[[], bool]) -> None:
    for _ in range(200):
        if claim():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to be")


def test_a_slow_turn_is_answered_at_once_and_finished_by_a_message(
    start: Callable[..., Services], now: datetime
) -> None:
    def slowly(turn: Turn) -> Answered:
        time.sleep(0.5)
        return Reply("办好了"), None

    services = start(with_handler("help", slowly), deadline=0.1)
    reply = services.turns.handle(inbound("帮助", now))
    assert reply is not None
    assert "正在给您办" in reply.text
    wait_for(lambda: late_replies(services) == ["办好了"])
    # The platform's retry gets the real answer, and no second message.
    assert start().turns.handle(inbound("帮助", now)) == Reply("办好了")
    assert late_replies(services) == ["办好了"]


def test_a_late_turn_that_breaks_still_ends_in_a_message(
    start: Callable[..., Services], now: datetime
) -> None:
    def breaks(turn: Turn) -> Answered:
        if turn.text == "帮助":
            time.sleep(0.4)
            raise RuntimeError("a mistake of ours")
        return Reply("好"), None

    # Known first, in good time, so that a notice can reach them.
    start().turns.handle(inbound("帮助", now, number=9))
    services = start(with_handler("help", breaks), deadline=0.1)
    services.turns.handle(inbound("帮助", now))
    wait_for(lambda: len(late_replies(services)) == 1)
    assert "没办成" in late_replies(services)[0]


def test_a_mistake_of_ours_is_a_polite_sentence(
    start: Callable[..., Services], now: datetime
) -> None:
    def breaks(turn: Turn) -> Answered:
        raise RuntimeError("a mistake of ours")

    services = start(with_handler("help", breaks))
    reply = services.turns.handle(inbound("帮助", now))
    assert reply is not None
    assert "系统正忙" in reply.text


def test_the_same_callback_ten_times_at_once_is_done_once(
    start: Callable[..., Services], now: datetime
) -> None:
    done: list[int] = []

    def count(turn: Turn) -> Answered:
        time.sleep(0.05)
        done.append(1)
        return Reply(f"第{len(done)}次"), None

    services = start(with_handler("help", count))
    replies: list[Reply | None] = []

    def send() -> None:
        replies.append(services.turns.handle(inbound("帮助", now)))

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [Reply("第1次")] * 10
    with services.database.reading() as db:
        assert db.execute(select(func.count()).select_from(InboxEntry)).scalar_one() == 1


def test_one_caregivers_turns_run_in_the_order_they_came(
    start: Callable[..., Services], redis_client: Redis, now: datetime
) -> None:
    order: list[str] = []
    running: list[str] = []
    all_stand_in_line = threading.Event()

    def note(turn: Turn) -> Answered:
        assert not running, "two turns of one caregiver at once"
        running.append(turn.inbound.key)
        all_stand_in_line.wait(20)
        time.sleep(0.01)
        order.append(turn.inbound.key)
        running.remove(turn.inbound.key)
        return Reply("好"), None

    services = start(with_handler("help", note), deadline=30.0)
    sent = [inbound("帮助", now, number=number) for number in range(6)]
    threads = []
    for number, each in enumerate(sent):
        threads.append(threading.Thread(target=services.turns.handle, args=(each,)))
        threads[-1].start()
        wait_for(partial(stand_in_line, redis_client, number + 1))
    all_stand_in_line.set()
    for thread in threads:
        thread.join()
    assert order == [each.key for each in sent]


def test_a_ticket_of_a_dead_process_does_not_hold_up_the_line(
    start: Callable[..., Services], now: datetime, redis_client: Redis
) -> None:
    redis_client.rpush("turns:o-1", "ticket-of-the-dead")
    reply = start().turns.handle(inbound("帮助", now))
    assert reply is not None
    assert "活动" in reply.text


def test_with_redis_gone_an_emergency_is_answered_and_the_rest_is_polite(
    now: datetime, settings: Settings
) -> None:
    gone = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    without = make_services(gone, HANDLERS, clock=lambda: now)
    emergency = without.turns.handle(inbound("孩子抽搐了", now))
    other = without.turns.handle(inbound("活动", now, number=2))
    without.turns.close()
    assert emergency is not None
    assert "120" in emergency.text
    assert other is not None
    assert "系统正忙" in other.text


def test_with_the_database_gone_an_emergency_is_answered(now: datetime, settings: Settings) -> None:
    gone = settings.model_copy(update={"database_url": "postgresql+psycopg://127.0.0.1:1/gone"})
    services = make_services(gone, HANDLERS, clock=lambda: now)
    emergency = services.turns.handle(inbound("宝宝没呼吸了", now))
    other = services.turns.handle(inbound("活动", now, number=2))
    services.turns.close()
    services.redis.close()
    assert emergency is not None
    assert "120" in emergency.text
    assert other is not None
    assert "系统正忙" in other.text


def test_an_emergency_is_answered_soon_while_every_turn_hangs(
    start: Callable[..., Services], now: datetime
) -> None:
    let_go = threading.Event()

    def hang(turn: Turn) -> Answered:
        let_go.wait(20)
        return Reply("好"), None

    handlers = with_handler("help", hang)
    services = start(replace(handlers, emergency=lambda turn, _: hang(turn)), deadline=3.0)
    stuck = [
        threading.Thread(
            target=services.turns.handle, args=(inbound("帮助", now, openid=f"o-{number}"),)
        )
        for number in range(30)
    ]
    for thread in stuck:
        thread.start()
    began = time.monotonic()
    reply = services.turns.handle(inbound("宝宝没呼吸了", now, openid="o-other"))
    took = time.monotonic() - began
    let_go.set()
    for thread in stuck:
        thread.join()
    assert reply is not None
    assert "120" in reply.text
    assert took < 3.0


def test_a_line_of_one_caregiver_that_is_too_long_is_refused_politely(
    start: Callable[..., Services], now: datetime, redis_client: Redis
) -> None:
    redis_client.rpush("turns:o-1", *[f"waiting-{number}" for number in range(8)])
    reply = start().turns.handle(inbound("帮助", now))
    assert reply is not None
    assert "系统正忙" in reply.text


def test_a_lost_connection_is_mended_within_the_turn(
    start: Callable[..., Services], now: datetime
) -> None:
    services = start()
    if services.database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    services.turns.handle(inbound("帮助", now, number=1))
    engine = services.database.engine
    with ExitStack() as many:  # a server that restarts cuts off all of them
        for connection in [many.enter_context(engine.connect()) for _ in range(5)]:
            connection.exec_driver_sql("SELECT 1")
    with services.database.transaction() as db:
        db.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        )
    reply = services.turns.handle(inbound("帮助", now, number=2))
    assert reply is not None
    assert "活动" in reply.text


@pytest.mark.parametrize(
    "reply",
    [None, Reply("好\n第二行"), Reply(), Reply("", kind="hand_over")],
)
def test_a_kept_reply_is_the_reply(reply: Reply | None) -> None:
    assert load_reply(dump_reply(reply)) == reply


def test_dialogues_are_kept_encrypted(
    start: Callable[..., Services], now: datetime, redis_client: Redis
) -> None:
    services = start()
    services.turns.handle(inbound("登记 糖糖 2026-05-01 城桥镇", now))
    kept = str(redis_client.get("dialogue:o-1"))
    assert kept
    assert "糖糖" not in kept


def test_who_writes_faster_than_anybody_can_is_asked_to_wait_and_others_are_not(
    start: Callable[..., Services], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MESSAGES_A_MINUTE", 3)
    turns = start().turns

    def say(text: str, number: int, openid: str = "o-1") -> str:
        reply = turns.handle(inbound(text, now, openid, number))
        return reply.text if reply else ""

    heard = [say("帮助", number) for number in range(5)]

    assert ["太快" in each for each in heard] == [False, False, False, True, True]
    assert "120" in say("宝宝抽搐了没有意识", 6)
    assert "太快" not in say("帮助", 1, "o-2")
    # An answer that was given is given again.
    assert say("帮助", 0) == heard[0]


def test_a_repetition_of_what_changed_nothing_needs_no_database(
    start: Callable[..., Services], now: datetime
) -> None:
    services = start()
    services.turns.handle(inbound("你好", now))  # follows, which is written
    asked = inbound("帮助", now, number=2)
    first = services.turns.handle(asked)
    taken: list[object] = []
    event.listen(services.database.engine, "checkout", lambda *_: taken.append(None))
    assert services.turns.handle(asked) == first
    assert taken == []
    services.turns.handle(inbound("帮助", now, number=3))
    assert len(taken) == 1


def test_a_repetition_of_what_was_written_is_answered_from_the_database(
    start: Callable[..., Services], now: datetime
) -> None:
    services = start()
    first = services.turns.handle(inbound("你好", now))
    taken: list[object] = []
    event.listen(services.database.engine, "checkout", lambda *_: taken.append(None))
    assert services.turns.handle(inbound("你好", now)) == first
    assert len(taken) == 1


def test_whose_reply_could_not_be_kept_with_others_has_it_kept_by_itself(
    start: Callable[..., Services], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a rush writes for all, and its connection breaks: it alone is told so."""
    services = start()
    people = [f"o-{number}" for number in range(12)]
    for openid in people:
        services.turns.handle(inbound("你好", now, openid))
    keep = inbox.keep_together
    everybody = threading.Barrier(len(people))
    broken: list[int] = []

    def fail_for_several(db: Session, entries: Sequence[inbox.Entry]) -> frozenset[str]:
        time.sleep(0.05)  # meanwhile others come
        if len(entries) > 1 and not broken:
            broken.append(len(entries))
            raise ConnectionError
        return keep(db, entries)

    monkeypatch.setattr(inbox, "keep_together", fail_for_several)

    def ask(openid: str) -> Reply | None:
        everybody.wait(20)
        return services.turns.handle(inbound("帮助", now, openid, 2))

    with ThreadPoolExecutor(len(people)) as callers:
        heard = list(callers.map(ask, people))
    assert broken
    texts = [each.text for each in heard if each]
    assert all("活动" in text or "系统正忙" in text for text in texts)
    assert sum("系统正忙" in text for text in texts) <= 1
    again = [services.turns.handle(inbound("帮助", now, openid, 2)) for openid in people]
    assert all(each and "活动" in each.text for each in again)


def test_who_is_behind_itself_gets_the_reply_that_was_left_to_others(
    start: Callable[..., Services],
    redis_client: Redis,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One thread: it must not wait for a turn of which only the reply is still to be kept."""
    monkeypatch.setattr(line, "QUICK_SECONDS", 1_000.0)
    monkeypatch.setattr(keeping, "COMPANY_SECONDS", 1_000.0)
    all_stand_in_line = threading.Event()
    come: list[str] = []
    add = line.Line.add

    def count(self: line.Line[Job], job: Job) -> None:
        add(self, job)
        come.append(job.inbound.key)

    monkeypatch.setattr(line.Line, "add", count)

    def wait(turn: Turn) -> Answered:
        all_stand_in_line.wait(20)
        return Reply("好"), None

    services = start(with_handler("help", wait))
    for openid in ("o-0", "o-1"):  # whoever is new writes more than a reply
        services.turns.handle(inbound("你好", now, openid, 9))
    come.clear()
    with ThreadPoolExecutor(3) as callers:
        first = callers.submit(services.turns.handle, inbound("帮助", now, "o-0"))
        wait_for(lambda: redis_client.llen("turns:o-0") == 1)
        more = [
            callers.submit(services.turns.handle, inbound("帮助", now, number=number))
            for number in (1, 2)
        ]
        wait_for(lambda: len(come) == 3)
        all_stand_in_line.set()
        assert [each.result(20) for each in (first, *more)] == [Reply("好")] * 3


def test_one_that_is_held_up_does_not_hold_up_others(
    start: Callable[..., Services], now: datetime
) -> None:
    let_go = threading.Event()

    def hang(turn: Turn) -> Answered:
        if turn.inbound.openid == "o-stuck":
            let_go.wait(20)
        return Reply("好"), None

    services = start(with_handler("help", hang), deadline=3.0)
    for openid in ("o-stuck", *(f"o-{number}" for number in range(9))):
        services.turns.handle(inbound("你好", now, openid, 9))  # who is known writes nothing more
    with ThreadPoolExecutor(12) as callers:
        stuck = [
            callers.submit(services.turns.handle, inbound("帮助", now, "o-stuck", number))
            for number in range(3)
        ]
        others = [
            callers.submit(services.turns.handle, inbound("帮助", now, f"o-{number}"))
            for number in range(9)
        ]
        assert [each.result(20) for each in others] == [Reply("好")] * 9
        let_go.set()
        assert [each.result(20) for each in stuck] == [Reply("好")] * 3


def test_who_unfollows_is_unlinked_by_the_retry_when_the_first_try_broke(
    start: Callable[..., Services], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = start()
    services.turns.handle(inbound("你好", now))
    leaves = replace(inbound("", now, number=2), kind=Kind.UNSUBSCRIBE, window=None)

    def breaks(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as broken:
        broken.setattr(registration, "unfollow", breaks)
        services.turns.handle(leaves)
    services.turns.handle(leaves)
    with services.database.reading() as db:
        assert db.execute(select(Caregiver.openid)).scalars().all() == [None]


@pytest.mark.parametrize(("seconds", "said"), [(60.0, "记得"), (0.0, "新的")])
def test_who_was_read_with_others_is_read_anew_where_it_took_too_long(
    start: Callable[..., Services],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    said: str,
) -> None:
    monkeypatch.setattr(working, "FRESH_SECONDS", seconds)
    read = registration.read_caregivers
    people = [f"o-{number}" for number in range(8)]
    all_have_come = threading.Event()
    together: list[int] = []

    def read_then_change(db: Session, openids: Sequence[str]) -> dict[str, Any]:
        found = read(db, openids)
        together.append(len(openids))
        with services.database.transaction() as other:
            other.execute(
                update(Caregiver).where(Caregiver.openid.in_(openids)).values(relation="新的")
            )
        return found

    def tell(turn: Turn) -> Answered:
        all_have_come.wait(20)
        return Reply(str(turn.caregiver.relation)), None

    # One thread: while it is with the first, the others come.
    services = start(with_handler("help", tell), threads=1)
    for openid in people:
        services.turns.handle(inbound("你好", now, openid))
    with services.database.transaction() as db:
        db.execute(update(Caregiver).values(relation="记得"))
    monkeypatch.setattr(registration, "read_caregivers", read_then_change)

    def ask(openid: str) -> str:
        reply = services.turns.handle(inbound("帮助", now, openid, 2))
        return reply.text if reply else ""

    running: dict[str, object] = vars(services.turns)["_running"]
    with ThreadPoolExecutor(len(people)) as callers:
        asked = [callers.submit(ask, openid) for openid in people]
        wait_for(lambda: len(running) == len(people))
        all_have_come.set()
        heard = Counter(each.result(20) for each in asked)
    assert heard[said] >= sum(together) >= 2
    assert heard["记得"] + heard["新的"] == len(people)
