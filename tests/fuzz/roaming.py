"""Somebody in a browser who opens every page, and sends every form with anything in it."""

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
FIELD = re.compile(
    r"<(?:input|textarea|button)\b([^>]*)>()|<select\b([^>]*)>(.*?)</select>", re.DOTALL
)
OPTION = re.compile(r'<option\b[^>]*\bvalue="([^"]*)"')
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
PLACE = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")


@dataclass
class Roamer:
    """A client with a log-in, and the forms that its pages have shown."""

    app: Flask
    client: FlaskClient
    token: str = ""
    forms: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """By endpoint: the names of fields, with the values that the page offers."""

    def rules(self, prefix: str, method: str) -> list[Rule]:
        """The routes of one part of the application, in a fixed order."""
        found = [
            rule
            for rule in self.app.url_map.iter_rules()
            if rule.endpoint.startswith(prefix)
            and method in (rule.methods or ())
            and not rule.endpoint.endswith(".static")
        ]
        return sorted(found, key=lambda rule: (rule.endpoint, rule.rule))

    def look(self, path: str) -> TestResponse:
        """Open a page, and remember its forms and the token."""
        response = self.client.get(path)
        if response.mimetype == "text/html":
            self._remember(path, response.get_data(as_text=True))
        return response

    def _remember(self, path: str, page: str) -> None:
        found = TOKEN.search(page)
        if found is not None:
            self.token = html.unescape(found[1])
        adapter = self.app.url_map.bind("localhost")
        for attributes, inside in FORM.findall(page):
            method = "POST" if 'method="post"' in attributes else "GET"
            action = re.search(r'action="([^"]*)"', attributes)
            target = html.unescape(action[1] if action else path).partition("?")[0]
            try:
                endpoint, _ = adapter.match(target, method=method)
            except HTTPException:
                continue
            fields = self.forms.setdefault(endpoint, {})
            for of_input, _, of_select, options in FIELD.findall(inside):
                about = of_input or of_select
                name = re.search(r'\bname="([^"]+)"', about)
                if name is not None and name[1] != "csrf_token":
                    value = re.search(r'\bvalue="([^"]*)"', about)
                    offered = OPTION.findall(options) + ([value[1]] if value else [])
                    kept = fields.setdefault(name[1], [])
                    kept += [html.unescape(one) for one in offered if one not in kept]

    def all_fields(self) -> dict[str, list[str]]:
        """Of all forms together."""
        union: dict[str, list[str]] = {}
        for fields in self.forms.values():
            for name, values in fields.items():
                union.setdefault(name, []).extend(values[:3])
        return union


def address(rule: Rule, places: Mapping[str, str]) -> str:
    """A rule's path with its places filled, whatever they hold."""
    return PLACE.sub(lambda found: quote(places[found[1]], safe=""), rule.rule)


def places_of(rules: Iterable[Rule]) -> list[str]:
    """The names of all places in these rules."""
    return sorted({name for rule in rules for name in rule.arguments})
