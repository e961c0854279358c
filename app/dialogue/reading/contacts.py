"""Telephone numbers and the codes of sessions and invitations."""

import re
from dataclasses import dataclass
from typing import Final

from app.dialogue.reading.plain import normalise, tidy
from app.late_pattern import LatePattern

_REGION: Final = "CN"
_SHANGHAI_AREA: Final = "021"
# Eight digits that are a day, 20260501, are no telephone number.
_LOCAL_LANDLINE: Final = LatePattern(
    r"(?<![\d-])(?!(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d)([2-8]\d{3}[ -]?\d{4})(?![\d-])"
)
_CODE: Final = LatePattern(r"(?i)(?<![a-z0-9_-])[a-z0-9](?:[a-z0-9_-]{0,18}[a-z0-9])(?![a-z0-9_-])")


@dataclass(frozen=True, slots=True)
class PhoneFound:
    """A telephone number in international form, +86…, and its place in the normalised text."""

    e164: str
    text: str
    start: int
    end: int


def find_phones(text: str) -> tuple[PhoneFound, ...]:
    """Every valid Chinese telephone number in a text: mobiles, and landlines with area code."""
    import phonenumbers  # late: as large as the rest of the readers together

    plain = normalise(text)
    return tuple(
        PhoneFound(
            phonenumbers.format_number(found.number, phonenumbers.PhoneNumberFormat.E164),
            found.raw_string,
            found.start,
            found.end,
        )
        for found in phonenumbers.PhoneNumberMatcher(plain, _REGION)
        if not re.fullmatch(r"[12]\d{7}", found.raw_string)
    )


def read_phone(text: str) -> str | None:
    """The one telephone number of a text as +86…; a bare landline is taken for Shanghai's.

    None where there is none, or several.
    """
    found = {phone.e164 for phone in find_phones(text)}
    if not found:
        import phonenumbers

        found = {
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            for landline in _LOCAL_LANDLINE.findall(normalise(text))
            if phonenumbers.is_valid_number(
                number := phonenumbers.parse(_SHANGHAI_AREA + landline, _REGION)
            )
        }
    return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class CodeFound:
    """What may be a session's or invitation's code, in capitals, and its place in the text."""

    code: str
    start: int
    end: int


def find_codes(text: str) -> tuple[CodeFound, ...]:
    """Every token that may be a session's or invitation's code, in order.

    2 to 20 Latin letters, digits, - and _. At least one letter, or four to seven digits that
    are no telephone number: plain short numbers are counts, not codes.
    """
    phones = find_phones(text)
    return tuple(
        CodeFound(found.group().upper(), found.start(), found.end())
        for found in _CODE.finditer(tidy(text))
        if (re.search("[A-Za-z]", found.group()) or re.fullmatch(r"\d{4,7}", found.group()))
        and not any(phone.start <= found.start() < phone.end for phone in phones)
    )
