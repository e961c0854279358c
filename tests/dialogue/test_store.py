"""The queue of one caregiver's turns, in a real Redis."""

from datetime import UTC, datetime

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from app.crypto import Cipher
from app.dialogue.message import Dialogue
from app.dialogue.store import DialogueStore

NEED = Dialogue("need", "asked", datetime(2026, 11, 22, 10, tzinfo=UTC))
KEY = "YSBiZW5jaG1hcmsga2V5IG9mIDMyIGJ5dGVzIG9ubHk="


@pytest.fixture
def store(redis_url: str) -> DialogueStore:
    return DialogueStore(Redis.from_url(redis_url), Cipher((KEY,)))


def test_the_next_turn_has_what_the_last_one_kept(store: DialogueStore) -> None:
    with store.in_turn("o-1", "first", 1.0) as slot:
        slot.next = NEED
    with store.in_turn("o-1", "second", 1.0) as slot:
        assert slot.dialogue == NEED
        assert not slot.was_handled
    with store.in_turn("o-1", "second", 1.0) as slot:
        assert slot.was_handled


def test_nobody_waits_for_a_turn_whose_leaving_was_not_heard(
    store: DialogueStore, redis_client: Redis
) -> None:
    with store.in_turn("o-1", "first", 1.0):
        # The connection goes away while the turn is at work.
        redis_client.client_kill_filter(skipme=True)
    assert redis_client.llen("turns:o-1") in (0, 1)
    with store.in_turn("o-2", "other", 1.0):
        pass
    with store.in_turn("o-1", "second", 0.2) as slot:
        assert not slot.was_handled
    with store.in_turn("o-1", "third", 0.2):
        assert redis_client.llen("turns:o-1") == 1


def test_who_come_together_stand_in_line_in_their_order(store: DialogueStore) -> None:
    first, other, second = store.enter([("o-1", "a"), ("o-2", "b"), ("o-1", "c")])
    assert (first.is_first, other.is_first, second.is_first) == (True, True, False)
    first.next = NEED
    store.leave([first, other])
    store.wait(second, 1.0)
    assert second.dialogue == NEED
    store.give_up(second)
    again = store.enter([("o-1", "a"), ("o-2", "b"), ("o-1", "c")])
    assert [slot.was_handled for slot in again] == [True, True, False]


def test_what_redis_refuses_one_is_not_taken_for_anothers_answer(
    store: DialogueStore, redis_client: Redis
) -> None:
    redis_client.set("turns:o-broken", "not a line")
    with pytest.raises(ResponseError):
        store.enter([("o-1", "a"), ("o-broken", "b"), ("o-2", "c")])
    [slot] = store.enter([("o-3", "d")])
    assert slot.is_first


def test_a_server_that_has_forgotten_the_scripts_is_told_them_again(
    store: DialogueStore, redis_client: Redis
) -> None:
    redis_client.script_flush()
    slots = store.enter([("o-1", "a"), ("o-2", "b")])
    assert [slot.is_first for slot in slots] == [True, True]
    assert redis_client.llen("turns:o-1") == 1
