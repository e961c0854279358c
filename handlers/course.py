"""七会课程 in the chat: enrol, the next lesson, its quiz, practice, progress."""

import re

from app.dialogue.intent import read_intent
from app.dialogue.message import Dialogue, Kind, Reply
from app.dialogue.reading.answers import read_yes_no
from app.dialogue.reading.numerals import read_number
from app.dialogue.reading.plain import tidy
from app.dialogue.reading.quiz_answers import is_numbered, read_quiz_answers
from app.dialogue.reading.relations import read_relation
from app.dialogue.turn import ELSEWHERE, Answered, Turn
from app.errors import QuizChanged
from app.models import Learner
from app.services import course, course_certificates, course_identity
from app.services.audit import Actor
from app.services.course import Answered as QuizAnswered
from app.services.course import Practised
from app.services.course_steps import Gained
from app.services.registration import set_relation
from app.words import course as words
from content.lessons import QUESTIONS, Course, Lesson

TOPIC = "course"
PAGE = "course"
_NAME_LEAD = re.compile(
    r"^(?:证书)?(?:姓名|名字)?[是叫:：,， ]*(?:我(?:的名字)?(?:是|叫)|就?叫)?[:： ]*"
)
_PRACTICE_LEAD = re.compile(r"^打卡[\s,，:：、。]*")
_LETTER = re.compile(r"[abc]")
_NUMBER = re.compile(r"\d+|[一二两三四五六七八九十廿]+")


def about(turn: Turn) -> Answered:
    """课程: what it is; for a learner, where they stand."""
    syllabus = turn.desk.library.course
    if not syllabus.lessons:
        return Reply(words.not_ready()), None
    learner = course.find_learner(turn.db, turn.caregiver)
    if learner is None or learner.left_at is not None:
        has_certificate = learner is not None and learner.completed_at is not None
        return Reply(words.about(syllabus, has_certificate=has_certificate)), None
    return _progress(turn, syllabus, learner)


def enrol(turn: Turn) -> Answered:
    """报名课程: once; who left comes back to where they were."""
    syllabus = turn.desk.library.course
    if not syllabus.lessons:
        return Reply(words.not_ready()), None
    made = course.enrol(turn.db, syllabus, turn.caregiver, turn.now)
    passed = len(course.passed_ids(made.learner) & syllabus.ids)
    if made.came_back:
        return Reply(words.came_back(passed)), None
    if not made.is_new:
        return Reply(words.enrolled_already(passed, len(syllabus.lessons))), None
    text = words.enrolled(syllabus)
    if turn.caregiver.relation is not None:
        return Reply(text), None
    return Reply(f"{text}\n{words.ask_relation()}"), _step(turn, "relation")


def leave(turn: Turn) -> Answered:
    """退出课程: no more nudges; nothing is lost."""
    learner = course.get_learner(turn.db, turn.caregiver)
    course.leave(turn.db, turn.caregiver, turn.now)
    has_certificate = learner.completed_at is not None
    return Reply(words.left(learner.lessons_passed, has_certificate=has_certificate)), None


def next_lesson(turn: Turn) -> Answered:
    """下一课: the first one that is not passed, with its quiz."""
    syllabus = turn.desk.library.course
    learner = course.get_learner(turn.db, turn.caregiver)
    lesson = course.open_next(turn.db, syllabus, learner)
    if lesson is not None:
        return _shown(turn, syllabus, lesson)
    if not syllabus.lessons:
        return Reply(words.not_ready()), None
    standing = course.progress(turn.db, syllabus, learner)
    missing = [m.name for m in syllabus.modules if m.number not in standing.modules]
    return Reply(words.all_lessons_passed(missing)), None


def again(turn: Turn) -> Answered:
    """重学 5, 重学第五课, 重学 会陪玩: a lesson once more; what was passed stays passed."""
    syllabus = turn.desk.library.course
    learner = course.get_learner(turn.db, turn.caregiver)
    lesson = _named_lesson(syllabus, turn.argument)
    if lesson is not None:
        course.open_lesson(learner, lesson)
        return _shown(turn, syllabus, lesson)
    found = _NUMBER.search(turn.argument)
    number = read_number(found.group()) if found else None
    if number is None:
        return Reply(words.again_how(len(syllabus.lessons))), None
    lesson = course.open_numbered(syllabus, learner, int(number))
    return _shown(turn, syllabus, lesson)


