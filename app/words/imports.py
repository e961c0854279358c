"""What is said of a file that was not taken: which line, which column, what to write instead."""

from collections.abc import Iterable, Sequence

from app.errors import BadRow

ROW_REASONS = {
    "missing": "没有填写，请补上",
    "too_long": "太长了，请写短一些",
    "bad_code": "只能用英文字母、数字、“-”和“_”，最多32个，如 CQ-1206",
    "repeated_code": "前面已经有这个编号，请只留一行",
    "not_a_phone": "不像电话号码，请写成 021-5555-0100 这样",
    "not_a_whole_number": "不是整数，请写成 20 这样",
    "out_of_range": "数字超出范围，请检查",
    "not_a_time": "不是时间，请写成 2026-12-06 09:30 这样",
    "unknown_value": "不认识这个写法，请看模板里的例子",
    "not_a_date": "不是日期，请写成 2026-05-01 这样",
    "in_the_future": "日期还没到，请检查",
    "three_or_older": "已经满3岁，不在服务范围里",
    "repeated_child": "前面已经有这个宝宝，请只留一行",
    "session_cancelled": "这一场已经取消了，不能再改；要重新办，请换一个编号",
    "session_held": "这一场已经办完了，不能再改；请删去这一行",
    "attendance_taken": "这一场已经签过到，不能改到以后；要重新办，请换一个编号",
    "unknown_session": "没有这个活动，或者还没有开始",
    "unknown_child": "没有找到这个宝宝；没报名的要写家里的电话",
    "unclear_child": "同名的宝宝不止一个，请写家里的电话",
    "unknown_township": "不在本区乡镇名单里，请写全名，如 城桥镇",
    "unknown_station": "没有这个站点编号，请先导入站点",
    "unknown_station_kind": (
        "请填 区中心、指导站、流动车、卫生院、接种点、儿童之家、基地 之一（或 district_centre、"
        "guidance_station、guidance_bus、health_centre、vaccination_clinic、childrens_home、"
        "development_base）"
    ),
    "not_weekdays": "请写 1 到 7，用空格隔开，1 是周一，如 1 2 3 4 5",
    "not_a_time_of_day": "不是几点几分，请写成 08:30 这样",
    "visit_does_not_fit": "每次上门的分钟数要大于 0，并且排得进上班时间",
    "unknown_level": "请填 站级、镇级、区级、市级 之一（或 station、township、district、city）",
    "unknown_confirm_mode": "请填 自动 或 老师确认（或 auto、staff）",
    "unknown_waiting_list": "请填 不候补、先来先得、来得少的先 之一（或 no、first_come、fewest_attended）",
    "ends_before_start": "要晚于 starts_at",
    "closes_before_opening": "要晚于 opens_at",
    "closes_after_start": "不能晚于 starts_at",
    "cancel_after_start": "不能晚于 starts_at",
    "months_out_of_order": "不能小于 min_months",
    "unknown_column": "没有这一列，请删去",
    "missing_column": "缺少这一列，请加上",
    "repeated_column": "这一列重复了，请只留一列",
    "too_many_cells": "比表头多出内容；内容里有逗号时，请用双引号括起来",
    "merged_cells": "有合并的单元格，请取消合并",
    "not_a_learner": "一行要写三样：小名、生日、关系，姓名可以不写，如 糖糖 2026-05-01 外婆 王秀英",
    "not_a_birth_date": "不是生日，请写成 2026-05-01 这样",
    "not_a_relation": "看不出是宝宝的什么人，请写奶奶、外婆、爷爷、外公、妈妈或爸爸",
    "not_a_name": "不像姓名，请只写姓名，如 王秀英",
    "no_such_child": "这里没有这天生的这个宝宝，请核对小名和生日；没登记的，先请家长登记",
    "several_children": "有不止一家叫这个小名、生日也一样，请到学员自己的微信上报名",
    "which_of_them": ("名单上这个宝宝不止一位奶奶（外婆）这样同辈的，请都写上姓名，才分得清"),
    "too_many_people": "一次最多200位，请分几次",
    "malformed_quotes": "双引号不成对，请检查这一行",
}
"""By BadRow.reason."""

COLUMN_NOTES = {
    "stations": "township 写乡镇全名；kind 写站点种类，如 指导站。编号已有的会更新。",
    "sessions": "时间写成 2026-12-06 09:30；编号已有的会更新，改了时间地点会通知已报名的家庭。",
    "visitors": "townships 和 weekdays 用空格隔开，1 是周一。编号已有的会更新。",
    "families": (
        "一行一个宝宝，电话相同的算一家；已经登记过的（电话和小名都相同）不动。"
        "consent_date 是家长在纸上签同意书的日子，没有签的不能导入。"
        "sex 写 女、男 或空着；need 写 是、否 或空着。"
    ),
    "attendance": "session 写活动编号；同一场同名的宝宝不止一个时，要写家里的电话。",
}
"""By kind of file: what one has to know to fill it in."""

