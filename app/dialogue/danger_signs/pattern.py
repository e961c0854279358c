"""How a sign is written: alternatives, of which any may match."""

from app.late_pattern import LatePattern


def any_of(*alternatives: str) -> LatePattern:
    """One pattern that matches where any alternative does."""
    return LatePattern("|".join(alternatives))


def near(one: str, other: str, most: int) -> LatePattern:
    """A pattern that matches where both are met, in either order, at most so far apart."""
    gap = f"[^.?!]{{0,{most}}}"
    return LatePattern(f"{one}{gap}{other}|{other}{gap}{one}")
