"""Every domain error as a sentence that says what to do next."""

from collections.abc import Callable
from typing import Any

from app import errors as e
from app.words import home_visits as visits
from app.words.growth import say_implausible
from app.words.sessions import STATES
from app.words.visit_signs import STATES as VISIT_STATES
from app.words.visit_words import teacher
from app.words.when import say_age, say_age_range, say_day, say_time, say_when


def _age_outside(error: e.AgeOutsideSession) -> str:
    wanted = say_age_range(error.min_months, error.max_months)
    if error.age_months is None:
        return (
            f"月龄不符：「{error.code}」给{wanted}的宝宝，{error.nickname}那天还没出生。"
            "生下来以后再看看，回复「活动」看别的。"
        )
    return (
        f"月龄不符：「{error.code}」给{wanted}的宝宝，"
        f"{error.nickname}到{say_day(error.on)}是{say_age(error.age_months)}。"
        "回复「活动」看适合的。"
    )


def _already_signed_up(error: e.AlreadySignedUp) -> str:
    if error.state == "confirmed":
        return f"{error.nickname}已报名「{error.code}」，不用再报。回复「我的预约」看看。"
    return (
        f"{error.nickname}已报名「{error.code}」，现在是「{STATES[error.state]}」，不用再报。"
        "回复「我的预约」看看。"
    )


def _too_late_to_cancel(error: e.TooLateToCancel) -> str:
    call = f"，电话 {error.phone}" if error.phone else "，或回复「人工」"
    return (
        f"已过取消时间：「{error.code}」要在{say_when(error.until)}前取消。"
        f"请直接告诉{error.station}的老师{call}。"
    )


def _session_full(error: e.SessionFull) -> str:
    if error.waiting and error.left:
        return f"名额已满：「{error.code}」剩下的名额先留给候补的{error.waiting}家。回复「活动」看别的。"
    if error.left:
        return (
            f"名额已满：「{error.code}」只剩{error.left}个名额，"
            f"{error.wanted}个宝宝一起去不够，都没有报。\n"
            f"先给一个报，回复「报名 {error.code} 小名」；看别的，回复「活动」。"
        )
    return f"名额已满：「{error.code}」的{error.places}个名额都有人了。回复「活动」看别的。"


def _already_decided(error: e.SignUpAlreadyDecided) -> str:
    who = error.by or "家长自己"
    when = f"在{say_when(error.at)}" if error.at else "已经"
    return f"这一条{who}{when}处理过了，现在是「{STATES[error.state]}」。"


SESSION_STATES = {
    "draft": "还是草稿",
    "published": "已发布",
    "held": "已经办完",
    "cancelled": "已经取消",
}


def _session_step(error: e.SessionStepNotAllowed) -> str:
    state = SESSION_STATES.get(error.state, error.state)
    return f"「{error.code}」{state}，现在不能这样改。请回到活动页看看。"


def _bad_credentials(error: e.BadCredentials) -> str:
    left = f"还可以试{error.attempts_left}次。" if error.attempts_left is not None else ""
    return f"用户名或密码不对，请再看一看。{left}"


