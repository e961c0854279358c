"""Made-up data to try the service with. Importing this package costs nothing."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from app.config import Settings


class DemoLogin(NamedTuple):
    """A log-in for the console that everybody may know: the data behind it is made up."""

    username: str
    password: str
    what: str


DEMO_LOGINS: tuple[DemoLogin, ...] = (
    DemoLogin("chengqiao", "demo-chengqiao", "城桥镇指导站老师"),
    DemoLogin("baozhen", "demo-baozhen", "堡镇指导站老师"),
    DemoLogin("v01", "demo-visitor", "上门老师，城桥镇一带"),
    DemoLogin("district", "demo-district", "区管理员"),
)


def load_once(settings: "Settings") -> bool:
    """Load the demo data into an empty database; False, and nothing, where it is in use."""
    # Late: most who import this package want the log-ins alone.
    from app import clock
    from app.crypto import Cipher
    from app.db import Database, make_engine
    from app.demo.loading import load

    engine = make_engine(settings.database_url, Cipher(settings.data_keys))
    try:
        return load(Database(engine), clock.now()) is not None
    finally:
        engine.dispose()
