"""Replies as inbox and Redis keep them, and back: the platform's retry gets the same again."""

from app.dialogue.message import Article, Reply


def dump_reply(reply: Reply | None) -> str | None:
    """A reply as the inbox keeps it."""
    if reply is None:
        return None
    if reply.article is not None:
        return "\n".join(
            ("article", reply.article.url, reply.article.title, reply.article.description)
        )
    return f"{reply.kind}\n{reply.text}"


def load_reply(stored: str | None) -> Reply | None:
    """The reply again."""
    if stored is None:
        return None
    kind, _, rest = stored.partition("\n")
    if kind == "article":
        url, title, description = rest.split("\n", 2)
        return Reply(article=Article(title, description, url), kind="article")
    return Reply(rest, kind="hand_over" if kind == "hand_over" else "text")
