"""/api/v1/: what a mini program, or an app of the district's own, does for a family.

An application of its own beside the pages: callers bring a token and no cookie, so that forms'
tokens and sessions mean nothing here. Its description is made from the very models that read
and write its JSON.
"""

import json
from pathlib import Path

from flask import Flask, Response, render_template
from flask_openapi3 import APIBlueprint, Info, OpenAPI

from app.api import (
    certificate,
    course,
    family,
    growth,
    home_facts,
    log_in,
    packs,
    sessions,
    visits,
    year_plan,
)
from app.api.answers import finish
from app.api.problems import PROBLEMS, Problem, register_problems, say_invalid
from app.api.signed_in import BEARER, SCHEME, caller_key
from app.security import secure
from app.telemetry import follow_requests
from app.wiring import Services

VERSION = "1.0.0"
PER_CALLER = "120 per minute"
ANSWERS = {**PROBLEMS, "304": {"description": "没有变：上次给的还对"}}
STYLE = (Path(__file__).parent / "description.css").read_text("utf-8")
TOPICS = (sessions, year_plan, visits, home_facts, packs, growth, course, certificate, family)


def make_api_app(services: Services) -> Flask:
    """The API and its description, and nothing else."""
    app = OpenAPI(
        "app.api",
        info=Info(title="崇明育伴 小程序接口", version=VERSION),
        security_schemes=SCHEME,
        validation_error_status=422,
        validation_error_model=Problem,
        validation_error_callback=say_invalid,
        doc_ui=False,
        template_folder="templates",
        static_folder=None,
    )
    app.extensions["yuban"] = services
    follow_requests(app)
    security = secure(app, services.settings, has_forms=False)
    register_problems(app)
    app.after_request(finish)
    api = APIBlueprint(
        "api", __name__, url_prefix="/api/v1", abp_security=BEARER, abp_responses=ANSWERS
    )
    log_in.add_routes(api, security.limiter)
    for topic in TOPICS:
        topic.add_routes(api)
    security.limiter.limit(PER_CALLER, key_func=caller_key)(api)
    app.register_api(api)

    @app.get("/api/openapi.json", doc_ui=False)
    def openapi() -> Response:
        body = json.dumps(app.api_doc, ensure_ascii=False)
        return Response(body, content_type="application/json")

    @app.get("/api/description.css", doc_ui=False)
    def style() -> Response:
        return Response(STYLE, content_type="text/css; charset=utf-8")

    @app.get("/api/", doc_ui=False)
    def reading() -> str:
        return render_template("api/description.html", api=app.api_doc)

    return app
