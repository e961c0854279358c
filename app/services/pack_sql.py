"""The planner's statements: one for everybody at once, in PostgreSQL's words and in SQLite's.

The only difference between the two is how days are added to a date, and how a date becomes
the instant at which a window opens: 08:00 in Shanghai is 00:00 UTC of the same date.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Date, Integer, TextClause, bindparam, text

from app.db import Instant

_POSTGRESQL = {
    "opens_at": "((c.birth_date + w.opens)::timestamp AT TIME ZONE 'UTC')",
    "closes_at": "((c.birth_date + w.closes)::timestamp AT TIME ZONE 'UTC')",
    "born_then": "(d.day - w.opens)",
    "age_days": "(CAST(:today AS date) - c.birth_date)",
    "date": "date",
}
_SQLITE = {
    "opens_at": "(date(c.birth_date, w.opens || ' days') || ' 00:00:00.000000')",
    "closes_at": "(date(c.birth_date, w.closes || ' days') || ' 00:00:00.000000')",
    "born_then": "date(d.day, -w.opens || ' days')",
    "age_days": "CAST(julianday(:today) - julianday(c.birth_date) AS INTEGER)",
    "date": "TEXT",
}

_WEEKS = (
    "CASE WHEN k.is_corrected AND c.gestation_weeks BETWEEN 22 AND 36"
    " THEN c.gestation_weeks ELSE 40 END"
)
_IS_FOR = """(k.audience = 'everyone'
    OR (k.audience = 'grandparents' AND g.relation IN ('grandmother', 'grandfather'))
    OR (k.audience = 'parents'
        AND COALESCE(g.relation, '') NOT IN ('grandmother', 'grandfather'))
    OR (k.audience = 'preterm' AND c.gestation_weeks BETWEEN 22 AND 36)
    OR (k.audience = 'multiples' AND EXISTS (SELECT 1 FROM children t
        WHERE t.family_id = c.family_id AND t.id <> c.id AND t.birth_date = c.birth_date)))"""
_ROW = (
    "INSERT INTO pack_pushes (child_id, caregiver_id, family_id, pack_id, version, because,"
    " state, due_at, closes_at, planned_at, replans)"
)

OPENED = """
WITH days (day) AS (VALUES {days})
{row}
SELECT c.id, g.id, c.family_id, k.id, k.version, 'age', 'planned', {opens_at}, {closes_at}, :now, 0
FROM pack_catalogue k
JOIN pack_windows w ON w.pack_id = k.id
JOIN days d ON d.day > COALESCE(k.planned_until, :before)
JOIN children c ON c.birth_date = {born_then} AND w.weeks = {weeks}
JOIN caregivers g ON g.family_id = c.family_id
WHERE c.packs_from IS NOT NULL AND c.lost_at IS NULL AND g.packs_from IS NOT NULL
    AND g.openid IS NOT NULL AND {is_for}
ON CONFLICT DO NOTHING"""
"""Windows that opened since a pack was last planned, for those who were known before.

A day at a time: that a birth date *equals* a day less the window's opening is a join for which
every planner has a good way; a range of dates is not.
"""

_WHY = """CASE
        WHEN c.lost_at IS NOT NULL THEN 'loss'
        WHEN f.stopped_at IS NOT NULL THEN 'family_stopped'
        WHEN g.openid IS NULL OR NOT g.is_following THEN 'not_following'
        WHEN g.pushes = 'off' THEN 'opted_out'
        WHEN k.blocked_by IS NOT NULL THEN 'pack_' || k.blocked_by
        WHEN o.closes_at <= :now THEN 'window_closed'
        WHEN m.topic IS NOT NULL THEN 'topic_muted'
        WHEN o.due_at <= :late AND g.pushes = 'paused' THEN 'paused'
        WHEN o.due_at <= :late THEN 'too_late'
    END"""
"""Why a push that is due, o, is not sent; the gravest reason stands. None where it may be."""

_NOTICE = """INSERT INTO notices (caregiver_id, kind, subject, dedupe_key, facts, state, priority,
    queued_at, due_at, expires_at, attempts)
