"""message/template/send and message/subscribe/bizsend: messages of fixed fields."""

import re
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from sandbox.errors import ApiError
from sandbox.records import Accepted, Field, Person, Sent, Template
from sandbox.world import World

REMEMBERED_SECONDS = 600
"""How long the same openid and client_msg_id are one message."""
SENT_IDS_KEPT = 50_000

_CHINESE = r"\u3400-\u9fff\uf900-\ufaff"
_TIME = re.compile(r".*\d{1,2}[:：]\d{2}.*")

FIELD_SHAPES: dict[str, re.Pattern[str]] = {
    "thing": re.compile(r".{1,20}"),
    "const": re.compile(r".{1,20}"),
    "number": re.compile(r"[0-9.]{1,32}"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r".{1,5}"),
    "character_string": re.compile(rf"[^{_CHINESE}]{{1,32}}"),
    "time": _TIME,
    "date": re.compile(r".*\d{4}.*\d{1,2}.*\d{1,2}.*"),
    "amount": re.compile(r"\D?\d{1,10}(\.\d+)?元?"),
    "phone_number": re.compile(r"[0-9+\-() ]{1,17}"),
    "car_number": re.compile(r".{1,8}"),
    "name": re.compile(rf"[{_CHINESE}·]{{1,10}}|[A-Za-z .]{{1,20}}"),
    "phrase": re.compile(rf"[{_CHINESE}]{{1,5}}"),
}
"""What each kind of field takes; anything else is 47003. A line break is never taken."""


@dataclass(frozen=True)
class _Value:
    value: str


@dataclass(frozen=True)
class _MiniProgram:
    appid: str
    pagepath: str = ""


@dataclass(frozen=True)
class TemplateRequest:
    """The body of both APIs; `page` is bizsend's word for `url`."""

    touser: str
    template_id: str
    data: dict[str, _Value]
    url: str = ""
    page: str = ""
    miniprogram: _MiniProgram | None = None
    client_msg_id: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What the platform did, and what it will tell the callback about it."""

    openid: str
    template_id: str
    msgid: int
    status: str
    """success or failed:user block."""
    is_repeat: bool = False


_REQUEST: TypeAdapter[TemplateRequest] = TypeAdapter(TemplateRequest)


def read(body: bytes) -> TemplateRequest:
    """The request. Raises ApiError 47001 for a bad shape."""
    try:
        return _REQUEST.validate_json(body)
    except ValidationError:
        raise ApiError(47001) from None


def send_template(world: World, body: bytes, job_status: str = "") -> Outcome:
    """Takes one template message for delivery. Call under the lock.

    The same openid and client_msg_id within ten minutes get the first one's msgid and nothing
    is delivered again. `job_status` overrides what becomes of the delivery.
    """
    request = read(body)
    person = world.get_follower(request.touser)
    template = world.state.templates.get(request.template_id)
    if template is None or template.kind != "template":
        raise ApiError(40037)
    fields = check_fields(template, request)
    earlier = _earlier(world, request)
    if earlier is not None:
        return Outcome(person.openid, template.id, earlier.msgid, "success", is_repeat=True)
    status = job_status or ("failed:user block" if person.blocks_templates else "success")
    msgid = _accept(world, person, "template", template, fields, request, body, status)
    return Outcome(person.openid, template.id, msgid, status)


def send_subscribed(world: World, body: bytes) -> Outcome:
    """Takes one subscription notice, spending a one-time consent. Call under the lock.

    Raises ApiError 43101 where there is no consent left.
    """
    request = read(body)
    person = world.get_follower(request.touser)
    template = world.state.templates.get(request.template_id)
    if template is None or template.kind == "template":
        raise ApiError(40037)
    fields = check_fields(template, request)
    if not person.long_term.get(template.id):
        unspent = person.consents.get(template.id, 0)
        if unspent < 1:
            raise ApiError(43101)
        person.consents[template.id] = unspent - 1
    msgid = _accept(world, person, "subscribe", template, fields, request, body, "success")
    return Outcome(person.openid, template.id, msgid, "success")


def check_fields(template: Template, request: TemplateRequest) -> tuple[Field, ...]:
    """The message's lines. Raises ApiError 47003 for a missing or ill-shaped value."""
    fields = []
    for wanted in template.fields:
        given = request.data.get(wanted.key)
        if given is None or not given.value.strip():
            raise ApiError(47003, f"data.{wanted.key}.value is empty")
        shape = FIELD_SHAPES.get(wanted.key.rstrip("0123456789"))
        if shape is None or not shape.fullmatch(given.value):
            raise ApiError(47003, f"data.{wanted.key}.value invalid")
        fields.append(Field(wanted.label, given.value))
    return tuple(fields)


def _earlier(world: World, request: TemplateRequest) -> Sent | None:
    if request.client_msg_id is None:
        return None
    sent = world.state.sent_ids.get(f"{request.touser} {request.client_msg_id}")
    if sent is None or world.now() - sent.at >= REMEMBERED_SECONDS:
        return None
    return sent


def _forget_old(world: World) -> None:
    """Keeps the memory of client_msg_id from growing for ever under a load test."""
    if len(world.state.sent_ids) < SENT_IDS_KEPT:
        return
    oldest = world.now() - REMEMBERED_SECONDS
    kept = {key: sent for key, sent in world.state.sent_ids.items() if sent.at > oldest}
    world.state.sent_ids = kept


def _accept(
    world: World,
    person: Person,
    kind: str,
    template: Template,
    fields: tuple[Field, ...],
    request: TemplateRequest,
    body: bytes,
    status: str,
) -> int:
    msgid = world.next_msgid()
    if request.client_msg_id is not None:
        key = f"{request.touser} {request.client_msg_id}"
        _forget_old(world)
        world.state.sent_ids[key] = Sent(at=world.now(), msgid=msgid)
    lines = [template.title, *(f"{line.label}：{line.value}" for line in fields)]
    world.state.accepted.append(
        Accepted(
            number=world.next_number(),
            at=world.now(),
            openid=person.openid,
            kind=kind,
            body=body.decode(),
            text="\n".join(lines),
            client_msg_id=request.client_msg_id,
            msgid=msgid,
        )
    )
    if status == "success":
        world.show(
            person.openid,
            "in",
            "template",
            title=template.title,
            url=request.url or request.page,
            fields=fields,
        )
    return msgid
