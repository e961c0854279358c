"""Encryption of personal data at rest, and keyed hashes to look it up by."""

import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Sealed(str):
    """A text that is encrypted already: a column of encrypted text takes it as it is."""

    __slots__ = ()


class Cipher:
    """Encrypts with the newest key, decrypts with any of them."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._newest = Fernet(keys[0])
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        # Of the newest key: when the older ones are thrown away nothing has to change. What
        # was stored under an older one is found again once the rotation has rewritten it.
        self._hash_key = hashlib.sha256(b"look-up:" + keys[0].encode()).digest()

    def encrypt(self, text: str) -> str:
        """URL-safe text that only a holder of the keys can read."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def seal_text(self, text: str) -> Sealed:
        """As encrypt, for what is kept in several places: it is encrypted once."""
        return Sealed(self.encrypt(text))

    def decrypt(self, token: str) -> str:
        """The text that was encrypted. Raises cryptography.fernet.InvalidToken."""
        return self._fernet.decrypt(token.encode("ascii")).decode()

    def is_newest(self, token: str) -> bool:
        """Whether the newest key alone opens it."""
        try:
            self._newest.decrypt(token.encode("ascii"))
        except InvalidToken:
            return False
        return True

    def rotate(self, token: str) -> str:
        """The same text under the newest key. Raises cryptography.fernet.InvalidToken."""
        return self._fernet.rotate(token.encode("ascii")).decode("ascii")

    def seal(self, raw: bytes) -> bytes:
        """A URL-safe token, in ASCII, that only a holder of the keys can open."""
        return self._fernet.encrypt(raw)

    def unseal(self, token: bytes) -> bytes:
        """What was sealed. Raises cryptography.fernet.InvalidToken."""
        return self._fernet.decrypt(token)

    def look_up(self, text: str) -> str:
        """A keyed hash (64 hex digits): equal for equal texts, useless without the key."""
        return hmac.new(self._hash_key, text.encode(), hashlib.sha256).hexdigest()
