"""`devices`: an operator ends one device's log-in."""

from app.clock import now as clock_now
from app.models import Caregiver
from app.rules.identity import Device
from app.services import log_ins
from app.wiring import Services
from tests.cli.running import Run
from tests.outbox import book


def test_devices_are_listed_and_one_is_ended(run: Run, services: Services) -> None:
    now = clock_now()
    with services.database.transaction() as db:
        mother = db.get_one(Caregiver, book(db, "o-mother", now).caregiver_id)
        made = log_ins.begin(db, mother, way="pages", device=Device.ANDROID, now=now)
        number = made.id
    found = run("devices", "list", "o-mother").json
    assert [(one["id"], one["way"], one["device"]) for one in found] == [
        (number, "pages", "android")
    ]
    assert run("family", "show", "o-mother").json["log_ins"] == found
    assert run("devices", "end", str(number)).json["id"] == number
    assert run("devices", "list", "o-mother").json == []
    assert run("devices", "end", str(number)).error == "log_in_unknown"
    assert run("devices", "list", "o-nobody").error == "caregiver_unknown"
