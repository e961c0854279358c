"""Who may what: every route of the console, with the roles that may see it and may act on it.

This is the one place. A route that is missing here is open to nobody. Which *rows* a role
sees on a page it may open is StaffScope's affair (services/staff.py): another station's row is
a 404, as one that does not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.services.staff import Role

Roles = frozenset[Role]

NOBODY: Final[Roles] = frozenset()
EVERYBODY: Final[Roles] = frozenset(Role)
STATION_STAFF: Final[Roles] = frozenset({Role.WORKER, Role.TOWNSHIP, Role.DISTRICT})
"""Who works with families: each at their own station, in their own township, or anywhere."""
READERS: Final[Roles] = STATION_STAFF | {Role.AUDITOR}
DISTRICT: Final[Roles] = frozenset({Role.DISTRICT})
DISTRICT_READERS: Final[Roles] = frozenset({Role.DISTRICT, Role.AUDITOR})
REPORTERS: Final[Roles] = frozenset({Role.TOWNSHIP, Role.DISTRICT, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Access:
    """Who may open a route (GET), and who may act by it (POST)."""

    see: Roles = NOBODY
    act: Roles = NOBODY


LOOKS = Access(see=READERS)
"""A page to read."""
FORM = Access(see=STATION_STAFF, act=STATION_STAFF)
"""A page whose only use is its form."""
ACT = Access(act=STATION_STAFF)
ON_A_VISIT = Access(act=STATION_STAFF | {Role.VISITOR})
"""A visitor's own visits, and whoever writes them down from paper."""
DISTRICT_LOOKS = Access(see=DISTRICT_READERS)

ACCESS: Final[Mapping[str, Access]] = {
    # Oneself
    "log_out": Access(act=EVERYBODY),
    "nothing": Access(see=EVERYBODY),
    "more": Access(see=EVERYBODY),
    "second_factor": Access(see=EVERYBODY),
    "confirm_second_factor": Access(act=EVERYBODY),
    # Today
    "today": LOOKS,
    # To decide
    "pending": LOOKS,
    "confirm": ACT,
    "decline": ACT,
    "move": ACT,
    "bulk": ACT,
    # Sessions
    "sessions": LOOKS,
    "roster": LOOKS,
    "new_session": FORM,
    "new_series": FORM,
    "edit": FORM,
    "publish": ACT,
    "cancel_session": FORM,
    "seat": ACT,
    "waive": ACT,
    "take_back": ACT,
    "sheet": LOOKS,
    "session_code": LOOKS,
    "calendar": Access(see=DISTRICT, act=DISTRICT),
    "clear_day": Access(act=DISTRICT),
    # Checking in
    "check_in": FORM,
    "here": ACT,
    "undo": ACT,
    "walk_in": FORM,
    "enter_walk_in": ACT,
    "new_walk_in": FORM,
    "paper": FORM,
    "enter_paper": ACT,
    # Families
    "families": LOOKS,
    "family": LOOKS,
    "family_contact": FORM,
    "end_log_in": ACT,
    # What is to be followed up, and what was sent
    "follow_ups": LOOKS,
    "finish": ACT,
    "reopen": ACT,
    "notices": LOOKS,
    # Conversations with families
    "threads": LOOKS,
    "thread": LOOKS,
    "answer_thread": ACT,
    "close_thread": ACT,
    "keep_canned": ACT,
    "drop_canned": ACT,
    # Home visits
    "visits": LOOKS,
    "visit": LOOKS,
    "visit_time": FORM,
    "set_visit_time": ACT,
    "confirm_visit": ACT,
    "decline_visit": ACT,
    "cancel_visit": ACT,
    "answer_wish": ACT,
    "arrange_visit": FORM,
    "do_arrange_visit": ACT,
    "visits_due": LOOKS,
    "note_try": ACT,
    "family_care": LOOKS,
    "report_birth": ACT,
    "note_special": ACT,
    "note_medical": ACT,
    "set_home_contact": Access(act=frozenset({Role.WORKER, Role.TOWNSHIP})),
    "finish_referral": ACT,
    "visit_board": LOOKS,
    "visit_route": Access(see=STATION_STAFF | {Role.VISITOR}),
    "visitors": Access(see=READERS | {Role.VISITOR}),
    "visitor_photo": Access(see=READERS | {Role.VISITOR}),
    "add_leave": ON_A_VISIT,
    "end_leave": ON_A_VISIT,
    "set_photo": ACT,
    # A visitor's day
    "my_day": Access(see=frozenset({Role.VISITOR})),
    "visit_step": ON_A_VISIT,
    "visit_form": Access(see=STATION_STAFF | {Role.VISITOR}),
    "send_record": ON_A_VISIT,
    # Packs
    "packs": Access(see=READERS | {Role.EDITOR}),
    "pack": Access(see=READERS | {Role.EDITOR}),
    "switch_pack": Access(act=DISTRICT | {Role.EDITOR}),
    "stop_family": ACT,
    "resume_family": ACT,
    "mark_lost": ACT,
    # The seven-skills course
    "course": LOOKS,
    "course_stations": LOOKS,
    "course_questions": LOOKS,
    "learner": LOOKS,
    "name_learner": ACT,
    "move_learner": ACT,
    "revoke_certificate": ACT,
    "restore_certificate": ACT,
    "enrol_learners": FORM,
    # Coverage
    "coverage": LOOKS,
    "coverage_families": LOOKS,
    "coverage_report": Access(see=REPORTERS),
    "coverage_months": DISTRICT_LOOKS,
    "coverage_month": DISTRICT_LOOKS,
    # Files in
    "files": Access(see=DISTRICT),
    "file_template": Access(see=DISTRICT),
    "hand_in": Access(act=DISTRICT),
    "file": Access(see=DISTRICT),
    "take_file": Access(act=DISTRICT),
    "undo_file": Access(act=DISTRICT),
    # Accounts and the audit log
    "accounts": DISTRICT_LOOKS,
    "account": DISTRICT_LOOKS,
    "new_account": Access(see=DISTRICT, act=DISTRICT),
    "close_account": Access(act=DISTRICT),
    "open_account": Access(act=DISTRICT),
    "new_password": Access(act=DISTRICT),
    "forget_second_factor": Access(act=DISTRICT),
    "audit": DISTRICT_LOOKS,
    # What was not understood
    "unread": Access(see=DISTRICT_READERS | {Role.EDITOR}),
    "label_unread": Access(act=DISTRICT | {Role.EDITOR}),
    "review_unread": Access(see=DISTRICT_READERS | {Role.EDITOR}),
    "accept_unread": Access(act=DISTRICT | {Role.EDITOR}),
    # How the service runs
    "operations": DISTRICT_LOOKS,
    "retry_notice": Access(act=DISTRICT),
    "close_notice": Access(act=DISTRICT),
    "retry_notices": Access(act=DISTRICT),
    "close_notices": Access(act=DISTRICT),
}


