"""Who opened a page: WeChat's answer, a signed link, or nobody."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Blueprint, Flask

from app.config import Settings
from app.factory import create_app
from app.family import opening
from app.family.opening import opened_by, opens_by_link
from app.page_links import PageLinks
from app.wiring import Services
from sandbox import credentials
from sandbox import web as sandbox_web
from sandbox.settings import Settings as SandboxSettings
from sandbox.world import World
from tests.conversations.conftest import Person
from tests.family.conftest import MovedClock, Phone
from tests.serving import serving

WECHAT = {"User-Agent": "Mozilla/5.0 (Linux; Android 9) MicroMessenger/8.0.50"}


@pytest.fixture
def world() -> World:
    return World(SandboxSettings(callback="http://127.0.0.1:8000/wechat"))


@pytest.fixture
def platform_app(world: World) -> Flask:
    return sandbox_web.create_app_over(world)


@pytest.fixture
def platform(platform_app: Flask) -> Iterator[str]:
    """The stand-in for the platform, served: its codes are spent over a real connection."""
    with serving(platform_app) as address:
        yield address


@pytest.fixture
def settings(settings: Settings, platform: str) -> Settings:
    account = {"wechat_app_id": credentials.APP_ID, "wechat_api_url": platform}
    return settings.model_copy(
        update={
            **account,
            "wechat_app_secret": type(settings.wechat_app_secret)(credentials.APP_SECRET),
        }
    )


@pytest.fixture
def stranger(app: Flask) -> Phone:
    return Phone(app.test_client())


def asked_for(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def sent_to_wechat(phone: Phone, path: str) -> str:
    """The platform's address that a page which nobody opened yet leads to."""
    entry = phone.client.get(path, headers=WECHAT)
    assert entry.status_code == 302
    return phone.client.get(entry.headers["Location"], headers=WECHAT).headers["Location"]


def authorised(platform_app: Flask, location: str, openid: str, *, snapshot: bool = False) -> str:
    """The way back, as the platform redirects there."""
    parts = urlsplit(location)
    more = f"&openid={openid}" + ("&snapshot=1" if snapshot else "")
    answer = platform_app.test_client().get(f"{parts.path}?{parts.query}{more}")
    assert answer.status_code == 302, answer.get_data(as_text=True)
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


@pytest.fixture
def come_back(world: World, platform_app: Flask) -> Callable[..., str]:
    def coming(location: str, openid: str, *, snapshot: bool = False) -> str:
        if openid not in world.state.people:
            world.add_person("妈妈", openid)
        return authorised(platform_app, location, openid, snapshot=snapshot)

    return coming


def test_the_platform_is_asked_silently_with_a_state_of_our_own(stranger: Phone) -> None:
    location = sent_to_wechat(stranger, "/family/")
    query = asked_for(location)
    assert query["scope"] == "snsapi_base"
    assert query["redirect_uri"] == "http://127.0.0.1:8000/family/back"
    assert len(query["state"]) == 32
    assert location.endswith("#wechat_redirect")
    names = [pair.split("=")[0] for pair in urlsplit(location).query.split("&")]
    assert names == ["appid", "redirect_uri", "response_type", "scope", "state"]


def test_whoever_follows_is_let_in_without_a_question(
    stranger: Phone, registered: Person, come_back: Callable[..., str]
) -> None:
    back = come_back(sent_to_wechat(stranger, "/family/"), registered.openid)
    assert "糖糖家，您好" in stranger.opens(back)
    assert "糖糖家，您好" in stranger.opens("")


def test_a_state_that_is_not_this_browsers_opens_nothing(
    stranger: Phone, registered: Person, come_back: Callable[..., str], app: Flask
) -> None:
    back = come_back(sent_to_wechat(stranger, "/family/"), registered.openid)
    victim = Phone(app.test_client())
    assert "重新打开" in victim.opens(back, status=400)
    assert victim.client.get("/family/").status_code == 302
    assert "糖糖" in stranger.opens(back)


def test_a_code_is_spent_once(
    stranger: Phone, registered: Person, come_back: Callable[..., str]
) -> None:
    first = come_back(sent_to_wechat(stranger, "/family/"), registered.openid)
    code = asked_for(first)["code"]
    stranger.opens(first)
    stranger.posts("leave")
    state = asked_for(sent_to_wechat(stranger, "/family/"))["state"]
    page = stranger.opens(f"/family/back?code={code}&state={state}", status=400)
    assert "只能用一次" in page
    assert stranger.client.get("/family/").status_code == 302


