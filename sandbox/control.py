"""/_sandbox: what the real platform has not — people to play, faults to lay, a clock to shift."""

import math
from dataclasses import asdict, dataclass
from typing import TypeVar

from flask import Blueprint, Response, jsonify, render_template, request
from pydantic import TypeAdapter, ValidationError

from sandbox import faults, menu, oauth, quotas, tokens, windows
from sandbox.actions import Act, Phones
from sandbox.errors import MESSAGES, ActionError
from sandbox.line import Delivery, Line
from sandbox.records import Fault, Person, Template
from sandbox.world import World

SHOWN_PEOPLE = 12
"""People in the phone's switcher; a load test makes thousands."""
PEOPLE_AT_ONCE = 10_000

Shape = TypeVar("Shape")


@dataclass(frozen=True)
class _NewPeople:
    name: str = ""
    openid: str = ""
    following: bool = False
    count: int = 1


@dataclass(frozen=True)
class _Clock:
    offset_seconds: float


@dataclass(frozen=True)
class _Limit:
    path: str
    per_day: int


_ACT: TypeAdapter[Act] = TypeAdapter(Act)
_FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)
_NEW_PEOPLE: TypeAdapter[_NewPeople] = TypeAdapter(_NewPeople)
_CLOCK: TypeAdapter[_Clock] = TypeAdapter(_Clock)
_LIMIT: TypeAdapter[_Limit] = TypeAdapter(_Limit)
_TEMPLATE: TypeAdapter[Template] = TypeAdapter(Template)


def make_blueprint(world: World, line: Line, phones: Phones) -> Blueprint:
    """The routes of the controls over this world."""
    blueprint = Blueprint("control", __name__, url_prefix="/_sandbox")
    _add_people(blueprint, world, phones)
    _add_troubles(blueprint, world)
    _add_views(blueprint, world, line)

    @blueprint.errorhandler(ActionError)
    def refuse(error: ActionError) -> tuple[Response, int]:
        return jsonify(error=error.reason), error.status

    return blueprint


def _add_people(blueprint: Blueprint, world: World, phones: Phones) -> None:
    @blueprint.get("/people")
    def list_people() -> Response:
        with world.lock:
            people = list(world.state.people.values())
        return jsonify([_describe(world, person) for person in people])

    @blueprint.post("/people")
    def create_people() -> tuple[Response, int]:
        wanted = _read(_NEW_PEOPLE)
        if not 1 <= wanted.count <= PEOPLE_AT_ONCE:
            raise ActionError(f"count must be 1 to {PEOPLE_AT_ONCE}", status=400)
        made = []
        for number in range(wanted.count):
            name = wanted.name or "新朋友"
            person = world.add_person(
                name if wanted.count == 1 else f"{name}{number + 1}", wanted.openid
            )
            if wanted.following:
                # Made as a follower from before: nothing is told to the service.
                person.following, person.followed_at = True, world.now()
            made.append(_describe(world, person))
        return jsonify(made[0] if wanted.count == 1 else made), 201

    @blueprint.get("/people/<openid>")
    def show_person(openid: str) -> Response:
        return jsonify(_describe(world, world.get_person(openid)))

    @blueprint.get("/people/<openid>/conversation")
    def show_conversation(openid: str) -> Response:
        after = request.args.get("after", 0, type=int)
        with world.lock:
            entries = [entry for entry in world.get_person(openid).entries if entry.seq > after]
        return jsonify([asdict(entry) for entry in entries])

    @blueprint.post("/people/<openid>/code")
    def give_code(openid: str) -> Response:
        """What wx.login, or a page opened in the chat, hands to its server."""
        person = world.get_person(openid)
        return jsonify(code=oauth.issue_code(world, person, "snsapi_base"))

    @blueprint.post("/people/<openid>/<action>")
    def act(openid: str, action: str) -> Response:
        deliveries = phones.act(openid, action, _read(_ACT), request.host_url.rstrip("/"))
        first = _tell(deliveries[0]) if deliveries else {"result": "", "reply": None}
        return jsonify(**first, copies=[_tell(delivery) for delivery in deliveries[1:]])


