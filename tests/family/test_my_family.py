"""我家 and 个人信息 as pages."""

import json
import re
from collections.abc import Callable

import pytest

from tests.conversations.conftest import Person, Publisher
from tests.family.conftest import MovedClock, Phone


@pytest.fixture
def phone(registered: Person, open_as: Callable[[str], Phone]) -> Phone:
    return open_as(registered.openid)


@pytest.fixture
def grandmas(registered: Person, grandmother: Person, open_as: Callable[[str], Phone]) -> Phone:
    grandmother.follows()
    code = registered.says("邀请").split("加入 ")[1].split("\n")[0]
    grandmother.says(f"加入 {code}")
    grandmother.says("外婆")
    return open_as(grandmother.openid)


def test_the_page_shows_who_is_in_the_family(phone: Phone, grandmas: Phone) -> None:
    page = phone.opens("me")
    assert "糖糖，2026年5月1日生，6个月，女宝宝" in page
    assert "奶奶或外婆" in page
    assert "移出这个家" in page
    assert "移出这个家" not in grandmas.opens("me")


def test_a_child_is_corrected(phone: Phone) -> None:
    page = phone.posts("me/children/1", nickname="糖宝", birth_date="2026-05-02", sex="girl")
    assert "存好了" in page
    assert "糖宝，2026年5月2日生" in page


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"birth_date": "2026-02-31"}, "日子不对"),
        ({"birth_date": "2030-01-01"}, "还没到"),
        ({"birth_date": "2010-01-01"}, "3岁以下"),
        ({"nickname": "一个非常非常长的小名字呀"}, "1到10个字"),
    ],
)
def test_a_wrong_correction_changes_nothing(
    phone: Phone, fields: dict[str, str], said: str
) -> None:
    assert said in phone.posts("me/children/1", 409, **fields)
    assert "糖糖，2026年5月1日生" in phone.opens("me")


def test_the_family_moves_and_says_what_it_needs(phone: Phone) -> None:
    page = phone.posts("me/about", township="堡镇", need="no", relation="mother")
    assert "<option selected>堡镇" in page
    assert re.search(r'value="no" checked', page)
    assert "妈妈（您）" in page
    assert "没有办成" in phone.posts("me/about", 409, township="外滩")


def test_what_is_sent_is_chosen(phone: Phone, registered: Person) -> None:
    page = phone.posts("me/pushes", pushes="paused")
    assert re.search(r'value="paused" checked', page)
    phone.posts("me/pushes", pushes="everything", per_week="9")
    page = phone.posts("me/pushes", per_week="1", topics="1", topic="亲子阅读")
    assert '<option value="1" selected>' in page
    assert 'value="亲子阅读" checked' in page
    assert 'value="生长发育" checked' not in page


def test_a_night_of_ones_own_is_chosen(phone: Phone, registered: Person) -> None:
    assert '<option value="21" selected>晚上9点' in phone.opens("me")
    page = phone.posts("me/pushes", quiet_from="19", quiet_until="10")
    assert '<option value="19" selected>晚上7点' in page
    assert '<option value="10" selected>早上10点' in page
    assert "晚上7点到早上10点不发" in registered.says("推送设置")
    refused = phone.posts("me/pushes", 409, quiet_from="3", quiet_until="4")
    assert "之间开始" in refused
    phone.posts("me/pushes", quiet_from="x", quiet_until="9" * 99)
    assert '<option value="19" selected>' in phone.opens("me")


def test_an_invitation_works_in_the_chat(phone: Phone, person: Callable[[str], Person]) -> None:
    code = phone.posts("me/invite").split("加入 ")[1].split("\n")[0]
    father = person("o-father")
    father.follows()
    assert "加入成功" in father.says(f"加入 {code}")


