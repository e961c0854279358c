"""What staff read in the audit log; a code that is missing here is shown as it is."""

from collections.abc import Mapping
from typing import Final

ACTORS: Final[Mapping[str, str]] = {
    "staff": "工作人员",
    "caregiver": "家长",
    "operator": "运维",
    "system": "系统",
}

ACTIONS: Final[Mapping[str, str]] = {
    "view": "看了",
    "export": "导出了",
    "sign_up": "报名",
    "requested": "报名",
    "confirmed": "确认",
    "declined": "婉拒",
    "cancelled": "取消",
    "attended": "签到",
    "no_show": "记为没来",
    "override": "加名额",
    "walk_in": "现场来的",
    "undo_attendance": "撤销签到",
    "finish": "跟进办完",
    "reopen": "跟进改回等着办",
    "waive_no_shows": "不计没来",
    "register": "登记宝宝",
    "correct": "更正信息",
    "set_township": "换乡镇",
    "set_need": "答要不要指导",
    "set_contact": "改联系人或电话",
    "set_home_contact": "改上门的住址和电话",
    "join": "家人加入",
    "unfollow": "取消关注",
    "log_in": "登录",
    "log_out": "退出",
    "try_log_in": "试着登录",
    "change_password": "改密码",
    "add_staff": "开账号",
    "open_account": "重新启用账号",
    "close_account": "停用账号",
    "second_factor_on": "设了手机验证码",
    "second_factor_off": "取消了手机验证码",
    "second_factor_wrong": "手机验证码输错",
    "recovery_code_used": "用了备用码",
    "import_file": "导入文件",
    "undo_import": "撤销导入",
    "import_family": "从文件录入家庭",
    "put_station": "站点导入",
    "retry_notice": "让通知再发",
    "close_notice": "记下通知已处理",
    "report_birth": "记出生",
    "note_special_need": "记特殊需求",
    "end_special_need": "改为没有特殊需求",
    "try_visit": "为上门联系",
    "want_visit": "又要上门了",
    "note_medical": "记卫生院访视",
}

SUBJECTS: Final[Mapping[str, str]] = {
    "family": "家庭",
    "families": "家庭名单",
    "export": "导出的名单",
    "child": "宝宝",
    "caregiver": "养育人",
    "sign_up": "报名",
    "session": "活动",
    "roster": "活动名单",
    "check_in": "签到页",
    "walk_in": "没报名的来了",
    "paper": "补录页",
    "sheet": "签到表",
    "pending": "待确认",
    "follow_ups": "跟进",
    "follow_up": "跟进",
    "notices": "通知",
    "notice": "通知",
    "operations": "运行页",
    "staff": "账号",
    "station": "站点",
    "file": "导入的文件",
    "impact": "改活动的影响",
    "cancel": "取消活动页",
    "visits": "上门",
    "visits_due": "该上门的",
    "visit_board": "上门排班",
    "visit_route": "路线单",
    "visit_form": "上门记录",
    "home_visit": "上门",
    "my_day": "当天上门",
    "arrange_visit": "安排上门",
    "family_care": "一家的上门",
}


def say_action(action: str) -> str:
    return ACTIONS.get(action, action)


def say_subject(kind: str, number: int | None) -> str:
    name = SUBJECTS.get(kind, kind)
    return name if number is None else f"{name} {number}"
