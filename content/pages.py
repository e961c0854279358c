"""A pack's text as a page: Markdown to HTML, without anything an author did not write."""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


@lru_cache(maxsize=512)
def render_html(body: str) -> str:
    """HTML of a text in Markdown. HTML within the text is shown, not obeyed."""
    return str(_renderer().render(body))


@lru_cache(maxsize=1)
def _renderer() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "breaks": True})
