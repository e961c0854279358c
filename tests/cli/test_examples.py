"""What staff have reviewed goes into the files of examples, once; a family's talk is shown."""

from datetime import timedelta
from pathlib import Path

from app.clock import now
from app.services import threads, unread
from app.services.staff import scope_of
from app.wiring import Services
from content.examples import LABELS, load_examples
from tests.cli.running import Run
from tests.console.desk_world import make_child, make_staff, mother_of


def test_reviewed_messages_go_into_the_examples_once(
    run: Run, services: Services, tmp_path: Path
) -> None:
    for label in LABELS:
        (tmp_path / f"{label}.tsv").write_text(f"{label}\n", encoding="utf-8")
    at = now()
    with services.database.transaction() as db:
        mother = mother_of(db, make_child(db, "糖糖", at))
        editor = scope_of(make_staff(db, "editor", at, role="editor"))
        district = scope_of(make_staff(db, "district", at, role="district"))
        for text in ("糖糖下雨天还办伐", "糖糖下雨天还办伐", "没人看过"):
            one = unread.keep(db, caregiver=mother, text=text, kind="unread", likeliest=(), now=at)
            if text != "没人看过":
                unread.put_label(db, editor, [one], "list_sessions", at)
                assert unread.review(db, district, one, accepted=True, now=at)

    taken = run("examples", "take", "--folder", str(tmp_path)).json
    assert (taken["added"], taken["known"]) == (1, 1)
    assert [one.text for one in load_examples(tmp_path) if one.label == "list_sessions"] == [
        "list_sessions",
        "糖糖下雨天还办伐",
    ]
    again = run("examples", "take", "--folder", str(tmp_path)).json
    assert (again["added"], again["known"]) == (0, 0)


def test_a_familys_talk_with_a_person_is_shown_without_its_words(
    run: Run, services: Services
) -> None:
    at = now()
    with services.database.transaction() as db:
        mother = mother_of(db, make_child(db, "糖糖", at))
        threads.open_thread(
            db, caregiver=mother, kind="complaint", text="白跑一趟", now=at - timedelta(days=1)
        )
        openid = mother.openid or ""
    (row,) = run("family", "show", openid).json["threads"]
    assert (row["kind"], row["state"], row["openid"]) == ("complaint", "waiting", openid)
    assert "白跑一趟" not in str(row)
