"""What a visitor writes down at a newborn's home, and what must lead to a referral.

The signs are those of the national newborn visiting standard (2012): any one of the first list
means "to hospital now", any of the second "have it seen soon". A measured value decides by
itself, also where the visitor ticked nothing.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

FEVER: Final = 37.5
COLD: Final = 35.5
SLOW_BREATH: Final = 20
FAST_BREATH: Final = 60
SLOW_PULSE: Final = 100
FAST_PULSE: Final = 160
"""At or beyond the temperatures, beyond the counts a minute: refer at once."""

NEWBORN_DAYS: Final = 60
"""So old a child's measured values are judged by the newborn's bounds: a month longer than the
standard speaks of, on the safe side. An older child's pulse is slower."""

CHECK_NOW_DAYS: Final = 1
CHECK_SOON_DAYS: Final = 3
"""When somebody asks the family what came of it."""


class DangerSign(StrEnum):
    """Any one means: to hospital at once."""

    TEMPERATURE = "temperature"
    RESPONSE = "response"
    BREATHING = "breathing"
    HEART = "heart"
    SKIN = "skin"
    CONVULSION = "convulsion"
    LIMBS = "limbs"
    DEHYDRATION = "dehydration"
    EYES_EARS = "eyes_ears"
    BELLY = "belly"
    CORD = "cord"


class AdviceSign(StrEnum):
    """Any one means: have it looked at within days."""

    FEEDING = "feeding"
    YELLOW_OR_RASH = "yellow_or_rash"
    TEARY_EYES = "teary_eyes"
    NECK_LUMP = "neck_lump"
    HEART_MURMUR = "heart_murmur"
    LIVER_SPLEEN = "liver_spleen"
    MALFORMATION = "malformation"


class Feeding(StrEnum):
    BREAST = "breast"
    MIXED = "mixed"
    FORMULA = "formula"


class Jaundice(StrEnum):
    NONE = "none"
    FACE = "face"
    BODY = "body"
    LIMBS = "limbs"
    """Palms or soles: the sign that is a danger."""


class Cord(StrEnum):
    ATTACHED = "attached"
    FALLEN = "fallen"
    WET = "wet"
    INFLAMED = "inflamed"
    """Pus, granulation or a red ring: the sign that is a danger."""


class SleepSafety(StrEnum):
    SAFE = "safe"
    """On the back, alone, on a firm bed without soft things."""
    ADVISED = "advised"


class Mother(StrEnum):
    WELL = "well"
    TIRED = "tired"
    LOW = "low"
    """Low for most of the day: a person of the station calls her."""


class Vaccinations(StrEnum):
    BOTH = "both"
    MISSING = "missing"
    """Hepatitis B or BCG of the first days is missing: the family is sent to its clinic."""
    UNKNOWN = "unknown"


class Advice(StrEnum):
    """What was talked about; each is one of the library's topics as well."""

    FEEDING = "feeding"
    SLEEP = "sleep"
    CORD = "cord"
    JAUNDICE = "jaundice"
    WARMTH = "warmth"
    VACCINATION = "vaccination"
    SAFETY = "safety"
    MOTHER = "mother"
    PLAY = "play"


class ChildRecord(BaseModel):
    """What was seen of one child; None where it was not measured."""

    model_config = ConfigDict(frozen=True)

    child_id: int
    weight_grams: int | None = Field(default=None, ge=300, le=30_000)
    temperature: float | None = Field(default=None, ge=30, le=44)
    breaths: int | None = Field(default=None, ge=0, le=200)
    pulse: int | None = Field(default=None, ge=0, le=300)
    feeding: Feeding | None = None
    jaundice: Jaundice | None = None
    cord: Cord | None = None
    danger: frozenset[DangerSign] = frozenset()
    advised: frozenset[AdviceSign] = frozenset()


class VisitRecord(BaseModel):
    """One visit's record: each child, and what concerns the home."""

    model_config = ConfigDict(frozen=True)

    children: tuple[ChildRecord, ...]
    sleep: SleepSafety | None = None
    mother: Mother | None = None
    vaccinations: Vaccinations | None = None
    advice: tuple[Advice, ...] = ()
    note: str = Field(default="", max_length=500)
    referred_to: str = Field(default="", max_length=60)
    next_on: date | None = None


def danger_signs(record: ChildRecord, age_days: int) -> frozenset[DangerSign]:
    """The ticked danger signs, and those that the measured values and choices amount to."""
    found = set(record.danger)
    if age_days > NEWBORN_DAYS:
        return frozenset(found)
    if record.temperature is not None and not COLD < record.temperature < FEVER:
        found.add(DangerSign.TEMPERATURE)
    if record.breaths is not None and not SLOW_BREATH <= record.breaths <= FAST_BREATH:
        found.add(DangerSign.BREATHING)
    if record.pulse is not None and not SLOW_PULSE <= record.pulse <= FAST_PULSE:
        found.add(DangerSign.HEART)
    if record.jaundice is Jaundice.LIMBS:
        found.add(DangerSign.SKIN)
    if record.cord is Cord.INFLAMED:
        found.add(DangerSign.CORD)
    return frozenset(found)


def advice_signs(record: ChildRecord) -> frozenset[AdviceSign]:
    """The ticked signs that are to be seen soon; jaundice of the body is one by itself."""
    found = set(record.advised)
    if record.jaundice is Jaundice.BODY:
        found.add(AdviceSign.YELLOW_OR_RASH)
    return frozenset(found)


class Urgency(StrEnum):
    NOW = "now"
    SOON = "soon"


def urgency_of(record: ChildRecord, age_days: int) -> Urgency | None:
    """How soon a child is to be seen; None where nothing was found."""
    if danger_signs(record, age_days):
        return Urgency.NOW
    return Urgency.SOON if advice_signs(record) else None


def check_on(urgency: Urgency, visited_on: date) -> date:
    """The day on which somebody asks the family what the hospital said."""
    days = CHECK_NOW_DAYS if urgency is Urgency.NOW else CHECK_SOON_DAYS
    return visited_on + timedelta(days=days)
