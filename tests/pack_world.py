"""Families, a few packs, and days that pass: the world of the planner's tests."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count

from sqlalchemy import select

from app.db import Database
from app.models import Caregiver, Child, Family, Notice, PackPush, Township
from content.packs import Pack
from scheduler.queue_packs import plan_day

_numbers = count(1)


def make_pack(
    pack_id: str,
    from_days: int,
    until_days: int,
    *,
    topic: str = "膳食营养",
    audience: str = "everyone",
    status: str = "active",
    review_by: date = date(2030, 1, 1),
    version: int = 1,
) -> Pack:
    """A pack as its file would say."""
    return Pack(
        id=pack_id,
        title=f"标题{pack_id}",
        topic=topic,
        audience=audience,
        from_days=from_days,
        until_days=until_days,
        message=f"{pack_id}的话。",
        sources=("出处",),
        version=version,
        reviewed_by="编写组",
        review_by=review_by,
        status=status,
        body="正文",
        file=f"content/packs/{pack_id}.md",
    )


@dataclass
class Home:
    """One family, by ids."""

    family_id: int
    child_ids: list[int]
    caregiver_ids: list[int]


@dataclass
class World:
    """A database, its packs, and what became of them."""

    database: Database
    now: datetime
    packs: list[Pack] = field(default_factory=list)

    def home(
        self,
        *births: date | None,
        relations: tuple[str | None, ...] = ("mother",),
        weeks: int | None = None,
        known: bool = True,
    ) -> Home:
        """A family with children of these birth dates. `known`: from long before their packs."""
        number = next(_numbers)
        long_ago = self.now - timedelta(days=2_000)
        with self.database.transaction() as db:
            township = db.execute(select(Township).where(Township.name == "城桥镇")).scalar_one()
            family = Family(township_id=township.id, created_at=self.now)
            children = [
                Child(
                    family=family,
                    nickname=f"宝{index}",
                    birth_date=born,
                    due_date=None if born else self.now.date(),
                    gestation_weeks=weeks,
                    packs_from=long_ago if known and born else None,
                    packs_born=born if known else None,
                    packs_weeks=(weeks or 40) if known else None,
                    created_at=self.now,
                    updated_at=self.now,
                )
                for index, born in enumerate(births)
            ]
            caregivers = [
                Caregiver(
                    openid=f"o-{number}-{index}",
                    family=family,
                    relation=relation,
                    is_following=True,
                    packs_from=long_ago if known else None,
                    created_at=self.now,
                )
                for index, relation in enumerate(relations)
            ]
            db.add_all([*children, *caregivers])
            db.flush()
            return Home(family.id, [c.id for c in children], [g.id for g in caregivers])

    def plans(self, **later: float) -> str:
        """The job, now or so much later; the clock moves."""
        self.now += timedelta(**later)
        return plan_day(self.database, self.packs, self.now)

    def pushes(self, home: Home | None = None) -> list[PackPush]:
        with self.database.reading() as db:
            statement = select(PackPush).order_by(
                PackPush.pack_id, PackPush.child_id, PackPush.caregiver_id
            )
            if home is not None:
                statement = statement.where(PackPush.family_id == home.family_id)
            return list(db.scalars(statement))

    def states(self, home: Home | None = None) -> dict[str, tuple[str, str | None]]:
        """State and reason by pack, where each pack has one row."""
        return {push.pack_id: (push.state, push.reason) for push in self.pushes(home)}

    def notices(self) -> list[Notice]:
        with self.database.reading() as db:
            return list(db.scalars(select(Notice).order_by(Notice.id)))

    def born(self, days: int) -> date:
        """The birth date of who is so many days old now."""
        return self.now.date() - timedelta(days=days)
