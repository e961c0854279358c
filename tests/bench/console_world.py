"""A district as large as the console's bar: 20,000 families, 1,500 sessions, a year of bookings.

PostgreSQL fills it by statements. What is encrypted is one token a word: decrypting costs the
same whosever it is. Nicknames are some dozens, and the index of the search has them all.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import LOOK_UP_LENGTH, Base
from app.models import Family, FamilyTerm, Staff, Station, Township
from app.models.notice_facts import SignUpConfirmed, dump_facts
from app.rules.search_terms import terms_of_name, terms_of_phone
from app.services.staff import HASHER

FAMILIES = 20_000
SESSIONS = 1_500
PAST = 1_200
"""Of the sessions; the others are still to come."""
PACKS = 60
"""A family and year: what docs/scale.md reckons with."""
VISITORS = 60
PASSWORD = "rice and congee"
ACCOUNTS = {
    "wang": "worker",
    "lead": "township",
    "district": "district",
    "auditor": "auditor",
    "editor": "editor",
    "v1": "visitor",
}
NAMES = [f"{first}{second}" for first in "糖豆米果安" for second in "糖豆宝果安乐朵"]

FILLED = (
    # Neither triggers nor foreign keys look at each row: nothing is kept that they could outdate.
    "SET LOCAL session_replication_role = replica",
    # Families: eight in ten in need, one in ten not, one in ten has not answered.
    "INSERT INTO families (id, township_id, station_id, need, need_answered_at, contact_name,"
    " phone, created_at)"
    " SELECT n, 1 + n % :places, 1 + n % :places,"
    " CASE WHEN n % 10 < 8 THEN true WHEN n % 10 = 8 THEN false END,"
    " CASE WHEN n % 10 < 9 THEN CAST(:at AS timestamptz) END, :contact, :phone,"
    " CAST(:at AS timestamptz) - (n % 500) * interval '1 day' FROM generate_series(1, :many) n",
    "INSERT INTO children (id, family_id, nickname, birth_date, created_at, updated_at)"
    " SELECT f.n, f.n, token, CAST(:today AS date) - (CAST(f.n AS bigint) * 7919 % 1090)::int,"
    " :at, :at FROM generate_series(1, :many) f(n) JOIN names ON names.n = f.n % :names",
    "INSERT INTO caregivers (id, openid, family_id, relation, is_following, pushes, created_at)"
    " SELECT n, 'o-' || n, n, CASE WHEN n % 3 = 0 THEN 'grandmother' ELSE 'mother' END,"
    " n % 20 <> 0, 'on', :at FROM generate_series(1, :many) n",
    "INSERT INTO family_terms (family_id, child_id, term)"
    " SELECT f.n, f.n, name_terms.term FROM generate_series(1, :many) f(n)"
    " JOIN name_terms ON name_terms.n = f.n % :names",
    "INSERT INTO home_contacts (family_id, address, phone, updated_at)"
    " SELECT n, :contact, :phone, :at FROM generate_series(1, :many, 4) n",
    # Sessions: four in five are over, of eight kinds of days and all stations.
    "INSERT INTO guidance_sessions (id, code, title, kind, level, station_id, starts_at, ends_at,"
    " places, places_taken, min_months, max_months, confirm_mode, opens_at, closes_at,"
    " cancel_until, waiting_list, state, topic, offer_hours, calendar_sequence, created_at,"
    " updated_at)"
    " SELECT n, 'S-' || n, '亲子阅读分享会', '亲子阅读分享会', 'station', 1 + n % :places, s,"
    " s + interval '90 minutes', 20, 16, 0, 35, CASE WHEN n % 2 = 0 THEN 'staff' ELSE 'auto' END,"
    " s - interval '30 days', s - interval '2 hours', s - interval '4 hours', 'first_come',"
    " CASE WHEN n <= :past THEN 'held' ELSE 'published' END, 'nutrition', 6, 0,"
    " s - interval '40 days', s - interval '40 days' FROM (SELECT n,"
    " CAST(:at AS timestamptz) + (n - :past) * interval '6 hours' AS s"
    " FROM generate_series(1, :sessions) n) t",
    # A year of bookings: seventeen a session, of families that live near it.
    "INSERT INTO sign_ups (id, session_id, child_id, family_id, caregiver_id, state,"
    " is_override, is_walk_in, requested_at, decided_at, decided_by)"
    " SELECT row_number() OVER (), s.id, f, f, f,"
    " CASE WHEN b = 17 THEN 'cancelled' WHEN s.id <= :past AND b > 14 THEN 'no_show'"
    " WHEN s.id <= :past THEN 'attended' WHEN b > 13 THEN 'requested' ELSE 'confirmed' END,"
    " false, false, s.opens_at, s.opens_at + interval '1 day', 1"
    " FROM guidance_sessions s CROSS JOIN generate_series(1, 17) b CROSS JOIN LATERAL"
    " (SELECT 1 + (s.id * 17 + b) * 18 % :many + s.id % :places AS f) fam WHERE f <= :many",
    "UPDATE guidance_sessions SET places_taken = (SELECT count(*) FROM sign_ups WHERE"
    " session_id = guidance_sessions.id AND state IN ('requested', 'confirmed', 'attended'))",
    # Three notices a booking; one in two hundred went astray.
    "INSERT INTO notices (caregiver_id, kind, subject, dedupe_key, facts, text, state, reason,"
    " channel, priority, queued_at, due_at, attempts, sent_at)"
    " SELECT caregiver_id, 'sign_up_confirmed', 'sign_up:' || s.id, s.id || ':' || k, :facts,"
    " CASE WHEN s.id % 200 <> 0 THEN :words END,"
    " CASE WHEN s.id % 200 = 0 THEN 'failed' ELSE 'sent' END,"
    " CASE WHEN s.id % 200 = 0 THEN 'refused' END, 'template', 10, requested_at, requested_at, 1,"
    " CASE WHEN s.id % 200 <> 0 THEN requested_at END"
    " FROM sign_ups s CROSS JOIN generate_series(1, 3) k",
    "INSERT INTO follow_ups (kind, caregiver_id, station_id, detail, created_at, done_at, done_by)"
    " SELECT CASE WHEN n % 9 = 0 THEN 'emergency' ELSE 'human' END, n, 1 + n % :places, :words,"
    " CAST(:at AS timestamptz) - n * interval '1 hour',"
    " CASE WHEN n > 90 THEN CAST(:at AS timestamptz) END, CASE WHEN n > 90 THEN 1 END"
    " FROM generate_series(1, 4000) n",
    # Sixty packs a family in the year before today, in the order in which they went out, each pack
    # to somebody on most days: one in three families opens hers, one in twenty-one says whether it
    # was useful, one in forty of the packs was kept back.
    "INSERT INTO pack_pushes (child_id, caregiver_id, family_id, pack_id, version, because, state,"
    " reason, due_at, closes_at, planned_at, replans, sent_at, opened_at, rating)"
    " SELECT f, f, f, p.id, p.version, 'age', CASE WHEN kept THEN 'skipped' ELSE 'sent' END,"
    " CASE WHEN kept THEN 'weekly_limit' END, day, day, day, 0, CASE WHEN NOT kept THEN day END,"
    " CASE WHEN NOT kept AND f % 3 = 0 THEN day END,"
    " CASE WHEN NOT kept AND f % 21 = 0 THEN 1 - f % 2 * 2 END"
    " FROM (SELECT f, (n + f / 6) % :packs AS n, (f + n) % 40 = 0 AS kept,"
    " CAST(:at AS timestamptz) - interval '1 hour'"
    " - (364 - n * 6 - f % 6) * interval '1 day' AS day"
    " FROM generate_series(0, :packs - 1) n CROSS JOIN generate_series(1, :many) f) t"
    " JOIN (SELECT id, version, row_number() OVER (ORDER BY id) - 1 AS n FROM pack_catalogue) p"
    " USING (n) ORDER BY day",
    # Visits: made in the last months, and four a day of the coming week for each visitor.
    "INSERT INTO visitors (id, code, name, phone, station_id, weekdays, starts, ends,"
    " visit_minutes, buffer_minutes, is_active, created_at, updated_at)"
    " SELECT n, 'V' || n, :contact, :phone, 1 + n % :places, '1 2 3 4 5', '08:00', '17:00', 60,"
    " 30, true, :at, :at FROM generate_series(1, :visitors) n",
    "INSERT INTO visitor_townships (visitor_id, township_id)"
    " SELECT v, 1 + (v + t) % :places FROM generate_series(1, :visitors) v"
    " CROSS JOIN generate_series(0, 3) t",
    "INSERT INTO home_visits (id, family_id, child_id, caregiver_id, kind, purpose, state,"
    " visitor_id, starts_at, ends_at, busy_until, code_word, moves, requested_at, decided_at,"
    " decided_by, completed_at)"
    " SELECT n, n, n, n, 'guidance', 'newborn',"
    " CASE WHEN s < :at THEN 'completed' WHEN n % 9 = 0 THEN 'requested' ELSE 'confirmed' END,"
    " 1 + n % :visitors, s, s + interval '60 minutes', s + interval '90 minutes', 5, 0, :at, :at,"
    " 1, CASE WHEN s < :at THEN s END FROM (SELECT n, CAST(:monday AS timestamptz)"
    " + ((n / :visitors) / 4 - 60) * interval '1 day'"
    " + ((n / :visitors) % 4) * interval '90 minutes' AS s"
    " FROM generate_series(1, 4 * :visitors * 65) n) t WHERE n < :many",
    "INSERT INTO visit_dues (child_id, family_id, purpose, number, is_high_risk, opens_on, due_on,"
    " owed_until, tried, created_at, visit_id, closed_at, closed_as)"
    " SELECT n, n, 'newborn', 1, n % 12 = 0, CAST(:today AS date) - n % 60,"
    " CAST(:today AS date) - n % 60 + 28, CAST(:today AS date) + 30, n % 3, :at,"
    " CASE WHEN v.state = 'completed' THEN v.id END,"
    " CASE WHEN v.state = 'completed' THEN CAST(:at AS timestamptz) END,"
    " CASE WHEN v.state = 'completed' THEN 'visited' END"
    " FROM generate_series(1, :many) n LEFT JOIN home_visits v ON v.family_id = n",
    "INSERT INTO learners (id, family_id, caregiver_id, relation, enrolled_at, module,"
    " lessons_passed, moved_at, nudges, completed_at, open_answers)"
    " SELECT n, n, n, CASE WHEN n % 3 = 0 THEN 'grandmother' ELSE 'mother' END, :at, 1 + n % 7,"
    " 0, CAST(:at AS timestamptz) - (n % 60) * interval '1 day', 0,"
    " CASE WHEN n % 11 = 0 THEN CAST(:at AS timestamptz) END, ''"
    " FROM generate_series(1, 4000) n",
    "INSERT INTO module_passes (learner_id, module, passed_at)"
    " SELECT n, m, :at FROM generate_series(1, 4000) n CROSS JOIN generate_series(1, 6) m"
    " WHERE m <= n % 7",
    # A year of looking: every page that showed families is in the log, with which ones.
    "INSERT INTO audit_log (id, at, actor_type, actor_id, action, subject_type, subject_id)"
    " SELECT n, CAST(:at AS timestamptz) - n * interval '4 minutes', 'staff', 1, 'view',"
    " CASE WHEN n % 2 = 0 THEN 'family' ELSE 'pending' END,"
    " CASE WHEN n % 2 = 0 THEN 1 + n % :many END FROM generate_series(1, 120000) n",
    "INSERT INTO audited_families (entry_id, family_id)"
    " SELECT n, 1 + (n * 7 + k) % :many FROM generate_series(1, 120000, 2) n"
    " CROSS JOIN generate_series(1, 8) k ON CONFLICT DO NOTHING",
)
NUMBERED = (
    *("families", "children", "caregivers", "guidance_sessions", "sign_ups", "visitors"),
    *("home_visits", "learners", "audit_log", "stations"),
)


def settle(db: Session, cipher: Cipher, at: datetime) -> None:
    """Fill an empty, migrated PostgreSQL database; the packs' catalogue is there already."""
    townships = db.scalars(select(Township).order_by(Township.id)).all()
    for number, township in enumerate(townships, 1):
        db.add(
            Station(
                id=number,
                code=f"ST{number}",
                name=f"{township.name}早教指导站",
                kind="guidance_station",
                township=township,
                address="示范路1号",
                phone="021-55550100",
                is_active=True,
            )
        )
    db.flush()
    hashed = HASHER.hash(PASSWORD)
    # The second township: families, stations and townships are numbered alike.
    for username, role in ACCOUNTS.items():
        db.add(
            Staff(
                username=username,
                password_hash=hashed,
                role=role,
                station_id=2 if role in ("worker", "visitor") else None,
                township_id=townships[1].id if role == "township" else None,
                is_active=True,
                failed_logins=0,
                login_epoch=0,
                created_at=at,
            )
        )
    db.flush()
    _spell(db, cipher)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    facts = SignUpConfirmed(
        nickname="糖糖",
        code="S-1",
        title="亲子阅读分享会",
        starts_at=at + timedelta(days=3),
        place="城桥镇早教指导站",
        address="示范路1号",
        phone="021-55550100",
    )
    given = {
        "at": at,
        "today": at.date(),
        "monday": midnight - timedelta(days=at.weekday()) + timedelta(hours=8),
        "places": len(townships),
        "many": FAMILIES,
        "names": len(NAMES),
        "past": PAST,
        "sessions": SESSIONS,
        "visitors": VISITORS,
        "packs": PACKS,
        "contact": cipher.encrypt("王阿姨"),
        "phone": cipher.encrypt("13800001234"),
        "facts": cipher.encrypt(dump_facts(facts)),
        "words": cipher.encrypt("已确认：糖糖，亲子阅读分享会，12月6日（周日）上午9:00。"),
    }
    for statement in FILLED:
        wanted = text(statement)
        db.execute(wanted, {name: given[name] for name in wanted.compile().params})
    _terms_of_one_telephone(db)
    for table in NUMBERED:
        last = db.scalar(select(func.max(Base.metadata.tables[table].c.id)))
        db.execute(select(func.setval(func.pg_get_serial_sequence(table, "id"), last)))


def _spell(db: Session, cipher: Cipher) -> None:
    """The nicknames, sealed, and their terms, hashed, to be joined to the families."""
    db.execute(text("CREATE TEMP TABLE names (n int PRIMARY KEY, token text)"))
    db.execute(text("CREATE TEMP TABLE name_terms (n int, term text)"))
    db.execute(
        text("INSERT INTO names VALUES (:n, :token)"),
        [{"n": n, "token": cipher.encrypt(name)} for n, name in enumerate(NAMES)],
    )
    db.execute(
        text("INSERT INTO name_terms VALUES (:n, :term)"),
        [
            {"n": n, "term": cipher.look_up(term)[:LOOK_UP_LENGTH]}
            for n, name in enumerate(NAMES)
            for term in terms_of_name(name)
        ],
    )


def _terms_of_one_telephone(db: Session) -> None:
    """One family in a hundred has a telephone to be found by."""
    ids = db.scalars(select(Family.id).where(Family.id % 100 == 0)).all()
    db.execute(
        insert(FamilyTerm),
        [
            {"family_id": each, "child_id": None, "term": term}
            for each in ids
            for term in terms_of_phone("13800001234")
        ],
    )
