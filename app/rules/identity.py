"""What a cookie or a token remembers of an openid."""

import hashlib


def mark_of(openid: str) -> str:
    """Enough of an openid to know it again, too little to write to anybody."""
    return hashlib.sha256(openid.encode()).hexdigest()[:20]
