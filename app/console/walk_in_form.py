"""A family at the door that is not registered: four answers, and its child is checked in."""

import re
from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from app.clock import SHANGHAI, now
from app.console.check_in import NICKNAME_LENGTH, acting_at_the_door
from app.console.families import PHONE
from app.console.said import say
from app.console.session_forms import ChineseForm
from app.errors import BornInFuture, ChildTooOld
from app.services import publishing, walk_ins
from app.services.check_in import CheckedIn, get_roster
from app.services.registration import ConsentGiven
from app.words.errors import say_error
from app.words.registration import CONSENT_PURPOSE, CONSENT_VERSION, consent_notice

_MONTH = re.compile(r"(20\d\d)\s*[-./年]\s*(0?[1-9]|1[0-2])\s*月?")


class WalkInForm(ChineseForm):
    """What the paper sheet asks for."""

    nickname = StringField(
        "宝宝小名",
        [InputRequired("请填宝宝的小名。"), Length(max=10, message="小名请写在10个字以内。")],
    )
    born_in = StringField("出生年月", [InputRequired("请填出生年月，例如 2026-05。")])
    phone = StringField("家长电话", [InputRequired("请填家长的电话。")])
    need = SelectField(
        "家里要不要指导服务",
        choices={"": "请选", "yes": "需要", "no": "不需要"},
        validators=[InputRequired("请问一句，选需要或不需要。")],
    )
    consent = BooleanField(
        "监护人看过《儿童个人信息告知》，当面同意登记",
        [InputRequired("家长看过告知、当面同意了，才能登记。")],
    )

    def read(self) -> walk_ins.NewFamily | None:
        """The family, where all is right; else the fields say what is not."""
        is_valid = self.validate()
        month = _MONTH.fullmatch((self.born_in.data or "").strip())
        phone = (self.phone.data or "").strip()
        if self.born_in.data and month is None:
            self.born_in.errors = ["请写成 2026-05 这样。"]
        if phone and not PHONE.fullmatch(phone):
            self.phone.errors = ["请填数字，例如 13800001234。"]
        if not is_valid or month is None or not PHONE.fullmatch(phone):
            return None
        return walk_ins.NewFamily(
            nickname=(self.nickname.data or "").strip(),
            born_in=date(int(month[1]), int(month[2]), 1),
            phone=phone,
            need=self.need.data == "yes",
        )


def add_routes(console: Blueprint) -> None:
    console.add_url_rule(
        "/sessions/<code>/walk-in/new",
        "new_walk_in",
        take_in,
        methods=["GET", "POST"],
    )


def take_in(code: str) -> ResponseReturnValue:
    """The form; and with it filled in, the child is registered and here."""
    asked = request.args.get("nickname", "").strip()[:NICKNAME_LENGTH]
    form = WalkInForm(request.form, data={"nickname": asked})
    new = form.read() if request.method == "POST" else None
    taken: walk_ins.TakenIn | CheckedIn | None = None
    with acting_at_the_door(code) as (db, scope):
        session = get_roster(db, scope, code, now()).session
        stored = publishing.find_session(db, code)
        phone = stored.station.phone if stored else ""
        if new is not None:
            consent = ConsentGiven(
                purpose=CONSENT_PURPOSE,
                version=CONSENT_VERSION,
                evidence=f"当面同意，工作人员{scope.staff_id}在{session.code}现场登记",
            )
            try:
                # What is refused here leaves no half of a family behind.
                with db.begin_nested():
                    taken = walk_ins.take_in(db, scope, code, new, consent, now=now())
            except (BornInFuture, ChildTooOld) as error:
                form.born_in.errors = [say_error(error)]
    if isinstance(taken, walk_ins.TakenIn):
        say(
            "success",
            "taken_in",
            nickname=taken.done.nickname,
            invitation=taken.invitation,
        )
        return redirect(url_for("console.check_in", code=code))
    if taken is not None:
        said = "known_and_here" if taken.was_done else "taken_in_before"
        say("success" if taken.was_done else "warning", said, nickname=taken.nickname)
        return redirect(url_for("console.check_in", code=code))
    return render_template(
        "console/check_in/new_walk_in.html",
        session=session,
        form=form,
        notice=consent_notice(phone),
        this_month=f"{now().astimezone(SHANGHAI):%Y-%m}",
    ), (400 if request.method == "POST" else 200)
