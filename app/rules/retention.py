"""How long each kind of record is kept in words, and why; the numbers and dates stay.

Laid down for this service under 儿童个人信息网络保护规定 (a period has to be named) and article 19
of the PIPL (no longer than the purpose needs); the district's own order replaces them.
"""

from dataclasses import dataclass
from datetime import date, timedelta

NOTICE_WORDS = timedelta(days=365)
"""What was told to whom can be looked up for a year."""
DONE_TASKS = timedelta(days=365)
"""Tasks of staff, once done: a complaint may come back within a year."""
SERVICE_MONTHS = 36
YEARS_AFTER_SERVICE = 1
"""Through the end of the calendar year after the one in which the youngest child turned three:
the year's figures are published, and asked about, in the one that follows."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of record, for the documents."""

    what: str
    how_long: str
    then: str


def is_grown_out(youngest_born: date, today: date) -> bool:
    """Whether a family's data has done its service: born 2023-05-01, from 2028-01-01 on."""
    turned_three = youngest_born.year + SERVICE_MONTHS // 12
    return today.year > turned_three + YEARS_AFTER_SERVICE


KEPT = (
    Kept("callbacks of the platform, with their replies", "3 days", "deleted"),
    Kept("invitations", "until used, or 3 days", "deleted"),
    Kept("dialogues under way (Redis)", "a day", "expire by themselves"),
    Kept(
        "words of notices",
        f"{NOTICE_WORDS.days} days",
        "emptied; kind, state, reason and times stay",
    ),
    Kept("done tasks of staff", f"{DONE_TASKS.days} days", "deleted"),
    Kept("conversations with a person, once ended", f"{DONE_TASKS.days} days", "deleted"),
    Kept(
        "a family's personal data",
        "to the end of the year after the one in which its youngest child turned three",
        "names, dates, telephones, addresses and words emptied, identities unlinked; attendance,"
        " visits and townships stay as numbers",
    ),
    Kept("consents, with the evidence", "as long as the figures they stand behind", "stay"),
    Kept("the audit log", "as long as the service", "stays; it holds ids, not names"),
)
