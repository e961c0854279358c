"""A stand-in for the WeChat platform: its API with quotas and faults, and a phone in the browser.

It knows nothing of the service behind the callback, as the platform knows nothing of it:
it imports no module of app, and no module of app imports it. Production never runs it.

    python -m sandbox --port 8001 --callback http://127.0.0.1:8000/wechat [--state FILE.json]
"""
