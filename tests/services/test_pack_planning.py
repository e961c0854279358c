"""Planning on both engines: who is due what, who is not, and why."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import update

from app.clock import SHANGHAI
from app.db import Database
from app.models import Caregiver, Child, Family, MutedTopic, Notice, PackPush, PushPreference
from app.models.notice_facts import PackDue, load_facts
from app.services import losses
from app.services.audit import OPERATOR
from tests.pack_world import World, make_pack


@pytest.fixture
def world(database: Database) -> World:
    return World(database, datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI))


class TestWhatOpens:
    def test_a_pack_is_queued_on_the_day_its_window_opens(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130), make_pack("B", 101, 130)]
        home = world.home(world.born(100))

        world.plans()

        assert world.states(home) == {"A": ("queued", None)}
        (push,) = world.pushes(home)
        assert push.due_at == datetime(2026, 11, 22, 8, 0, tzinfo=SHANGHAI)
        assert push.closes_at == datetime(2026, 12, 22, 8, 0, tzinfo=SHANGHAI)
        (notice,) = world.notices()
        assert (notice.kind, notice.state, notice.due_at) == ("pack", "queued", world.now)
        assert notice.subject == f"pack:{push.id}"
        facts = load_facts(notice.facts)
        assert isinstance(facts, PackDue)
        assert facts.title == "标题A"

        world.plans(days=1)

        assert world.states(home) == {"A": ("queued", None), "B": ("queued", None)}

    def test_twice_in_one_day_nothing_is_doubled(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130)]
        world.home(world.born(100), relations=("mother", "grandmother"))

        for _ in range(3):
            world.plans()
            world.plans(minutes=30)

        assert len(world.pushes()) == 2
        assert len(world.notices()) == 2

    def test_each_caregiver_gets_what_is_meant_for_them(self, world: World) -> None:
        world.packs = [
            make_pack("A", 100, 130, audience="parents"),
            make_pack("G", 100, 130, audience="grandparents"),
            make_pack("T", 100, 130, audience="multiples"),
        ]
        home = world.home(world.born(100), relations=("mother", "grandfather", None))

        world.plans()

        mother, grandfather, unsaid = home.caregiver_ids
        assert {(push.pack_id, push.caregiver_id) for push in world.pushes()} == {
            ("A", mother),
            ("A", unsaid),
            ("G", grandfather),
        }

    def test_at_night_it_waits_for_the_morning(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130)]
        world.home(world.born(100))

        world.plans(hours=12)

        assert world.notices()[0].due_at == datetime(2026, 11, 23, 8, 0, tzinfo=SHANGHAI)

    def test_play_goes_by_the_corrected_age_and_feeding_does_not(self, world: World) -> None:
        world.packs = [
            make_pack("P", 44, 90, topic="早期学习"),
            make_pack("F", 100, 130, topic="膳食营养"),
        ]
        home = world.home(world.born(100), weeks=32)  # 56 days early: 44 corrected

        world.plans()

        assert set(world.states(home)) == {"P", "F"}

    def test_a_child_of_29_february_grows_like_any_other(self, world: World) -> None:
        born = date(2024, 2, 29)
        world.packs = [make_pack("A", (date(2026, 11, 22) - born).days, 1_200)]
        home = world.home(born)

        world.plans()

        assert world.states(home) == {"A": ("queued", None)}


class TestWhoComesLate:
    def test_gets_a_welcome_and_the_band_and_no_backlog(self, world: World) -> None:
        world.packs = [
            make_pack("OLD", 0, 400),
            make_pack("A", 280, 330),
            make_pack("B", 300, 330),
            make_pack("LATER", 320, 330),
        ]
        home = world.home(world.born(300), known=False)

        world.plans()

        assert set(world.states(home)) == {"A", "B"}
        assert {push.because for push in world.pushes()} == {"welcome"}

    def test_a_second_caregiver_gets_their_own_band(self, world: World) -> None:
        world.packs = [make_pack("A", 290, 330)]
        home = world.home(world.born(300), known=False)
        world.plans()
        with world.database.transaction() as db:
            db.add(
                Caregiver(
                    openid="o-late",
                    family_id=home.family_id,
                    relation="grandmother",
                    is_following=True,
                    created_at=world.now,
                )
            )

        world.plans(days=3)
        world.plans(minutes=30)

        assert len(world.pushes(home)) == 2
        assert len({push.caregiver_id for push in world.pushes(home)}) == 2

    def test_before_birth_nothing_is_planned_and_from_birth_on_it_is(self, world: World) -> None:
        world.packs = [make_pack("A", 0, 29)]
        home = world.home(None, known=False)
        world.plans()
        assert world.pushes(home) == []
        with world.database.transaction() as db:
            db.execute(update(Child).values(birth_date=world.born(1), due_date=None))

        world.plans(hours=1)

        assert world.states(home) == {"A": ("queued", None)}

    def test_a_new_pack_in_the_library_is_no_backlog_either(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 400)]
        home = world.home(world.born(300))

        world.plans()

        assert world.pushes(home) == []


class TestTheWeek:
    def test_has_at_most_three_packs_and_what_closes_first_goes_first(self, world: World) -> None:
        world.packs = [make_pack(f"P{n}", 100, 150 - n) for n in range(5)]
        home = world.home(world.born(100), relations=("mother", "grandmother"))

        world.plans()

        queued = {push.pack_id for push in world.pushes(home) if push.state == "queued"}
        assert queued == {"P4", "P3", "P2"}
        assert len(world.notices()) == 6
        held = [push for push in world.pushes(home) if push.state == "planned"]
        assert {push.reason for push in held} == {"weekly_cap"}

        for _ in range(6):
            world.plans(days=1)
        assert len(world.notices()) == 6

        world.plans(days=1)

        assert {push.state for push in world.pushes(home)} == {"queued"}
        assert len(world.notices()) == 10

    def test_what_cannot_be_held_until_its_window_closes_is_skipped(self, world: World) -> None:
        world.packs = [make_pack(f"P{n}", 100, 104) for n in range(4)]
        home = world.home(world.born(100))

        for _ in range(6):
            world.plans(days=1)

        ends = sorted(world.states(home).values())
        assert ends == [("queued", None)] * 3 + [("skipped", "window_closed")]

    def test_a_caregiver_may_want_fewer(self, world: World) -> None:
        world.packs = [make_pack(f"P{n}", 100, 150) for n in range(3)]
        home = world.home(world.born(100), relations=("mother", "father"))
        mother, father = home.caregiver_ids
        with world.database.transaction() as db:
            db.add(PushPreference(caregiver_id=father, per_week=1))

        world.plans()

        queued = [push.caregiver_id for push in world.pushes() if push.state == "queued"]
        assert (queued.count(mother), queued.count(father)) == (3, 1)


class TestChildren:
    def test_twins_share_one_message_and_both_are_credited(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130)]
        home = world.home(world.born(100), world.born(100))

        world.plans()

        first, second = world.pushes(home)
        assert first.lead_id == second.lead_id == min(first.id, second.id)
        assert (first.state, second.state) == ("queued", "queued")
        assert len(world.notices()) == 1

    def test_a_twin_registered_later_is_credited_with_what_was_sent(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130)]
        home = world.home(world.born(100))
        world.plans()
        with world.database.transaction() as db:
            db.execute(update(PackPush).values(state="sent", sent_at=world.now))
            db.execute(update(Notice).values(state="sent", sent_at=world.now))
            db.add(
                Child(
                    family_id=home.family_id,
                    nickname="弟弟",
                    birth_date=world.born(100),
                    created_at=world.now,
                    updated_at=world.now,
                )
            )

        world.plans(days=1)

        assert [(push.state, push.reason) for push in world.pushes(home)] == [
            ("sent", None),
            ("sent", "with_twin"),
        ]
        assert len(world.notices()) == 1

    def test_siblings_of_different_ages_get_their_own(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130), make_pack("B", 500, 530)]
        home = world.home(world.born(100), world.born(500))

        world.plans()

        assert len(world.notices()) == 2
        assert {push.child_id for push in world.pushes(home)} == set(home.child_ids)

    def test_a_moved_birth_date_plans_anew_and_never_sends_again(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130), make_pack("B", 110, 150)]
        home = world.home(world.born(100))
        world.plans()
        with world.database.transaction() as db:
            db.execute(update(PackPush).values(state="sent", sent_at=world.now))
            db.execute(update(Child).values(birth_date=world.born(50)))

        for _ in range(70):
            world.plans(days=1)

        assert len(world.notices()) == 2
        by_pack = {push.pack_id: push for push in world.pushes(home)}
        assert by_pack["A"].sent_at is not None
        assert by_pack["A"].state == "sent"
        # B opened when the child was 110 days old by the right date: 60 days on.
        assert by_pack["B"].due_at.date() == date(2026, 11, 22) + timedelta(days=60)

    def test_what_was_held_back_moves_along(self, world: World) -> None:
        world.packs = [make_pack(f"P{n}", 100, 150 - n) for n in range(4)]
        home = world.home(world.born(100))
        world.plans()
        with world.database.transaction() as db:
            db.execute(update(Child).values(birth_date=world.born(90)))

        world.plans(hours=1)

        held = [push for push in world.pushes(home) if push.state == "planned"]
        assert [push.due_at.date() for push in held] == [world.now.date() + timedelta(days=10)]

    def test_a_loss_ends_everything_that_was_planned(self, world: World) -> None:
        world.packs = [make_pack(f"P{n}", 100, 150) for n in range(5)]
        home = world.home(world.born(100))
        world.plans()
        with world.database.transaction() as db:
            family = db.get_one(Family, home.family_id)
            assert losses.stop_family(db, family, actor=OPERATOR, now=world.now)

        for _ in range(10):
            world.plans(days=1)

        assert set(world.states(home).values()) == {("skipped", "family_stopped")}
        assert {notice.state for notice in world.notices()} == {"skipped"}

    def test_of_twins_the_living_one_goes_on(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 150)]
        home = world.home(world.born(100), world.born(100))
        world.plans()
        with world.database.transaction() as db:
            lost = db.get_one(Child, home.child_ids[0])
            losses.mark_lost(db, lost, actor=OPERATOR, now=world.now)

        assert [(push.state, push.reason) for push in world.pushes(home)] == [
            ("skipped", "loss"),
            ("queued", None),
        ]
        assert world.notices()[0].state == "queued"


class TestWhyNot:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"pushes": "off"}, "opted_out"),
            ({"is_following": False}, "not_following"),
        ],
    )
    def test_the_caregiver(self, world: World, change: dict[str, object], reason: str) -> None:
        world.packs = [make_pack("A", 100, 130)]
        home = world.home(world.born(100))
        with world.database.transaction() as db:
            db.execute(update(Caregiver).values(**change))

        world.plans()

        assert world.states(home) == {"A": ("skipped", reason)}
        assert world.notices() == []

    def test_a_topic_that_was_not_chosen(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130)]
        home = world.home(world.born(100))
        with world.database.transaction() as db:
            db.add(MutedTopic(caregiver_id=home.caregiver_ids[0], topic="膳食营养"))

        world.plans()

        assert world.states(home) == {"A": ("skipped", "topic_muted")}

    def test_a_pack_past_its_review_date(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130, review_by=date(2026, 11, 21))]
        home = world.home(world.born(100))

        world.plans()

        assert world.states(home) == {"A": ("skipped", "pack_past_review")}

    def test_a_draft(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130, status="draft")]
        home = world.home(world.born(100))

        world.plans()

        assert world.states(home) == {"A": ("skipped", "pack_draft")}

    def test_a_short_pause_only_delays_and_a_long_one_skips(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130)]
        home = world.home(world.born(100))
        with world.database.transaction() as db:
            db.execute(update(Caregiver).values(pushes="paused"))
        world.plans()
        assert world.states(home) == {"A": ("planned", "paused")}

        world.plans(days=1)
        with world.database.transaction() as db:
            db.execute(update(Caregiver).values(pushes="on"))
        world.plans(hours=1)
        assert world.states(home) == {"A": ("queued", None)}

    def test_a_pause_may_have_an_end(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130)]
        home = world.home(world.born(100))
        with world.database.transaction() as db:
            db.execute(update(Caregiver).values(pushes="paused"))
            until = world.now.date() + timedelta(days=1)
            db.add(
                PushPreference(caregiver_id=home.caregiver_ids[0], per_week=3, paused_until=until)
            )
        world.plans()
        assert world.states(home) == {"A": ("planned", "paused")}

        world.plans(days=1)

        assert world.states(home) == {"A": ("queued", None)}

    def test_a_pause_that_goes_on_is_the_reason(self, world: World) -> None:
        world.packs = [make_pack("A", 100, 130)]
        home = world.home(world.born(100))
        with world.database.transaction() as db:
            db.execute(update(Caregiver).values(pushes="paused"))

        world.plans()
        world.plans(days=3)

        assert world.states(home) == {"A": ("skipped", "paused")}


class TestDownTime:
    @pytest.mark.parametrize(
        ("hours", "end"),
        [
            (2, {"A": ("queued", None), "B": ("queued", None)}),
            (45, {"A": ("queued", None), "B": ("queued", None)}),
            (
                168,
                {
                    "A": ("skipped", "too_late"),
                    "B": ("skipped", "window_closed"),
                    "C": ("queued", None),
                },
            ),
        ],
    )
    def test_what_is_still_useful_is_sent_and_the_rest_says_why(
        self, world: World, hours: int, end: dict[str, tuple[str, str | None]]
    ) -> None:
        world.packs = [make_pack("A", 100, 150), make_pack("B", 100, 104), make_pack("C", 106, 150)]
        home = world.home(world.born(99))
        world.plans()  # nothing opens today
        world.now = datetime(2026, 11, 23, 8, 0, tzinfo=SHANGHAI)

        world.plans(hours=hours)

        assert world.states(home) == end
        before = len(world.notices())
        world.plans(hours=1)
        assert len(world.notices()) == before


def test_what_was_called_back_because_of_a_date_goes_out_on_the_right_day(world: World) -> None:
    world.packs = [make_pack("A", 100, 130)]
    home = world.home(world.born(100))
    world.plans()
    with world.database.transaction() as db:  # as a deliverer finds it
        db.execute(update(Notice).values(state="skipped", reason="birth_date_changed"))
        db.execute(update(PackPush).values(state="skipped", reason="birth_date_changed"))
        db.execute(update(Child).values(birth_date=world.born(95)))

    world.plans(hours=1)
    assert world.states(home) == {"A": ("planned", None)}
    world.plans(days=5)

    assert world.states(home) == {"A": ("queued", None)}
    assert [notice.state for notice in world.notices()] == ["skipped", "queued"]