def test_the_back_button_after_the_log_in_leads_to_the_first_page(
    stranger: Phone, registered: Person, come_back: Callable[..., str]
) -> None:
    back = come_back(sent_to_wechat(stranger, "/family/"), registered.openid)
    stranger.opens(back)
    assert "糖糖家，您好" in stranger.opens(back)


def test_a_snapshots_openid_is_never_bound(
    stranger: Phone, registered: Person, come_back: Callable[..., str], services: Services
) -> None:
    back = come_back(sent_to_wechat(stranger, "/family/"), registered.openid, snapshot=True)
    page = stranger.opens(back, status=403)
    assert "使用完整服务" in page
    assert "糖糖" not in page
    assert stranger.client.get("/family/").status_code == 302


def test_who_does_not_follow_is_told_how(stranger: Phone, come_back: Callable[..., str]) -> None:
    back = come_back(sent_to_wechat(stranger, "/family/"), "oNobodyYet")
    assert "先关注公众号" in stranger.opens(back, status=403)


def test_a_silent_platform_gets_a_sentence(
    stranger: Phone,
    registered: Person,
    come_back: Callable[..., str],
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back = come_back(sent_to_wechat(stranger, "/family/"), registered.openid)
    dead = services.settings.model_copy(update={"wechat_api_url": "http://127.0.0.1:9"})
    monkeypatch.setitem(
        stranger.client.application.extensions, "yuban", replace(services, settings=dead)
    )
    assert "微信没有回应" in stranger.opens(back, status=503)


def test_a_link_opened_outside_of_wechat_explains_itself(
    services: Services, settings: Settings
) -> None:
    real = settings.model_copy(update={"wechat_api_url": "https://api.weixin.qq.com"})
    client = create_app(replace(services, settings=real), commands=False).test_client()
    outside = client.get("/family/", follow_redirects=True)
    assert outside.status_code == 403
    assert "请在微信里打开" in outside.get_data(as_text=True)
    assert "http://127.0.0.1:8000/family/" in outside.get_data(as_text=True)
    inside = client.get("/family/enter?next=/family/", headers=WECHAT)
    assert inside.headers["Location"].startswith(
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid="
    )


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/family/", "//evil.example/family/", "/console/", "\\\\e/family/"],
)
def test_the_way_back_never_leaves_these_pages(
    stranger: Phone, registered: Person, come_back: Callable[..., str], target: str
) -> None:
    entry = stranger.client.get("/family/enter", query_string={"next": target})
    back = come_back(entry.headers["Location"], registered.openid)
    assert stranger.client.get(back).headers["Location"] == "/family/"


def test_who_leaves_the_account_is_logged_out_of_its_pages(
    registered: Person, open_as: Callable[[str], Phone]
) -> None:
    phone = open_as(registered.openid)
    assert "糖糖" in phone.opens("")
    from app.dialogue.message import Kind

    registered.sends(Kind.UNSUBSCRIBE)
    assert phone.client.get("/family/").status_code == 302


def test_a_copied_cookie_is_worth_nothing_once_its_device_was_logged_out(
    registered: Person, open_as: Callable[[str], Phone], app: Flask
) -> None:
    lost, other = open_as(registered.openid), open_as(registered.openid)
    cookie = lost.client.get_cookie("yuban_family", path="/family")
    assert cookie is not None
    copied = app.test_client()
    copied.set_cookie("yuban_family", cookie.value, path="/family")
    page = other.opens("me/log-ins")
    assert "就是这一部" in page
    assert "苹果手机" in page
    ending = re.findall(r'action="(/family/me/log-ins/\d+/end)"', page)
    assert len(ending) == 1, "no button for the phone in one's hand"
    assert "已经退出那一处" in other.posts(ending[0])
    assert copied.get("/family/").status_code == 302
    assert "放进收藏" not in copied.get("/family/packs/P01-01").get_data(as_text=True)
    assert "糖糖" in other.opens("")


def test_a_lent_phone_forgets_and_so_does_a_copy_of_its_cookie(
    registered: Person, open_as: Callable[[str], Phone], app: Flask
) -> None:
    phone = open_as(registered.openid)
    cookie = phone.client.get_cookie("yuban_family", path="/family")
    assert cookie is not None
    assert "已经退出" in phone.posts("leave")
    copied = app.test_client()
    copied.set_cookie("yuban_family", cookie.value, path="/family")
    assert copied.get("/family/me").status_code == 302