def test_a_caregiver_is_removed_once_and_sees_nothing_more(phone: Phone, grandmas: Phone) -> None:
    assert "糖糖" in grandmas.opens("me")
    assert "已经移出这个家" in phone.posts("me/caregivers/2/remove")
    assert "可能刚刚已经移出去了" in phone.posts("me/caregivers/2/remove")
    assert "糖糖" not in grandmas.opens("me")


def test_one_leaves_by_oneself(grandmas: Phone, phone: Phone) -> None:
    assert "已退出" in grandmas.posts("me/leave")
    assert "只剩这一位" in phone.posts("me/leave")


def test_consents_show_their_history_and_are_withdrawn(phone: Phone) -> None:
    assert "2026-11版告知" in phone.opens("me/consents")
    assert "先在下面打勾" in phone.posts("me/children/1/withdraw", 400)
    assert "已撤回：糖糖" in phone.posts("me/children/1/withdraw", sure="yes")
    assert "还没有登记宝宝" in phone.opens("me")


def test_everything_is_shown_and_saved_as_two_files(
    phone: Phone, publish: Publisher, app: object, open_as: Callable[[str], Phone]
) -> None:
    publish("CQ-1")
    phone.posts("sessions/CQ-1/sign-up", child="糖糖")
    page = phone.opens("me/data")
    assert "糖糖" in page
    assert "2026年5月1日" in page
    # What a person is to read bears no name of a column or a table.
    assert [name for name in re.findall("<(?:dt|h2)>(.*?)</", page) if name.isascii()] == []
    # Nor a code of ours for a value.
    assert re.findall("<dd>([a-z_]+)</dd>", page) == []
    links = [
        link.replace("&amp;", "&")
        for link in re.findall(r'href="http://[^/]+(/[^"]+key=[^"]+)"', page)
    ]
    browser = open_as("nobody")
    html = browser.client.get(links[0])
    assert "attachment" in html.headers["Content-Disposition"]
    assert "糖糖" in html.get_data(as_text=True)
    machine = json.loads(browser.client.get(links[1]).data)
    assert machine["tables"]["children"][0]["nickname"] == "糖糖"
    assert machine["tables"]["sign_ups"][0]["state"] == "confirmed"


def test_the_files_link_ends_after_an_hour(
    phone: Phone, clock: MovedClock, open_as: Callable[[str], Phone]
) -> None:
    page = phone.opens("me/data")
    link = re.findall(r'href="http://[^/]+(/[^"]+key=[^"]+)"', page)[1]
    clock.moves(minutes=61)
    assert open_as("nobody").client.get(link).status_code == 410


def test_erasing_asks_first_and_ends_the_log_in(phone: Phone, registered: Person) -> None:
    assert "不能恢复" in phone.opens("me/erase")
    assert "先在下面打勾" in phone.posts("me/erase", 400)
    assert "已注销" in phone.posts("me/erase", sure="yes")
    assert phone.client.get("/family/me").status_code == 302
    assert "没有存" in registered.says("我的信息")


def test_who_only_joined_cannot_erase(grandmas: Phone, registered: Person) -> None:
    assert "由他来注销" in grandmas.opens("me/erase")
    assert "由他来办" in grandmas.posts("me/erase", 409, sure="yes")
    assert "糖糖" in registered.says("我的信息")


def test_another_familys_numbers_lead_nowhere(
    phone: Phone, person: Callable[[str], Person], open_as: Callable[[str], Phone]
) -> None:
    other = person("o-other")
    other.follows()
    other.says("登记 果果 2026-04-10 男 堡镇")
    other.says("同意")
    theirs = open_as(other.openid)
    assert "果果" in theirs.opens("me/children/2")
    assert "果果" not in phone.opens("me/children/2", 404)
    phone.posts("me/children/2", 404, nickname="偷来")
    phone.posts("me/children/2/withdraw", 404, sure="yes")
    assert "可能刚刚已经移出去了" in phone.posts("me/caregivers/2/remove")
    assert "果果" in theirs.opens("me")
