"""The load: sealed callbacks made beforehand, sent over keep-alive connections."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1

import aiohttp
from wechatpy.crypto import WeChatCrypto

from app.config import Settings


@dataclass(frozen=True, slots=True)
class Sealed:
    """One callback, ready to be sent."""

    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run gave: requests a second, and latencies in seconds, sorted."""

    per_second: float
    latencies: tuple[float, ...]
    refused: int

    def percentile(self, share: float) -> float:
        """The latency in milliseconds that `share` of the requests stayed under."""
        place = min(len(self.latencies) - 1, int(len(self.latencies) * share))
        return self.latencies[place] * 1000


def seal(settings: Settings, openid: str, text: str, number: int) -> Sealed:
    """A text message as the platform would send it in safe mode."""
    crypto = WeChatCrypto(
        settings.wechat_token.get_secret_value(),
        settings.wechat_aes_key.get_secret_value(),
        settings.wechat_app_id,
    )
    stamp = str(int(time.time()))
    nonce = str(1_000_000 + number)
    xml = (
        f"<xml><ToUserName><![CDATA[gh_bench]]></ToUserName>"
        f"<FromUserName><![CDATA[{openid}]]></FromUserName>"
        f"<CreateTime>{stamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{text}]]></Content><MsgId>{7_000_000_000 + number}</MsgId></xml>"
    )
    body = crypto.encrypt_message(xml, nonce, stamp)
    signature = body.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    plain = sha1("".join(sorted((settings.wechat_token.get_secret_value(), stamp, nonce))).encode())
    query = (
        f"signature={plain.hexdigest()}&timestamp={stamp}&nonce={nonce}"
        f"&encrypt_type=aes&msg_signature={signature}"
    )
    return Sealed(f"/wechat?{query}&openid={openid}", body.encode())


def closed_loop(url: str, requests: Sequence[Sealed], connections: int, warm: int) -> Measured:
    """As fast as answers come back; the first `warm` requests are not counted."""
    asyncio.run(_closed(url, requests[:warm], connections))
    return asyncio.run(_closed(url, requests[warm:], connections))


def open_loop(url: str, requests: Sequence[Sealed], per_second: float) -> Measured:
    """At a fixed rate, whatever the answers do; latency counts from the planned moment."""
    return asyncio.run(_open(url, requests, per_second))


async def _closed(url: str, requests: Sequence[Sealed], connections: int) -> Measured:
    pending = iter(requests)
    latencies: list[float] = []
    refused = 0
    connector = aiohttp.TCPConnector(limit=connections)

    async with aiohttp.ClientSession(url, connector=connector) as client:

        async def work() -> None:
            nonlocal refused
            for sealed in pending:
                began = time.perf_counter()
                refused += not await _send(client, sealed)
                latencies.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(connections)))
        took = time.perf_counter() - began
    return Measured(len(latencies) / took if took else 0.0, tuple(sorted(latencies)), refused)


async def _open(url: str, requests: Sequence[Sealed], per_second: float) -> Measured:
    latencies: list[float] = []
    refused = 0
    connector = aiohttp.TCPConnector(limit=64)

    async with aiohttp.ClientSession(url, connector=connector) as client:
        start = time.perf_counter() + 0.1

        async def one(number: int, sealed: Sealed) -> None:
            nonlocal refused
            planned = start + number / per_second
            await asyncio.sleep(max(0.0, planned - time.perf_counter()))
            refused += not await _send(client, sealed)
            latencies.append(time.perf_counter() - planned)

        await asyncio.gather(*(one(number, each) for number, each in enumerate(requests)))
        took = time.perf_counter() - start
    return Measured(len(latencies) / took, tuple(sorted(latencies)), refused)


async def _send(client: aiohttp.ClientSession, sealed: Sealed) -> bool:
    """Whether the answer was a sealed reply; a connection that is cut is none."""
    try:
        async with client.post(sealed.path, data=sealed.body) as answer:
            return answer.status == 200 and b"Encrypt" in await answer.read()
    except aiohttp.ClientConnectionError:
        return False
