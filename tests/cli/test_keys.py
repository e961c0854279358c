"""The data key is rotated: everything stays readable, and the old key can be thrown away."""

import base64

import pytest
from sqlalchemy import select, update

from app.config import Settings
from app.crypto import Cipher
from app.models import Child, Family
from app.services import key_rotation
from app.services.families import matching
from app.wiring import Services, make_services
from handlers import HANDLERS
from scheduler.timetable import JOBS
from tests.cli.running import Run, runner_of
from tests.conftest import DATA_KEY

NEW_KEY = base64.urlsafe_b64encode(b"another thirty-two bytes of key!").decode()


def _with_keys(settings: Settings, *keys: str) -> Services:
    changed = settings.model_dump() | {"data_key": ",".join(keys)}
    return make_services(Settings.model_validate(changed), HANDLERS, JOBS)


def _names(services: Services) -> set[str]:
    with services.database.reading() as db:
        return set(db.execute(select(Child.nickname)).scalars())


@pytest.mark.parametrize("batch", [1, 500])
def test_a_drill_of_the_rotation(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", batch)
    run("demo", "load")
    old = _with_keys(settings, DATA_KEY)
    names = _names(old)
    both = _with_keys(settings, NEW_KEY, DATA_KEY)
    assert _names(both) == names

    done = runner_of(both)("keys", "rotate").json

    assert done["older"] == 0
    assert done["rewritten"]["children"] == len(names)
    new = _with_keys(settings, NEW_KEY)
    assert _names(new) == names
    with new.database.reading() as db:
        name = sorted(names)[0]
        assert db.scalars(select(Family.id).where(matching(name))).all() != []
    again = runner_of(both)("keys", "rotate").json
    assert not any(again["rewritten"].values())
    for services in (old, both, new):
        services.database.engine.dispose()


def test_a_key_that_is_gone_is_named(run: Run, settings: Settings) -> None:
    run("demo", "load")
    alone = _with_keys(settings, NEW_KEY)

    assert runner_of(alone)("keys", "rotate").error == "key_missing"
    alone.database.engine.dispose()


def test_what_is_written_meanwhile_is_not_overwritten(settings: Settings, run: Run) -> None:
    run("demo", "load")
    both = _with_keys(settings, NEW_KEY, DATA_KEY)
    tables = {table.name: (table, names) for table, names in key_rotation.encrypted_tables()}
    table, columns = tables["children"]

    class Slow(Cipher):
        """A parent corrects the name between the rotation's reading and its writing."""

        def rotate(self, token: str) -> str:
            db.execute(update(Child).values(nickname="改好了"))
            return super().rotate(token)

    slow = Slow((NEW_KEY, DATA_KEY))
    with both.database.transaction() as db:
        key_rotation.rotate_batch(db, table=table, columns=columns, after=None, cipher=slow)

    assert _names(both) == {"改好了"}
    both.database.engine.dispose()


def test_a_new_key_is_one(run: Run) -> None:
    key = run("keys", "new").json["key"]

    assert Cipher((key,)).decrypt(Cipher((key,)).encrypt("糖糖")) == "糖糖"
    assert key != run("keys", "new").json["key"]
