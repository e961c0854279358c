"""Words for the seven-skills course: lessons, quizzes, practice, progress, certificates.

Encouragement, never blame: who answers wrongly is told why, and tries again.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from app.late_pattern import LatePattern
from app.models.notice_facts import (
    CertificateChanged,
    CourseEnrolledByStaff,
    CourseModulePassed,
    CourseNudge,
)
from app.rules.lessons import CHOICES, MOST_NUDGES, Grade
from content.lessons import Course, Lesson, Question

ROOM_BYTES = 1_950
"""The platform takes about 2,000."""
CALLED = {
    "mother": "妈妈",
    "father": "爸爸",
    "grandmother": "奶奶（外婆）",
    "grandfather": "爷爷（外公）",
    "other": "家人",
}
PRAISE = ("真好", "真不容易", "学得真快", "太棒了", "稳稳的", "了不起")


@dataclass(frozen=True, slots=True)
class ModuleLine:
    """One module as progress shows it."""

    number: int
    name: str
    passed: int
    lessons: int
    has_practice: bool
    is_passed: bool


def about(course: Course, *, has_certificate: bool = False) -> str:
    skills = "、".join(module.name for module in course.modules)
    return (
        f"「七会」课程，奶奶爷爷、外公外婆、爸爸妈妈都能学，不要钱。\n{skills}，一共{len(course.lessons)}课。\n"
        "一课十分钟：看一个道理，在家试一样，答三道小题。七会都学完，发一张结业证书。\n"
        f"{'想温习' if has_certificate else '想学'}，回复「报名课程」。{_see_certificate(has_certificate)}"
    )


def _see_certificate(has_certificate: bool) -> str:
    """Behind a sentence: whoever is through and has left is told that the certificate is there."""
    return "看您的结业证书，回复「证书」。" if has_certificate else ""


def not_ready() -> str:
    return "课程正在更新，过一会儿再来。已经学过的都还在。看活动回复「活动」。"


def enrolled(course: Course) -> str:
    return (
        f"报名课程成功！一共{len(course.lessons)}课，想学就学一课，不赶时间。\n"
        "看第一课，回复「下一课」。\n以前用别的微信学过？回复「换了微信」，接着学。"
    )


def ask_relation() -> str:
    return "顺便问一句，您是宝宝的什么人？回复「奶奶」「外公」「妈妈」这样就行，不说也可以。"


def relation_noted() -> str:
    return "记下了，谢谢。看课回复「下一课」。"


def came_back(passed: int) -> str:
    kept = f"以前学过的{passed}课都还在，" if passed else ""
    return f"欢迎回来！{kept}接着学就好。回复「下一课」。"


def enrolled_already(passed: int, lessons: int) -> str:
    return f"您已经报名课程了，学过{passed}/{lessons}课。接着学，回复「下一课」。"


def left(passed: int, *, has_certificate: bool = False) -> str:
    kept = f"学过的{passed}课给您留着，" if passed else ""
    return f"好的，课程先停下，不再提醒您。{kept}哪天想学了，回复「报名课程」就接上。{_see_certificate(has_certificate)}"


def lesson_shown(course: Course, lesson: Lesson, link: str = "", *, lead: str = "") -> str:
    """One lesson with its quiz, in one message; without the link where that would be too long."""
    number = course.number_of(lesson)
    text = "\n".join(
        (
            *((lead,) if lead else ()),
            f"第{number}课 {lesson.title}（{course.module(lesson.module).name}）",
            lesson.message,
            *(f"{mark} {point}" for mark, point in zip("①②③", lesson.points, strict=True)),
            *((f"老习惯「{lesson.habit}」：{lesson.instead}",) if lesson.habit else ()),
            f"在家试试：{lesson.practice}",
            "",
            "小测验，答对两题就过：",
            *(line for n, question in enumerate(lesson.quiz, 1) for line in _asked(n, question)),
            "回复三个字母，比如「答 ABC」；一个一个回也行。",
        )
    )
    return _with_link(text, "字大一点看：", link)


def _asked(number: int, question: Question) -> tuple[str, str]:
    choices = "　".join(
        f"{letter} {choice}" for letter, choice in zip(CHOICES, question.choices, strict=True)
    )
    return f"{number}. {question.text}", choices


def _with_link(text: str, lead: str, link: str) -> str:
    longer = f"{text}\n{lead}{link}"
    return longer if link and len(longer.encode()) <= ROOM_BYTES else text


def taken_so_far(lesson: Lesson, letters: str, next_question: int) -> str:
    """Letters one at a time: what is noted, and the next question."""
    given = "，".join(
        f"第{n}题{letter}" for n, letter in enumerate(letters, 1) if letter in CHOICES
    )
    asked = "\n".join(_asked(next_question, lesson.quiz[next_question - 1]))
    return f"{given}，记下了。\n{asked}\n回复一个字母就行。"


def how_to_answer(lesson: Lesson) -> str:
    return (
        f"现在答的是「{lesson.title}」的三道题，答案是 A、B、C 里的字母。\n"
        "比如回复「答 ABC」，或者先回第一题的字母。想再看一遍题目，回复「下一课」。"
    )


def marked(lesson: Lesson, letters: str, grade: Grade, *, number: int) -> str:
    """What became of a quiz: each answer with its reason, and never a reproach."""
    if grade.is_passed:
        praise = PRAISE[number % len(PRAISE)]
        head = "三题全对" if not grade.wrong else f"{grade.questions}题对了{grade.correct}题"
        first = f"{head}，第{number}课过了，{praise}！"
    elif grade.correct:
        first = f"对了{grade.correct}题，就差一点点，不要紧。我们看一看："
    else:
        first = "头一回答不对很平常，我们一起看一看："
    return "\n".join((first, *_explained(lesson, letters, grade)))


def _explained(lesson: Lesson, letters: str, grade: Grade) -> list[str]:
    lines = []
    for number, (letter, question) in enumerate(zip(letters, lesson.quiz, strict=True), 1):
        if number in grade.wrong:
            lines.append(
                f"{number}. 您选{letter}，合适的是{question.answer}。{question.explanation}"
            )
        else:
            lines.append(f"{number}. {letter}，对的。{question.explanation}")
    return lines


def try_again() -> str:
    return "看明白了，再答一次，比如「答 ABC」。想先歇歇，什么时候回来都行。"


def next_step(course: Course, modules: Sequence[ModuleLine], passed_now: bool) -> str:
    """What to do after a step: the next lesson, a practice that is missing, or nothing."""
    missing = [one for one in modules if not one.has_practice and one.passed == one.lessons]
    left_over = [one for one in modules if one.passed < one.lessons]
    if missing:
        name = missing[0].name
        return f"「{name}」的课都过了，就差一次在家练习。回复「打卡」加一句话，比如「打卡 今天试了，孩子笑了」。"
    if left_over:
        extra = "在家试过了，回复「打卡」说一声；" if passed_now else ""
        return f"{extra}接着学，回复「下一课」。"
    return "七会都学完了。想温习哪一课，回复「重学」加数字，比如「重学 5」。"


def practice_asked(module: str, practice: str | None) -> str:
    tried = f"「{practice}」试得怎么样？" if practice else "在家试得怎么样？"
    return f"{tried}\n说一句话、发一条语音、拍一张照片都行，记在「{module}」下面。"


def practised(module: str, kind: str, was_practised: bool, number: int) -> str:
    """Thanks for a practice, by how it came."""
    got = {
        "picture": "照片收到了（照片我们不留，只记下您打过卡）",
        "voice": "语音收到了，没全听清也不要紧，算您打卡",
    }.get(kind, "记下了")
    more = "又练了一次" if was_practised else "打卡成功"
    return f"{got}，「{module}」{more}，{PRAISE[number % len(PRAISE)]}！"


def module_passed(name: str, modules: int) -> str:
    return f"🌸 「{name}」这一瓣开了！七瓣开了{modules}瓣。"


def certificate_issued(code: str, name: str | None, check_url: str, page: str) -> str:
    whose = (
        f"证书上写的是「{name}」。"
        if name
        else "证书上写谁的名字？请直接回复姓名，比如「证书姓名 王秀英」。"
    )
    text = (
        f"🎉 恭喜您，七会全部学完，结业了！\n证书编号：{code}\n{whose}\n"
        f"别人可以在这里查真假（只看得到姓名的一部分）：{check_url}"
    )
    return _with_link(text, "看证书、存图片：", page)


def certificate_shown(
    code: str, name: str | None, is_revoked: bool, check_url: str, page: str
) -> str:
    if is_revoked:
        return f"证书 {code} 已经作废。有疑问，请回复「人工」问老师。"
    whose = name or "还没写姓名，回复「证书姓名」加名字就能写上"
    text = f"您的结业证书：{code}\n姓名：{whose}\n查真假：{check_url}"
    return _with_link(text, "看证书、存图片：", page)


def no_certificate(modules: int) -> str:
    return f"七会都学完就有证书，您已经完成{modules}会。\n看还差什么，回复「课程进度」；接着学，回复「下一课」。"


_NAME = LatePattern(r"[\u4e00-\u9fff]{2,4}(?:·[\u4e00-\u9fff]{1,8})?|[\u4e00-\u9fff]{5,8}")


def is_name(text: str) -> bool:
    """Whether a text can stand on a certificate as a person's name."""
    return _NAME.fullmatch(text) is not None


