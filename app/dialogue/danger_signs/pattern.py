"""How a sign is written: alternatives, of which any may match."""

import re


def any_of(*alternatives: str) -> re.Pattern[str]:
    """One pattern that matches where any alternative does."""
    return re.compile("|".join(alternatives))
