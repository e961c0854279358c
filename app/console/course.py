"""七会课程: who learns and who is stuck, stations side by side, hard questions, certificates."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console import listing
from app.console.access import may
from app.console.listing import Column, Filter, ListScreen
from app.console.said import say
from app.console.signed_in import acting_staff, current_role, database
from app.dialogue.reading.dates import DateFound, find_date
from app.dialogue.reading.relations import read_relation
from app.errors import (
    BadRow,
    CertificateStepNotAllowed,
    CertificateUnknown,
    ImportRefused,
    LearnerUnknown,
    ReasonMissing,
)
from app.services import (
    course_certificates,
    course_desk,
    course_identity,
    course_paper,
    desk,
    rosters,
)
from app.services.audit import Actor
from app.services.course_desk import (
    HardQuestion,
    LearnerQuery,
    ListedLearner,
    StationStanding,
)
from app.services.course_paper import PaperRow
from app.services.staff import scope_of
from app.words import course as words
from app.words.imports import say_bad_row
from app.words.timeline import RELATIONS
from content.lessons import Course

STATES = {
    "learning": "在学",
    "stuck": "一周没动",
    "unlinked": "还没接上微信",
    "left": "停下了",
    "completed": "结业了",
}
MODULES = ("会照料", "会抚爱", "会陪玩", "会倾听", "会沟通", "会放手", "会等待")
LONGEST_REASON = 100
_BETWEEN = re.compile(r"[\s,，;；、|]+")


def _course() -> Course:
    """What authors wrote, as of now; read at the edge only."""
    found: Course = current_app.extensions["yuban"].library.course
    return found


def _who(learner: ListedLearner) -> str:
    children = "、".join(learner.nicknames) or "（没有宝宝）"
    return f"{children}的{RELATIONS.get(learner.relation or '', '家人')}"


LEARNERS: ListScreen[ListedLearner] = ListScreen(
    endpoint="course",
    title="课程",
    search="宝宝小名、拼音或电话末四位",
    columns=(
        Column("学员", _who, is_title=True),
        Column("姓名", lambda one: one.name),
        Column("状态", lambda one: STATES[one.state]),
        Column("学到", lambda one: MODULES[one.module - 1]),
        Column("学过", lambda one: one.lessons_passed),
        Column("上次动", lambda one: one.moved_at),
        Column("提醒过", lambda one: one.nudges or None),
        Column("乡镇", lambda one: one.township),
        Column("站点", lambda one: one.station),
        Column("报名", lambda one: one.enrolled_at),
    ),
    filters=(
        Filter("state", "状态", {"": "不限", **STATES}),
        Filter(
            "module",
            "学到哪一会",
            {"": "不限", **{str(n): name for n, name in enumerate(MODULES, 1)}},
        ),
    ),
    link=lambda one: url_for("console.learner", learner_id=one.id),
)


def _at_module(place: int) -> Callable[[StationStanding], int]:
    return lambda row: row.at_module[place]


STATIONS: ListScreen[StationStanding] = ListScreen(
    endpoint="course_stations",
    title="各站课程",
    columns=(
        Column("站点", lambda row: row.station or "没有站点的家庭", is_title=True),
        Column("乡镇", lambda row: row.township),
        Column("报名", lambda row: row.enrolled),
        *(Column(name, _at_module(number)) for number, name in enumerate(MODULES)),
        Column("一周没动", lambda row: row.stuck),
        Column("停下了", lambda row: row.left),
        Column("结业", lambda row: row.completed),
    ),
)


def _questions_screen(course: Course) -> ListScreen[HardQuestion]:
    def lesson_title(row: HardQuestion) -> str:
        lesson = course.by_id[row.lesson]
        return f"{course.number_of(lesson)}. {lesson.title}"

    def most_chosen(row: HardQuestion) -> str:
        if not row.most_chosen:
            return ""
        choices = course.by_id[row.lesson].quiz[row.number - 1].choices
        return f"{row.most_chosen} {choices['ABC'.index(row.most_chosen)]}"

    return ListScreen(
        endpoint="course_questions",
        title="最难的题",
        columns=(
            Column(
                "题目",
                lambda row: course.by_id[row.lesson].quiz[row.number - 1].text,
                is_title=True,
            ),
            Column("课", lesson_title),
            Column("答过的人", lambda row: row.answered),
            Column("头一回答错", lambda row: row.wrong),
            Column("答错的占", lambda row: f"{row.share_wrong:.0%}"),
            Column("错选最多", most_chosen),
        ),
    )


def add_routes(console: Blueprint) -> None:
    console.get("/course", endpoint="course")(show_learners)
    console.get("/course/stations", endpoint="course_stations")(show_stations)
    console.get("/course/questions", endpoint="course_questions")(show_questions)
    console.get("/course/learners/<id:learner_id>", endpoint="learner")(show_learner)
    console.post("/course/learners/<id:learner_id>/name", endpoint="name_learner")(name_learner)
    console.post("/course/learners/<id:learner_id>/move", endpoint="move_learner")(move_learner)
    console.post("/course/certificates/<id:certificate_id>/revoke", endpoint="revoke_certificate")(
        revoke
    )
    console.post(
        "/course/certificates/<id:certificate_id>/restore", endpoint="restore_certificate"
    )(restore)
    console.add_url_rule("/course/enrol", "enrol_learners", enrol, methods=["GET", "POST"])


def show_learners() -> ResponseReturnValue:
    """Learners in scope; above them, where they stand."""
    at = now()
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        screen = LEARNERS
        if scope.station_id is None:
            stations = {each.code: each.name for each in rosters.stations_in(db, scope)}
            station = Filter("station", "站点", {"": "不限", **stations})
            screen = replace(LEARNERS, filters=(*LEARNERS.filters, station))
        asked = listing.read(screen)
        query = LearnerQuery(
            text=asked.text,
            state=asked.values["state"],
            module=int(asked.values["module"] or 0),
            station=asked.values.get("station", ""),
        )
        rows = course_desk.find(db, scope, query, limit=asked.limit, offset=asked.offset, now=at)
        standing = [] if asked.file else course_desk.by_module(db, scope, at)
        desk.record_view(
            db,
            scope,
            page="export" if asked.file else "course",
            subject_id=scope.station_id,
            now=at,
            families=[one.family_id for one in rows[: asked.limit - 1]],
        )
    return listing.answer(
        screen,
        asked,
        rows,
        "console/course/learners.html",
        standing=standing,
        most=max((one.learning + one.stuck for one in standing), default=0),
        module_names=MODULES,
        may_enrol=may(current_role(), "enrol_learners", acts=True),
    )


def show_stations() -> ResponseReturnValue:
    with database().reading() as db:
        scope = scope_of(acting_staff(db))
        asked = listing.read(STATIONS)
        rows = course_desk.by_station(db, scope, now())
    return listing.answer(
        STATIONS,
        asked,
        rows[asked.offset : asked.offset + asked.limit],
        "console/course/tables.html",
    )


def show_questions() -> ResponseReturnValue:
    course = _course()
    screen = _questions_screen(course)
    with database().reading() as db:
        scope = scope_of(acting_staff(db))
        asked = listing.read(screen)
        rows = course_desk.hardest_questions(db, scope, course)
    shown = rows[asked.offset : asked.offset + asked.limit]
    return listing.answer(screen, asked, shown, "console/course/tables.html")


def show_learner(learner_id: int) -> ResponseReturnValue:
    """One learner: modules, answers, practice, certificates, and what staff may do."""
    at = now()
    course = _course()
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            found = course_desk.detail(db, scope, learner_id, at)
            family_id = found.listed.family_id
            desk.record_view(
                db, scope, page="learner", subject_id=learner_id, now=at, families=[family_id]
            )
            caregivers = [
                one
                for one in found.learner.family.caregivers
                if one.id != found.learner.caregiver_id and one.openid is not None
            ]
    except LearnerUnknown:
        abort(404)
    passed = {one.lesson for one in found.learner.passes}
    practised = {one.module for one in found.practices}
    return render_template(
        "console/course/learner.html",
        found=found,
        who=_who(found.listed),
        state=STATES[found.listed.state],
        course=course,
        lines=words.module_lines(course, passed, practised, set(found.modules)),
        caregivers=caregivers,
        relations=RELATIONS,
        may_act=may(current_role(), "name_learner", acts=True),
        longest_reason=LONGEST_REASON,
        check_path=course_certificates.CHECK_PATH,
    )


def name_learner(learner_id: int) -> ResponseReturnValue:
    """Another name for the certificate: what was misheard, or married."""
    said = " ".join(request.form.get("name", "").split())
    if not words.is_name(said):
        say("danger", "name_unreadable")
        return _back(learner_id)
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            learner = course_desk.get_learner(db, scope, learner_id)
            actor = Actor("staff", scope.staff_id)
            course_certificates.set_name(db, learner, said, actor, now())
    except LearnerUnknown:
        abort(404)
    say("success", "learner_named", name=said)
    return _back(learner_id)


def move_learner(learner_id: int) -> ResponseReturnValue:
    """The learner goes on under another WeChat of the same family."""
    wanted = request.form.get("caregiver", "")
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        try:
            learner = course_desk.get_learner(db, scope, learner_id)
        except LearnerUnknown:
            abort(404)
        caregivers = learner.family.caregivers
        caregiver = next((one for one in caregivers if str(one.id) == wanted), None)
        if caregiver is None:
            abort(404)
        try:
            course_identity.attach(db, learner, caregiver, Actor("staff", scope.staff_id), now())
        except LearnerUnknown:
            say("danger", "learner_not_moved")
            return _back(learner_id)
    say("success", "learner_moved")
    return _back(learner_id)


def revoke(certificate_id: int) -> ResponseReturnValue:
    return _change_certificate(certificate_id, is_revoked=True)


def restore(certificate_id: int) -> ResponseReturnValue:
    return _change_certificate(certificate_id, is_revoked=False)


def _change_certificate(certificate_id: int, *, is_revoked: bool) -> ResponseReturnValue:
    reason = request.form.get("reason", "")[:LONGEST_REASON]
    code, learner_id = "", 0
    change = course_certificates.revoke if is_revoked else course_certificates.restore
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            certificate = course_certificates.get_certificate(db, certificate_id)
            code = certificate.code
            learner_id = course_desk.get_learner(db, scope, certificate.learner_id).id
            change(db, certificate=certificate, reason=reason, staff_id=scope.staff_id, now=now())
    except (CertificateUnknown, LearnerUnknown):
        abort(404)
    except ReasonMissing:
        say("danger", "certificate_reason_missing")
    except CertificateStepNotAllowed:
        say("warning", "certificate_changed_before")
    else:
        say("success", "certificate_revoked" if is_revoked else "certificate_restored", code=code)
    return _back(learner_id)


def enrol() -> ResponseReturnValue:
    """A paper list, a line a person: 小名 生日 关系 姓名."""
    typed = request.form.get("list", "")[:20_000]
    faults: list[str] = []
    if request.method == "POST":
        rows, bad = read_paper(typed, now().date())
        faults = [say_bad_row(one) for one in bad]
        if rows and not faults:
            try:
                with database().transaction() as db:
                    scope = scope_of(acting_staff(db))
                    course = _course()
                    entered = course_paper.enrol_from_paper(db, scope, course, rows, now())
            except ImportRefused as refused:
                faults = [say_bad_row(one) for one in refused.rows]
            else:
                say("success", "learners_enrolled", entered=entered)
                return redirect(url_for("console.course"))
        elif not faults:
            faults = ["名单还是空的，请一行写一位"]
    page = render_template("console/course/enrol.html", typed=typed, faults=faults)
    return page, 422 if faults else 200


def read_paper(typed: str, today: date) -> tuple[list[PaperRow], list[BadRow]]:
    """The lines of a list, and what is wrong with others; empty lines are passed over."""
    rows: list[PaperRow] = []
    faults: list[BadRow] = []
    lines = [(n, line.strip()) for n, line in enumerate(typed.splitlines(), 1) if line.strip()]
    if len(lines) > course_paper.MOST_ROWS:
        first_beyond = lines[course_paper.MOST_ROWS][0]
        return [], [BadRow(first_beyond, "", "too_many_people", "")]
    for number, line in lines:
        cells = [cell for cell in _BETWEEN.split(line) if cell]
        if len(cells) < 3:
            faults.append(BadRow(number, "", "not_a_learner", line))
            continue
        nickname, day, relation, *rest = cells
        found = find_date(day, today, "past")
        who = read_relation(relation)
        name = "".join(rest) or None
        if not isinstance(found, DateFound):
            faults.append(BadRow(number, "", "not_a_birth_date", day))
        elif who is None:
            faults.append(BadRow(number, "", "not_a_relation", relation))
        elif name is not None and not words.is_name(name):
            faults.append(BadRow(number, "", "not_a_name", name))
        else:
            rows.append(PaperRow(number, nickname, found.value, who, name))
    return rows, faults


def _back(learner_id: int) -> ResponseReturnValue:
    return redirect(url_for("console.learner", learner_id=learner_id))
