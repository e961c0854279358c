"""Text as the platform's XML and chat bubbles can bear it."""

import re

TEXT_LIMIT_BYTES = 2_000  # undocumented; about 2,048 bytes were measured to pass
ELLIPSIS_LINE = "\n……"
SHORTEST_SHARE_AT_A_LINE = 0.6
"""A cut at a line break must keep this share of the room, else it falls inside a line."""

# What XML 1.0 forbids, C1 controls, and marks that turn the writing direction of what follows.
# Joiners (U+200D) and variation selectors stay: emoji are made of them.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def clean(text: str) -> str:
    """The text without control characters; line breaks are \\n, emoji stay."""
    return _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def fit(text: str, limit_bytes: int = TEXT_LIMIT_BYTES) -> str:
    """The clean text within a number of UTF-8 bytes.

    A longer one is cut between characters, at a line break where one is near,
    and ends in a line of dots.
    """
    cleaned = clean(text).strip()
    encoded = cleaned.encode()
    if len(encoded) <= limit_bytes:
        return cleaned
    room = limit_bytes - len(ELLIPSIS_LINE.encode())
    head = encoded[:room].decode(errors="ignore")
    at_line = head.rfind("\n")
    if at_line >= len(head) * SHORTEST_SHARE_AT_A_LINE:
        head = head[:at_line]
    # Half an emoji shows as another one or as a box.
    return head.rstrip("\u200d\ufe0f \n") + ELLIPSIS_LINE
