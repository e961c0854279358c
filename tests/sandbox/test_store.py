"""What outlives a restart."""

import json
from pathlib import Path

from sandbox import catalogue, store
from sandbox.settings import Settings
from sandbox.web import create_app, create_app_over
from sandbox.world import World
from tests.sandbox.playing import MAMA, Handle, Service


def lived_in(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow", scene="station")
    sandbox.act(MAMA, "text", content="你好 😀")
    button = {"name": "更多", "sub_button": [{"type": "click", "name": "活动", "key": "a"}]}
    sandbox.call("/cgi-bin/menu/create", {"button": [button]})
    sandbox.act(MAMA, "subscribe_consent", template_id=catalogue.PACK_READY.id)
    sandbox.send_text(MAMA, "回头见")


def test_everything_is_read_as_it_was_written(
    sandbox: Handle, tmp_path: Path, service: Service
) -> None:
    lived_in(sandbox)
    path = tmp_path / "state.json"
    store.save(sandbox.world, path)
    stored = store.load(path)
    assert stored == sandbox.world.state
    world = World(sandbox.world.settings, stored)
    again = Handle(world, create_app_over(world), token=sandbox.token)
    assert again.send_text(MAMA) == 0
    again.act(MAMA, "retry_last")
    assert service.received[-1].xml == service.received[-2].xml


def test_the_same_phone_is_there_after_a_restart(tmp_path: Path, service: Service) -> None:
    settings = Settings(callback=service.address, state_file=tmp_path / "var" / "state.json")
    world = World(settings)
    sandbox = Handle(world, create_app_over(world))
    lived_in(sandbox)
    assert settings.state_file is not None
    store.save(world, settings.state_file)
    client = create_app(settings).test_client()
    people = client.get("/_sandbox/people").get_json()
    assert people[0]["following"] is True


def test_changes_are_written_from_the_background(
    sandbox: Handle, tmp_path: Path, service: Service
) -> None:
    path = tmp_path / "state.json"
    write = store.keep(sandbox.world, path)
    sandbox.act(MAMA, "follow")
    write()
    people = json.loads(path.read_text())["people"]
    assert people[MAMA]["following"] is True


def test_a_file_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"people": 7')
    assert store.load(path) is None
    assert not path.exists()
    assert (tmp_path / "state.json.unreadable").read_text() == '{"people": 7'


def test_no_file_is_a_first_day(tmp_path: Path) -> None:
    assert store.load(tmp_path / "none.json") is None


def test_only_the_newest_accepted_messages_are_written(sandbox: Handle, tmp_path: Path) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.send_text(MAMA)
    sandbox.world.state.accepted *= store.ACCEPTED_KEPT + 1
    path = tmp_path / "state.json"
    store.save(sandbox.world, path)
    assert len(json.loads(path.read_text())["accepted"]) == store.ACCEPTED_KEPT
    assert len(sandbox.accepted()) == store.ACCEPTED_KEPT + 1
