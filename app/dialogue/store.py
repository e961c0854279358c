"""Redis: one caregiver's turns one after another, and the dialogue between them.

Turns queue in a list a caregiver, first come first served. A ticket has a sign of life
beside it; where a process died with its ticket, the next in line takes it away. Taking
the ticket and reading the dialogue cost one round trip, leaving and keeping it another.
"""

import hashlib
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.fernet import InvalidToken
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.typing import EncodableT

from app.crypto import Cipher
from app.dialogue import state
from app.dialogue.message import Dialogue

log = structlog.get_logger()

DIALOGUE_SECONDS = 3 * 24 * 3600
"""A half-finished dialogue waits three days: a grandmother may come back after the weekend."""
TICKET_SECONDS = 30
HANDLED_SECONDS = 300
"""How long a handled callback is remembered: the platform's retries are over within 20 s."""
HANDLED = "1"
LONGEST_LINE = 8
"""Turns of one caregiver in line; nobody types faster, and each holds a thread."""
POLL_SECONDS = 0.012
LONGEST_POLL_SECONDS = 0.06
IDLE_SECONDS = 1.0
"""A connection that lay idle longer is listened to."""
MESSAGES_A_MINUTE = 1_200
"""Of one caregiver. No thumb is so fast: a program is, and others wait behind it."""
PACE_SECONDS = 60


# One command a round trip: its cost is in the client, by the command.
ENTER = """
local handled = ARGV[3] == 'look' and redis.call('GET', KEYS[4])
if handled then return {0, false, false, handled, 0} end
local pace = redis.call('INCR', KEYS[5])
if pace == 1 then redis.call('EXPIRE', KEYS[5], ARGV[4]) end
local length = redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], '1', 'EX', ARGV[2])
return {length, redis.call('LINDEX', KEYS[1], 0), redis.call('GET', KEYS[3]), false, pace}
"""
# Who is first in line, without those whose process died; whose own ticket was lost is last again.
LOOK = """
local head = redis.call('LINDEX', KEYS[1], 0)
while head and head ~= ARGV[1] and redis.call('EXISTS', 'ticket:' .. head) == 0 do
  redis.call('LREM', KEYS[1], 1, head)
  head = redis.call('LINDEX', KEYS[1], 0)
end
if not head then redis.call('RPUSH', KEYS[1], ARGV[1]) end
return head or ARGV[1]
"""
LEAVE = """
if tonumber(ARGV[2]) > 0 then redis.call('SET', KEYS[4], ARGV[6], 'EX', ARGV[2]) end
if ARGV[3] == 'yes' then redis.call('SET', KEYS[3], ARGV[4], 'EX', ARGV[5]) end
if ARGV[3] == 'no' then redis.call('DEL', KEYS[3]) end
redis.call('LREM', KEYS[1], 1, ARGV[1])
redis.call('DEL', KEYS[2])
"""
DIGESTS = {
    script: hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
    for script in (ENTER, LOOK, LEAVE)
}


class TurnNotReached(Exception):
    """Others of this caregiver's turns took too long."""


@dataclass(slots=True)
class Slot:
    """This caregiver's turn: the dialogue as it stands, and as it shall be kept."""

    dialogue: Dialogue | None
    next: Dialogue | None
    was_handled: bool
    """This very callback came before, and its reply is kept."""
    is_too_fast: bool = False
    """More than MESSAGES_A_MINUTE came from this caregiver within a minute."""
    reply: str | None = None
    """Set it, and it is what `was_handled` brings for a while, without the database."""


