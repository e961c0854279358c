"""Lives the days of a world through the real services, on a throw-away database.

Each day is one transaction, but for who joins: the services never commit, and the file is
thrown away. It is one as turns of the chat have it: what they ask costs as much here as there.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from sqlite3 import Connection
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from cryptography.fernet import Fernet
from sqlalchemy import bindparam, event, func, literal_column, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database, make_engine
from app.errors import SessionFull, SignUpDelayed
from app.migrating import upgrade
from app.models import Caregiver, GuidanceSession, SignUp, Station, Township
from app.prepared import Loader, Prepared
from app.rules.sign_up import SignUpState
from app.services import publishing, registration, sessions
from app.services.audit import OPERATOR, SYSTEM
from app.services.coverage import TotalRow, report
from app.services.publishing import SessionExtras, SessionRow
from app.simulation.reach import Reach
from app.simulation.world import SimFamily, SimSession, World

REGISTERED_BEFORE = timedelta(hours=12)
CLOSES_BEFORE = timedelta(hours=12)
CANCEL_BEFORE = timedelta(hours=24)
JOIN_AT_ONCE = 500
"""Families that register in one transaction."""
CACHE_KIB: Final = 256 * 1024
"""A played world of 20,000 families is no larger; a smaller one takes what it needs."""
LOOKS_AT = time(10)
CANCELS_AT = time(12)
SHEET_AT = time(19)
KEEPS_AT = time(20)

QUICKLY: Final = ("synchronous=OFF", "journal_mode=MEMORY", f"cache_size=-{CACHE_KIB}")

Say = Callable[[str], None]


@dataclass(slots=True)
class Diary:
    """What one family knows of its own year."""

    booked: dict[str, SimSession] = field(default_factory=dict)
    attended: list[SimSession] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    """Codes of sessions that are over for it: attended, missed or given up."""
    taken: list[int] = field(default_factory=list)
    """The days of what is booked and attended: ordinals, in order."""

    def book(self, session: SimSession) -> None:
        self.booked[session.code] = session
        insort(self.taken, session.day.toordinal())

    def lose(self, session: SimSession) -> None:
        """It does not come, or gives the place back."""
        del self.booked[session.code]
        self.tried.add(session.code)
        self.taken.remove(session.day.toordinal())

    def attend(self, session: SimSession) -> None:
        del self.booked[session.code]
        self.tried.add(session.code)
        self.attended.append(session)


@dataclass(slots=True)
class Play:
    """A world under way: what the players see without asking the database."""

    world: World
    ids: dict[str, int]
    """Of the sessions, by code."""
    by_code: dict[str, SimSession]
    free: dict[str, int]
    """Seats left by code, as the chat would list them."""
    reach: Reach
    changed: set[str] = field(default_factory=set)
    """Codes of sessions whose seats have changed since the supply was brought up to date."""
    diaries: dict[int, Diary] = field(default_factory=dict)
    by_caregiver: dict[int, SimFamily] = field(default_factory=dict)
    lost: list[SimFamily] = field(default_factory=list)
    """Families that gave up or missed a session today."""
    cancels: defaultdict[date, list[tuple[SimFamily, SimSession]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    looks: defaultdict[date, list[SimFamily]] = field(default_factory=lambda: defaultdict(list))
    """Who opens the chat next, by day."""

    def take_seat(self, session: SimSession) -> None:
        self.free[session.code] -= 1
        self.changed.add(session.code)
        if not self.free[session.code]:
            self.reach.take_out(session)

    def give_seat_back(self, session: SimSession) -> None:
        self.free[session.code] += 1
        self.changed.add(session.code)
        if self.free[session.code] == 1:
            self.reach.put_back(session)

    def book(self, family: SimFamily, code: str, today: date) -> None:
        """Note a place that the service gave, and what will become of it."""
        session = self.by_code[code]
        self.take_seat(session)
        self.diaries[family.number].book(session)
        fate = self.world.fate(family, session)
        if fate.cancels_on is not None:
            self.cancels[max(fate.cancels_on, today)].append((family, session))

    def try_to_sign_up(self, db: Session, family: SimFamily, code: str, now: datetime) -> bool:
        """One sign-up through the service; False where it refuses the family for now."""
        caregiver = get_caregiver(db, family)
        child = registration.get_family(caregiver).children[0]
        try:
            # Both refusals come before anything is written: nothing has to be taken back.
            sessions.sign_up(db, caregiver=caregiver, child=child, code=code, now=now)
        except (SessionFull, SignUpDelayed):
            return False
        self.book(family, code, now.date())
        return True


class Arm(Protocol):
    """A way in which families come to their sessions."""

    def look(self, play: Play, db: Session, family: SimFamily, now: datetime) -> None:
        """A family opens the chat."""

    def keep(self, play: Play, db: Session, now: datetime) -> None:
        """The evening's jobs."""