_WORDS: dict[type[e.DomainError], Callable[[Any], str]] = {
    e.BornInFuture: lambda x: (
        f"{x.born.year}年{x.born.month}月{x.born.day}日还没到呢。请再看一看生日；"
        "还没出生就说预产期，例如：预产期 2027-01-20。"
    ),
    e.ChildTooOld: lambda x: (
        f"按这个生日，宝宝已经{say_age(x.age_months)}了。我们只照应3岁以下的宝宝；"
        "生日说错了请再说一次，例如：2026年5月1日。"
    ),
    e.DueDateOutOfRange: lambda x: (
        f"预产期{x.due.year}年{x.due.month}月{x.due.day}日不太对：要在今后42周以内。"
        "请再说一次；已经出生了，直接说生日。"
    ),
    e.QuietHoursOutOfRange: lambda x: (
        f"晚上{x.earliest_from - 12}点到{x.latest_from - 12}点之间开始、"
        f"早上{x.earliest_until}点到{x.latest_until}点之间结束都可以。"
        "例如回复「免打扰 晚上8点到早上9点」。"
    ),
    e.NotRegistered: lambda x: "还没有登记宝宝，登记了才能办。回复「登记」，两分钟就好。",
    e.MeasurementImplausible: lambda x: say_implausible(x.what, x.value),
    e.ConsentMissing: lambda x: "登记要先经您同意。回复「登记」看一看告知。",
    e.ChildAlreadyRegistered: lambda x: (
        f"{x.nickname}已经登记过了。要改资料，回复「修改」；是另一个宝宝，请换个小名。"
    ),
    e.ChildUnknown: lambda x: (
        f"您家没有叫「{x.nickname}」的宝宝，登记的是：{'、'.join(x.known)}。请用登记的小名再说一次。"
    ),
    e.ChildUnclear: lambda x: f"请说清楚是哪个宝宝：{'、'.join(x.known)}。",
    e.TownshipUnknown: lambda x: (
        f"「{x.text}」不在崇明的18个乡镇里。请说乡镇名，例如：城桥镇、堡镇、新村乡。"
    ),
    e.TooManyChildren: lambda x: f"一家最多登记{x.limit}个宝宝。要帮忙，回复「人工」。",
    e.InvitationInvalid: lambda x: (
        "这个邀请码不对，或者已经过期、用过了。请家里人再回复一次「邀请」，把新的那句话转给您。"
    ),
    e.AlreadyInFamily: lambda x: (
        "您已经在这个家里了，不用再加。回复「我的信息」看看。"
        if x.same_family
        else "您自己已经登记了一个家，不能再加入别的家。要合并，回复「人工」请老师帮忙。"
    ),
    e.NotGuardian: lambda x: (
        "宝宝的信息是家里另一位登记、同意的，要由他来办。您自己可以退出这个家，或回复「人工」找老师。"
    ),
    e.LogInUnknown: lambda x: "这一处已经退出了，或者不是您家的。请刷新再看看。",
    e.CaregiverUnknown: lambda x: "您家里没有这一位，可能刚刚已经移出去了。请刷新再看看。",
    e.LastCaregiver: lambda x: (
        "家里只剩这一位了，移出去就没有人照看宝宝的信息。真的不用了，请回复「注销」。"
    ),
    e.SessionUnknown: lambda x: f"没有找到编号「{x.code}」的活动。回复「活动」看现在有哪些。",
    e.SignUpNotOpenYet: lambda x: (
        f"尚未开放：「{x.code}」{say_when(x.opens_at)}开始报名，到时候再发一次「报名 {x.code}」。"
    ),
    e.TownshipFirst: lambda x: (
        f"尚未开放：「{x.code}」先给{x.township}的家庭报，{say_when(x.opens_at)}起都能报。"
        f"到时候再发一次「报名 {x.code}」，或回复「活动」看别的。"
    ),
    e.SignUpDelayed: lambda x: (
        f"尚未开放：前几次报了没能来，「{x.code}」您家从{say_when(x.opens_at)}起可以报，"
        f"到时候再发一次「报名 {x.code}」。有难处请回复「人工」告诉老师。"
    ),
    e.SignUpClosed: lambda x: f"已截止：「{x.code}」的报名已经结束。回复「活动」看别的。",
    e.SessionCancelled: lambda x: f"「{x.code}」这场活动取消了，不再报名。回复「活动」看别的。",
    e.SessionCodeTaken: lambda x: f"编号「{x.code}」已经用过了，请换一个。",
    e.SessionStepNotAllowed: _session_step,
    e.AttendanceTaken: lambda x: (
        f"「{x.code}」已经记了{x.count}个宝宝的到场情况，不能再取消或改到以后。要改，请先撤销签到。"
    ),
    e.CheckInTooEarly: lambda x: f"还不能签到：「{x.code}」{say_when(x.opens_at)}起可以签。",
    e.NoDaysInSeries: lambda x: (
        f"一共排出{x.days}场；一个系列要有1到{x.limit}场。请改一改日期或间隔。"
    ),
    e.SessionFull: _session_full,
    e.AgeOutsideSession: _age_outside,
    e.AlreadySignedUp: _already_signed_up,
    e.SignUpUnknown: lambda x: f"您没有报名「{x.code}」。回复「我的预约」看约了哪些。",
    e.TooLateToCancel: _too_late_to_cancel,
    e.NoOffer: lambda x: (
        (f"「{x.code}」现在没有等您接受的名额。" if x.code else "现在没有等您接受的名额。")
        + "有名额会马上告诉您。看候补到第几位，回复「我的预约」；不等了，回复「取消 编号」。"
    ),
    e.PlaceIsTaken: lambda x: (
        f"{x.nickname}的「{x.code}」已经报上了。来不了，请回复「取消 {x.code}」，名额让给下一家。"
    ),
    e.OfferExpired: lambda x: (
        f"来晚了一步：「{x.code}」的名额留到{say_when(x.expired_at)}，已经让出来了。\n"
        f"还想来，回复「报名 {x.code}」再排一次；看别的，回复「活动」。"
    ),
    e.OfferUnclear: lambda x: (
        f"有{len(x.codes)}场都给您留了名额：{'、'.join(x.codes)}。"
        f"请说是哪一场：「接受 {x.codes[0]}」或「放弃 {x.codes[0]}」。"
    ),
    e.SignUpAlreadyDecided: _already_decided,
    e.TransitionNotAllowed: lambda x: (
        f"现在是「{STATES.get(x.state, x.state)}」，不能改成「{STATES.get(x.wanted, x.wanted)}」。"
    ),
    e.NotEnrolled: lambda x: (
        "您之前停下了课程，学过的都还在。回复「报名课程」就能接着学。"
        if x.has_left
        else "您还没有报名「七会」课程，不要钱，一课十分钟。\n想学，回复「报名课程」；看看有什么，回复「课程」。"
    ),
    e.NoQuizOpen: lambda x: (
        (f"「{x.passed}」已经过了，不用再答。" if x.passed else "还没有打开哪一课。")
        + "看下一课和题目，回复「下一课」。"
    ),
    e.QuizChanged: lambda _: "这一课刚刚更新过，题目换了。看新的题目，回复「下一课」。",
    e.LessonUnknown: lambda x: (
        f"没有这一课。一共{x.count}课，想重学哪一课，回复「重学」加数字，比如「重学 5」。"
        if x.count
        else "课程正在更新，过一会儿再来。"
    ),
    e.LearnerUnknown: lambda _: (
        "没有找到这位学员，可能已经接到别的微信上了。请回复「人工」问老师。"
    ),
    e.CertificateUnknown: lambda x: f"没有编号是「{x.code}」的证书，请核对一下。",
    e.CertificateStepNotAllowed: lambda x: (
        f"证书「{x.code}」已经作废了，不用再点。"
        if x.is_revoked
        else f"证书「{x.code}」本来就有效。"
    ),
    e.BirthReportUnlikely: visits.say_birth_unlikely,
    e.NoVisitClaim: visits.say_no_claim,
    e.NextVisitUnlikely: visits.say_next_unlikely,
    e.HomeContactUnclear: visits.say_contact_unclear,
    e.VisitDayPast: visits.say_day_past,
    e.VisitDayTooFar: visits.say_too_far,
    e.VisitDayOff: visits.say_day_off,
    e.VisitHalfFull: visits.say_half_full,
    e.VisitAlreadyOpen: visits.say_already_open,
    e.VisitUnknown: lambda x: "现在没有约着的上门。要约老师上门，回复「上门」。",
    e.VisitAlreadyDecided: visits.say_decided,
    e.VisitStepNotAllowed: lambda x: (
        f"这次上门现在是「{VISIT_STATES.get(x.state, x.state)}」，"
        f"不能改成「{VISIT_STATES.get(x.wanted, x.wanted)}」。"
    ),
    e.VisitFamilyStopped: lambda _: (
        "家里有变故，先不要去，也不要打电话。请等站里和家长说好，由站里恢复以后再去。"
    ),
    e.VisitTooEarly: lambda x: f"这次上门在{say_when(x.starts_at)}，到那天才能记。",
    e.LeaveOutOfOrder: lambda x: "请假的结束时间要晚于开始时间，请再看一看。",
    e.PhotoUnfit: lambda x: (
        f"照片没有存：请用 JPG、PNG 或 WebP 的照片，不超过{x.most_megabytes}MB。"
    ),
    e.VisitTooLateToCancel: visits.say_too_late,
    e.VisitorBusy: lambda x: (
        f"{teacher(x.visitor)}{say_when(x.starts_at)}已经有安排，或者前后路上来不及。请换一个时间或老师。"
    ),
    e.VisitorAway: lambda x: (
        f"{teacher(x.visitor)}{say_when(x.starts_at)}不上班或请假。请换一个时间或老师。"
    ),
    e.VisitorUnknown: lambda x: f"没有编号「{x.code}」的上门老师，或已经停用。",
    e.SlotMissing: lambda x: "还没有定老师和时间，请先选一个再确认。",
    e.NoVisitProposal: lambda x: (
        "现在没有等您答复的上门时间。要约老师上门，回复「上门」；看约了什么，回复「我的预约」。"
    ),
    e.VisitRecordUnlike: lambda x: (
        "这份记录和这家的宝宝对不上，没有存。请回到今天的名单，重新打开。"
    ),
    e.NotYours: lambda x: "这不是您的站点的，看不到。请回到「待办」。",
    e.BadCredentials: _bad_credentials,
    e.AccountLocked: lambda x: (
        f"输错次数太多，这个账号锁到{say_time(x.until)}。急用请找区里管理员。"
    ),
    e.ImportNotThere: lambda _: "这个文件不在了，请重新选文件再看一遍。",
    e.ImportNotUndone: lambda x: (
        f"没有撤销：{'、'.join(x.in_the_way[:10])}导入以后有人改过或用上了，"
        "撤销会把别人做的也去掉。请到那一条上单独处理。"
    ),
    e.SecondFactorWrong: lambda _: (
        "验证码不对。请看手机上验证器里现在的6位数字，它每半分钟换一次。"
    ),
    e.StaffUnknown: lambda x: f"没有用户名是「{x.username}」的账号。",
    e.OwnAccount: lambda _: "不能停用自己正在用的账号。请让另一位区里的同事来办。",
    e.NoticeNotAstray: lambda _: "这几条通知已经有人处理过了，不用再处理。",
    e.LastDistrictAccount: lambda _: "这是最后一个区里的账号，停用了就没有人能再开账号了。",
    e.PasswordTooWeak: lambda x: f"密码太简单：至少{x.min_length}个字符，不能和用户名一样。",
    e.UsernameTaken: lambda x: f"用户名「{x.username}」已经有人用了，请换一个。",
    e.UsernameInvalid: lambda x: (
        f"用户名「{x.username}」不能用：1到{x.max_length}个字符，中间不能有空格。"
    ),
    e.StationUnknown: lambda x: f"没有编号「{x.code}」的站点。",
    e.ReasonMissing: lambda x: "请写一句原因，家长会看到。",
    e.ImportRefused: lambda x: f"文件没有导入：有{len(x.rows)}处要改，一处也没有存。",
    e.FileUnreadable: lambda x: "这个文件打不开。请存成 UTF-8 的 CSV 或 XLSX 再试。",
}


def say_error(error: e.DomainError) -> str:
    """The sentence for an error. Raises KeyError for one that has none: a test forbids it."""
    return _WORDS[type(error)](error)


def has_words(kind: type[e.DomainError]) -> bool:
    return kind in _WORDS
