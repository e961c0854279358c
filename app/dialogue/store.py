"""Redis: one caregiver's turns one after another, and the dialogue between them.

Turns queue in a list a caregiver, first come first served. A ticket has a sign of life
beside it; where a process died with its ticket, the next in line takes it away. Taking
the ticket and reading the dialogue cost one round trip, leaving and keeping it another, and
those who come or leave together share one.
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
from hiredis import pack_command
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.typing import EncodableT

from app.crypto import Cipher, Sealed
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


Call = tuple[Sequence[str], Sequence[EncodableT]]
"""A script's keys and arguments."""

# One command a message: its cost is in the client, by the command.
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
    """A caregiver's turn with one callback: the dialogue as it stands, and as it shall be kept."""

    openid: str
    key: str
    was_handled: bool
    """This very callback came before, and its reply is kept. Who is told so at the door is not
    in line, and need not leave."""
    dialogue: Dialogue | None = None
    next: Dialogue | None = None
    is_too_fast: bool = False
    """More than MESSAGES_A_MINUTE came from this caregiver within a minute."""
    reply: Sealed | None = None
    """Set it, and it is what `was_handled` brings for a while, without the database."""
    ticket: str = ""
    """The place in line; empty where there is none."""
    is_first: bool = False
    is_line_full: bool = False
    reached_at: float = 0.0
    """Since when (time.monotonic()) its turn has come, and all before it is done."""