def may(role: Role, endpoint: str, *, acts: bool) -> bool:
    """Whether this role may open a route of the console, or act by it."""
    access = ACCESS.get(endpoint.removeprefix("console."))
    if access is None:
        return False
    return role in (access.act if acts else access.see)


@dataclass(frozen=True, slots=True)
class Tab:
    """A screen in the navigation, and the pages that are part of it."""

    endpoint: str
    name: str
    does: str
    """What one finds there: a line on the page 更多."""
    inside: frozenset[str] = frozenset()


TABS: Final = (
    Tab("today", "今天", "今天的活动，等您处理的事"),
    Tab("pending", "待确认", "家长的报名，等老师确认"),
    Tab("my_day", "今天上门", "当天的路线，记录", frozenset({"visit_form", "visit_route"})),
    Tab(
        "visits",
        "上门",
        "上门申请，该上门的家庭，排班",
        frozenset(
            {
                *("visit", "visit_time", "visits_due", "arrange_visit", "visit_board"),
                "family_care",
                *("visit_route", "visitors", "visit_form"),
            }
        ),
    ),
    Tab(
        "sessions",
        "活动",
        "安排活动，名单，签到",
        frozenset(
            {
                *("roster", "new_session", "new_series", "edit", "cancel_session", "check_in"),
                *("walk_in", "new_walk_in", "paper", "sheet", "session_code", "calendar"),
            }
        ),
    ),
    Tab("families", "家庭", "查找家庭，看一家的来往", frozenset({"family", "family_contact"})),
    Tab(
        "course",
        "课程",
        "谁在学七会，谁停住了，证书",
        frozenset({"course_stations", "course_questions", "learner", "enrol_learners"}),
    ),
    Tab("threads", "留言", "家长找老师说的话，在这里回", frozenset({"thread"})),
    Tab("follow_ups", "跟进", "要人来办的事"),
    Tab("packs", "资料", "按月龄发的资料，送到和打开多少", frozenset({"pack"})),
    Tab("notices", "通知", "发给家长的消息，没送到的"),
    Tab(
        "coverage",
        "进度",
        "有需求的家庭，今年到了几次",
        frozenset({"coverage_families", "coverage_report", "coverage_months", "coverage_month"}),
    ),
    Tab("files", "导入", "站点、活动、家庭、签到的表格", frozenset({"file"})),
    Tab("accounts", "账号", "谁能进工作台", frozenset({"account", "new_account"})),
    Tab("unread", "没听懂", "家长说了、系统没看懂的话，教会它", frozenset({"review_unread"})),
    Tab("audit", "记录", "谁看过、改过什么"),
    Tab("operations", "运行", "没送到的通知，定时任务，微信接口"),
)
"""In the order of the header. On a phone there is room for the first few that a role has."""
TABS_ON_A_PHONE: Final = 4


def tabs_of(role: Role) -> list[Tab]:
    """The screens that this role may open."""
    return [tab for tab in TABS if may(role, tab.endpoint, acts=False)]


def home_of(role: Role) -> str | None:
    """The endpoint of the role's first page; None for a role that has no page yet."""
    tabs = tabs_of(role)
    return f"console.{tabs[0].endpoint}" if tabs else None
