"""Where a family lives and whom to call, from one message or from the fields of a form."""

import re
from dataclasses import dataclass
from typing import Final

from app.dialogue.reading.contacts import find_phones, read_phone
from app.dialogue.reading.plain import tidy
from app.errors import HomeContactUnclear

LONGEST_ADDRESS: Final = 100
_ADDRESS: Final = re.compile(r"[路街弄村队号室组幢栋苑园巷宅里单元]|\d+-\d+")
_LABELS: Final = re.compile(r"(电话|手机|地址|住址|门牌)(是|号码|号)?[:：]?")
_GAPS: Final = re.compile(r"[\s,，。;；]+")


@dataclass(frozen=True, slots=True)
class HomeContactFound:
    """What a message tells; None where it does not."""

    address: str | None
    phone: str | None


def find_home_contact(text: str) -> HomeContactFound:
    """育麟路18号301室 13800000000, in any order and with the labels that people write."""
    said = tidy(text)
    phones = find_phones(said)
    rest = said
    for found in phones:
        rest = rest.replace(said[found.start : found.end], " ")
    address = _GAPS.sub(" ", _LABELS.sub(" ", rest)).strip()[:LONGEST_ADDRESS]
    return HomeContactFound(
        address if _ADDRESS.search(address) else None, phones[0].e164 if phones else None
    )


def read_home_contact(address: str, phone: str) -> HomeContactFound:
    """The fields of a form, as they are stored; an empty one is empty.

    Raises HomeContactUnclear where one holds something else.
    """
    place = _GAPS.sub(" ", _LABELS.sub(" ", tidy(address))).strip()
    if place and not _ADDRESS.search(place):
        raise HomeContactUnclear("address")
    if len(place) > LONGEST_ADDRESS:
        raise HomeContactUnclear("too_long")
    number = read_phone(phone) if phone.strip() else ""
    if number is None:
        raise HomeContactUnclear("phone")
    return HomeContactFound(place, number)