class _Scripts:
    """Runs scripts on a connection of its own.

    The client's way around a command, and its pool's, cost as much again as the command.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._unread: list[Call] = []
        """Leavings whose answers were not read yet."""
        self._used_at = 0.0

    def run(self, script: str, calls: Sequence[Call]) -> list[Any]:
        """What the script returns, for each of several calls. Raises redis.RedisError.

        A connection that broke is tried once more: a script that ran twice leaves a ticket
        without a sign of life, which the next in line takes away.
        """
        self._read_what_is_left()
        self._used_at = time.monotonic()
        try:
            return self._send(script, calls)
        except (RedisConnectionError, RedisTimeoutError):
            self._connection.disconnect()
        return self._send(script, calls)

    def leave(self, calls: Sequence[Call]) -> None:
        """Run LEAVE, without waiting for its end. Raises redis.RedisError.

        Whoever comes next waits for it in the server, and the person who is answered need not.
        """
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            # The server may have gone and come back: nothing would be heard on this one.
            self.run(LEAVE, calls)
            return
        self._read_what_is_left()
        try:
            self._post(calls)
        except (RedisConnectionError, RedisTimeoutError):
            self._connection.disconnect()
            self._post(calls)
        self._unread.extend(calls)

    def _read_what_is_left(self) -> None:
        if not self._unread:
            return
        unread, self._unread = self._unread, []
        try:
            self._read(len(unread))
        except RedisError as error:
            # They may not have been heard: nobody shall wait for a ticket that is not at work.
            log.warning("leaving_again", reason=type(error).__name__)
            self._connection.disconnect()
            self._send(LEAVE, [(keys, [args[0], 0, "", "", 0, ""]) for keys, args in unread])

    def _send(self, script: str, calls: Sequence[Call]) -> list[Any]:
        self._pack([("EVALSHA", DIGESTS[script], *_arguments(call)) for call in calls])
        try:
            return self._read(len(calls))
        except NoScriptError:
            # A server that has just started knows none of them.
            self._pack([("EVAL", script, *_arguments(call)) for call in calls])
            return self._read(len(calls))

    def _read(self, count: int) -> list[Any]:
        """So many answers; one that is a refusal is raised when all are read.

        An answer that was left on the connection would be taken for somebody else's.
        """
        answers = []
        refusals = []
        for _ in range(count):
            try:
                answers.append(self._connection.read_response())
            except ResponseError as refusal:
                refusals.append(refusal)
        if refusals:
            raise refusals[0]
        return answers

    def _post(self, calls: Sequence[Call]) -> None:
        # Whole: nobody listens to a server that does not know the digest.
        self._pack([("EVAL", LEAVE, *_arguments(call)) for call in calls])

    def _pack(self, commands: Sequence[tuple[EncodableT, ...]]) -> None:
        # As the client packs them, without its looking at each argument's type.
        # Its stub knows only commands of one word.
        pack: Any = pack_command
        packed: list[bytes] = [pack(command) for command in commands]
        self._connection.send_packed_command([b"".join(packed)])


def _arguments(call: Call) -> tuple[EncodableT, ...]:
    keys, args = call
    return (len(keys), *keys, *args)


class DialogueStore:
    """Keeps dialogues, encrypted, and the order of turns."""

    def __init__(self, redis: Redis, cipher: Cipher) -> None:
        self._redis = redis
        self._cipher = cipher
        self._free: deque[_Scripts] = deque()

    def enter(self, callbacks: Sequence[tuple[str, str]], *, again: bool = False) -> list[Slot]:
        """Get in line, with each of these openids and keys, in this order: one round trip.

        A callback that was handled before does not stand in line, unless `again` says so.
        Raises redis.RedisError.
        """
        tickets = [uuid.uuid4().hex for _ in callbacks]
        answers = self._run(
            ENTER,
            [
                (
                    [
                        f"turns:{openid}",
                        f"ticket:{ticket}",
                        f"dialogue:{openid}",
                        f"handled:{key}",
                        f"pace:{openid}",
                    ],
                    [ticket, TICKET_SECONDS, "" if again else "look", PACE_SECONDS],
                )
                for (openid, key), ticket in zip(callbacks, tickets, strict=True)
            ],
        )
        return [
            self._slot(openid, key, ticket, answer)
            for (openid, key), ticket, answer in zip(callbacks, tickets, answers, strict=True)
        ]

    def _slot(self, openid: str, key: str, ticket: str, answer: Sequence[Any]) -> Slot:
        length, first, stored, before, pace = answer
        if before is not None:
            return Slot(openid, key, was_handled=True, reply=_reply(before))
        dialogue = self._load(_text(stored))
        return Slot(
            openid,
            key,
            was_handled=False,
            dialogue=dialogue,
            next=dialogue,
            is_too_fast=pace > MESSAGES_A_MINUTE,
            ticket=ticket,
            is_first=_text(first) == ticket,
            is_line_full=length > LONGEST_LINE,
            reached_at=time.monotonic(),
        )

    def wait(self, slot: Slot, wait_seconds: float, *, again: bool = False) -> None:
        """Wait for the turn of who is in line; what earlier ones have left is read then.

        Raises TurnNotReached, or redis.RedisError: the slot has still to be left.
        """
        if slot.is_line_full:
            raise TurnNotReached
        if slot.is_first:
            return
        deadline = time.monotonic() + wait_seconds
        pause = POLL_SECONDS
        look: Call = [f"turns:{slot.openid}"], [slot.ticket]
        while _text(self._run(LOOK, [look])[0]) != slot.ticket:
            if time.monotonic() > deadline:
                raise TurnNotReached
            time.sleep(pause)
            # In a rush many wait, and each look takes something from those who are at work.
            pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
        slot.is_first = True
        slot.reached_at = time.monotonic()
        stored, before = self._redis.mget(f"dialogue:{slot.openid}", f"handled:{slot.key}")
        slot.dialogue = slot.next = self._load(_text(stored))
        slot.was_handled = before is not None and not again
        if slot.was_handled:
            slot.reply = _reply(before)

    def leave(self, slots: Sequence[Slot]) -> None:
        """The turns are over: the next ones' are. What the slots hold is kept.

        Raises redis.RedisError.
        """
        with self._scripts() as scripts:
            scripts.leave([self._leaving(slot) for slot in slots])

    def _leaving(self, slot: Slot) -> Call:
        kept = f"dialogue:{slot.openid}"
        shall_keep = "" if slot.next == slot.dialogue else "no" if slot.next is None else "yes"
        value = self._cipher.encrypt(state.dump(slot.next)) if slot.next and shall_keep else ""
        return (
            [f"turns:{slot.openid}", f"ticket:{slot.ticket}", kept, f"handled:{slot.key}"],
            [
                slot.ticket,
                HANDLED_SECONDS,
                shall_keep,
                value,
                DIALOGUE_SECONDS,
                slot.reply or HANDLED,
            ],
        )

    def give_up(self, slot: Slot) -> None:
        """Leave, and keep nothing: the callback was not handled. Raises redis.RedisError."""
        keys = [f"turns:{slot.openid}", f"ticket:{slot.ticket}"]
        with self._scripts() as scripts:
            scripts.leave([([*keys, keys[0], keys[0]], [slot.ticket, 0, "", "", 0, ""])])

    @contextmanager
    def in_turn(self, openid: str, key: str, wait_seconds: float) -> Iterator[Slot]:
        """One turn from entering to leaving; a block that raises keeps nothing.

        Raises TurnNotReached, or redis.RedisError.
        """
        [slot] = self.enter([(openid, key)])
        if slot.was_handled:
            yield slot
            return
        try:
            self.wait(slot, wait_seconds)
            yield slot
        except BaseException:
            self.give_up(slot)
            raise
        self.leave([slot])

    def seal(self, text: str) -> Sealed:
        """A reply as Redis and the database keep it."""
        return self._cipher.seal_text(text)

    def open(self, reply: Sealed) -> str | None:
        """A kept reply; None where its key is gone."""
        try:
            return self._cipher.decrypt(reply)
        except InvalidToken:
            return None

    def _run(self, script: str, calls: Sequence[Call]) -> list[Any]:
        with self._scripts() as scripts:
            return scripts.run(script, calls)

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

    def _load(self, stored: str | None) -> Dialogue | None:
        if not stored:
            return None
        try:
            return state.load(self._cipher.decrypt(stored))
        except InvalidToken:  # kept under a key that is gone: start afresh
            return None


def _reply(before: object) -> Sealed | None:
    """The reply that was kept with a handled callback; None where only that it was."""
    value = _text(before)
    return Sealed(value) if value and value != HANDLED else None


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, str) else None
