"""Sentences of the mini-service API: for the person in front of the app."""

from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[int, str]] = {
    400: "请求不对",
    401: "要先登录",
    403: "不能这样做",
    404: "没有找到",
    405: "不能这样用",
    409: "现在办不了",
    413: "内容太大",
    415: "格式不对",
    422: "填得不对",
    429: "太快了",
    500: "出错了",
    503: "暂时不能用",
}
REFUSALS: Final[Mapping[str, str]] = {
    "not_logged_in": "请先登录再来。登录过期了，重新打开一次就好。",
    "code_spent": "登录没有成功，请重新打开一次。",
    "no_mini_program": "小程序还没有接通，请先在公众号里办。",
    "platform_silent": "这会儿问不到微信，请过一会儿再试。",
    "key_reused": "这次请求的编号用过了，内容却不一样。请重新打开再试。",
    "consent_outdated": "告知有更新，请看过最新的告知再同意。",
    "not_found": "没有找到，可能已经不在了，或者是别人家的。",
    "no_plan": "还没有年度计划。先排一份，再选要不要直接报上。",
    "plan_lost": "有一场刚刚报不上了，所以先一场都没有报。请重新看一看。",
    "one_date": "生日和预产期请填一个，只填一个。",
    "township_missing": "请说住在哪个乡镇。",
    "answers_missing": "每一题都要答。",
    "no_certificate": "还没有证书。七会都学完，证书就来了。",
    "no_picture": "证书的图片这会儿画不出来，请过一会儿再试。",
    "one_time": "请选一个时间：哪一天，或者几点，或者请老师来约，只选一样。",
    "nothing_to_rate": "还没有来过的上门可以评价。",
    "no_photo": "这位老师没有照片，或者还没有约定。",
    "nothing_measured": "体重、身长、头围，请至少填一样。",
    "not_born": "宝宝出生以后，再来记体重身长。",
    "day_out_of_range": "量的日子要在出生以后，不能是以后的日子。",
    "no_visit": "现在没有上门的安排。要请老师上门，先选一个时间。",
    "not_sure": "这一步不能恢复，请确认后再来。",
}


def say_status(status: int) -> str:
    sentences = {
        404: "没有这个地址。",
        405: "这个地址不能这样用。",
        413: "发来的内容太大了。",
        415: "请用 JSON 发来。",
        429: "点得太快了，请过一分钟再试。",
        500: "系统出错了，刚才这一下不一定办成了，请看一看再试。",
        503: "系统这会儿有点忙，请过几分钟再试。",
    }
    return sentences.get(status, "请求不对，请检查后再试。")


def invalid() -> str:
    return "有的内容填得不对，请改一改再试。"


def thanks_for_rating() -> str:
    return "谢谢，记下了。"
