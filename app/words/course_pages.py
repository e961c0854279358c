"""Short sentences on the course's pages and on its certificate."""

from datetime import datetime

from app.clock import SHANGHAI
from app.words.general import ACCOUNT

ISSUER = "上海市崇明区早教指导服务"
CERTIFICATE = "结业证书"


def course_enrolled() -> str:
    return "报名成功！想学就学一课，不赶时间。"


def course_came_back(passed: int) -> str:
    return f"欢迎回来！以前学过的{passed}课都在。" if passed else "欢迎回来！"


def course_left() -> str:
    return "课程先停下，不再提醒您。学过的都留着，哪天想学了再点「报名」。"


def quiz_unanswered() -> str:
    return "还没有选答案。每道题点一个，再按「交卷」。"


def quiz_unfinished(left: int) -> str:
    return f"还有{left}道题没选，选过的给您留着。"


def petal_opened(name: str) -> str:
    return f"🌸 「{name}」这一瓣开了！"


def course_completed() -> str:
    return "🎉 恭喜您，七会全部学完，证书在下面。"


def name_written(name: str) -> str:
    return f"写好了：「{name}」。"


def no_picture() -> str:
    return "证书图片现在画不出来：服务器上没有中文字体。证书本身有效，请告诉老师一声。"


def certificate_lines(name: str | None, issued_at: datetime) -> tuple[str, ...]:
    """What the picture says under its heading."""
    day = issued_at.astimezone(SHANGHAI)
    who = f"{name}：" if name else "这位养育人："
    return (
        who,
        "学完「七会」养育课程的全部内容，",
        "会照料、会抚爱、会陪玩、会倾听、",
        "会沟通、会放手、会等待，",
        "成绩合格，特发此证。",
        f"{day.year}年{day.month}月{day.day}日",
    )


def certificate_foot(code: str) -> tuple[str, str]:
    return f"证书编号 {code}", f"{ISSUER} · {ACCOUNT}"