class _Scripts:
    """Runs scripts on a connection of its own.

    The client's way around a command, and its pool's, cost as much again as the command.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._unread: tuple[Sequence[str], str] | None = None
        """Of a leaving whose answer was not read yet: its keys and its ticket."""
        self._used_at = 0.0

    def run(self, script: str, keys: Sequence[str], args: Sequence[EncodableT]) -> Any:
        """What the script returns. Raises redis.RedisError.

        A connection that broke is tried once more: a script that ran twice leaves a ticket
        without a sign of life, which the next in line takes away.
        """
        self._read_what_is_left()
        self._used_at = time.monotonic()
        try:
            return self._send(script, keys, args)
        except (RedisConnectionError, RedisTimeoutError):
            self._connection.disconnect()
        return self._send(script, keys, args)

    def leave(self, keys: Sequence[str], args: Sequence[EncodableT]) -> None:
        """Run LEAVE, without waiting for its end. Raises redis.RedisError.

        Whoever comes next waits for it in the server, and the person who is answered need not.
        """
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            # The server may have gone and come back: nothing would be heard on this one.
            self.run(LEAVE, keys, args)
            return
        self._read_what_is_left()
        try:
            self._post(keys, args)
        except (RedisConnectionError, RedisTimeoutError):
            self._connection.disconnect()
            self._post(keys, args)
        self._unread = keys, str(args[0])

    def _read_what_is_left(self) -> None:
        if self._unread is None:
            return
        keys, ticket = self._unread
        self._unread = None
        try:
            self._connection.read_response()
        except RedisError as error:
            # It may not have been heard: nobody shall wait for a ticket that is not at work.
            log.warning("leaving_again", reason=type(error).__name__)
            self._connection.disconnect()
            self._send(LEAVE, keys, [ticket, 0, "", "", 0, ""])

    def _send(self, script: str, keys: Sequence[str], args: Sequence[EncodableT]) -> Any:
        try:
            self._connection.send_command("EVALSHA", DIGESTS[script], len(keys), *keys, *args)
            return self._connection.read_response()
        except NoScriptError:
            self._connection.send_command("EVAL", script, len(keys), *keys, *args)
            return self._connection.read_response()

    def _post(self, keys: Sequence[str], args: Sequence[EncodableT]) -> None:
        # Whole: nobody listens to a server that does not know the digest.
        self._connection.send_command("EVAL", LEAVE, len(keys), *keys, *args)


class DialogueStore:
    """Keeps dialogues, encrypted, and the order of turns."""

    def __init__(self, redis: Redis, cipher: Cipher) -> None:
        self._redis = redis
        self._cipher = cipher
        self._free: deque[_Scripts] = deque()

    @contextmanager
    def in_turn(
        self, openid: str, key: str, wait_seconds: float, *, again: bool = False
    ) -> Iterator[Slot]:
        """Wait for this caregiver's turn with one callback; what the slot holds is kept.

        A callback that was handled before does not stand in line, unless `again` says so.
        Raises TurnNotReached, or redis.RedisError. A block that raises keeps nothing.
        """
        queue, kept, handled = f"turns:{openid}", f"dialogue:{openid}", f"handled:{key}"
        ticket = uuid.uuid4().hex
        length, first, stored, before, pace = self._run(
            ENTER,
            keys=[queue, f"ticket:{ticket}", kept, handled, f"pace:{openid}"],
            args=[ticket, TICKET_SECONDS, "" if again else "look", PACE_SECONDS],
        )
        if before is not None:
            yield Slot(None, None, was_handled=True, reply=self._open(before))
            return
        try:
            if length > LONGEST_LINE:
                raise TurnNotReached
            if _text(first) != ticket:
                self._wait(queue, ticket, wait_seconds)
                stored, before = self._redis.mget(kept, handled)
            dialogue = self._load(_text(stored))
            was_handled = before is not None and not again
            slot = Slot(
                dialogue=dialogue,
                next=dialogue,
                was_handled=was_handled,
                is_too_fast=pace > MESSAGES_A_MINUTE,
            )
            if was_handled:
                slot.reply = self._open(before)
            yield slot
        except BaseException:
            self._leave(queue, ticket)
            raise
        reply = self._cipher.encrypt(slot.reply) if slot.reply else HANDLED
        if slot.next == dialogue:
            self._leave(queue, ticket, handled, reply)
        else:
            self._leave(queue, ticket, handled, reply, kept, slot.next)

    def _wait(self, queue: str, ticket: str, wait_seconds: float) -> None:
        deadline = time.monotonic() + wait_seconds
        pause = POLL_SECONDS
        while _text(self._run(LOOK, keys=[queue], args=[ticket])) != ticket:
            if time.monotonic() > deadline:
                raise TurnNotReached
            time.sleep(pause)
            # In a rush many wait, and each look takes something from those who are at work.
            pause = min(pause * 1.5, LONGEST_POLL_SECONDS)

    def _run(self, script: str, keys: Sequence[str], args: Sequence[EncodableT]) -> Any:
        with self._scripts() as scripts:
            return scripts.run(script, keys, args)

    @contextmanager
    def _scripts(self) -> Iterator[_Scripts]:
        try:
            scripts = self._free.pop()
        except IndexError:
            scripts = _Scripts(self._redis.connection_pool.get_connection())
        try:
            yield scripts
        finally:
            self._free.append(scripts)

    def _leave(
        self,
        queue: str,
        ticket: str,
        handled: str | None = None,
        reply: str = HANDLED,
        kept: str | None = None,
        dialogue: Dialogue | None = None,
    ) -> None:
        shall_keep = "" if kept is None else "no" if dialogue is None else "yes"
        value = (
            "" if kept is None or dialogue is None else self._cipher.encrypt(state.dump(dialogue))
        )
        with self._scripts() as scripts:
            scripts.leave(
                keys=[queue, f"ticket:{ticket}", kept or queue, handled or queue],
                args=[
                    ticket,
                    HANDLED_SECONDS if handled else 0,
                    shall_keep,
                    value,
                    DIALOGUE_SECONDS,
                    reply,
                ],
            )

    def _open(self, before: object) -> str | None:
        """The reply that was kept with a handled callback; None where only that it was."""
        value = _text(before)
        if not value or value == HANDLED:
            return None
        try:
            return self._cipher.decrypt(value)
        except InvalidToken:
            return None

    def _load(self, stored: str | None) -> Dialogue | None:
        if not stored:
            return None
        try:
            return state.load(self._cipher.decrypt(stored))
        except InvalidToken:  # kept under a key that is gone: start afresh
            return None


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, str) else None
