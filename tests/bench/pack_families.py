"""Families that are settled, for the benchmarks of packs: planned until yesterday."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database
from app.services import pack_catalogue
from content.packs import Pack

DATA_KEY = "YSBiZW5jaG1hcmsga2V5IG9mIDMyIGJ5dGVzIG9ubHk="
DAY = datetime(2026, 11, 25, 10, 0, tzinfo=SHANGHAI)
DAYS_OF_CHILDHOOD = 1_096


def settle(engine: Engine, children: int, packs: Sequence[Pack]) -> None:
    """Families of one child, three in ten with a second caregiver; planned until yesterday."""
    name = Cipher((DATA_KEY,)).encrypt("糖糖")
    with Database(engine).transaction() as db:
        pack_catalogue.sync(db, packs, DAY - timedelta(days=1))
        db.execute(
            text("UPDATE pack_catalogue SET planned_until = :day"),
            {"day": DAY.date() - timedelta(days=1)},
        )
        db.execute(
            text(
                "INSERT INTO families (id, township_id, created_at)"
                " SELECT n, 1 + n % 18, :at FROM generate_series(1, :many) n"
            ),
            {"at": DAY - timedelta(days=400), "many": children},
        )
        db.execute(
            text(
                "INSERT INTO children (id, family_id, nickname, birth_date, gestation_weeks,"
                " created_at, updated_at, packs_from, packs_born, packs_weeks)"
                " SELECT n, n, :name, b, w, :at, :at, :at, b, COALESCE(w, 40) FROM"
                " (SELECT n, CAST(:today AS date) - (CAST(n AS bigint) * 7919 % :days)::int AS b,"
                " CASE WHEN n % 14 = 0 THEN 28 + n % 9 END AS w"
                " FROM generate_series(1, :many) n) c"
            ),
            {
                "name": name,
                "today": DAY.date(),
                "days": DAYS_OF_CHILDHOOD,
                "at": DAY - timedelta(days=400),
                "many": children,
            },
        )
        for first, share in ((0, 10), (children, 3)):
            db.execute(
                text(
                    "INSERT INTO caregivers (id, openid, family_id, relation, is_following,"
                    " pushes, created_at, packs_from) SELECT :first + n, 'o-' || (:first + n), n,"
                    " CASE WHEN :first = 0 THEN 'mother' ELSE 'grandmother' END, true, 'on',"
                    " :at, :at FROM generate_series(1, :many) n WHERE n % 10 < :share"
                ),
                {
                    "first": first,
                    "share": share,
                    "at": DAY - timedelta(days=400),
                    "many": children,
                },
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))