def _add_troubles(blueprint: Blueprint, world: World) -> None:
    @blueprint.post("/faults")
    def lay_fault() -> tuple[Response, int]:
        fault = _read(_FAULT)
        faults.add(world, fault)
        return jsonify(asdict(fault)), 201

    @blueprint.get("/faults")
    def list_faults() -> Response:
        with world.lock:
            return jsonify([asdict(fault) for fault in world.faults])

    @blueprint.delete("/faults")
    def clear_faults() -> Response:
        faults.clear(world)
        return jsonify(ok=True)

    @blueprint.post("/clock")
    def shift_clock() -> Response:
        offset = _read(_CLOCK).offset_seconds
        if not math.isfinite(offset):
            raise ActionError("offset_seconds must be finite", status=400)
        with world.lock:
            world.state.clock_offset = offset
            world.changed.set()
            return jsonify(now=world.now(), offset_seconds=offset)

    @blueprint.post("/expire_tokens")
    def expire_tokens() -> Response:
        tokens.expire_all(world)
        return jsonify(ok=True)

    @blueprint.post("/limits")
    def limit() -> Response:
        wanted = _read(_LIMIT)
        with world.lock:
            world.state.limits[wanted.path] = wanted.per_day
        return jsonify(asdict(wanted))

    @blueprint.post("/templates")
    def add_template() -> tuple[Response, int]:
        template = _read(_TEMPLATE)
        with world.lock:
            world.state.templates[template.id] = template
            world.changed.set()
        return jsonify(asdict(template)), 201

    @blueprint.post("/reset")
    def reset() -> Response:
        world.reset()
        return jsonify(ok=True)


def _add_views(blueprint: Blueprint, world: World, line: Line) -> None:
    @blueprint.get("/")
    def operator() -> str:
        with world.lock:
            return render_template(
                "operator.html",
                account_name=world.settings.account_name,
                callback=world.settings.callback,
                mode=world.settings.mode,
                accepted=world.state.accepted[-50:][::-1],
                accepted_count=len(world.state.accepted),
                callbacks=world.state.callbacks[-50:][::-1],
                calls=sorted(quotas.called_today(world).items()),
                limit_of=lambda path: quotas.limit_of(world, path),
                faults=list(world.faults),
                paths=sorted(quotas.PER_DAY),
                messages=MESSAGES,
                names={person.openid: person.name for person in world.state.people.values()},
                people=list(world.state.people.values())[:SHOWN_PEOPLE],
                left={
                    person.openid: windows.left(person, world.now())
                    for person in world.state.people.values()
                },
                codes=list(world.state.codes.values())[-24:][::-1],
                offset=world.state.clock_offset,
            )

    @blueprint.get("/accepted")
    def accepted() -> Response:
        after = request.args.get("after", 0, type=int)
        with world.lock:
            rows = [row for row in world.state.accepted if row.number > after]
        return jsonify([asdict(row) for row in rows])

    @blueprint.get("/callbacks")
    def callbacks() -> Response:
        with world.lock:
            return jsonify([asdict(callback) for callback in world.state.callbacks])

    @blueprint.get("/state")
    def state() -> Response:
        with world.lock:
            return jsonify(
                now=world.now(),
                offset_seconds=world.state.clock_offset,
                mode=world.settings.mode,
                callback=world.settings.callback,
                app_id=world.settings.app_id,
                menu=_menu_rows(world),
                people=[_describe(world, person) for person in world.state.people.values()],
                codes=[asdict(code) for code in world.state.codes.values()],
                templates=[asdict(template) for template in world.state.templates.values()],
                faults=[asdict(fault) for fault in world.faults],
                limits=world.state.limits,
                calls_today=quotas.called_today(world),
            )

    @blueprint.get("/stats")
    def stats() -> Response:
        with world.lock:
            by_kind: dict[str, int] = {}
            for row in world.state.accepted:
                by_kind[row.kind] = by_kind.get(row.kind, 0) + 1
            outcomes: dict[str, int] = {}
            for callback in world.state.callbacks:
                outcomes[callback.outcome] = outcomes.get(callback.outcome, 0) + 1
            return jsonify(
                people=len(world.state.people),
                following=sum(person.following for person in world.state.people.values()),
                accepted=len(world.state.accepted),
                accepted_by_kind=by_kind,
                recent_callbacks=outcomes,
                calls_today=quotas.called_today(world),
                faults=len(world.faults),
            )

    @blueprint.get("/phone")
    def phone() -> Response:
        """What the phone page asks for again and again: little, where nothing happened."""
        openid = request.args.get("openid", "")
        after = request.args.get("after", 0, type=int)
        with world.lock:
            return jsonify(
                epoch=world.state.epoch,
                now=world.now(),
                people=_switcher(world),
                more_people=max(0, len(world.state.people) - SHOWN_PEOPLE),
                **_one_phone(world, openid, after),
                menu=_menu_rows(world),
            )

    @blueprint.post("/verify_address")
    def verify_address() -> Response:
        trouble = line.verify_address()
        return jsonify(ok=not trouble, trouble=trouble)


