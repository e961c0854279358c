"""A passive reply's meaning: what the phone shows for it."""

from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from sandbox.envelope import MalformedReply
from sandbox.records import Article
from sandbox.settings import Settings

TEXT_BYTES = 2048
"""Measured: a longer text makes the platform answer in the account's stead."""


@dataclass(frozen=True)
class Reply:
    """What to show; a hand-over shows nothing."""

    kind: Literal["text", "image", "voice", "video", "music", "news", "hand_over"]
    text: str = ""
    url: str = ""
    articles: tuple[Article, ...] = ()


def read_reply(
    settings: Settings, xml: ElementTree.Element, *, openid: str, to_event: bool
) -> Reply:
    """The reply, checked as strictly as the platform does. Raises MalformedReply."""
    if xml.findtext("ToUserName") != openid:
        raise MalformedReply("ToUserName is not who wrote")
    if xml.findtext("FromUserName") != settings.account_id:
        raise MalformedReply("FromUserName is not the account")
    if not (xml.findtext("CreateTime") or "").isdigit():
        raise MalformedReply("CreateTime is not a number")
    kind = xml.findtext("MsgType") or ""
    match kind:
        case "text":
            return _read_text(xml)
        case "news":
            return _read_news(xml)
        case "image" | "voice":
            _need(xml, f"{kind.capitalize()}/MediaId")
            return Reply(kind, text={"image": "图片", "voice": "语音"}[kind])
        case "video":
            _need(xml, "Video/MediaId")
            return Reply("video", text=xml.findtext("Video/Title") or "视频")
        case "music":
            title = xml.findtext("Music/Title") or "音乐"
            return Reply("music", text=title, url=xml.findtext("Music/MusicUrl") or "")
        case "transfer_customer_service":
            if to_event:
                raise MalformedReply("a hand-over cannot answer an event")
            return Reply("hand_over")
    raise MalformedReply(f"MsgType {kind!r} is unknown")


def _read_text(xml: ElementTree.Element) -> Reply:
    text = xml.findtext("Content") or ""
    if not text.strip():
        raise MalformedReply("Content is empty")
    if len(text.encode()) > TEXT_BYTES:
        raise MalformedReply(f"Content has more than {TEXT_BYTES} bytes")
    return Reply("text", text=text)


def _read_news(xml: ElementTree.Element) -> Reply:
    items = xml.findall("Articles/item")
    if xml.findtext("ArticleCount") != "1" or len(items) != 1:
        raise MalformedReply("a news reply has exactly one article")
    item = items[0]
    article = Article(
        title=item.findtext("Title") or "",
        description=item.findtext("Description") or "",
        url=item.findtext("Url") or "",
        picture=item.findtext("PicUrl") or "",
    )
    if not article.title:
        raise MalformedReply("the article has no title")
    return Reply("news", articles=(article,))


def _need(xml: ElementTree.Element, path: str) -> None:
    if not xml.findtext(path):
        raise MalformedReply(f"{path} is missing")
