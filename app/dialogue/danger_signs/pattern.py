"""How a sign is written: alternatives, of which any may match."""

import re


def any_of(*alternatives: str) -> re.Pattern[str]:
    """One pattern that matches where any alternative does."""
    return re.compile("|".join(alternatives))


def near(one: str, other: str, most: int) -> re.Pattern[str]:
    """A pattern that matches where both are met, in either order, at most so far apart."""
    gap = f"[^.?!]{{0,{most}}}"
    return re.compile(f"{one}{gap}{other}|{other}{gap}{one}")