SELECT p.caregiver_id, 'pack', 'pack:' || p.id, 'pack:' || p.id || ':' || p.replans,
    k.facts, 'queued', :priority,
    :now, :send, p.closes_at, 0"""

OPENED_AT_ONCE = """
WITH days (day) AS (VALUES {days}),
newly AS MATERIALIZED (
    SELECT c.id, c.family_id, c.birth_date, c.gestation_weeks, c.lost_at, k.id AS pack_id,
        {opens_at} AS due_at, {closes_at} AS closes_at
    FROM pack_catalogue k
    JOIN pack_windows w ON w.pack_id = k.id
    JOIN days d ON d.day > COALESCE(k.planned_until, :before)
    JOIN children c ON c.birth_date + 0 = {born_then} AND w.weeks = {weeks}
    WHERE c.packs_from IS NOT NULL AND c.lost_at IS NULL
    ORDER BY c.family_id
), opened AS MATERIALIZED (
    SELECT c.id AS child_id, g.id AS caregiver_id, c.family_id, k.id AS pack_id, k.version,
        o.due_at, o.closes_at, o.due_at <= :now AS is_due, {why} AS why,
        g.pushes = 'on' AND r.caregiver_id IS NULL AS is_plain, {spent_by_c}) AS spent,
        EXISTS (SELECT FROM pack_pushes q WHERE q.family_id = c.family_id
            AND q.state = 'planned' AND q.due_at <= :now) AS is_busy
    FROM newly c CROSS JOIN LATERAL (SELECT c.due_at, c.closes_at) o
    JOIN pack_catalogue k ON k.id = c.pack_id
    JOIN caregivers g ON g.family_id = c.family_id
    JOIN families f ON f.id = c.family_id
    LEFT JOIN muted_topics m ON m.caregiver_id = g.id AND m.topic = k.topic
    LEFT JOIN push_preferences r ON r.caregiver_id = g.id
    WHERE g.packs_from IS NOT NULL AND g.openid IS NOT NULL AND {is_for}
), ranked AS (
    SELECT *, DENSE_RANK() OVER (PARTITION BY family_id ORDER BY pack_id) AS place FROM opened
), judged AS (
    SELECT *, is_due AND why IS NULL AND NOT is_busy
        AND BOOL_AND(is_due AND (is_plain OR why IS NOT NULL)) OVER family
        AND MIN(child_id) OVER family = MAX(child_id) OVER family
        AND MAX(place) OVER family <= :cap - spent AS goes
    FROM ranked
    WINDOW family AS (PARTITION BY family_id)
), written AS (
    INSERT INTO pack_pushes (id, child_id, caregiver_id, family_id, pack_id, version, because,
        state, reason, due_at, closes_at, planned_at, replans, queued_at, lead_id)
    SELECT id, child_id, caregiver_id, family_id, pack_id, version, 'age',
        CASE WHEN goes THEN 'queued' WHEN is_due AND why IS NOT NULL THEN 'skipped'
            ELSE 'planned' END,
        CASE WHEN is_due THEN why END, due_at, closes_at, :now, 0,
        CASE WHEN goes THEN CAST(:now AS timestamptz) END, CASE WHEN goes THEN id END
    FROM (SELECT nextval((SELECT pg_get_serial_sequence('pack_pushes', 'id')::regclass)) AS id, *
        FROM judged) p
    ON CONFLICT DO NOTHING
    RETURNING id, caregiver_id, pack_id, closes_at, replans, state
), said AS (
    {notice}
    FROM written p JOIN pack_catalogue k ON k.id = p.pack_id
    WHERE p.state = 'queued'
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT COUNT(*) FROM written), (SELECT COUNT(*) FROM said)"""
"""On PostgreSQL: what opened, written once, in the state that SKIP and CHOOSE would give it.

How many rows, and how many messages. Only what they could not decide otherwise is decided here:
one child of the family has something new, nothing older of theirs is due, nobody has wishes of
their own, and the week has room for all of it, so that no order matters. Whatever else opened is
left planned, for them. A row that is there already, because the chat wrote it in this very moment,
gets no message: those come from what was written.

