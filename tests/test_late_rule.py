"""Addresses of pages are put together late, and are the same."""

from flask import Flask
from werkzeug.routing import Map, Rule

from app.factory import Application
from app.late_rule import LateRule


def test_an_address_is_what_werkzeug_makes_of_it() -> None:
    def addresses(kind: type[Rule]) -> list[str]:
        rules = [
            kind("/packs/<int:number>/<name>", endpoint="pack"),
            kind("/", endpoint="home", defaults={"page": 1}),
            kind("/<int:page>", endpoint="home"),
        ]
        adapter = Map(rules).bind("example.org")
        return [
            adapter.build("pack", {"number": 3, "name": "睡 眠"}),
            adapter.build("pack", {"number": 3, "name": "a", "q": "妈妈"}),
            adapter.build("pack", {"number": 3, "name": "a", "q": "b"}, append_unknown=False),
            adapter.build("home", {"page": 1}),
            adapter.build("home", {"page": 2}),
        ]

    assert addresses(LateRule) == addresses(Rule)


def test_nothing_is_compiled_before_it_is_asked_for() -> None:
    asked: list[bool] = []

    class Watched(LateRule):
        @staticmethod
        def _get_func_code(code, name):  # type: ignore[no-untyped-def]
            asked.append(True)
            return Rule._get_func_code(code, name)

    adapter = Map([Watched("/a/<b>", endpoint="a")]).bind("example.org")
    assert adapter.match("/a/1") == ("a", {"b": "1"})
    assert asked == []
    adapter.build("a", {"b": "1"})
    adapter.build("a", {"b": "2"})
    assert asked == [True]


def test_the_service_uses_it() -> None:
    assert issubclass(Application, Flask)
    assert Application.url_rule_class is LateRule
