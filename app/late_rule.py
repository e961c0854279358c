"""Addresses of pages that are put together by code which is compiled when first needed."""

from collections.abc import Callable

from werkzeug.routing import Rule


class LateRule(Rule):
    """A route whose `url_for` compiles at its first call, and not at the start.

    werkzeug compiles two functions a route: a twentieth of a web worker's start, for addresses of
    which one worker never builds half. A werkzeug that no longer asks for them so would compile
    at the start again, and nothing else would change.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = super()._compile_builder
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: object) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](rule, **values)

        return build
