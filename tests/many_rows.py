"""A district's years by statements: many rows in seconds, for what has to be seen at size."""

from datetime import UTC, datetime, timedelta

from app.crypto import Cipher
from app.db import Database

# Every family has two sign-ups, one of them attended; twenty notices are due.
ROWS = (
    """INSERT INTO stations (code, name, kind, township_id, address, phone, is_active)
       VALUES ('ST', '指导站', 'guidance_station', 1, '', '', {true})""",
    """INSERT INTO guidance_sessions (code, title, kind, level, station_id, starts_at, ends_at,
         places, places_taken, min_months, max_months, confirm_mode, opens_at, closes_at,
         cancel_until, waiting_list, state, offer_hours, calendar_sequence, created_at, updated_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {sessions})
       SELECT 'S-' || i, '活动', '站点指导活动', 'station', 1, {day_i}, {end_i}, 1000, 60, 0, 36,
         'auto', {long_ago}, {day_i}, {day_i}, 'no', 'published', 6, 0, {long_ago}, {long_ago}
       FROM n""",
    """INSERT INTO families (id, township_id, station_id, need, created_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {families})
       SELECT i, 1 + i - i / 18 * 18, 1, {true}, {long_ago} FROM n""",
    """INSERT INTO caregivers (id, openid, family_id, is_following, pushes, created_at)
       SELECT id, 'o-' || id, id, {true}, 'on', {long_ago} FROM families""",
    """INSERT INTO children (id, family_id, nickname, birth_date, created_at, updated_at)
       SELECT id, id, '{name}', {born}, {long_ago}, {long_ago} FROM families""",
    """INSERT INTO consents (caregiver_id, child_id, purpose, version, given_at, evidence)
       SELECT id, id, 'registration', '1', {long_ago}, '{name}' FROM families""",
    """INSERT INTO family_terms (family_id, child_id, term)
       SELECT id, id, 'term-' || id FROM families""",
    """INSERT INTO sign_ups (session_id, child_id, family_id, caregiver_id, state, is_override,
         is_walk_in, requested_at)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1)
       SELECT 1 + families.id - families.id / {half} * {half} + i * {half}, families.id,
         families.id, families.id, CASE i WHEN 0 THEN 'attended' ELSE 'confirmed' END, {false},
         {false}, {long_ago} FROM families CROSS JOIN n""",
    """INSERT INTO notices (caregiver_id, kind, subject, dedupe_key, facts, state, priority,
         queued_at, due_at, attempts)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1)
       SELECT id, 'late_reply', 'turn:' || id, 'k:' || id || ':' || i, '{facts}',
         CASE WHEN id <= 20 AND i = 0 THEN 'queued' ELSE 'sent' END, 0, {long_ago}, {long_ago}, 0
       FROM families CROSS JOIN n""",
    """INSERT INTO inbox (key, openid, kind, "window", received_at)
       SELECT 'key-' || id, 'o-' || id, 'text', 'write', {long_ago} FROM families""",
    """INSERT INTO audit_log (at, actor_type, actor_id, action, subject_type, subject_id)
       SELECT {long_ago}, 'caregiver', family_id, 'sign_up', 'sign_up', id FROM sign_ups""",
    """INSERT INTO pack_pushes (child_id, caregiver_id, family_id, pack_id, version, because, state,
         due_at, closes_at, planned_at, replans, sent_at)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1)
       SELECT id, id, id, 'pack-' || i, 1, 'window', 'sent', {long_ago}, {long_ago}, {long_ago}, 0,
         {lately}
       FROM families CROSS JOIN n""",
)


UNWATCHED = "SET LOCAL session_replication_role = replica"
"""PostgreSQL looks at no row for its references and its triggers: a third of the time."""


def settle(
    database: Database,
    cipher: Cipher,
    now: datetime,
    *,
    families: int,
    sessions: int,
    is_watched: bool = True,
) -> None:
    """On a migrated, empty database: families 1 … n with one child each, and their sessions.

    The first half of the sessions is over, the other comes, one a day or, where there are more
    than 600, several. Unwatched, PostgreSQL is quicker, and what reports add up has to be counted
    anew afterwards (coverage_kept, pack_totals).
    """
    is_postgresql = database.engine.dialect.name == "postgresql"

    def moment(at: datetime) -> str:
        stamp = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        return f"timestamptz '{stamp}+00'" if is_postgresql else f"'{stamp}.000000'"

    minutes = 1440 * 600 // sessions

    def at_place(at: datetime) -> str:
        if is_postgresql:
            return f"{moment(at)} + i * interval '{minutes} minutes'"
        step = f"'+' || (i * {minutes}) || ' minutes'"
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', {moment(at)}, {step})"

    first = now - timedelta(minutes=minutes * (sessions // 2) + 120)
    values = {
        "families": families,
        "sessions": sessions,
        "half": sessions // 2,
        "true": "true" if is_postgresql else "1",
        "false": "false" if is_postgresql else "0",
        "long_ago": moment(now - timedelta(days=400)),
        "lately": moment(max(now - timedelta(days=20), now.replace(month=1, day=1))),
        "day_i": at_place(first),
        "end_i": at_place(first + timedelta(hours=1)),
        "born": f"date '{now.year}-02-03'" if is_postgresql else f"'{now.year}-02-03'",
        "name": cipher.encrypt("糖糖"),
        "facts": cipher.encrypt('{"kind": "late_reply", "text": "好"}'),
    }
    with database.engine.begin() as connection:
        if is_postgresql and not is_watched:
            connection.exec_driver_sql(UNWATCHED)
        for statement in ROWS:
            connection.exec_driver_sql(statement.format(**values))
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
