"""`coverage` and `simulate` as scripts use them: the published shapes."""

import pytest
from sqlalchemy import select

from app.clock import now
from app.models import Caregiver, Child, Family, Township
from app.rules.townships import TOWNSHIPS
from app.wiring import Services
from tests.cli.running import Run

ROW = {
    "families_in_need",
    "attended_histogram",
    "share_reaching_6",
    "share_reaching_12",
    "newborns_in_need",
    "newborns_visited",
    "online_delivered",
    "online_opened",
    "course_enrolled",
    "course_completed",
}


@pytest.fixture
def in_need(services: Services) -> None:
    """One family of 堡镇 that asked for guidance and has no station."""
    at = now()
    with services.database.transaction() as db:
        township = db.scalars(select(Township).where(Township.name == "堡镇")).one()
        family = Family(township_id=township.id, need=True, created_at=at)
        db.add(family)
        db.flush()
        db.add(Caregiver(openid="o-1", family_id=family.id, is_following=True, created_at=at))
        db.add(
            Child(
                family_id=family.id,
                nickname="糖糖",
                birth_date=at.date(),
                created_at=at,
                updated_at=at,
            )
        )


@pytest.mark.usefixtures("in_need")
def test_the_report_has_the_published_shape(run: Run) -> None:
    year = now().year
    found = run("coverage", "--year", str(year)).json

    assert found["year"] == year
    assert found["as_of"].endswith("+08:00")
    assert found["definitions_version"] == "2026-11"
    assert [row["township"] for row in found["townships"]] == list(TOWNSHIPS)
    for row in [found["total"], *found["townships"], *found["stations"]]:
        assert row.keys() >= ROW
        assert list(row["attended_histogram"]) == ["0", "1", "2", "3", "4", "5", "6+", "12+"]
    baozhen = found["townships"][TOWNSHIPS.index("堡镇")]
    assert baozhen["attended_histogram"]["0"] == found["total"]["families_in_need"] == 1
    assert baozhen["forecast"].keys() == {
        "sessions_owed", "families_short", "seats_left", "warns",
    }  # fmt: skip
    assert found["stations"][-1]["station"] is None


@pytest.mark.usefixtures("in_need")
def test_people_read_the_report_as_a_table(run: Run) -> None:
    done = run("coverage", as_json=False)

    assert "堡镇  1  0  0.0%  0.0%  6  0" in done.out


@pytest.mark.parametrize("year", ["26", "soon", "20260"])
def test_a_year_that_is_none_is_refused(run: Run, year: str) -> None:
    done = run("coverage", "--year", year)

    assert done.code == 2
    assert done.error == "bad_parameter"


def test_a_simulation_has_the_published_shape_and_leaves_the_database_alone(
    run: Run, services: Services
) -> None:
    done = run(
        "simulate", "--families", "12", "--months", "2", "--seats-per-family", "2", "--seed", "4"
    )

    assert done.json["families_in_need"] == 12
    for arm in ("year_plan", "first_come"):
        outcome = done.json[arm]
        assert outcome.keys() >= {"share_reaching_6", "share_reaching_12"}
        assert 0 < outcome["seats_used"] <= outcome["seats_offered"] == 24
    assert done.json["seed"] == 4
    assert "year plan: 2027-01 played" in done.err
    with services.database.reading() as db:
        assert db.scalars(select(Family)).all() == []


@pytest.mark.parametrize(
    "arguments", [("--families", "0"), ("--months", "13"), ("--seats-per-family", "none")]
)
def test_a_simulation_of_nothing_sensible_is_refused(run: Run, arguments: tuple[str, str]) -> None:
    done = run("simulate", *arguments)

    assert done.code == 2
    assert done.error == "bad_parameter"
