"""Words for following, help, a person, and what we could not read."""

from collections.abc import Sequence

ACCOUNT = "崇明育伴"


def welcome(station: str | None, registered: bool) -> str:
    here = f"您是从「{station}」来的，以后有事就找这个站。\n" if station else ""
    first = (
        "您的宝宝已经登记好了。"
        if registered
        else "先登记宝宝，就能报名活动。回复「登记」，一步一步来，两分钟就好。\n"
        "家里人已经登记过？请他在这里回复「邀请」，把邀请码转给您。"
    )
    return (
        f"您好，这里是{ACCOUNT}，陪崇明0～3岁宝宝的家庭一起带娃，全部免费。\n"
        f"{here}{first}\n"
        "想看看有什么活动，回复「活动」；要找老师，回复「人工」。"
    )


def scanned(station: str | None) -> str:
    if station is None:
        return "这个二维码我们没认出来，请问一下站里的老师，或回复「人工」。"
    return f"您扫的是「{station}」的码，记下了。\n看活动回复「活动」，登记宝宝回复「登记」。"


def help_text(registered: bool) -> str:
    first = "" if registered else "① 登记宝宝 → 回复「登记」\n"
    return (
        "点下面的菜单，或者直接发这些字：\n"
        f"{first}"
        "· 活动：看能报的活动\n"
        "· 报名 编号：例如 报名 CQ-1206\n"
        "· 取消 编号：去不了就取消\n"
        "· 我的预约：看报上了没有\n"
        "· 年度计划：今年的活动一次排好；找到新的会问您，回复「同意计划」就报上\n"
        "· 课程：学「七会」，奶奶外公都能学\n"
        "· 我的信息、修改：看看、改资料\n"
        "· 邀请：让家里人一起用\n"
        "· 人工：找老师\n"
        "打字不方便，按住说话也行。"
    )


def greeting(registered: bool) -> str:
    start = "看活动请回复「活动」" if registered else "第一次来，请回复「登记」"
    return f"您好呀！{start}；要找老师，回复「人工」。"


def thanks() -> str:
    return "不客气，应该的。有事随时说，看活动回复「活动」。"


def pushes_paused() -> str:
    return "已暂停：养育资料先不发给您了。您自己报名的活动有变化，还是会告诉您。\n想再收，回复「恢复推送」。"


def pushes_resumed() -> str:
    return "已恢复：以后养育资料会照常发给您。\n不想收，回复「暂停推送」。"


def opted_out() -> str:
    return "已退订：以后不再主动发养育资料给您。您自己报名的活动有变化，还是会告诉您。\n想再收，回复「恢复推送」；要删掉登记的信息，回复「注销」。"


def got_picture() -> str:
    return (
        "图片收到了，不过我看不懂图片，也不会留着它。请用文字说说是什么事，或回复「人工」找老师。"
    )


def got_voice() -> str:
    return "语音收到了，可惜没有听清。请再说一遍慢一点，或者打字；也可以回复「人工」找老师。"


def got_place() -> str:
    return "位置收到了。看离您近的活动，请回复「活动」；换乡镇请回复「修改」。"


def got_other() -> str:
    return "收到了，不过这个我打不开。请用文字说说，或回复「帮助」看看能做什么。"


def not_understood(choices: Sequence[str]) -> str:
    """An honest word that we do not know, and the likeliest that it may be."""
    told = "\n".join(f"{number}. {choice}" for number, choice in enumerate(choices, start=1))
    return f"这句话我没有看懂，不想乱猜。您是想：\n{told}\n回复前面的数字；都不是，换个说法再说一次，或回复「人工」找老师。"


def ask_again(what: str) -> str:
    """A topic was chosen; the question itself we did not understand."""
    return (
        f"好的，您是想{what}。请换个说法，一句话问我一次，例如「六个月怎么加辅食」。"
        "\n要老师来答，回复「人工」；看资料，回复「资料」。"
    )


def not_yet(what: str) -> str:
    return f"「{what}」还在准备，开通了会在这里告诉您。\n现在可以看「活动」，或回复「人工」问老师。"


def busy() -> str:
    return "正在给您办，稍等一下，办好马上把结果发给您，不用重发。"


def too_fast() -> str:
    return "您发得太快了，这一条没有办。请过一分钟再发；宝宝有危险，请马上打120。"


def cannot_now(phone: str) -> str:
    call = f"急事请打电话：{phone}。" if phone else ""
    return f"系统正忙，刚才这句没办成，请过几分钟再发一次。{call}孩子有危险请立刻打120。"


def left_dialogue(what: str) -> str:
    return (
        f"好的，{what}先不弄了，什么都没有改。\n以后要接着来，回复「{what}」；看活动回复「活动」。"
    )


def nothing_running() -> str:
    return "现在没有没办完的事。看活动回复「活动」，查预约回复「我的预约」。"


def second_heard(second: str) -> str:
    return f"（您还说了「{second}」，我也记着：再发一次这句，就给您办。）"


def back_again(what: str, known: Sequence[str]) -> str:
    """How far it had come, for who comes back to it after hours."""
    so_far = f"，已经记下：{'，'.join(known)}" if known else ""
    return f"（接着上次的{what}{so_far}。不弄了，回复「退出」。）\n"


def still_waiting(what: str) -> str:
    return f"（刚才的{what}还没完，回复「继续」接着来。）"
