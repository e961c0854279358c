"""The forms in which staff describe a session, and the rows that come of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    Form,
    SelectField,
    StringField,
    TimeField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    Regexp,
    StopValidation,
)

from app.clock import SHANGHAI
from app.console.numbers import WholeNumberField
from app.models import GuidanceSession, Station
from app.rules.our_times import FIRST_YEAR, LAST_YEAR
from app.rules.session_life import Timing, moved_to, order_faults
from app.services.publishing import SessionExtras, SessionRow, row_of, timing_of
from app.services.series import SeriesRule

KINDS = (
    "站点指导活动",
    "育儿加油站",
    "亲子嘉年华",
    "科学育儿指导流动车",
    "亲子阅读分享会",
    "祖辈课堂",
)
LEVELS = {
    "station": "站点",
    "township": "乡镇",
    "district": "区级",
    "city": "市级",
}
CONFIRM_MODES = {
    "auto": "报上就算数",
    "staff": "老师确认后算数",
}
WAITING_LISTS = {
    "first_come": "有候补：先来的先补",
    "fewest_attended": "有候补：今年来得少的家庭先补",
    "no": "不设候补",
}
# The six areas of the service: 新生儿访视、膳食营养、生长发育、预防接种、安全防护、疾病防控.
TOPICS = {
    "": "不指定",
    "newborn": "新生儿访视",
    "nutrition": "膳食营养",
    "growth": "生长发育",
    "vaccination": "预防接种",
    "safety": "安全防护",
    "illness": "疾病防控",
}
ORDER_FAULTS = {
    "ends_before_start": "结束要比开始晚。",
    "closes_before_opening": "截止报名要比开放报名晚。",
    "closes_after_start": "截止报名不能晚于活动开始。",
    "cancel_after_start": "最晚取消不能晚于活动开始。",
}
MAX_PLACES = 1000
MAX_MONTHS = 99
MISSING = "请填写。"
PAST = "这个时间已经过去了，家长报不了名。日期写错了请改；确实要补登，请勾选“这场已经办过了”。"
MINUTES = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
"""How browsers write a moment; the first is how it is shown."""
CODE = Regexp(r"^[A-Za-z0-9][A-Za-z0-9_-]*$", message="编号只用字母、数字和短横线。")


def in_our_times(_form: Form, field: DateField | DateTimeLocalField) -> None:
    """A year far off is a slip of the hand, and some are beyond what can be reckoned with."""
    if field.data is not None and not FIRST_YEAR < field.data.year < LAST_YEAR:
        raise StopValidation(f"请填{FIRST_YEAR + 1}到{LAST_YEAR - 1}年之间的日期。")


def _number(label: str, least: int, most: int, default: int | None = None) -> WholeNumberField:
    message = f"请填{least}到{most}的整数。"
    return WholeNumberField(
        label, [InputRequired(message), NumberRange(least, most, message)], default=default
    )


class ChineseForm(Form):
    """What the library itself has to say about a field, it says in Chinese."""

    class Meta:
        locales = ("zh",)


class _AboutForm(ChineseForm):
    """What a session is, apart from its times."""

    title = StringField(
        "名称", [DataRequired(MISSING), Length(max=80, message="请写在80个字以内。")]
    )
    kind = StringField(
        "种类", [DataRequired(MISSING), Length(max=40, message="请写在40个字以内。")]
    )
    level = SelectField("级别", choices=LEVELS)
    station = SelectField("地点")
    places = _number("名额", 0, MAX_PLACES)
    min_months = _number("最小月龄", 0, MAX_MONTHS, 0)
    max_months = _number("最大月龄", 0, MAX_MONTHS, 36)
    topic = SelectField("内容", choices=TOPICS)
    confirm_mode = SelectField("确认方式", choices=CONFIRM_MODES)
    waiting_list = SelectField("候补", choices=WAITING_LISTS)
    offer_hours = _number("候补名额保留几小时（夜里不算）", 2, 12, 6)

    def offer_stations(self, stations: Iterable[Station]) -> None:
        """Only the stations that this staff member may put sessions at can be chosen."""
        self.station.choices = {station.code: station.name for station in stations}

    def months_are_in_order(self) -> bool:
        low, high = self.min_months.data, self.max_months.data
        if low is None or high is None or low <= high:
            return True
        self.max_months.errors = [*self.max_months.errors, "最大月龄不能小于最小月龄。"]
        return False


class CreateForm(_AboutForm):
    """One new session; deadlines are said as teachers say them, so long before."""

    code = StringField(
        "编号（不填就自动编）", [Optional(), Length(max=24, message="请写在24个字以内。"), CODE]
    )
    day = DateField("日期", [InputRequired(MISSING), in_our_times])
    starts = TimeField("开始", [InputRequired(MISSING)], default=time(9, 30))
    ends = TimeField("结束", [InputRequired(MISSING)], default=time(10, 30))
    opens_days = _number("提前几天开放报名", 0, 365, 30)
    closes_hours = _number("提前几小时截止报名", 0, 720, 12)
    cancel_hours = _number("提前几小时可自己取消", 0, 720, 24)
    township_days = _number("开放后先给本乡镇的家庭几天", 0, 60, 0)
    took_place = BooleanField("这场已经办过了，补登进来")

    def says_it_is_past(self, now: datetime) -> bool:
        """Whether the start is over and nobody said that this is meant; it is then said at the day.

        Call after read().
        """
        day, starts = self.day.data, self.starts.data
        assert day is not None, "read() has said so"
        assert starts is not None, "read() has said so"
        if datetime.combine(day, starts, tzinfo=SHANGHAI) > now or self.took_place.data:
            return False
        self.day.errors = [*self.day.errors, PAST]
        return True

    def read(self) -> bool:
        """Whether everything was filled in, and in order; faults are kept with their fields."""
        is_valid = self.validate()
        is_valid = self.months_are_in_order() and is_valid
        if self.starts.data and self.ends.data and self.ends.data <= self.starts.data:
            self.ends.errors = [*self.ends.errors, ORDER_FAULTS["ends_before_start"]]
            return False
        opens, closes = self.opens_days.data, self.closes_hours.data
        if (
            opens is not None
            and closes is not None
            and timedelta(days=opens) <= timedelta(hours=closes)
        ):
            self.closes_hours.errors = [
                *self.closes_hours.errors,
                ORDER_FAULTS["closes_before_opening"],
            ]
            return False
        return is_valid

    def row(self, code: str) -> SessionRow:
        """The session; call after read()."""
        day, starts, ends = self.day.data, self.starts.data, self.ends.data
        assert day is not None, "read() has said so"
        assert starts is not None, "read() has said so"
        assert ends is not None, "read() has said so"
        starts_at = datetime.combine(day, starts, tzinfo=SHANGHAI)
        return _about_row(
            self,
            code,
            Timing(
                starts_at=starts_at,
                ends_at=datetime.combine(day, ends, tzinfo=SHANGHAI),
                opens_at=starts_at - timedelta(days=self.opens_days.data or 0),
                closes_at=starts_at - timedelta(hours=self.closes_hours.data or 0),
                cancel_until=starts_at - timedelta(hours=self.cancel_hours.data or 0),
            ),
        )

    def extras(self, row: SessionRow) -> SessionExtras:
        days = self.township_days.data or 0
        return SessionExtras(
            topic=self.topic.data or None,
            township_first_until=row.opens_at + timedelta(days=days) if days else None,
            offer_hours=self.offer_hours.data or SessionExtras().offer_hours,
        )


class SeriesForm(CreateForm):
    """A session that repeats."""

    code = StringField(
        "系列编号", [DataRequired(MISSING), Length(max=20, message="请写在20个字以内。"), CODE]
    )
    every_weeks = _number("每几周一次", 1, 26, 2)
    until = DateField("排到哪一天（含）", [InputRequired(MISSING), in_our_times])

    def rule(self) -> SeriesRule:
        """Call after read()."""
        first, until = self.day.data, self.until.data
        assert first is not None, "read() has said so"
        assert until is not None, "read() has said so"
        return SeriesRule(
            code=(self.code.data or "").strip().upper(),
            every_weeks=self.every_weeks.data or 1,
            first_on=first,
            until=until,
        )

    def read(self) -> bool:
        is_valid = super().read()
        first, until = self.day.data, self.until.data
        if first and until and not first <= until <= first + timedelta(weeks=2 * 52):
            self.until.errors = [*self.until.errors, "请填第一场之后两年以内的日期。"]
            return False
        return is_valid


class EditForm(_AboutForm):
    """A session that is there. Moments that nobody touched move along with the start."""

    day = DateField("日期", [InputRequired(MISSING), in_our_times])
    starts = TimeField("开始", [InputRequired(MISSING)])
    ends = TimeField("结束", [InputRequired(MISSING)])
    opens_at = DateTimeLocalField(
        "开放报名", [InputRequired(MISSING), in_our_times], format=MINUTES
    )
    closes_at = DateTimeLocalField(
        "截止报名", [InputRequired(MISSING), in_our_times], format=MINUTES
    )
    cancel_until = DateTimeLocalField(
        "最晚自己取消", [InputRequired(MISSING), in_our_times], format=MINUTES
    )
    township_first_until = DateTimeLocalField(
        "先给本乡镇的家庭到", [Optional(), in_our_times], format=MINUTES
    )
    whole_series = BooleanField("以后的各场也这样改")
    keeps_aged_out = BooleanField("月龄不再符合的，名额也保留")
    version = StringField()
    """When the session was last changed before the form was opened."""

    def row(self, session: GuidanceSession) -> SessionRow | None:
        """The session as changed; None where the moments are out of order, which is then said."""
        day, starts, ends = self.day.data, self.starts.data, self.ends.data
        assert day is not None, "validated before"
        assert starts is not None, "validated before"
        assert ends is not None, "validated before"
        was = row_of(session)
        starts_at = _kept(datetime.combine(day, starts, tzinfo=SHANGHAI), was.starts_at)
        along = moved_to(_local(timing_of(was)), day, starts_at.time())
        typed = Timing(
            starts_at=starts_at,
            ends_at=_kept(_end(starts_at, ends, was), was.ends_at),
            # What has opened stays open, however far the session is moved.
            opens_at=_typed(self.opens_at, was.opens_at, was.opens_at, was, starts_at),
            closes_at=_typed(self.closes_at, was.closes_at, along.closes_at, was, starts_at),
            cancel_until=_typed(
                self.cancel_until, was.cancel_until, along.cancel_until, was, starts_at
            ),
        )
        row = _about_row(self, session.code, typed)
        faults = list(order_faults(typed))
        for name, reason in faults:
            field = self.ends if name == "ends_at" else self[name]
            field.errors = [*field.errors, ORDER_FAULTS[reason]]
        return None if faults else row

    def extras(self, session: GuidanceSession) -> SessionExtras:
        until = self.township_first_until.data
        return SessionExtras(
            topic=self.topic.data or None,
            township_first_until=until.replace(tzinfo=SHANGHAI) if until else None,
            offer_hours=self.offer_hours.data or session.offer_hours,
        )


@dataclass(frozen=True, slots=True)
class Editable:
    """What the edit form is filled with at first."""

    title: str
    kind: str
    level: str
    station: str
    places: int
    min_months: int
    max_months: int
    topic: str
    confirm_mode: str
    waiting_list: str
    offer_hours: int
    day: date
    starts: time
    ends: time
    opens_at: datetime
    closes_at: datetime
    cancel_until: datetime
    township_first_until: datetime | None
    version: str


def editable(session: GuidanceSession) -> Editable:
    starts_at, ends_at = _shanghai(session.starts_at), _shanghai(session.ends_at)
    until = session.township_first_until
    return Editable(
        title=session.title,
        kind=session.kind,
        level=session.level,
        station=session.station.code,
        places=session.places,
        min_months=session.min_months,
        max_months=session.max_months,
        topic=session.topic or "",
        confirm_mode=session.confirm_mode,
        waiting_list=session.waiting_list,
        offer_hours=session.offer_hours,
        day=starts_at.date(),
        starts=starts_at.time(),
        ends=ends_at.time(),
        opens_at=_shanghai(session.opens_at),
        closes_at=_shanghai(session.closes_at),
        cancel_until=_shanghai(session.cancel_until),
        township_first_until=_shanghai(until) if until else None,
        version=version_of(session),
    )


def version_of(session: GuidanceSession) -> str:
    """Differs after every change of the session itself."""
    return session.updated_at.isoformat()


def _about_row(form: _AboutForm, code: str, timing: Timing) -> SessionRow:
    return SessionRow(
        code=code,
        title=(form.title.data or "").strip(),
        kind=(form.kind.data or "").strip(),
        level=form.level.data,
        station_code=form.station.data,
        starts_at=timing.starts_at,
        ends_at=timing.ends_at,
        places=form.places.data or 0,
        min_months=form.min_months.data or 0,
        max_months=form.max_months.data or 0,
        confirm_mode=form.confirm_mode.data,
        opens_at=timing.opens_at,
        closes_at=timing.closes_at,
        cancel_until=timing.cancel_until,
        waiting_list=form.waiting_list.data,
    )


def _typed(
    field: DateTimeLocalField,
    was: datetime,
    along: datetime,
    row: SessionRow,
    starts_at: datetime,
) -> datetime:
    """What was typed; where that is what was there and the start has moved, it moves along."""
    assert field.data is not None, "validated before"
    typed = _kept(field.data.replace(tzinfo=SHANGHAI), was)
    return along if typed == was and starts_at != row.starts_at else typed


def _kept(typed: datetime, was: datetime) -> datetime:
    """What was there, to the second, where the same minute was typed: a browser knows no more."""
    same = typed.replace(second=0) == was.replace(second=0, microsecond=0)
    return _shanghai(was) if same else typed


def _end(starts_at: datetime, ends: time, was: SessionRow) -> datetime:
    """The end on the same day; a longer span is kept where its hour was not touched."""
    days = _shanghai(was.ends_at).date() - _shanghai(was.starts_at).date()
    return datetime.combine(starts_at.date() + days, ends, tzinfo=SHANGHAI)


def _local(timing: Timing) -> Timing:
    return replace(timing, starts_at=_shanghai(timing.starts_at))


def _shanghai(at: datetime) -> datetime:
    return at.astimezone(SHANGHAI)