Children are read once, from front to back (`+ 0` keeps the index out): something opens for one in
nine of them every day, and looking each window up costs five times as much. What follows goes by
family, so that look-ups and new rows of the indexes meet the pages of those before. What a family
had this week is counted before anything is sorted, for with the first row written the ledger is
not as long any more as it was when the statement was planned.
"""

BAND = """{row}
SELECT child_id, caregiver_id, family_id, pack_id, version, :because, 'planned', :due,
    closes_at, :now, 0
FROM (
    SELECT c.id AS child_id, g.id AS caregiver_id, c.family_id, k.id AS pack_id, k.version,
        {closes_at} AS closes_at, {age_days} - w.opens AS open_for,
        ROW_NUMBER() OVER (PARTITION BY c.id, g.id ORDER BY w.opens DESC, k.id) AS place
    FROM children c
    JOIN caregivers g ON g.family_id = c.family_id
    JOIN pack_catalogue k ON k.blocked_by IS NULL
    JOIN pack_windows w ON w.pack_id = k.id AND w.weeks = {weeks}
    WHERE {who} AND c.birth_date IS NOT NULL AND c.lost_at IS NULL AND g.openid IS NOT NULL
        AND {age_days} >= w.opens AND {age_days} < w.closes AND {is_for}
) opened
WHERE open_for <= :band OR place = 1
ON CONFLICT DO NOTHING"""
"""What a late joiner is given: what opened lately, or else what opened last."""

TWINS = """
UPDATE pack_pushes SET state = 'sent', reason = 'with_twin', sent_at = s.sent_at,
    queued_at = s.queued_at, lead_id = s.lead_id
FROM pack_pushes s JOIN children a ON a.id = s.child_id
    JOIN children b ON b.family_id = a.family_id AND b.birth_date = a.birth_date AND b.id <> a.id
WHERE pack_pushes.state = 'planned' AND pack_pushes.planned_at = :now
    AND pack_pushes.child_id = b.id AND b.id > :after AND b.id <= :upto
    AND s.caregiver_id = pack_pushes.caregiver_id
    AND s.pack_id = pack_pushes.pack_id AND s.state = 'sent' AND s.lead_id IS NOT NULL"""
"""A twin who was registered later is credited with what the caregiver was sent already."""

_DUE = """pack_pushes.state = 'planned' AND pack_pushes.due_at <= :now
    AND pack_pushes.family_id > :after AND pack_pushes.family_id <= :upto"""

SKIP = """
WITH objections AS (
    SELECT o.id, {why} AS why
    FROM pack_pushes o
    JOIN children c ON c.id = o.child_id
    JOIN families f ON f.id = o.family_id
    JOIN caregivers g ON g.id = o.caregiver_id
    JOIN pack_catalogue k ON k.id = o.pack_id
    LEFT JOIN muted_topics m ON m.caregiver_id = g.id AND m.topic = k.topic
    WHERE o.state = 'planned' AND o.due_at <= :now
        AND o.family_id > :after AND o.family_id <= :upto
)
UPDATE pack_pushes SET state = 'skipped', reason = objections.why
FROM objections WHERE objections.id = pack_pushes.id AND objections.why IS NOT NULL
    AND pack_pushes.state = 'planned'"""
"""What is not sent, and why."""

CHOOSE = """
WITH due AS (
    SELECT pack_pushes.id, pack_pushes.family_id, caregiver_id, pack_id,
        MIN(closes_at) OVER (PARTITION BY pack_pushes.family_id, pack_id) AS closes
    FROM pack_pushes JOIN caregivers g ON g.id = caregiver_id AND g.pushes = 'on'
    WHERE {due}
), ranked AS (
    SELECT id, family_id, caregiver_id, pack_id,
        DENSE_RANK() OVER (PARTITION BY family_id ORDER BY closes, pack_id) AS place
    FROM due
), fitting AS (
    SELECT id, family_id, caregiver_id, place,
        MIN(id) OVER (PARTITION BY caregiver_id, pack_id) AS lead_id,
        DENSE_RANK() OVER (PARTITION BY caregiver_id ORDER BY place) AS mine
    FROM ranked
), chosen AS (
    SELECT f.id, f.lead_id FROM fitting f
    LEFT JOIN push_preferences r ON r.caregiver_id = f.caregiver_id
    WHERE f.place <= :cap - {spent_by_f})
        AND (r.caregiver_id IS NULL
            OR f.mine <= r.per_week - {spent_by_f} AND s.caregiver_id = f.caregiver_id))
)
UPDATE pack_pushes SET state = 'queued', reason = NULL, queued_at = :now,
    lead_id = chosen.lead_id