def name_asked() -> str:
    return "证书上写谁的名字？请回复姓名，比如「证书姓名 王秀英」。"


def name_sure(name: str) -> str:
    return f"证书上写「{name}」，每个字都对吗？对的回复「对」；不对，请再说一遍名字。"


def name_noted(name: str, page: str) -> str:
    return _with_link(f"写好了：「{name}」。要改，请回复「人工」找老师。", "看证书、存图片：", page)


def name_kept(name: str) -> str:
    return f"证书上已经写了「{name}」。要改，请回复「人工」找老师。"


def name_unreadable() -> str:
    return "这个名字我没看懂。请只写姓名，比如「证书姓名 王秀英」。"


def progress(
    modules: Sequence[ModuleLine], *, code: str | None, is_revoked: bool, link: str
) -> str:
    """Where the learner stands: a line a module, as the page's petals."""
    passed = sum(one.passed for one in modules)
    lessons = sum(one.lessons for one in modules)
    done = sum(one.is_passed for one in modules)
    lines = [f"课程进度：{passed}/{lessons}课，七会完成{done}会。"]
    for one in modules:
        mark = "🌸" if one.is_passed else ("🌱" if one.passed or one.has_practice else "○")
        practice = "，已打卡" if one.has_practice else ("，还没打卡" if one.passed else "")
        lines.append(f"{mark} {one.name} {one.passed}/{one.lessons}课{practice}")
    if code:
        lines.append(f"证书 {code} 已作废。" if is_revoked else f"结业证书：{code}")
    return _with_link("\n".join(lines), "看花瓣图：", link)


