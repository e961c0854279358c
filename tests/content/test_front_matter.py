from pathlib import Path

import pytest

from content.front_matter import ContentBroken, Fault
from content.library import load_library
from tests.content.writing import write_pack

HERE = "content/packs/T-01.md"


def faults(content: Path) -> tuple[Fault, ...]:
    with pytest.raises(ContentBroken) as refused:
        load_library(content)
    return refused.value.faults


@pytest.mark.parametrize(
    "old, new, line, says",
    [
        ("title: 抱一抱，说说话\n", "", 1, "title：没有填写"),
        ("title: 抱一抱，说说话", "title:", 3, "title：没有填写"),
        ("title: 抱一抱，说说话", "title: ' '", 3, "title：是空的"),
        ("title: 抱一抱，说说话", "title: 2027", 3, "title：要写成文字"),
        ("title: 抱一抱，说说话", "title: " + "长" * 31, 3, "title：有31个字，最多30个"),
        ("title: 抱一抱，说说话", "title: 抱: 一抱", 3, "写法不对"),
        ("title: 抱一抱，说说话", "title: 抱\ntitle: 说", 4, "同一个字段写了两遍"),
        ("title: 抱一抱，说说话", "titel: 抱", 3, "没有这个字段"),
        ("topic: 早期学习", "topic: 钓鱼", 4, "不在可选的里面"),
        ("audience: everyone", "audience: nobody", 5, "不在可选的里面"),
        ("from_days: 0", "from_days: 出生", 6, "from_days：要写成整数"),
        ("from_days: 0", "from_days: -1", 6, "超出范围"),
        ("from_days: 0", "from_days: true", 6, "要写成整数"),
        ("from_days: 0", "from_days: 29", 7, "until_days：要大于 from_days"),
        ("sources:\n  - 《3岁以下", "sources: []\n#", 9, "sources：是空的"),
        ("sources:\n  - 《3岁以下", "sources:\n  -\n  - 《3岁以下", 10, "不能空着"),
        ("sources:\n  - 《3岁以下", "sources: 《3岁以下", 9, "要写成列表"),
        ("version: 1", "version: 1.5", 11, "version：要写成整数"),
        ("review_by: 2027-11-25", "review_by: 明年", 13, "review_by：要写成日期"),
        ("review_by: 2027-11-25", "review_by: 2027-02-30", 13, "2027-02-30 不是真有的日期"),
        ("status: active", "status: 好的", 14, "不在可选的里面"),
        ("id: T-01", "id: 一号", 2, "只能用英文字母"),
        ("id: T-01", "id: T-01\x07", 1, "不能用的字符"),
        ("---\nid", "id", 1, "第一行要是“---”"),
        ("status: active\n---", "status: active", 1, "另起一行写“---”"),
        ("id: T-01", "- T-01\n#", 4, "写法不对"),
    ],
)
def test_a_broken_file_is_refused_with_its_file_line_and_reason(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    write_pack(tmp_path, swap=(old, new))
    found = faults(tmp_path)
    assert any(f.file == HERE and f.line == line and says in f.reason for f in found), found


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write_pack(tmp_path, "T-01", swap=("topic: 早期学习", "topic: 钓鱼"))
    write_pack(tmp_path, "T-02", swap=("version: 1", "version: 0"))
    assert [fault.file[-7:] for fault in faults(tmp_path)] == ["T-01.md", "T-02.md"]


def test_an_id_that_another_file_has_names_both_files(tmp_path: Path) -> None:
    write_pack(tmp_path, "T-01")
    write_pack(tmp_path, "T-02", swap=("id: T-02", "id: T-01"))
    (fault,) = faults(tmp_path)
    assert (fault.file, fault.line) == ("content/packs/T-02.md", 2)
    assert "T-01 重复了，content/packs/T-01.md 已经用了它" in fault.reason


def test_a_file_in_another_encoding_names_the_line(tmp_path: Path) -> None:
    path = write_pack(tmp_path)
    path.write_bytes(path.read_bytes().replace("抱一抱".encode(), "抱一抱".encode("gb18030")))
    (fault,) = faults(tmp_path)
    assert (fault.line, "UTF-8" in fault.reason) == (3, True)


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    path = write_pack(tmp_path)
    plain = load_library(tmp_path).packs["T-01"]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_library(tmp_path).packs["T-01"] == plain


def test_a_readme_among_the_packs_is_no_pack(tmp_path: Path) -> None:
    write_pack(tmp_path)
    (tmp_path / "packs" / "README.md").write_text("给作者看的", encoding="utf-8")
    assert list(load_library(tmp_path).packs) == ["T-01"]