def _read(shape: TypeAdapter[Shape]) -> Shape:
    """The request's JSON body; none is an empty object. Raises ActionError (400)."""
    try:
        return shape.validate_json(request.get_data() or b"{}")
    except ValidationError as error:
        places = [
            ".".join(str(part) for part in fault["loc"]) + ": " + fault["msg"]
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise ActionError("; ".join(places), status=400) from None


def _describe(world: World, person: Person) -> dict[str, object]:
    return {
        "openid": person.openid,
        "name": person.name,
        "following": person.following,
        "scene": person.scene,
        "messages_left": windows.left(person, world.now()),
        "consents": person.consents,
        "long_term": sorted(person.long_term),
        "blocks_templates": person.blocks_templates,
        "last_seq": person.entries[-1].seq if person.entries else 0,
    }


def _tell(delivery: Delivery) -> dict[str, object]:
    return {
        "result": delivery.result,
        "attempts": delivery.attempts,
        "seconds": round(delivery.seconds, 4),
        "status": delivery.status,
        "detail": delivery.detail,
        "reply": asdict(delivery.reply) if delivery.reply else None,
        "entry": asdict(delivery.entry) if delivery.entry else None,
    }


def _switcher(world: World) -> list[dict[str, object]]:
    people = list(world.state.people.values())[:SHOWN_PEOPLE]
    return [
        {
            "openid": person.openid,
            "name": person.name,
            "following": person.following,
            "last_in": next(
                (entry.seq for entry in reversed(person.entries) if entry.direction == "in"), 0
            ),
        }
        for person in people
    ]


def _one_phone(world: World, openid: str, after: int) -> dict[str, object]:
    person = world.state.people.get(openid)
    if person is None:
        return {"entries": [], "asked": [], "codes": [], "subscriptions": []}
    asked = [world.state.templates[id_] for id_ in person.asked if id_ in world.state.templates]
    return {
        "entries": [asdict(entry) for entry in person.entries if entry.seq > after],
        "asked": [{"id": template.id, "title": template.title} for template in asked],
        "codes": [
            {"scene": code.scene, "permanent": code.ends_at is None}
            for code in list(world.state.codes.values())[-40:]
            if code.ends_at is None or code.ends_at > world.now()
        ],
        "subscriptions": [
            {
                "id": template.id,
                "title": template.title,
                "kind": template.kind,
                "left": person.consents.get(template.id, 0),
                "lasting": bool(person.long_term.get(template.id)),
            }
            for template in world.state.templates.values()
            if template.kind != "template"
        ],
    }


def _menu_rows(world: World) -> list[dict[str, object]] | None:
    return None if world.state.menu is None else menu.as_platform_json(world.state.menu)