def all_lessons_passed(missing: Sequence[str]) -> str:
    if not missing:
        return (
            "所有的课都学完啦。想温习，回复「重学」加数字，比如「重学 5」；看证书，回复「证书」。"
        )
    names = "、".join(f"「{name}」" for name in missing)
    return (
        f"所有的课都过了！还差{names}在家练一次。\n"
        f"回复「打卡 {missing[0]}」再加一句话，比如「打卡 {missing[0]} 今天试了」。参加站里的祖辈课堂也算。"
    )


def again_how(lessons: int) -> str:
    return f"想重学哪一课？回复「重学」加数字，1到{lessons}，比如「重学 5」。"


def quiz_changed() -> str:
    return "这一课刚刚更新过，题目换了，请看新的："


def voice_not_heard() -> str:
    return "语音收到了，可惜没听清是哪个字母。请再说一遍，或者回复 A、B、C 里的一个。"


def moved_asked(lines: Sequence[str]) -> str:
    """Who of the family has learned before: is it the same person?"""
    if len(lines) == 1:
        return f"家里有一位：{lines[0]}。是您本人换了微信吗？是的回复「是」，接着学；不是回复「不是」。"
    shown = "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
    return f"哪一位是您本人？回复数字，接着学；都不是，回复「不是」。\n{shown}"


def moved_line(relation: str | None, passed: int) -> str:
    return f"{CALLED.get(relation or '', '家人')}，学过{passed}课"


def moved(passed: int) -> str:
    return f"接上了！您以前学过的{passed}课都在。回复「下一课」接着学。"


def moved_nobody() -> str:
    return (
        "家里没有找到可以接上的学习记录。请让原来的微信先回复「邀请」，您在这里「加入」；"
        "或者回复「人工」，请老师帮您接上。"
    )


def not_moved() -> str:
    return "好的，那就各学各的。回复「下一课」开始。"


def nudge(facts: CourseNudge) -> str:
    done = f"您已经学过{facts.lessons_passed}课了" if facts.lessons_passed else "第一课在等您"
    if facts.lesson is None:
        what = f"课都过了，就差「{facts.module}」在家练一次。回复「打卡」说一句就行。"
    else:
        what = f"下一课是「{facts.lesson}」，十分钟就好。回复「下一课」。"
    last = (
        "\n这个月先不再提醒了，您什么时候来都行；不想学了，回复「退出课程」。"
        if facts.nudge >= MOST_NUDGES
        else "\n不想再收，回复「退出课程」。"
    )
    return f"这一周忙坏了吧？{done}。\n{what}{last}"


def module_news(facts: CourseModulePassed) -> str:
    who = CALLED.get(facts.relation, "家人")
    more = "七会全部学完了！" if facts.modules >= 7 else f"七会已经学完{facts.modules}会。"
    return (
        f"报个喜：家里的{who}学完了「{facts.name}」，{more}\n回家说一声“辛苦了”，老人家会很高兴。\n"
        "您也想学，回复「报名课程」。"
    )


def enrolled_by_staff(facts: CourseEnrolledByStaff) -> str:
    return (
        f"{facts.station}的老师帮您报名了「七会」课程，不要钱，一课十分钟。\n"
        "看第一课，回复「下一课」；不想学，回复「退出课程」。"
    )


def certificate_changed(facts: CertificateChanged) -> str:
    call = f"，或打电话 {facts.phone}" if facts.phone else ""
    if facts.kind == "certificate_restored":
        return f"您的结业证书 {facts.code} 恢复有效了。\n看证书，回复「证书」。"
    return (
        f"您的结业证书 {facts.code} 作废了。原因：{facts.reason.rstrip('。')}。\n"
        f"有疑问，请回复「人工」{call}。"
    )


def module_lines(
    course: Course, passed: Set[str], practised: Set[int], modules: Set[int]
) -> list[ModuleLine]:
    """The seven modules as they stand."""
    ids: Mapping[int, tuple[str, ...]] = course.outline.modules
    return [
        ModuleLine(
            number=module.number,
            name=module.name,
            passed=len(passed & set(ids[module.number])),
            lessons=len(ids[module.number]),
            has_practice=module.number in practised,
            is_passed=module.number in modules,
        )
        for module in course.modules
    ]
