"""Families known on paper: a file of them is taken whole, or not at all."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from app.clock import SHANGHAI
from app.errors import BadRow, ImportRefused
from app.models import (
    Caregiver,
    Child,
    Consent,
    Family,
    FamilyTerm,
    FollowUp,
    HomeVisit,
    PackPush,
    SignUp,
    Station,
    VisitDue,
)
from app.models.search import terms_of_contact
from app.rules.age import age_months
from app.rules.search_terms import terms_of_name
from app.services import audit
from app.services.import_files import MAX_BAD_ROWS, Row
from app.services.imports import Cells, Imported, read_all, townships_by_name
from app.services.registration import SERVICE_MONTHS

FAMILY_COLUMNS = (
    *("nickname", "birth_date", "sex", "gestation_weeks", "township", "station"),
    *("relation", "contact_name", "phone", "need", "consent_date"),
)
BATCH = 500
PAPER = "paper"
"""The version of a consent that was signed on paper; its purpose is that of the chat's."""
PURPOSE = "child_data"
RELATIONS = ("mother", "father", "grandmother", "grandfather", "other", "")
SEXES = {"": None, "girl": "girl", "boy": "boy", "女": "girl", "男": "boy"}
NEEDS = {"": None, "yes": True, "no": False, "是": True, "否": False}


@dataclass(frozen=True, slots=True)
class FamilyRow:
    nickname: str
    birth_date: date
    sex: str | None
    gestation_weeks: int | None
    township_id: int
    station_id: int | None
    relation: str | None
    contact_name: str
    phone: str
    need: bool | None
    consent_date: date


def read_date(text: str) -> date | None:
    """2026-05-01, 2026/5/1, or what a spreadsheet makes of it: a time at midnight."""
    plain = unicodedata.normalize("NFKC", text).replace("/", "-").replace(".", "-").strip()
    parts = plain.split("T")[0].split(" ")[0].split("-")
    try:
        year, month, day = (int(part) for part in parts)
        return date(year, month, day)
    except ValueError:
        return None


def _day(cells: Cells, text: str, column: str, *, until: date) -> date:
    found = read_date(text)
    if not text:
        cells.refuse(column, "missing")
    elif found is None:
        cells.refuse(column, "not_a_date")
    elif found > until:
        cells.refuse(column, "in_the_future")
    return found or until


def _family_reader(
    townships: Mapping[str, int], stations: Mapping[str, tuple[int, int]], today: date
) -> Callable[[Row, Cells], FamilyRow]:
    def read(row: Row, cells: Cells) -> FamilyRow:
        born = _day(cells, row.cells["birth_date"], "birth_date", until=today)
        if not cells.faults and age_months(born, today) >= SERVICE_MONTHS:
            cells.refuse("birth_date", "three_or_older")
        station = row.cells["station"].casefold()
        if station and station not in stations:
            cells.refuse("station", "unknown_station")
        weeks = cells.whole("gestation_weeks", most=45) if row.cells["gestation_weeks"] else None
        if weeks is not None and weeks < 20:
            cells.refuse_once("gestation_weeks", "out_of_range")
        for column, known in (("sex", SEXES), ("need", NEEDS)):
            if row.cells[column].casefold() not in known:
                cells.refuse(column, "unknown_value")
        if row.cells["relation"].casefold() not in RELATIONS:
            cells.refuse("relation", "unknown_value")
        return FamilyRow(
            nickname=cells.words("nickname", limit=20),
            birth_date=born,
            sex=SEXES.get(row.cells["sex"].casefold()),
            gestation_weeks=weeks,
            township_id=cells.found_in("township", townships, "unknown_township", 0),
            station_id=stations.get(station, (None, 0))[0],
            relation=row.cells["relation"].casefold() or None,
            contact_name=cells.words("contact_name", limit=20, required=False),
            phone=cells.phone("phone"),
            need=NEEDS.get(row.cells["need"].casefold()),
            consent_date=_day(cells, row.cells["consent_date"], "consent_date", until=today),
        )

    return read


