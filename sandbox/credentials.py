"""The sandbox's own account: what a service under test is given instead of a real account's.

None of these opens anything outside the sandbox.
"""

APP_ID = "wx5a9d0c7e4b21f836"
APP_SECRET = "5f1e0b7c93a2d4864c6e8f0a1b3d5c79"
TOKEN = "chongming-sandbox"
AES_KEY = "Q7xkT2mVb9LcR4nYw8HsZ1pJd6FgA3uEe5KoWiNtXyE"
"""43 characters of base64, as the platform hands out."""

ACCOUNT_ID = "gh_0d1c5e8a7b42"
"""The account's original id: ToUserName of every message in."""
ACCOUNT_NAME = "崇明育伴"
