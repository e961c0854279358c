"""Dates, times and ages as a grandparent says them."""

from datetime import date, datetime, timedelta

from app.clock import SHANGHAI

WEEKDAYS = "一二三四五六日"


def say_day(day: date, today: date | None = None) -> str:
    """11月28日（周六）; with its year where that is not this year's (given `today`)."""
    year = f"{day.year}年" if today is not None and day.year != today.year else ""
    return f"{year}{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def say_time(at: datetime) -> str:
    """上午9:30, 中午12:00, 下午3:00, 晚上7:00: the twelve-hour clock people speak."""
    local = at.astimezone(SHANGHAI)
    if local.hour < 6:
        part = "凌晨"
    elif local.hour < 12:
        part = "上午"
    elif local.hour == 12:
        part = "中午"
    elif local.hour < 18:
        part = "下午"
    else:
        part = "晚上"
    hour = local.hour if local.hour <= 12 else local.hour - 12
    return f"{part}{hour}:{local.minute:02d}"


def say_when(at: datetime, today: date | None = None) -> str:
    """11月28日（周六）上午9:30."""
    local = at.astimezone(SHANGHAI)
    return say_day(local.date(), today) + say_time(local)


def say_near(at: datetime, now: datetime) -> str:
    """今天/明天/后天 where it is that near, else the date; always with the time."""
    local = at.astimezone(SHANGHAI)
    today = now.astimezone(SHANGHAI).date()
    ahead = (local.date() - today) // timedelta(days=1)
    names = {0: "今天", 1: "明天", 2: "后天"}
    if ahead in names:
        return f"{names[ahead]}{say_time(local)}"
    return say_when(local, today)


def say_age(months: int) -> str:
    """未满月, 5个月, 1岁, 1岁3个月."""
    if months < 1:
        return "未满月"
    years, rest = divmod(months, 12)
    if years == 0:
        return f"{rest}个月"
    return f"{years}岁{rest}个月" if rest else f"{years}岁"


def say_age_range(low: int, high: int) -> str:
    """6～12个月: both inclusive."""
    return f"{low}～{high}个月" if low != high else f"{low}个月"
