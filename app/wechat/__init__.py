"""The platform: callbacks in, messages out. What wechatpy brings along is imported here."""

from contextlib import ExitStack

from app.importing import Absent, instead

# Clients of sixty interfaces, and `requests` under them: to read and seal messages none is
# needed. What calls the platform imports the one that it needs from its own place.
with ExitStack() as absent:
    for name in ("client", "component", "oauth", "pay"):
        absent.enter_context(instead(f"wechatpy.{name}", Absent(f"wechatpy.{name}")))
    import wechatpy as wechatpy
