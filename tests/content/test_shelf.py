import os
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from content.front_matter import ContentBroken
from content.shelf import Shelf
from devtools.environment import ROOT
from tests.content.writing import write_pack


def test_a_changed_file_is_served_without_a_restart(tmp_path: Path) -> None:
    write_pack(tmp_path)
    shelf = Shelf(tmp_path, look_again_seconds=0)
    before = shelf.library
    assert shelf.library is before
    write_pack(tmp_path, swap=("抱一抱，说说话", "抱一抱，唱一唱"))
    assert shelf.library.packs["T-01"].title == "抱一抱，唱一唱"


def test_broken_content_leaves_the_last_good_library_serving(tmp_path: Path) -> None:
    write_pack(tmp_path)
    shelf = Shelf(tmp_path, look_again_seconds=0)
    good = shelf.library
    write_pack(tmp_path, swap=("topic: 早期学习", "topic: 钓鱼"))
    with capture_logs() as logs:
        assert shelf.library is good
        assert shelf.library is good
    assert [fault.line for fault in shelf.faults] == [4]
    assert [line["event"] for line in logs] == ["content_refused"]
    write_pack(tmp_path, swap=("抱一抱，说说话", "抱一抱，唱一唱"))
    assert shelf.library.packs["T-01"].title == "抱一抱，唱一唱"
    assert shelf.faults == ()


def test_a_vanished_folder_leaves_the_last_good_library_serving(tmp_path: Path) -> None:
    path = write_pack(tmp_path)
    shelf = Shelf(tmp_path, look_again_seconds=0)
    good = shelf.library
    path.unlink()
    path.parent.rmdir()
    assert shelf.library is good
    assert shelf.faults


def test_content_that_was_never_good_is_refused(tmp_path: Path) -> None:
    write_pack(tmp_path, swap=("topic: 早期学习", "topic: 钓鱼"))
    with pytest.raises(ContentBroken, match=r"content/packs/T-01\.md:4: topic："):
        _ = Shelf(tmp_path).library


def test_a_start_with_broken_content_ends_with_file_line_and_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pack(tmp_path, swap=("topic: 早期学习", "topic: 钓鱼"))
    program = (
        "from pathlib import Path; from content.shelf import Shelf; from app.wiring import *; "
        f"shelf = Shelf(Path({str(tmp_path)!r})); "
        "check_content(Services(None, None, None, None, None, (), shelf))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "content/packs/T-01.md:4: topic：“钓鱼”不在可选的里面" in done.stderr
    assert "Traceback" not in done.stderr
