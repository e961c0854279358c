"""How the pages travel: one style sheet inside each page, compressed, kept by no cache.

On a slow phone each further file costs a round trip before anything is seen. The style sheet is
small, stands in the page, and the content policy admits it by its hash: no 'unsafe-inline'.
"""

import base64
import gzip
import hashlib
import re
from pathlib import Path

from flask import Flask, Response, request, url_for
from markupsafe import Markup

from app.security import CONTENT_SECURITY_POLICY

SHEET = (Path(__file__).parent / "family.css").read_text("utf-8")
STYLE = Markup(re.sub(r"/\*.*?\*/\s*", "", SHEET, flags=re.DOTALL))
"""Our own file, and nobody else's words; what it says to its readers stays here."""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = {**CONTENT_SECURITY_POLICY, "style-src": f"'self' 'sha256-{STYLE_HASH}'"}
STATIC = Path(__file__).parent / "static"
VERSIONS = {
    path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:10] for path in STATIC.iterdir()
}
"""Of our few files: each is fetched once, and under another name when it has changed."""
IMMUTABLE = "public, max-age=31536000, immutable"
MIN_COMPRESSED = 512
LEVEL = 6
COMPRESSED_TYPES = ("text/html", "text/css", "text/javascript", "image/svg+xml")


def allow_style(app: Flask) -> None:
    """Let the pages of this application, and no others, carry the style sheet."""
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith("family."):
            vars(view).setdefault("talisman_view_options", {})["content_security_policy"] = POLICY


def static_url(name: str) -> str:
    """A file's address with its version: whoever has it never asks for it again."""
    return url_for("family.static", filename=name, v=VERSIONS[name])


def finish(response: Response) -> Response:
    """Compressed where the browser can; never in a cache: a phone is lent, a link forwarded."""
    if request.endpoint != "family.static":
        response.headers["Cache-Control"] = "no-store"
    elif request.args.get("v") == VERSIONS.get((request.view_args or {}).get("filename", ""), "-"):
        response.headers["Cache-Control"] = IMMUTABLE
    response.vary.add("Accept-Encoding")
    if (
        response.direct_passthrough
        or response.mimetype not in COMPRESSED_TYPES
        or "Content-Encoding" in response.headers
        or not request.accept_encodings["gzip"]
    ):
        return response
    body = response.get_data()
    if len(body) >= MIN_COMPRESSED:
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
