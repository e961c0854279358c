"""导出信息, 撤回同意, 注销 in the chat."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import String, cast, select

from app.dialogue.message import Kind
from app.models import Caregiver, SubscriptionConsent
from app.services import subscriptions
from app.wiring import Services
from tests.conversations.conftest import Person, Publisher


@pytest.fixture
def with_grandmother(registered: Person, grandmother: Person) -> Person:
    grandmother.follows()
    invitation = registered.says("邀请")
    code = invitation.split("加入 ")[1].split("\n")[0]
    grandmother.says(f"加入 {code}")
    grandmother.says("外婆")
    return grandmother


def test_the_export_is_a_page(registered: Person) -> None:
    assert "/family/me/data" in registered.says("导出信息")


def test_who_has_nothing_stored_is_told_so(mother: Person) -> None:
    mother.follows()
    assert "没有存" in mother.says("导出信息")
    assert "登记" in mother.says("注销")
    assert "登记" in mother.says("撤回同意")


def test_erasing_wants_the_whole_word(registered: Person, publish: Publisher) -> None:
    publish("CQ-1", places=1)
    registered.says("报名 CQ-1")
    assert "确认注销" in registered.says("注销")
    assert "还没有办" in registered.says("是")
    assert "糖糖" in registered.says("我的信息")
    assert "确认注销" in registered.says("注销")
    answer = registered.says("确认注销")
    assert "已注销" in answer
    assert "1个报名已取消" in answer
    assert "没有存" in registered.says("我的信息")
    assert "还有1个名额" in registered.says("活动")


def test_erasing_can_be_left(registered: Person) -> None:
    registered.says("注销")
    registered.says("取消")
    assert "已注销" not in registered.says("确认注销")
    assert "糖糖" in registered.says("我的信息")


def test_after_erasing_one_may_register_again(registered: Person) -> None:
    registered.says("注销")
    registered.says("确认注销")
    registered.says("登记 糖糖 2026-05-01 女 城桥镇")
    assert "登记成功" in registered.says("同意")


def test_a_consent_is_withdrawn_child_by_child(registered: Person) -> None:
    registered.says("登记 果果 2026-05-01 男")
    registered.says("同意")
    assert "2. 果果" in registered.says("撤回同意")
    assert "果果" in registered.says("2")
    assert "已撤回：果果" in registered.says("确认撤回")
    page = registered.says("我的信息")
    assert "糖糖" in page
    assert "果果" not in page


def test_the_last_childs_withdrawal_leaves_nothing(registered: Person) -> None:
    registered.says("撤回同意")
    assert "已撤回：糖糖" in registered.says("确认撤回")
    assert "没有存" in registered.says("我的信息")


def test_a_grandmother_who_joined_leaves_and_erases_nothing(
    registered: Person, with_grandmother: Person
) -> None:
    assert "确认退出" in with_grandmother.says("注销")
    assert "已退出" in with_grandmother.says("确认退出")
    assert "没有存" in with_grandmother.says("我的信息")
    assert "糖糖" in registered.says("我的信息")


def test_another_family_is_untouched(registered: Person, person: Callable[[str], Person]) -> None:
    other = person("o-other")
    other.follows()
    other.says("登记 果果 2026-04-10 男 堡镇")
    other.says("同意")
    registered.says("注销")
    registered.says("确认注销")
    assert "果果" in other.says("我的信息")


def tables_that_hold(services: Services, openid: str) -> set[str]:
    """Names of the tables in which somebody's WeChat identity stands."""
    with services.database.reading() as db:
        return {
            table.name
            for table in Caregiver.metadata.sorted_tables
            for column in table.c
            if isinstance(column.type, String)
            and db.execute(select(1).where(cast(column, String) == openid).limit(1)).first()
        }


def with_consent(person: Person, services: Services, now: datetime) -> None:
    """A subscription consent bears the identity too, and refers to no caregiver."""
    with services.database.transaction() as db:
        popup = (subscriptions.Answer("template", "accept"),)
        subscriptions.note_popup(db, person.openid, popup, now)
        assert db.scalars(select(SubscriptionConsent)).one()


@pytest.mark.parametrize(
    "kind", [Kind.UNSUBSCRIBE, Kind.AUTHORISATION_REVOKED, Kind.AUTHORISATION_CANCELLED]
)
def test_what_the_platform_says_was_revoked_unlinks(
    registered: Person, services: Services, now: datetime, kind: Kind
) -> None:
    with_consent(registered, services, now)
    assert {"caregivers", "inbox"} <= tables_that_hold(services, registered.openid)

    registered.sends(kind)

    # The key of the callback itself, which is kept for its repetition, names nobody.
    assert tables_that_hold(services, registered.openid) == set()


def test_who_erases_leaves_no_identity_behind(
    registered: Person, services: Services, now: datetime
) -> None:
    with_consent(registered, services, now)

    registered.says("注销")
    registered.says("确认注销")

    assert tables_that_hold(services, registered.openid) <= {"inbox"}
