"""A browser without a browser: form tokens, posts, and the text of a page."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def send(
    browser: FlaskClient, path: str, *, page: str = "/console/login", **fields: str
) -> TestResponse:
    """Post a form with the token that `page` (or where it leads) bears."""
    shown = browser.get(page, follow_redirects=True).get_data(as_text=True)
    token = shown.partition('name="csrf_token" value="')[2].partition('"')[0]
    return browser.post(path, data={"csrf_token": token, **fields})


def text_of(response: TestResponse) -> str:
    return response.get_data(as_text=True)
