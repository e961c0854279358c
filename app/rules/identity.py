"""What a cookie or a token remembers of an openid, and of the device that it lies on."""

import hashlib
from enum import StrEnum


class Device(StrEnum):
    """As much of a device as its owner needs to know it again in a list."""

    IPHONE = "iphone"
    IPAD = "ipad"
    ANDROID = "android"
    HARMONY = "harmony"
    COMPUTER = "computer"
    OTHER = "other"


_SIGNS = (
    ("ipad", Device.IPAD),
    ("iphone", Device.IPHONE),
    ("harmony", Device.HARMONY),
    ("android", Device.ANDROID),
    ("windows", Device.COMPUTER),
    ("macintosh", Device.COMPUTER),
    ("linux", Device.COMPUTER),
)
"""In this order: an Android says Linux as well."""


def device_of(user_agent: str) -> Device:
    """The device behind a browser's name for itself; nothing else of it is kept."""
    said = user_agent[:1000].lower()
    return next((device for sign, device in _SIGNS if sign in said), Device.OTHER)


def mark_of(openid: str) -> str:
    """Enough of an openid to know it again, too little to write to anybody."""
    return hashlib.sha256(openid.encode()).hexdigest()[:20]