EXAMPLES = {
    "stations": {
        "code": "CQ",
        "name": "城桥镇早教指导站",
        "kind": "guidance_station",
        "township": "城桥镇",
        "address": "示范路1号",
        "phone": "021-5555-0100",
    },
    "sessions": {
        "code": "CQ-1206",
        "title": "亲子阅读分享会",
        "kind": "亲子阅读分享会",
        "level": "station",
        "station": "CQ",
        "starts_at": "2026-12-06 09:30",
        "ends_at": "2026-12-06 11:00",
        "places": "20",
        "min_months": "6",
        "max_months": "35",
        "confirm_mode": "staff",
        "opens_at": "2026-11-20 08:00",
        "closes_at": "2026-12-05 17:00",
        "cancel_until": "2026-12-05 17:00",
        "waiting_list": "first_come",
    },
    "visitors": {
        "code": "V-01",
        "name": "李老师",
        "phone": "021-5555-0101",
        "station": "CQ",
        "townships": "城桥镇",
        "weekdays": "1 2 3 4 5",
        "starts": "08:30",
        "ends": "16:30",
        "visit_minutes": "60",
        "buffer_minutes": "30",
    },
    "families": {
        "nickname": "糖糖",
        "birth_date": "2026-05-01",
        "sex": "女",
        "gestation_weeks": "",
        "township": "城桥镇",
        "station": "CQ",
        "relation": "mother",
        "contact_name": "王阿姨",
        "phone": "021-5555-0102",
        "need": "是",
        "consent_date": "2026-11-01",
    },
    "attendance": {"session": "CQ-1206", "nickname": "糖糖", "phone": "021-5555-0102"},
}
"""By kind of file: a line as it is filled in."""

FILE_REASONS = {
    "empty": "文件是空的，请检查后再导入",
    "no_rows": "文件只有表头，请填好内容再导入",
    "too_big": "文件太大，请分成几个再导入",
    "too_many_rows": "行数太多，请分成几个文件再导入",
    "too_many_columns": "列数太多，很靠右的地方还有格子；请把有内容的几列复制到一张新表，另存后再导入",
    "old_excel": "这是旧版 Excel（.xls），请另存为 .xlsx 或 CSV 再导入",
    "not_a_workbook": "打不开这个表格，请另存为 .xlsx 或 CSV 再导入",
    "encoding": "看不懂文件的编码，请另存为 UTF-8 的 CSV 再导入",
}
"""By FileUnreadable.reason."""

SHOWN = 30
"""Characters of a faulty cell that are repeated: enough to find it by."""


COLUMNS_SAID = {
    "code": "编号",
    "name": "名称",
    "title": "名称",
    "kind": "种类",
    "township": "乡镇",
    "townships": "乡镇",
    "station": "站点",
    "address": "地址",
    "phone": "电话",
    "level": "级别",
    "starts_at": "开始",
    "ends_at": "结束",
    "places": "名额",
    "min_months": "最小月龄",
    "max_months": "最大月龄",
    "confirm_mode": "怎么确认",
    "opens_at": "开始报名",
    "closes_at": "截止报名",
    "cancel_until": "最晚取消",
    "waiting_list": "候补",
    "nickname": "小名",
    "birth_date": "生日",
    "sex": "性别",
    "gestation_weeks": "孕周",
    "relation": "关系",
    "contact_name": "称呼",
    "need": "需求",
    "consent_date": "同意日期",
    "session": "活动",
    "weekdays": "上班的日子",
    "starts": "上班",
    "ends": "下班",
    "visit_minutes": "每次几分钟",
    "buffer_minutes": "路上几分钟",
}
"""What a column of a file is, beside the name that it bears there."""


def say_bad_row(row: BadRow) -> str:
    """第3行 starts_at（开始）「明天」不是时间，请写成 2026-12-06 09:30 这样."""
    text = row.text if len(row.text) <= SHOWN else row.text[: SHOWN - 1] + "…"
    shown = f"「{text}」" if text and text != row.column else ""
    said = COLUMNS_SAID.get(row.column or "")
    where = f" {row.column}" + (f"（{said}）" if said else "") if row.column else ""
    return f"第{row.line}行{where}{shown}{ROW_REASONS[row.reason]}"


def say_refused(rows: Iterable[BadRow]) -> str:
    """Every fault in one line; and that nothing was stored."""
    faults = "；".join(say_bad_row(row) for row in rows)
    return f"文件没有导入，请改好后再导入一次：{faults}"


def say_unreadable(reason: str) -> str:
    """Why the file could not be read at all, and what to do."""
    return FILE_REASONS[reason]


def say_warnings(past: Sequence[str], overfull: Iterable[tuple[str, int, int]]) -> list[str]:
    """What was taken all the same and somebody should look at; overfull: code, places, taken."""
    said = []
    if past:
        listed = "、".join(past[:SHOWN]) + ("等" if len(past) > SHOWN else "")
        said.append(f"注意：{listed}的时间已经过去，家长报不了名；日期写错了请改好再导入。")
    for code, places, taken in overfull:
        said.append(
            f"注意：{code}改成{places}个名额，已经有{taken}个孩子占着；"
            f"谁也不会被取消，空到{places}个以下才会再放名额。"
        )
    return said
