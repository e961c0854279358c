"""Content as an author would save it, in a folder of the test's own."""

from pathlib import Path

PACK = """\
---
id: {id}
title: 抱一抱，说说话
topic: 早期学习
audience: everyone
from_days: 0
until_days: 29
message: {message}
sources:
  - 《3岁以下婴幼儿健康养育照护指南（试行）》，国家卫生健康委办公厅，2022年
version: 1
reviewed_by: 编写组
review_by: 2027-11-25
status: active
---

{body}
"""
MESSAGE = "喂奶的时候看着宝宝的眼睛，慢慢说一句话，停一停，等他动动小嘴。" * 2
BODY = "## 今天就做\n\n- 抱着宝宝。\n\n## 什么时候看医生\n\n不肯吃奶，去医院。"


def write_pack(
    content: Path, name: str = "T-01", *, swap: tuple[str, str] = ("", ""), body: str = BODY
) -> Path:
    """A good pack, with one piece of its text swapped for another."""
    text = PACK.format(id=name, message=MESSAGE, body=body)
    old, new = swap
    assert old in text
    path = content / "packs" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return path
