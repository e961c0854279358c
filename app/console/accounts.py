"""Accounts: made, closed and helped by the district."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from app.clock import now
from app.console import listing
from app.console.listing import Column, Filter, ListScreen
from app.console.said import say
from app.console.session_forms import MISSING, ChineseForm
from app.console.signed_in import acting_staff, database
from app.errors import (
    LastDistrictAccount,
    OwnAccount,
    PasswordTooWeak,
    StaffUnknown,
    StationUnknown,
    TownshipUnknown,
    UsernameInvalid,
    UsernameTaken,
)
from app.services import accounts, rosters, second_factor
from app.services import staff as staff_service
from app.services.accounts import Account
from app.services.audit import Actor
from app.services.staff import MIN_PASSWORD_LENGTH, scope_of
from app.words.errors import say_error

ROLES = {
    "worker": "站里老师",
    "visitor": "访视员",
    "township": "乡镇负责人",
    "district": "区里",
    "editor": "内容编辑",
    "auditor": "审计（只看）",
}

WHERE = {"visitor": "自己的上门", "editor": "资料"}
"""What an account without a station or township looks after."""

ACCOUNTS: ListScreen[Account] = ListScreen(
    endpoint="accounts",
    title="账号",
    search="用户名、站点或乡镇",
    columns=(
        Column("用户名", lambda account: account.username, is_title=True),
        Column("身份", lambda account: ROLES[account.role]),
        Column("哪里", lambda account: account.place or WHERE.get(account.role, "全区")),
        Column("状态", lambda account: "在用" if account.is_active else "停用了"),
        Column("手机验证码", lambda account: "有" if account.has_second_factor else "没有"),
        Column("上次登录", lambda account: account.last_login_at),
    ),
    filters=(
        Filter("role", "身份", {"": "不限", **ROLES}),
        Filter("state", "状态", {"": "不限", "open": "在用", "closed": "停用了"}),
    ),
    link=lambda account: url_for("console.account", staff_id=account.id),
)


class AccountForm(ChineseForm):
    username = StringField(
        "用户名", [DataRequired(MISSING), Length(max=40, message="请写在40个字符以内。")]
    )
    role = SelectField("身份", choices=ROLES)
    station = SelectField("站点（站里老师一定要选）")
    township = SelectField("乡镇（乡镇负责人一定要选）")
    password = PasswordField(
        f"第一次的密码（至少{MIN_PASSWORD_LENGTH}个字符）", [InputRequired(MISSING)]
    )


def add_routes(console: Blueprint) -> None:
    console.get("/accounts", endpoint="accounts")(show_accounts)
    console.add_url_rule("/accounts/new", "new_account", new_account, methods=["GET", "POST"])
    console.get("/accounts/<id:staff_id>", endpoint="account")(show_account)
    console.post("/accounts/<id:staff_id>/close", endpoint="close_account")(close_account)
    console.post("/accounts/<id:staff_id>/open", endpoint="open_account")(open_account)
    console.post("/accounts/<id:staff_id>/password", endpoint="new_password")(new_password)
    console.post("/accounts/<id:staff_id>/forget-code", endpoint="forget_second_factor")(
        forget_second_factor
    )


def show_accounts() -> ResponseReturnValue:
    """Who can log in."""
    asked = listing.read(ACCOUNTS)
    with database().reading() as db:
        acting_staff(db)
        rows = accounts.find(
            db, text=asked.text, limit=asked.limit, offset=asked.offset, **asked.values
        )
    return listing.answer(ACCOUNTS, asked, rows, "console/accounts/accounts.html")


def new_account() -> ResponseReturnValue:
    """A form; and from it an account."""
    form = AccountForm(request.form)
    with database().reading() as db:
        stations = rosters.stations_in(db, scope_of(acting_staff(db)))
        form.station.choices = [("", "不属于站点"), *((each.code, each.name) for each in stations)]
        form.township.choices = [
            ("", "不属于乡镇"),
            *((name, name) for name in rosters.township_names(db)),
        ]
    if request.method == "GET":
        return _form_page(form)
    if not form.validate():
        return _form_page(form), 422
    try:
        with database().transaction() as db:
            added = staff_service.add_staff(
                db,
                username=form.username.data or "",
                password=form.password.data or "",
                role=form.role.data,
                station_code=form.station.data or None,
                township_name=form.township.data or None,
                now=now(),
                actor=Actor("staff", acting_staff(db).id),
            )
            staff_id, username = added.id, added.username
    except (UsernameInvalid, UsernameTaken) as error:
        form.username.errors = [say_error(error)]
    except PasswordTooWeak as error:
        form.password.errors = [say_error(error)]
    except StationUnknown:
        form.station.errors = ["站里老师要选一个站点。"]
    except TownshipUnknown:
        form.township.errors = ["乡镇负责人要选一个乡镇。"]
    else:
        say("success", "account_made", username=username)
        return redirect(url_for("console.account", staff_id=staff_id))
    return _form_page(form), 422


def _form_page(form: AccountForm) -> str:
    return render_template("console/accounts/new.html", form=form)


def show_account(staff_id: int) -> ResponseReturnValue:
    """One account, and what can be done about it."""
    with database().reading() as db:
        own = acting_staff(db).id
        try:
            account = accounts.get(db, staff_id)
        except StaffUnknown:
            abort(404)
    return render_template(
        "console/accounts/account.html",
        account=account,
        is_own=own == staff_id,
        roles=ROLES,
        where=WHERE,
        shortest=MIN_PASSWORD_LENGTH,
    )


def close_account(staff_id: int) -> ResponseReturnValue:
    """Nobody logs in with it any more, and whoever is logged in is out."""
    return _set_active(staff_id, is_active=False)


def open_account(staff_id: int) -> ResponseReturnValue:
    """It can log in again."""
    return _set_active(staff_id, is_active=True)


def _set_active(staff_id: int, *, is_active: bool) -> ResponseReturnValue:
    try:
        with database().transaction() as db:
            actor = Actor("staff", acting_staff(db).id)
            account = accounts.set_active(db, staff_id, is_active=is_active, actor=actor, now=now())
    except StaffUnknown:
        abort(404)
    except (OwnAccount, LastDistrictAccount) as error:
        flash(say_error(error), "warning")
    else:
        say("success", "account_set", username=account.username, is_active=is_active)
    return redirect(url_for("console.account", staff_id=staff_id))


def new_password(staff_id: int) -> ResponseReturnValue:
    """For whoever forgot theirs; every browser has to log in again."""
    try:
        with database().transaction() as db:
            actor = Actor("staff", acting_staff(db).id)
            account = accounts.get(db, staff_id)
            staff_service.change_password(
                db,
                staff_id=staff_id,
                password=request.form.get("password", ""),
                now=now(),
                actor=actor,
            )
    except StaffUnknown:
        abort(404)
    except PasswordTooWeak as error:
        flash(say_error(error), "danger")
    else:
        say("success", "password_set", username=account.username)
    return redirect(url_for("console.account", staff_id=staff_id))


def forget_second_factor(staff_id: int) -> ResponseReturnValue:
    """For whoever lost the telephone and the recovery codes."""
    try:
        with database().transaction() as db:
            actor = Actor("staff", acting_staff(db).id)
            account = accounts.get(db, staff_id)
            second_factor.turn_off(db, staff_id, actor=actor, now=now())
    except StaffUnknown:
        abort(404)
    say("success", "second_factor_forgotten", username=account.username)
    return redirect(url_for("console.account", staff_id=staff_id))
