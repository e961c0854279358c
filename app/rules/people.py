"""Who cares for a child, and the child's sex, as families state them."""

from enum import StrEnum


class Relation(StrEnum):
    """What a caregiver is to the child."""

    MOTHER = "mother"
    FATHER = "father"
    GRANDMOTHER = "grandmother"
    GRANDFATHER = "grandfather"
    OTHER = "other"


class Sex(StrEnum):
    """A child's sex; families may leave it out."""

    GIRL = "girl"
    BOY = "boy"
