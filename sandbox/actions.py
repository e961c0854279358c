"""What a person does on the phone, each told to the service as the platform tells it."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sandbox import letters, menu, qrcodes, windows
from sandbox.envelope import Node
from sandbox.errors import ActionError
from sandbox.line import Delivery, Line
from sandbox.records import Letter, Person, Sealed
from sandbox.world import World

COPIES = 20
"""At most so many identical callbacks at once."""
AUTHORISATION_EVENTS = {
    "modified": "user_info_modified",
    "revoke": "user_authorization_revoke",
    "cancellation": "user_authorization_cancellation",
}


@dataclass(frozen=True)
class Act:
    """What an action may say more; each action reads what concerns it."""

    content: str = ""
    recognition: str = ""
    scene: str = ""
    key: str = ""
    url: str = ""
    title: str = ""
    description: str = ""
    label: str = ""
    latitude: float = 31.6229
    longitude: float = 121.3975
    """城桥镇, the district's seat."""
    picture: str = ""
    choice: str = ""
    """The id of a tapped message-menu line, whose content is the text."""
    template_id: str = ""
    accept: bool = True
    always: bool = False
    in_settings: bool = False
    event: str = ""
    kind: str = "revoke"
    result: str = ""
    on: bool = True
    copies: int = 1
    """The very same callback so many times at once."""
    fresh: bool = False
    """For retry_last: signed anew, with a new nonce, around the same message."""
    wait: bool = True
    """Whether the answer waits for the service's reply."""


