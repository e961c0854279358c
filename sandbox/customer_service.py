"""message/custom/send: the messages that a person's own acts allow."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Discriminator, TypeAdapter, ValidationError

from sandbox import windows
from sandbox.errors import ApiError
from sandbox.records import Accepted, Article, Choice
from sandbox.world import World

TEXT_BYTES = 2048
"""The platform takes about this much; more is 45002."""


@dataclass(frozen=True)
class _Text:
    content: str


@dataclass(frozen=True)
class _Media:
    media_id: str


@dataclass(frozen=True)
class _Piece:
    title: str
    description: str = ""
    url: str = ""
    picurl: str = ""


@dataclass(frozen=True)
class _News:
    articles: tuple[_Piece, ...]


@dataclass(frozen=True)
class _Line:
    id: str
    content: str


@dataclass(frozen=True)
class _MessageMenu:
    list: tuple[_Line, ...]
    head_content: str = ""
    tail_content: str = ""


@dataclass(frozen=True)
class TextMessage:
    touser: str
    msgtype: Literal["text"]
    text: _Text


@dataclass(frozen=True)
class ImageMessage:
    touser: str
    msgtype: Literal["image"]
    image: _Media


@dataclass(frozen=True)
class VoiceMessage:
    touser: str
    msgtype: Literal["voice"]
    voice: _Media


@dataclass(frozen=True)
class NewsMessage:
    touser: str
    msgtype: Literal["news"]
    news: _News


@dataclass(frozen=True)
class MenuMessage:
    touser: str
    msgtype: Literal["msgmenu"]
    msgmenu: _MessageMenu


Message = Annotated[
    TextMessage | ImageMessage | VoiceMessage | NewsMessage | MenuMessage,
    Discriminator("msgtype"),
]
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def read(body: bytes) -> Message:
    """The message. Raises ApiError 40008 for a kind it does not know, 47001 for a bad shape."""
    try:
        return _MESSAGE.validate_json(body)
    except ValidationError as error:
        kinds = {fault["type"] for fault in error.errors(include_url=False)}
        raise ApiError(40008 if kinds & {"union_tag_invalid"} else 47001) from None


def send(world: World, body: bytes) -> None:
    """Delivers one message, or raises ApiError. Call under the lock."""
    message = read(body)
    person = world.get_follower(message.touser)
    _check(message)
    windows.spend(person, world.now())
    text = _show(world, message)
    world.state.accepted.append(
        Accepted(
            number=world.next_number(),
            at=world.now(),
            openid=person.openid,
            kind="custom",
            body=body.decode(),
            text=text,
            client_msg_id=None,
            msgid=world.next_msgid(),
        )
    )


def _check(message: Message) -> None:
    match message:
        case TextMessage(text=text):
            if not text.content:
                raise ApiError(47001)
            if len(text.content.encode()) > TEXT_BYTES:
                raise ApiError(45002)
        case NewsMessage(news=news):
            if len(news.articles) != 1:
                raise ApiError(45008)
        case MenuMessage(msgmenu=menu):
            if not menu.list:
                raise ApiError(47001)
        case ImageMessage(image=media) | VoiceMessage(voice=media):
            if not media.media_id:
                raise ApiError(40007)


def _show(world: World, message: Message) -> str:
    """Puts the message into the conversation; what the person reads, in one string."""
    openid = message.touser
    match message:
        case TextMessage(text=text):
            world.show(openid, "in", "text", text=text.content)
            return text.content
        case ImageMessage():
            world.show(openid, "in", "image", text="图片")
            return "[图片]"
        case VoiceMessage():
            world.show(openid, "in", "voice", text="语音")
            return "[语音]"
        case NewsMessage(news=news):
            articles = tuple(
                Article(piece.title, piece.description, piece.url, piece.picurl)
                for piece in news.articles
            )
            world.show(openid, "in", "news", articles=articles)
            return "\n".join(f"{piece.title}\n{piece.description}" for piece in articles)
        case MenuMessage(msgmenu=menu):
            world.show(
                openid,
                "in",
                "msgmenu",
                text=menu.head_content,
                tail=menu.tail_content,
                choices=tuple(Choice(line.id, line.content) for line in menu.list),
            )
            lines = [line.content for line in menu.list]
            return "\n".join([menu.head_content, *lines, menu.tail_content]).strip()