def import_families(
    db: Session, content: bytes, *, actor: audit.Actor, now: datetime, writes: bool = True
) -> tuple[Imported, list[int]]:
    """New families known on paper, a row a child; how many, and their ids for the undoing.

    Rows with one telephone are one family. A family that is known already, by the same
    telephone and a child of the same nickname, is left as it is. Without `writes` it is only
    counted: nothing but what is read here can refuse a row. Raises FileUnreadable,
    ImportRefused; then nothing was changed.
    """
    today = now.astimezone(SHANGHAI).date()
    stations = {
        code.casefold(): (station_id, township_id)
        for code, station_id, township_id in db.execute(
            select(Station.code, Station.id, Station.township_id)
        )
    }
    rows = read_all(content, FAMILY_COLUMNS, _family_reader(townships_by_name(db), stations, today))
    _check_twice(rows)
    groups: dict[str, list[FamilyRow]] = {}
    for line, (_, row) in enumerate(rows):
        groups.setdefault(digits_of(row.phone) or f"line {line}", []).append(row)
    known = _known_children(db, [phone for phone in groups if not phone.startswith("line ")])
    fresh: list[list[FamilyRow]] = []
    unchanged = 0
    for phone, children in groups.items():
        unknown = [row for row in children if (phone, row.nickname) not in known]
        unchanged += len(children) - len(unknown)
        if len(unknown) == len(children):
            fresh.append(children)
    counted = Imported(added=len(fresh), updated=0, unchanged=unchanged)
    if not writes:
        return counted, []
    made: list[int] = []
    for start in range(0, len(fresh), BATCH):
        made += _add_families(db, fresh[start : start + BATCH], now)
    audit.record_each(
        db,
        actor=actor,
        action="import_family",
        subject_type="family",
        subject_ids=made,
        now=now,
    )
    return counted, made


def digits_of(phone: str) -> str:
    """A telephone without what people write between the digits."""
    return "".join(mark for mark in unicodedata.normalize("NFKC", phone) if mark.isdigit())


def _check_twice(rows: Sequence[tuple[Row, FamilyRow]]) -> None:
    """Raises ImportRefused for a child that stands in the file twice."""
    seen: set[tuple[str, str, date]] = set()
    faults = []
    for line, row in rows:
        key = (digits_of(row.phone), row.nickname, row.birth_date)
        if key in seen:
            faults.append(BadRow(line.line, "nickname", "repeated_child", row.nickname))
        seen.add(key)
    if faults:
        raise ImportRefused(tuple(faults[:MAX_BAD_ROWS]))


def _known_children(db: Session, phones: Sequence[str]) -> set[tuple[str, str]]:
    """The (telephone, nickname) pairs that are registered, of these telephones.

    Found by the index of the search, and then read: a telephone's last digits are in it, too.
    """
    found: set[tuple[str, str]] = set()
    for start in range(0, len(phones), BATCH):
        terms = [f"digits:{phone}" for phone in phones[start : start + BATCH]]
        families = select(FamilyTerm.family_id).where(FamilyTerm.term.in_(terms))
        rows = db.execute(
            select(Family.phone, Child.nickname)
            .join(Child, Child.family_id == Family.id)
            .where(Family.id.in_(families), Family.phone.is_not(None), Child.erased_at.is_(None))
        )
        found |= {(digits_of(phone or ""), nickname) for phone, nickname in rows}
    return found


