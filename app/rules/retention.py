"""How long each kind of record is kept in words, and why; the numbers and dates stay.

Laid down for this service under 儿童个人信息网络保护规定 (a period has to be named) and article 19
of the PIPL (no longer than the purpose needs); the district's own order replaces them.
"""

from datetime import date, timedelta

NOTICE_WORDS = timedelta(days=365)
"""What was told to whom can be looked up for a year."""
DONE_TASKS = timedelta(days=365)
"""Tasks of staff, once done: a complaint may come back within a year."""
FILES = timedelta(days=30)
"""What an imported file would need to be taken back: a mistake shows within days."""
SERVICE_MONTHS = 36
YEARS_AFTER_SERVICE = 1
"""Through the end of the calendar year after the one in which the youngest child turned three:
the year's figures are published, and asked about, in the one that follows."""


def is_grown_out(youngest_born: date, today: date) -> bool:
    """Whether a family's data has done its service: born 2023-05-01, from 2028-01-01 on."""
    turned_three = youngest_born.year + SERVICE_MONTHS // 12
    return today.year > turned_three + YEARS_AFTER_SERVICE