def answer(turn: Turn) -> Answered:
    """答 ABA, and whatever else reads as letters."""
    said = turn.argument or turn.text
    learner = course.get_learner(turn.db, turn.caregiver)
    given = read_quiz_answers(said, QUESTIONS)
    if given is None:
        return _how_to_answer(turn, learner)
    return _take(turn, learner, given, said)


def quiz_aside(turn: Turn) -> Answered | None:
    """Letters for the lesson that lies open, whatever came between; None where they are none.

    A lone numeral belongs to the list that was shown last, so that here it is one of three. To
    a person who is being talked with, a lone letter may be an answer, too: all three are ours.
    """
    given = read_quiz_answers(turn.text, QUESTIONS)
    if given is None or (len(given) < QUESTIONS and not _LETTER.search(turn.text)):
        return None
    if turn.caregiver.open_thread_id is not None and len(given) < QUESTIONS:
        return None
    learner = course.find_learner(turn.db, turn.caregiver)
    if learner is None or learner.left_at is not None or learner.open_lesson is None:
        return None
    return _take(turn, learner, given, turn.text)


def practise(turn: Turn) -> Answered:
    """打卡 …: told in words; alone, it asks for a word, a voice message or a picture."""
    syllabus = turn.desk.library.course
    learner = course.get_learner(turn.db, turn.caregiver)
    said = _PRACTICE_LEAD.sub("", tidy(turn.inbound.text)).strip() if turn.argument else ""
    if said:
        return _log(turn, learner, "voice" if turn.inbound.kind is Kind.VOICE else "text", said)
    module = learner.module
    lesson = course.find_open(syllabus, learner)
    if lesson is None and learner.passes:
        last = max(learner.passes, key=lambda one: one.passed_at)
        lesson = syllabus.by_id.get(last.lesson)
    module = lesson.module if lesson is not None else module
    asked = words.practice_asked(
        syllabus.module(module).name, lesson.practice if lesson is not None else None
    )
    return Reply(asked), _step(turn, "practice")


def progress(turn: Turn) -> Answered:
    """课程进度."""
    learner = course.get_learner(turn.db, turn.caregiver)
    return _progress(turn, turn.desk.library.course, learner)


def certificate(turn: Turn) -> Answered:
    """证书: the learner's own, with the addresses to show and to check it."""
    learner, found = course.get_certified(turn.db, turn.caregiver)
    if found is None:
        standing = course.progress(turn.db, turn.desk.library.course, learner)
        return Reply(words.no_certificate(len(standing.modules))), _resting(turn, learner)
    text = words.certificate_shown(
        found.code,
        found.name,
        found.revoked_at is not None,
        _check_url(turn, found.code),
        turn.page_link("course/certificate"),
    )
    return Reply(text), None


def name(turn: Turn) -> Answered:
    """证书姓名 王秀英: asked once more before it is written, for voice mishears names."""
    learner, _ = course.get_certified(turn.db, turn.caregiver)
    if not course_certificates.may_set_name(learner):
        return Reply(words.name_kept(learner.name or "")), None
    if not turn.argument:
        return Reply(words.name_asked()), _step(turn, "name")
    said = _read_name(turn.argument)
    if said is None:
        return Reply(words.name_unreadable()), _step(turn, "name")
    return Reply(words.name_sure(said)), _step(turn, "name_sure", name=said)


def moved(turn: Turn) -> Answered:
    """换了微信: learners of the family who may be the same person."""
    found = course_identity.find_movable(turn.db, turn.caregiver)
    if not found:
        return Reply(words.moved_nobody()), None
    lines = [words.moved_line(one.relation, one.lessons_passed) for one in found]
    ids = " ".join(str(one.id) for one in found)
    return Reply(words.moved_asked(lines)), _step(turn, "moved", ids=ids)


def go_on(turn: Turn) -> Answered:
    """The answer to what the course asked last."""
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    step = {
        "quiz": _go_on_quiz,
        "practice": _go_on_practice,
        "relation": _go_on_relation,
        "name": _go_on_name,
        "name_sure": _go_on_name_sure,
        "moved": _go_on_moved,
    }.get(dialogue.step)
    return step(turn) if step is not None else ELSEWHERE


def takes_not_text(turn: Turn) -> bool:
    """Whether a picture, or voice without words, is meant for the course."""
    dialogue = turn.dialogue
    if dialogue is None or dialogue.topic != TOPIC:
        return False
    if turn.inbound.kind is Kind.VOICE:
        return dialogue.step in ("practice", "quiz")
    return dialogue.step == "practice" and turn.inbound.kind in (
        Kind.IMAGE,
        Kind.VIDEO,
        Kind.SHORT_VIDEO,
    )