def _add_families(db: Session, groups: Sequence[Sequence[FamilyRow]], now: datetime) -> list[int]:
    """Families with whoever signed on paper, children, consents and terms to be found by.

    Many at once, past the ORM's unit of work, which would ask the database for each row; so the
    index of the search is written here.
    """
    firsts = [rows[0] for rows in groups]
    families = _inserted(
        db,
        insert(Family).returning(Family.id, sort_by_parameter_order=True),
        [
            {
                "township_id": first.township_id,
                "station_id": first.station_id,
                "need": first.need,
                "need_answered_at": None if first.need is None else now,
                "contact_name": first.contact_name or None,
                "phone": first.phone or None,
                "created_at": now,
            }
            for first in firsts
        ],
    )
    # Whoever signed on paper: without WeChat, until somebody of the family joins.
    caregivers = _inserted(
        db,
        insert(Caregiver).returning(Caregiver.id, sort_by_parameter_order=True),
        [
            {
                "family_id": family_id,
                "relation": first.relation,
                "is_following": False,
                "pushes": "on",
                "created_at": now,
            }
            for family_id, first in zip(families, firsts, strict=True)
        ],
    )
    rows = [
        (family_id, caregiver_id, row)
        for family_id, caregiver_id, each in zip(families, caregivers, groups, strict=True)
        for row in each
    ]
    children = _inserted(
        db,
        insert(Child).returning(Child.id, sort_by_parameter_order=True),
        [
            {
                "family_id": family_id,
                "nickname": row.nickname,
                "birth_date": row.birth_date,
                "sex": row.sex,
                "gestation_weeks": row.gestation_weeks,
                "created_at": now,
                "updated_at": now,
            }
            for family_id, _, row in rows
        ],
    )
    db.execute(
        insert(Consent),
        [
            {
                "caregiver_id": caregiver_id,
                "child_id": child_id,
                "purpose": PURPOSE,
                "version": PAPER,
                "given_at": min(
                    datetime.combine(row.consent_date, datetime.min.time(), SHANGHAI), now
                ),
                "evidence": "signed on paper, taken from a file",
            }
            for child_id, (_, caregiver_id, row) in zip(children, rows, strict=True)
        ],
    )
    terms: list[dict[str, object]] = [
        {"family_id": family_id, "child_id": None, "term": term}
        for family_id, first in zip(families, firsts, strict=True)
        for term in sorted(terms_of_contact(first.contact_name, first.phone))
    ]
    terms += [
        {"family_id": family_id, "child_id": child_id, "term": term}
        for child_id, (family_id, _, row) in zip(children, rows, strict=True)
        for term in sorted(terms_of_name(row.nickname))
    ]
    if terms:
        db.execute(insert(FamilyTerm), terms)
    return families


def _inserted(
    db: Session, statement: ReturningInsert[int], rows: Sequence[dict[str, object]]
) -> list[int]:
    """The new rows' ids, in their order."""
    return list(db.execute(statement, rows).scalars())


def undo_families(db: Session, family_ids: Sequence[int]) -> list[int]:
    """Take the families out again; gives those that must stay, and then takes out none.

    A family stays where something has happened with it since: a sign-up, a caregiver who
    joined, a follow-up, a visit, or anything else that a row of another table bears witness of.
    """
    batches = [family_ids[start : start + BATCH] for start in range(0, len(family_ids), BATCH)]
    busy = [number for batch in batches for number in _busy(db, batch)]
    if busy:
        return busy
    for batch in batches:
        try:
            with db.begin_nested():
                _take_out(db, batch)
        except IntegrityError:
            return list(batch)
    return []


def _busy(db: Session, family_ids: Sequence[int]) -> list[int]:
    wanted = Caregiver.family_id.in_(family_ids)
    busy = {
        *db.scalars(select(SignUp.family_id).where(SignUp.family_id.in_(family_ids))),
        *db.scalars(select(HomeVisit.family_id).where(HomeVisit.family_id.in_(family_ids))),
        *db.scalars(select(Caregiver.family_id).where(wanted, Caregiver.openid.is_not(None))),
        *db.scalars(
            select(Caregiver.family_id).where(
                wanted, exists().where(FollowUp.caregiver_id == Caregiver.id)
            )
        ),
    }
    return sorted(number for number in busy if number is not None)


def _take_out(db: Session, family_ids: Sequence[int]) -> None:
    """What the nightly jobs made of them goes with them; what people did stands in the way."""
    people = select(Caregiver.id).where(Caregiver.family_id.in_(family_ids))
    children = select(Child.id).where(Child.family_id.in_(family_ids))
    db.execute(
        delete(VisitDue).where(VisitDue.family_id.in_(family_ids), VisitDue.visit_id.is_(None))
    )
    db.execute(delete(PackPush).where(PackPush.child_id.in_(children), PackPush.sent_at.is_(None)))
    db.execute(delete(Consent).where(Consent.caregiver_id.in_(people)))
    db.execute(delete(Child).where(Child.family_id.in_(family_ids)))
    db.execute(delete(Caregiver).where(Caregiver.family_id.in_(family_ids)))
    db.execute(delete(Family).where(Family.id.in_(family_ids)))