FROM chosen WHERE chosen.id = pack_pushes.id AND pack_pushes.state = 'planned'"""
"""Who gets what now: at most three packs a week and family, what closes first in front."""

NOTICES = """
{notice}
FROM pack_pushes p JOIN pack_catalogue k ON k.id = p.pack_id
WHERE p.queued_at = :now AND p.family_id > :after AND p.family_id <= :upto
    AND p.lead_id = p.id AND p.state = 'queued'
ON CONFLICT (dedupe_key) DO NOTHING"""
"""One notice for each message: the lead row stands for its twin's, too."""

PUT_OFF = """
UPDATE pack_pushes SET
    reason = CASE WHEN g.pushes = 'on' THEN 'weekly_cap' ELSE 'paused' END,
    due_at = CASE WHEN g.pushes = 'on' THEN :tomorrow ELSE due_at END
FROM caregivers g WHERE g.id = pack_pushes.caregiver_id AND {due}"""
"""What is due and not chosen: a full week moves it on; a pause only names itself."""

NEXT_FAMILIES = """
SELECT MAX(family_id) FROM (
    SELECT DISTINCT family_id FROM pack_pushes
    WHERE state = 'planned' AND due_at <= :now AND family_id > :after
    ORDER BY family_id LIMIT :families) batch"""

_SPENT = """(SELECT COUNT(DISTINCT s.pack_id) FROM pack_pushes s
    WHERE s.family_id = {whose}.family_id AND s.queued_at > :week_ago
        AND s.state IN ('queued', 'waiting', 'sent', 'unknown')"""
"""Packs of the last week; left open, for a condition more. An index look-up a row: a join of
what was just written would be planned without any knowledge of its size."""

_COMMON = {
    "why": _WHY,
    "notice": _NOTICE,
    "spent_by_c": _SPENT.replace("{whose}", "c"),
    "spent_by_f": _SPENT.replace("{whose}", "f"),
    "row": _ROW,
    "due": _DUE,
    "weeks": _WEEKS,
    "is_for": _IS_FOR,
}

_TYPES = {
    "now": Instant,
    "late": Instant,
    "week_ago": Instant,
    "send": Instant,
    "due": Instant,
    "tomorrow": Instant,
    "today": Date,
    "before": Date,
    "after": Integer,
    "upto": Integer,
    "band": Integer,
    "cap": Integer,
    "priority": Integer,
    "families": Integer,
}


def days_named(count: int) -> tuple[str, list[str]]:
    """So many days as a list of VALUES, and the parameters' names."""
    names = [f"day_{number}" for number in range(count)]
    return ", ".join(f"(CAST(:{name} AS {{date}}))" for name in names), names


_NAMES = re.compile(r"(?<!:):([a-z_0-9]+)")

CHILDREN = "c.id > :after AND c.id <= :upto AND c.packs_from IS NULL"
CAREGIVERS = "g.id > :after AND g.id <= :upto AND g.packs_from IS NULL"
ONE_CHILD = "c.id > :after AND c.id <= :upto"
"""For whom a band is planned: new children, new caregivers, a child whose dates changed."""


@dataclass(frozen=True, slots=True)
class Dialected:
    """The statements in one engine's words."""

    is_postgresql: bool

    def __call__(self, statement: str, **parts: str) -> TextClause:
        words = _POSTGRESQL if self.is_postgresql else _SQLITE
        # What is common holds parts of the engine's own: it is put in first.
        for name, said in (*_COMMON.items(), *parts.items(), *words.items()):
            statement = statement.replace("{" + name + "}", said)
        said_names = set(_NAMES.findall(statement))
        typed: list[BindParameter[Any]] = [
            bindparam(name, type_=Date if name.startswith("day_") else _TYPES[name])
            for name in sorted(said_names)
            if name in _TYPES or name.startswith("day_")
        ]
        return text(statement).bindparams(*typed)