def not_text(turn: Turn) -> Answered:
    """A picture as practice; voice without words, acknowledged."""
    assert turn.dialogue is not None, "asked only where takes_not_text says so"
    if turn.dialogue.step == "quiz":
        return Reply(words.voice_not_heard()), turn.dialogue
    learner = course.get_learner(turn.db, turn.caregiver)
    kind = "voice" if turn.inbound.kind is Kind.VOICE else "picture"
    return _log(turn, learner, kind, None)


def _go_on_quiz(turn: Turn) -> Answered:
    given = read_quiz_answers(turn.text, QUESTIONS)
    if given is None:
        # 选第二个的那个 is meant for the quiz, 活动几点 is not: only what is short and of its kind.
        if len(turn.text) <= 4 and not read_intent(turn.text) and turn.text.isascii():
            return _how_to_answer(turn, course.get_learner(turn.db, turn.caregiver))
        return ELSEWHERE
    return _take(turn, course.get_learner(turn.db, turn.caregiver), given, turn.text)


def _go_on_practice(turn: Turn) -> Answered:
    learner = course.get_learner(turn.db, turn.caregiver)
    if read_quiz_answers(turn.text, QUESTIONS) is not None and learner.open_lesson:
        return _go_on_quiz(turn)
    kind = "voice" if turn.inbound.kind is Kind.VOICE else "text"
    said = _PRACTICE_LEAD.sub("", tidy(turn.inbound.text)).strip()
    return _log(turn, learner, kind, said) if said else ELSEWHERE


def _go_on_relation(turn: Turn) -> Answered:
    relation = read_relation(turn.text)
    if relation is None or len(turn.text) > 12:
        return ELSEWHERE
    set_relation(turn.db, turn.caregiver, relation)
    return Reply(words.relation_noted()), None


def _go_on_name(turn: Turn) -> Answered:
    said = _read_name(turn.text)
    if said is None or read_intent(turn.text) is not None:
        return ELSEWHERE
    return Reply(words.name_sure(said)), _step(turn, "name_sure", name=said)


def _go_on_name_sure(turn: Turn) -> Answered:
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    sure = read_yes_no(turn.text)
    if sure is None:
        return _go_on_name(turn)
    if not sure:
        return Reply(words.name_asked()), _step(turn, "name")
    learner, _ = course.get_certified(turn.db, turn.caregiver)
    if not course_certificates.may_set_name(learner):
        return Reply(words.name_kept(learner.name or "")), None
    said = dialogue.draft["name"]
    actor = Actor("caregiver", turn.caregiver.id)
    course_certificates.set_name(turn.db, learner, said, actor, turn.now)
    return Reply(words.name_noted(said, turn.page_link("course/certificate"))), None


def _go_on_moved(turn: Turn) -> Answered:
    dialogue = turn.dialogue
    assert dialogue is not None, "only a running dialogue is gone on with"
    ids = [int(one) for one in dialogue.draft["ids"].split()]
    number = read_number(turn.text.removeprefix("第").rstrip("个位.。 "))
    if number is not None and number == int(number) and 1 <= number <= len(ids):
        chosen = ids[int(number) - 1]
    else:
        said = read_yes_no(turn.text)
        if said is False:
            return Reply(words.not_moved()), None
        if said is None or len(ids) > 1:
            return ELSEWHERE
        chosen = ids[0]
    learner = course_identity.move(
        turn.db, caregiver=turn.caregiver, learner_id=chosen, now=turn.now
    )
    return Reply(words.moved(learner.lessons_passed)), None


def _take(turn: Turn, learner: Learner, given: dict[int, str], said: str) -> Answered:
    syllabus = turn.desk.library.course
    try:
        answered = course.answer(
            turn.db,
            course=syllabus,
            learner=learner,
            given=given,
            is_numbered=is_numbered(said),
            now=turn.now,
        )
    except QuizChanged:
        lesson = course.find_open(syllabus, learner) or course.open_next(turn.db, syllabus, learner)
        if lesson is None:
            return next_lesson(turn)
        course.open_lesson(learner, lesson)
        return _shown(turn, syllabus, lesson, lead=words.quiz_changed())
    if answered.grade is None:
        assert answered.next_question is not None, "an unmarked quiz has an open question"
        text = words.taken_so_far(answered.lesson, answered.letters, answered.next_question)
        return Reply(text), _step(turn, "quiz")
    return _marked(turn, syllabus, learner, answered)


