"""WS/T 423—2022, 《7岁以下儿童生长标准》: the rows of its tables A.1–A.8, A.11, A.12 to 36 months.

The numbers are the standard's; content/growth/ has them with the number of each table.
"""

import csv
from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType

from app.rules.growth import PERCENTILES, Indicator, Line, Standard
from app.rules.people import Sex
from content.shelf import CONTENT

SOURCE = "WS/T 423—2022《7岁以下儿童生长标准》，国家卫生健康委，2022年"
PERCENTILES_FILE = CONTENT / "growth" / "wst423_2022_percentiles.csv"
SEXES = {"male": Sex.BOY, "female": Sex.GIRL}


@lru_cache(maxsize=1)
def load_standard() -> Standard:
    """The tables by indicator and sex; read once a process, when first wanted."""
    tables: dict[tuple[Indicator, Sex], list[Line]] = {}
    with PERCENTILES_FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = Indicator(row["indicator"]), SEXES[row["sex"]]
            values = tuple(float(row[f"P{percentile}"]) for percentile in PERCENTILES)
            tables.setdefault(key, []).append(Line(float(row["x"]), values))
    frozen: dict[tuple[Indicator, Sex], Sequence[Line]] = {
        key: tuple(lines) for key, lines in tables.items()
    }
    return MappingProxyType(frozen)
