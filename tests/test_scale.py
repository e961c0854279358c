"""docs/scale.md: its sums are right, and its bytes are those that the bench measured."""

import json
import re
from pathlib import Path

import pytest

from devtools.environment import ROOT

PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
CURVES = ROOT / "docs" / "performance" / "growth.json"
DAYS, SECONDS = 365, 365 * 86_400
WORDS = 300
"""Bytes put in for what is encrypted."""
MESSAGES = 60
NOTICES = 85
"""A family and year."""
QUOTA = 100_000
"""Template messages a day and account."""
UNITS = {"GB": 1e9, "TB": 1e12, "M": 1e6, "": 1.0}


def rows(title: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    section = PAGE.partition(f"## {title}")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines[2:]]


def number(said: str) -> float:
    value, _, unit = said.replace(",", "").partition(" ")
    return float(value) * UNITS[unit]


def test_a_childs_year_adds_up() -> None:
    *tables, together = rows("A child's year")
    kilobytes = 0.0
    for names, many, size, said in tables:
        if "kept three days" in many:
            continue
        of = [int(each) for each in re.findall(r"\d+", size)]
        mean = sum(of) if "+" in size else sum(of) / len(of)
        mine = int(many.split(",")[0]) * mean / 1000
        assert round(mine) == int(said), names
        kilobytes += mine
    assert int(together[3]) == pytest.approx(kilobytes, abs=0.6)


def test_a_district_a_city_and_the_nation_follow_from_it() -> None:
    table = {row[0]: row[1:] for row in rows("Districts, a city, the nation")}
    kilobytes = int(rows("A child's year")[-1][3])
    assert f"kept a year ({kilobytes} kB each)" in table
    children = [number(each) for each in table["children under three (assumed)"]]
    for place, many in enumerate(children):
        messages = many * MESSAGES
        for what, mine in {
            f"kept a year ({kilobytes} kB each)": many * kilobytes * 1000,
            "messages a year": messages,
            "on average, a second": messages / SECONDS,
            "in the busiest hour (a tenth of a day's) a second": messages / DAYS / 10 / 3600,
            "packs and notices a day": many * NOTICES / DAYS,
        }.items():
            said = table[what][place]
            digits = len(re.sub(r"\D", "", said.partition(" ")[0]).strip("0"))
            assert number(said) == pytest.approx(mine, rel=0.6 * 10 ** (1 - digits)), (what, said)


def test_what_an_account_bears() -> None:
    bears = QUOTA * DAYS / NOTICES
    more_than, accounts = 430_000, 66
    assert f"more than about {more_than:,} children" in PAGE
    assert more_than == pytest.approx(bears, rel=0.01)
    assert f"28,000,000 children are {accounts} accounts" in PAGE
    assert accounts - 1 < 28_000_000 / bears <= accounts


@pytest.mark.skipif(not CURVES.exists(), reason="./dev bench growth has not been kept yet")
def test_the_bytes_are_the_measured_ones() -> None:
    found = json.loads(Path(CURVES).read_text(encoding="utf-8"))["figures"].get("stored", ())
    measured = {row["table"]: row["bytes_a_row"] for row in found if row["families"] == 10_000}
    for names, _, size, _ in rows("A child's year")[:-1]:
        of = sorted(measured[name] for name in names.split(", ") if name in measured)
        if of:
            said = [int(each) for each in re.findall(r"\d+", size) if int(each) != WORDS]
            assert said == pytest.approx([of[0], of[-1]][: len(said)], rel=0.15), names
