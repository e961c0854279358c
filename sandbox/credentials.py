"""The sandbox's own account: what a service under test is given instead of a real account's.

None of these opens anything outside the sandbox.
"""

APP_ID = "wx5a9d0c7e4b21f836"
APP_SECRET = "5f1e0b7c93a2d4864c6e8f0a1b3d5c79"
MINI_APP_ID = "wx7be2f4096c1d85a3"
MINI_APP_SECRET = "8c2d4f6a1e0b7395d8f1a3c5e7092b4d"
TOKEN = "chongming-sandbox"
AES_KEY = "Q7xkT2mVb9LcR4nYw8HsZ1pJd6FgA3uEe5KoWiNtXyE"
"""43 characters of base64, as the platform hands out."""

ACCOUNT_ID = "gh_0d1c5e8a7b42"
"""The account's original id: ToUserName of every message in."""
ACCOUNT_NAME = "崇明育伴"