def test_the_familys_cookie_is_not_the_staffs(
    registered: Person, open_as: Callable[[str], Phone], app: Flask
) -> None:
    phone = open_as(registered.openid)
    phone.opens("")
    cookie = phone.client.get_cookie("yuban_family", path="/family")
    assert cookie is not None
    assert cookie.http_only
    assert phone.client.get_cookie("yuban") is None
    thief = app.test_client()
    thief.set_cookie("yuban", cookie.value)
    assert thief.get("/console/").headers["Location"].startswith("/console/login")
    swapped = app.test_client()
    swapped.set_cookie("yuban_family", "x" + cookie.value, path="/family")
    assert swapped.get("/family/").status_code == 302


def test_the_type_grows_at_a_tap_and_is_remembered(
    registered: Person, open_as: Callable[[str], Phone]
) -> None:
    phone = open_as(registered.openid)
    assert 'class="large"' in phone.opens("")
    assert 'class="larger"' in phone.posts("text-size", next="/family/")
    assert 'class="largest"' in phone.posts("text-size", next="https://evil.example/")
    assert 'class="largest"' in phone.opens("")
    assert 'class="large"' in phone.posts("text-size", next="/family/")


def test_a_page_is_compressed_and_carries_its_own_style(
    registered: Person, open_as: Callable[[str], Phone]
) -> None:
    response = open_as(registered.openid).client.get(
        "/family/", headers={"Accept-Encoding": "gzip"}
    )
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(response.data) < 8_000
    policy = response.headers["Content-Security-Policy"]
    assert "'sha256-" in policy
    assert "unsafe" not in policy
    assert response.headers["Cache-Control"] == "no-store"


@pytest.fixture
def named_page(services: Services, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application with one page more, which a signed link opens."""
    from app.family import home

    whole = home.add_routes

    def add_routes(family: Blueprint) -> None:
        whole(family)

        @opens_by_link
        def show(number: int) -> str:
            with opening.database().reading() as db:
                return f"{number} for {opened_by(db).id}"

        family.get("/named/<int:number>", endpoint="named")(show)

    monkeypatch.setattr(home, "add_routes", add_routes)
    return create_app(services, commands=False)


def signed(services: Services, clock: MovedClock, path: str, caregiver_id: int = 1) -> str:
    link = services.page_links.signed(path, caregiver_id=caregiver_id, now=clock())
    return link.removeprefix(services.settings.public_url)


def test_a_signed_link_opens_what_it_names_and_nothing_else(
    named_page: Flask, services: Services, registered: Person, clock: MovedClock
) -> None:
    client = named_page.test_client()
    link = signed(services, clock, "named/7")
    assert client.get(link).get_data(as_text=True) == "7 for 1"
    key = urlsplit(link).query
    assert client.get(f"/family/named/8?{key}").status_code == 404
    assert client.get(f"/family/?{key}").status_code == 404
    assert client.get("/family/named/7").status_code == 302
    assert client.get(signed(services, clock, "")).status_code == 404, "not opened by links"
    other = PageLinks("", "another secret of sixteen").signed(
        "named/7", caregiver_id=1, now=clock()
    )
    assert client.get(other).status_code == 404


def test_an_expired_link_says_so_and_leads_on(
    named_page: Flask, services: Services, registered: Person, clock: MovedClock
) -> None:
    client = named_page.test_client()
    link = signed(services, clock, "named/7")
    clock.moves(days=14)
    answer = client.get(link)
    assert answer.status_code == 410
    page = answer.get_data(as_text=True)
    assert "链接过期了" in page
    assert 'href="/family/named/7"' in page


def test_a_signed_link_ends_with_its_caregivers_following(
    named_page: Flask, services: Services, registered: Person, clock: MovedClock
) -> None:
    from app.dialogue.message import Kind

    link = signed(services, clock, "named/7")
    registered.sends(Kind.UNSUBSCRIBE)
    assert named_page.test_client().get(link).status_code == 302


def test_a_stale_form_loses_nothing_and_says_so(
    registered: Person, open_as: Callable[[str], Phone]
) -> None:
    phone = open_as(registered.openid)
    answer = phone.client.post("/family/text-size", data={"next": "/family/"})
    assert answer.status_code == 400
    assert "页面放得太久了" in answer.get_data(as_text=True)