@dataclass(frozen=True, slots=True)
class Played:
    """What a year came to."""

    coverage: TotalRow
    seats_used: int
    """Seats in which a child sat."""
    seats_missed: int
    """Seats kept for a child that did not come."""


def play(world: World, arm: Arm, say: Say) -> Played:
    """Live every day of the world under one arm; `say` is told of each month."""
    with TemporaryDirectory(prefix="yuban-simulation-") as folder:
        return play_in(Path(folder), world, arm, say)


def play_in(folder: Path, world: World, arm: Arm, say: Say) -> Played:
    """As `play`, on a database in a folder that the caller throws away."""
    with _database(folder / "world.db") as database:
        return live(world, arm, database, say)


@contextmanager
def _database(path: Path) -> Iterator[Database]:
    engine = make_engine(f"sqlite:///{path}", Cipher((Fernet.generate_key().decode(),)))

    @event.listens_for(engine, "connect")
    def _be_quick(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # A file that nobody will look at after a power cut need not survive one; and where
        # nobody reads beside the one who writes, a page need not be written twice.
        assert isinstance(connection, Connection)
        for pragma in QUICKLY:
            connection.execute(f"PRAGMA {pragma}")

    try:
        upgrade(engine)
        yield Database(engine)
    finally:
        engine.dispose()


def live(world: World, arm: Arm, database: Database, say: Say) -> Played:
    """As `play`, on a migrated database that holds nothing yet."""
    with database.transaction() as db:
        ids = _settle(db, world)
    state = Play(
        world=world,
        ids=ids,
        by_code={session.code: session for session in world.sessions},
        free={session.code: session.places for session in world.sessions},
        reach=Reach.of(world),
    )
    held = defaultdict(list)
    for session in world.sessions:
        held[session.day].append(session)
    joins = defaultdict(list)
    for family in world.families:
        joins[family.joins_on].append(family)
        state.looks[family.first_look].append(family)
    day = world.start
    while day <= world.end:
        _join(state, database, joins[day], day)
        with database.turn() as db:
            # Held while the day lasts, so that nobody's township is asked for again.
            towns = db.scalars(select(Township)).all()
            _look(state, arm, db, day)
            _cancel(state, db, day)
            for session in held[day]:
                _hold(state, db, session)
            arm.keep(state, db, _at(day, KEEPS_AT))
            state.lost.clear()
            del towns
        day += timedelta(days=1)
        if day.day == 1:
            say(f"{day - timedelta(days=1):%Y-%m}")
    return _count(world, database)


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, SHANGHAI)


def _settle(db: Session, world: World) -> dict[str, int]:
    """Stations and the year's programme; the sessions' ids by code."""
    now = _at(world.start, time(0, 1)) - REGISTERED_BEFORE
    ids = {town.name: town.id for town in db.scalars(select(Township))}
    homes = sorted({session.township for session in world.sessions})
    db.add_all(
        Station(
            code=_station_code(ids[name]),
            name=f"{name}早教指导站",
            kind="guidance_station",
            township_id=ids[name],
            address="",
            phone="",
        )
        for name in homes
    )
    db.flush()
    for session in world.sessions:
        publishing.put_session(
            db,
            _row(session, _station_code(ids[session.township])),
            actor=OPERATOR,
            now=now,
            extras=SessionExtras(topic=session.topic),
        )
    db.flush()
    return {
        row.code: row.id for row in db.execute(select(GuidanceSession.code, GuidanceSession.id))
    }


def _station_code(township_id: int) -> str:
    return f"SIM{township_id}"


def _row(session: SimSession, station_code: str) -> SessionRow:
    return SessionRow(
        code=session.code,
        title=session.kind,
        kind=session.kind,
        level="station",
        station_code=station_code,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        places=session.places,
        min_months=session.min_months,
        max_months=session.max_months,
        confirm_mode="auto",
        opens_at=session.opens_at,
        closes_at=session.starts_at - CLOSES_BEFORE,
        cancel_until=session.starts_at - CANCEL_BEFORE,
        waiting_list="no",
    )