class Phones:
    """Lets people act. `base_url` is where the sandbox serves pictures from."""

    def __init__(self, world: World, line: Line) -> None:
        self._world = world
        self._line = line
        self._actions: dict[str, Callable[[Person, Act, str], Letter | None]] = {
            "follow": self._follow,
            "unfollow": self._unfollow,
            "text": self._text,
            "voice": self._voice,
            "image": self._image,
            "video": self._video,
            "shortvideo": self._short_video,
            "location": self._location,
            "link": self._link,
            "file": self._file,
            "click": self._click,
            "view": self._view,
            "scan": self._scan,
            "report_location": self._report_location,
            "authorize_revoke": self._authorise,
            "subscribe_consent": self._consent,
            "ask_consent": self._ask_consent,
            "event": self._event,
            "block_templates": self._block_templates,
            "snapshot": self._snapshot,
        }

    def names(self) -> list[str]:
        """Every action, for whoever explores."""
        return [*self._actions, "retry_last"]

    def act(self, openid: str, name: str, act: Act, base_url: str) -> tuple[Delivery, ...]:
        """Does it, and returns how the callbacks went; none where nothing was called.

        Raises ActionError for what cannot be done now.
        """
        if not 1 <= act.copies <= COPIES:
            raise ActionError(f"copies must be 1 to {COPIES}", status=400)
        if name == "retry_last":
            letter, sealed = self._last(openid, act)
        else:
            action = self._actions.get(name)
            if action is None:
                raise ActionError("no such action", status=404)
            with self._world.lock:
                made = action(self._world.get_person(openid), act, base_url)
                self._world.changed.set()
            if made is None:
                return ()
            letter, sealed = made, self._line.seal(made)
            self._remember(openid, letter, sealed)
        if not act.wait:
            self._line.later(lambda: self._post(letter, sealed, act.copies))
            return ()
        return self._post(letter, sealed, act.copies)

    def _post(self, letter: Letter, sealed: Sealed, copies: int) -> tuple[Delivery, ...]:
        if copies == 1:
            return (self._line.deliver(letter, sealed),)
        with ThreadPoolExecutor(copies) as together:
            futures = [
                together.submit(self._line.deliver, letter, sealed, quiet=number > 0)
                for number in range(copies)
            ]
            return tuple(future.result() for future in futures)

    def _remember(self, openid: str, letter: Letter, sealed: Sealed) -> None:
        with self._world.lock:
            person = self._world.get_person(openid)
            person.last = (letter, sealed)

    def _last(self, openid: str, act: Act) -> tuple[Letter, Sealed]:
        last = self._world.get_person(openid).last
        if last is None:
            raise ActionError("nothing was sent yet")
        letter, sealed = last
        return letter, (self._line.seal(letter) if act.fresh else sealed)

    def _follow(self, person: Person, act: Act, base_url: str) -> Letter:
        if person.following:
            raise ActionError("already following")
        now = self._world.now()
        person.following, person.followed_at, person.scene = True, now, act.scene
        windows.open_by_tapping(person, now)
        self._note(person, f"你已关注{self._world.settings.account_name}")
        fields: list[tuple[str, Node]] = [("EventKey", "")]
        if act.scene:
            fields = [("EventKey", f"qrscene_{act.scene}"), ("Ticket", self._ticket(act.scene))]
        return self._event_letter(person, "subscribe", fields, tells_trouble=True)

    def _unfollow(self, person: Person, act: Act, base_url: str) -> Letter:
        self._check_following(person)
        person.following = False
        person.wrote = person.tapped = None
        person.consents.clear()
        person.long_term.clear()
        person.asked.clear()
        self._note(person, f"你已取消关注{self._world.settings.account_name}")
        return self._event_letter(person, "unsubscribe", [("EventKey", "")])

    def _text(self, person: Person, act: Act, base_url: str) -> Letter:
        self._check_following(person)
        if not act.content:
            raise ActionError("content is missing", status=400)
        fields: list[tuple[str, Node]] = [("Content", act.content)]
        if act.choice:
            # Tapping a line of a message menu counts as a tap, though it arrives as a text.
            windows.open_by_tapping(person, self._world.now())
            fields.append(("bizmsgmenuid", act.choice))
        else:
            windows.open_by_writing(person, self._world.now())
        self._world.show(person.openid, "out", "text", text=act.content)
        return self._message_letter(person, "text", fields)

    def _voice(self, person: Person, act: Act, base_url: str) -> Letter:
        self._write(person, "voice", text=act.recognition)
        return self._message_letter(
            person,
            "voice",
            [("MediaId", _media_id()), ("Format", "amr"), ("Recognition", act.recognition)],
        )

    def _image(self, person: Person, act: Act, base_url: str) -> Letter:
        picture = act.picture or f"{base_url}/static/picture-child.svg"
        self._write(person, "image", picture=picture)
        return self._message_letter(
            person, "image", [("PicUrl", picture), ("MediaId", _media_id())]
        )

    def _video(self, person: Person, act: Act, base_url: str) -> Letter:
        return self._film(person, "video")

    def _short_video(self, person: Person, act: Act, base_url: str) -> Letter:
        return self._film(person, "shortvideo")

    def _film(self, person: Person, kind: str) -> Letter:
        self._write(person, "video")
        fields: list[tuple[str, Node]] = [
            ("MediaId", _media_id()),
            ("ThumbMediaId", _media_id()),
        ]
        return self._message_letter(person, kind, fields)

    def _location(self, person: Person, act: Act, base_url: str) -> Letter:
        label = act.label or "上海市崇明区城桥镇"
        self._write(person, "location", text=label)
        fields: list[tuple[str, Node]] = [
            ("Location_X", act.latitude),
            ("Location_Y", act.longitude),
            ("Scale", 15),
            ("Label", label),
        ]
        return self._message_letter(person, "location", fields)

    def _link(self, person: Person, act: Act, base_url: str) -> Letter:
        title = act.title or "一篇文章"
        url = act.url or "https://mp.weixin.qq.com/s/sandbox"
        self._write(person, "link", title=title, text=act.description, url=url)
        return self._message_letter(
            person, "link", [("Title", title), ("Description", act.description), ("Url", url)]
        )

    def _file(self, person: Person, act: Act, base_url: str) -> Letter:
        title = act.title or "出生医学证明.pdf"
        self._write(person, "file", title=title)
        fields: list[tuple[str, Node]] = [
            ("Title", title),
            ("Description", act.description),
            ("FileKey", _media_id()),
            ("FileMd5", secrets.token_hex(16)),
            ("FileTotalLen", 20_480),
        ]
        return self._message_letter(person, "file", fields)

    def _click(self, person: Person, act: Act, base_url: str) -> Letter:
        self._check_following(person)
        if not act.key:
            raise ActionError("key is missing", status=400)
        windows.open_by_tapping(person, self._world.now())
        button = menu.find(self._world, act.key)
        fields: list[tuple[str, Node]] = [("EventKey", act.key)]
        if button is None or button.kind == "click":
            return self._event_letter(person, "CLICK", fields, tells_trouble=True)
        if button.kind == "location_select":
            info: list[tuple[str, Node]] = [
                ("Location_X", str(act.latitude)),
                ("Location_Y", str(act.longitude)),
                ("Scale", "15"),
                ("Label", act.label or "上海市崇明区城桥镇"),
                ("Poiname", ""),
            ]
            fields.append(("SendLocationInfo", info))
        else:
            scanned: list[tuple[str, Node]] = [
                ("ScanType", "qrcode"),
                ("ScanResult", act.result),
            ]
            fields.append(("ScanCodeInfo", scanned))
        tells = button.kind == "scancode_waitmsg"
        return self._event_letter(person, button.kind or "", fields, tells_trouble=tells)

    def _view(self, person: Person, act: Act, base_url: str) -> Letter:
        self._check_following(person)
        fields: list[tuple[str, Node]] = [("EventKey", act.url), ("MenuId", "410000001")]
        return self._event_letter(person, "VIEW", fields)

    def _scan(self, person: Person, act: Act, base_url: str) -> Letter:
        if not act.scene:
            raise ActionError("scene is missing", status=400)
        if not person.following:
            return self._follow(person, act, base_url)
        windows.open_by_tapping(person, self._world.now())
        fields: list[tuple[str, Node]] = [
            ("EventKey", act.scene),
            ("Ticket", self._ticket(act.scene)),
        ]
        return self._event_letter(person, "SCAN", fields, tells_trouble=True)

    def _report_location(self, person: Person, act: Act, base_url: str) -> Letter:
        self._check_following(person)
        fields: list[tuple[str, Node]] = [
            ("Latitude", act.latitude),
            ("Longitude", act.longitude),
            ("Precision", 65.0),
        ]
        return self._event_letter(person, "LOCATION", fields)

    def _authorise(self, person: Person, act: Act, base_url: str) -> Letter:
        name = AUTHORISATION_EVENTS.get(act.kind)
        if name is None:
            raise ActionError("kind must be revoke, modified or cancellation", status=400)
        return letters.authorisation_event(self._world.settings, person.openid, name)

    def _consent(self, person: Person, act: Act, base_url: str) -> Letter:
        self._check_following(person)
        template = self._world.state.templates.get(act.template_id)
        if template is None or template.kind == "template":
            raise ActionError("no such subscription template", status=404)
        if template.id in person.asked:
            person.asked.remove(template.id)
        lasts = template.kind == "long_term" or act.always
        if act.in_settings and not act.accept:
            person.consents.pop(template.id, None)
            person.long_term.pop(template.id, None)
        elif act.accept and lasts:
            person.long_term[template.id] = True
        elif act.accept:
            person.consents[template.id] = person.consents.get(template.id, 0) + 1
        self._note(person, f"{'已允许' if act.accept else '已拒绝'}：{template.title}")
        return letters.consent(
            self._world.settings,
            person.openid,
            template.id,
            accepted=act.accept,
            in_settings=act.in_settings,
        )

    def _ask_consent(self, person: Person, act: Act, base_url: str) -> None:
        """A page of the account asks; the phone then shows the question."""
        self._check_following(person)
        template = self._world.state.templates.get(act.template_id)
        if template is None or template.kind == "template":
            raise ActionError("no such subscription template", status=404)
        if template.id not in person.asked:
            person.asked.append(template.id)

    def _event(self, person: Person, act: Act, base_url: str) -> Letter:
        """Any event by its name, such as one that the platform may yet invent."""
        if not act.event:
            raise ActionError("event is missing", status=400)
        return self._event_letter(person, act.event, [("EventKey", act.key)])

    def _block_templates(self, person: Person, act: Act, base_url: str) -> None:
        person.blocks_templates = act.on

    def _snapshot(self, person: Person, act: Act, base_url: str) -> None:
        person.snapshot = act.on

    def _write(
        self,
        person: Person,
        kind: str,
        *,
        text: str = "",
        title: str = "",
        url: str = "",
        picture: str = "",
    ) -> None:
        self._check_following(person)
        windows.open_by_writing(person, self._world.now())
        self._world.show(
            person.openid, "out", kind, text=text, title=title, url=url, picture=picture
        )

    def _ticket(self, scene: str) -> str:
        code = qrcodes.find_scene(self._world, scene)
        return code.ticket if code else "free-scene"

    def _note(self, person: Person, text: str) -> None:
        self._world.show(person.openid, "system", "note", text=text)

    def _message_letter(self, person: Person, kind: str, fields: list[tuple[str, Node]]) -> Letter:
        msgid = self._world.next_msgid()
        return letters.message(self._world.settings, person.openid, kind, msgid, fields)

    def _event_letter(
        self,
        person: Person,
        name: str,
        fields: list[tuple[str, Node]],
        *,
        tells_trouble: bool = False,
    ) -> Letter:
        return letters.event(
            self._world.settings, person.openid, name, fields, tells_trouble=tells_trouble
        )

    @staticmethod
    def _check_following(person: Person) -> None:
        if not person.following:
            raise ActionError("not following")


def _media_id() -> str:
    return secrets.token_urlsafe(48)
