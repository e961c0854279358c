"""Packs: one piece of age-tied guidance each, read from content/packs/*.md."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from content.front_matter import Document

FIELDS = (
    "id",
    "title",
    "topic",
    "audience",
    "from_days",
    "until_days",
    "message",
    "sources",
    "version",
    "reviewed_by",
    "review_by",
    "status",
)

SERVICE_AREAS = ("新生儿访视", "膳食营养", "生长发育", "预防接种", "安全防护", "疾病防控")
"""The six service areas of the district's plan."""
TOPICS = (*SERVICE_AREAS, "早期学习", "亲子阅读", "情感社会", "祖辈养育")

CORRECTED_TOPICS = frozenset({"生长发育", "早期学习", "亲子阅读", "情感社会"})
"""Development and play: a child born early is met where it is. Never vaccination or visits."""

EVERYONE = "everyone"
AUDIENCES = {
    EVERYONE: "所有养育人",
    "parents": "爸爸妈妈",
    "grandparents": "祖辈",
    "preterm": "早产宝宝的家庭",
    "multiples": "双胞胎、多胞胎家庭",
    "special_needs": "有特殊需求的家庭",
}

STATUSES = {
    "draft": "草稿，不推送",
    "awaiting_sign_off": "待卫生健康部门签发",
    "active": "使用中",
    "retired": "已停用",
}
PUSHED_STATUSES = frozenset({"active", "awaiting_sign_off"})

LONGEST_WINDOW_DAYS = 1500
ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
TODAY, DOCTOR = "今天就做", "什么时候看医生"
"""The headings that every page has."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack as its file says. Ages are days since the birth date."""

    id: str
    title: str
    topic: str
    audience: str
    from_days: int
    until_days: int
    """Exclusive."""
    message: str
    """What is said in the chat, without the link."""
    sources: tuple[str, ...]
    version: int
    reviewed_by: str
    review_by: date
    status: str
    body: str
    """The page, in Markdown."""
    file: str

    @property
    def uses_corrected_age(self) -> bool:
        """Whether a child born before 37+0 weeks gets it by corrected age."""
        return self.topic in CORRECTED_TOPICS

    @property
    def is_signed_off(self) -> bool:
        """False where the health authority still has to sign: pages and console say so."""
        return self.status == "active"

    def is_pushed(self, on: date) -> bool:
        """Whether it may be sent on a day: in use, and not past its review date."""
        return self.status in PUSHED_STATUSES and on <= self.review_by

    def opens_on(self, born: date) -> date:
        """The first day of its window for a child of this (corrected) birth date."""
        return born + timedelta(days=self.from_days)

    def closes_on(self, born: date) -> date:
        """The first day after its window."""
        return born + timedelta(days=self.until_days)

    def is_open(self, born: date, on: date) -> bool:
        """Whether a day lies in its window."""
        return self.opens_on(born) <= on < self.closes_on(born)


def read_pack(document: Document) -> Pack:
    """A pack of a document; whatever is wrong is noted there."""
    document.check_keys(FIELDS)
    pack = Pack(
        id=document.text("id", longest=32),
        title=document.text("title", longest=30),
        topic=document.choice("topic", TOPICS),
        audience=document.choice("audience", AUDIENCES),
        from_days=document.number("from_days", lowest=0, highest=LONGEST_WINDOW_DAYS),
        until_days=document.number("until_days", lowest=1, highest=LONGEST_WINDOW_DAYS),
        message=document.text("message", longest=300),
        sources=document.texts("sources"),
        version=document.number("version", lowest=1, highest=9999),
        reviewed_by=document.text("reviewed_by", longest=60),
        review_by=document.day("review_by"),
        status=document.choice("status", STATUSES),
        body=document.body.strip(),
        file=document.file,
    )
    if pack.id and not ID_PATTERN.fullmatch(pack.id):
        document.fault("只能用英文字母、数字和“-”，最多32个，如 P07-04", key="id")
    if pack.until_days <= pack.from_days and "until_days" in document.fields:
        document.fault("要大于 from_days", key="until_days")
    if not pack.body:
        document.fault("正文是空的，请补上", line=document.body_line)
    return pack