def _join(state: Play, database: Database, families: Sequence[SimFamily], day: date) -> None:
    """Registered, and in need: each in two turns, as a family would."""
    for first in range(0, len(families), JOIN_AT_ONCE):
        some = families[first : first + JOIN_AT_ONCE]
        with database.turn() as db:
            for family in some:
                caregiver_id = _register(db, family, _known_at(family, day))
                state.diaries[family.number] = Diary()
                state.by_caregiver[caregiver_id] = family
        with database.turn() as db:
            found = registration.read_caregivers(db, [family.openid for family in some])
            for family in some:
                caregiver = registration.put_caregiver(db, found[family.openid])
                now = _known_at(family, day)
                registration.set_need(db, caregiver=caregiver, need=True, now=now)


def _known_at(family: SimFamily, day: date) -> datetime:
    """Since the evening before, so that January is whole.

    Whoever is born on the last day of all is known on that day.
    """
    now = _at(day, time(0, 1))
    return now - REGISTERED_BEFORE if family.born < day else now


def _register(db: Session, family: SimFamily, now: datetime) -> int:
    caregiver = registration.follow(db, family.openid, now)
    registration.register_child(
        db,
        caregiver=caregiver,
        draft=registration.ChildDraft(
            nickname="宝宝",
            birth_date=family.born,
            due_date=None,
            sex=None,
            gestation_weeks=None,
            township=family.township,
        ),
        consent=registration.ConsentGiven("simulation", "0", "nobody lives here"),
        now=now,
    )
    return caregiver.id


def get_caregiver(db: Session, family: SimFamily) -> Caregiver:
    """The family's caregiver, as every turn of the chat looks them up."""
    found = registration.find_caregiver(db, family.openid)
    assert found is not None, "joined before"
    return found


def _look(state: Play, arm: Arm, db: Session, day: date) -> None:
    now = _at(day, LOOKS_AT)
    for family in sorted(state.looks.pop(day, ()), key=lambda family: family.number):
        if family.number in state.diaries:
            arm.look(state, db, family, now)
        state.looks[family.looks_after(day)].append(family)


def _cancel(state: Play, db: Session, day: date) -> None:
    now = _at(day, CANCELS_AT)
    for family, session in state.cancels.pop(day, ()):
        diary = state.diaries[family.number]
        if diary.booked.get(session.code) is None or now > session.starts_at - CANCEL_BEFORE:
            continue
        caregiver = get_caregiver(db, family)
        sessions.cancel_by_family(db, caregiver=caregiver, code=session.code, now=now)
        diary.lose(session)
        state.give_seat_back(session)
        state.lost.append(family)


_SIGN_UPS = Loader(SignUp)
_EXPECTED = Prepared(
    select(*_SIGN_UPS.columns)
    .where(
        SignUp.session_id == bindparam("session_id"),
        SignUp.state == literal_column("'confirmed'"),
    )
    .order_by(SignUp.id)
)


def _hold(state: Play, db: Session, session: SimSession) -> None:
    """Who comes, comes; attendance is entered the same evening."""
    now = _at(session.day, SHEET_AT)
    sessions.lock_session(db, state.ids[session.code])
    db.flush()
    for row in _EXPECTED.all(db, session_id=state.ids[session.code]):
        sign_up: SignUp = _SIGN_UPS.put(db, row)
        family = state.by_caregiver[sign_up.caregiver_id]
        diary = state.diaries[family.number]
        if state.world.fate(family, session).misses:
            sessions.change_state(db, sign_up, SignUpState.NO_SHOW, SYSTEM, now)
            diary.lose(session)
            state.lost.append(family)
        else:
            sessions.change_state(db, sign_up, SignUpState.ATTENDED, SYSTEM, now)
            diary.attend(session)


def _count(world: World, database: Database) -> Played:
    """The district's own report on the played year, and where the seats went."""
    now = _at(world.end, time(23, 59))
    with database.reading() as db:
        found = report(db, year=world.start.year, now=now)
        states = dict(
            db.execute(select(SignUp.state, func.count(SignUp.id)).group_by(SignUp.state)).all()
        )
    return Played(
        coverage=found.total,
        seats_used=states.get(SignUpState.ATTENDED, 0),
        seats_missed=states.get(SignUpState.NO_SHOW, 0),
    )