def _marked(turn: Turn, syllabus: Course, learner: Learner, answered: QuizAnswered) -> Answered:
    grade = answered.grade
    assert grade is not None, "asked only of a marked quiz"
    number = syllabus.number_of(answered.lesson)
    text = words.marked(answered.lesson, answered.letters, grade, number=number)
    if not grade.is_passed:
        return Reply(f"{text}\n{words.try_again()}"), _step(turn, "quiz")
    return _with_gains(turn, syllabus, learner, text, answered.gained)


def _log(turn: Turn, learner: Learner, kind: str, note: str | None) -> Answered:
    syllabus = turn.desk.library.course
    named = next((m.number for m in syllabus.modules if note and m.name in note), None)
    logged: Practised = course.log_practice(
        turn.db,
        course=syllabus,
        learner=learner,
        kind=kind,
        note=note,
        module=named,
        now=turn.now,
    )
    text = words.practised(
        syllabus.module(logged.module).name, kind, logged.was_practised, learner.lessons_passed
    )
    return _with_gains(turn, syllabus, learner, text, logged.gained)


def _with_gains(
    turn: Turn, syllabus: Course, learner: Learner, text: str, gained: Gained
) -> Answered:
    """What a step has led to, and the next one."""
    standing = course.progress(turn.db, syllabus, learner)
    parts = [text]
    for number, module in enumerate(gained.modules, 1):
        done = len(standing.modules) - len(gained.modules) + number
        parts.append(words.module_passed(syllabus.module(module).name, done))
    if gained.certificate is not None:
        code = gained.certificate.code
        page = turn.page_link("course/certificate")
        issued = words.certificate_issued(code, learner.name, _check_url(turn, code), page)
        following = _step(turn, "name") if learner.name is None else None
        return Reply("\n".join((*parts, issued))), following
    lines = words.module_lines(syllabus, standing.passed, standing.practised, standing.modules)
    parts.append(words.next_step(syllabus, lines, passed_now=bool(standing.passed)))
    return Reply("\n".join(parts)), _resting(turn, learner)


def _progress(turn: Turn, syllabus: Course, learner: Learner) -> Answered:
    standing = course.progress(turn.db, syllabus, learner)
    if standing.has_class:
        course.catch_up(turn.db, syllabus, learner, turn.now)
        standing = course.progress(turn.db, syllabus, learner)
    lines = words.module_lines(syllabus, standing.passed, standing.practised, standing.modules)
    found = standing.certificate
    text = words.progress(
        lines,
        code=found.code if found else None,
        is_revoked=found is not None and found.revoked_at is not None,
        link=turn.page_link(PAGE),
    )
    following = _resting(turn, learner)
    return Reply(f"{text}\n{words.next_step(syllabus, lines, passed_now=False)}"), following


def _shown(turn: Turn, syllabus: Course, lesson: Lesson, *, lead: str = "") -> Answered:
    link = turn.page_link(f"{PAGE}/{lesson.id}")
    text = words.lesson_shown(syllabus, lesson, link, lead=lead)
    return Reply(text), _step(turn, "quiz")


def _how_to_answer(turn: Turn, learner: Learner) -> Answered:
    lesson = course.find_open(turn.desk.library.course, learner)
    if lesson is None:
        return next_lesson(turn)
    return Reply(words.how_to_answer(lesson)), _step(turn, "quiz")


def _named_lesson(syllabus: Course, said: str) -> Lesson | None:
    """By the module's name, or by words of the title."""
    if not said:
        return None
    for module in syllabus.modules:
        if module.name in said:
            return syllabus.of_module(module.number)[0]
    plain = said.strip()
    return next((one for one in syllabus.lessons if len(plain) >= 2 and plain in one.title), None)


def _read_name(said: str) -> str | None:
    plain = _NAME_LEAD.sub("", tidy(said)).strip(' 。.，,!！"“”「」')
    return plain if words.is_name(plain) else None


def _check_url(turn: Turn, code: str) -> str:
    return course_certificates.check_url(turn.desk.public_url, code)


def _resting(turn: Turn, learner: Learner) -> Dialogue | None:
    """What a step in between leaves behind: the quiz that lies open goes on waiting."""
    is_open = course.find_open(turn.desk.library.course, learner) is not None
    return _step(turn, "quiz") if is_open else None


def _step(turn: Turn, step: str, **draft: str) -> Dialogue:
    return Dialogue(TOPIC, step, turn.now, draft)
