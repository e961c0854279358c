"""Words of the calendar file, and of links to one."""


def described(code: str, phone: str, is_cancelled: bool, can_cancel: bool = True) -> str:
    """What the calendar shows under the session's title and place."""
    if is_cancelled:
        return "这一场不用来了。想另选一场，请在「崇明育伴」回复「活动」。"
    call = f"电话：{phone}\n" if phone else ""
    by = f"在「崇明育伴」回复「取消 {code}」" if can_cancel else "打电话告诉老师"
    return f"{call}一位大人陪一个宝宝来。不能来，请{by}。"


def link_line(url: str) -> str:
    """The line under a booking that leads to its calendar file; empty without a link."""
    return f"加到日历：{url}\n" if url else ""


def gone_line(url: str) -> str:
    """The line under a cancellation by which the phone's calendar forgets it, too."""
    return f"日历里记过的，点开去掉：{url}\n" if url else ""


def no_such_link() -> str:
    return "这个日历链接打不开：可能没有复制完整，或者活动早就结束了。请回到「崇明育伴」，回复「我的预约」看看。"
