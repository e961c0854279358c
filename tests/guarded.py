"""What every answer to a browser bears, whatever it is: a page, a refusal, a breakdown."""

from werkzeug.test import TestResponse

SCRIPTS_OF_ANYBODY = ("unsafe-inline", "unsafe-eval", "unsafe-hashes", "*", "http:", "https:;")


def missing_guards(response: TestResponse) -> list[str]:
    """The guards that this answer lacks; empty where it has all of them."""
    policy = response.headers.get("Content-Security-Policy", "")
    wanted = {
        "default-src 'none'": "default-src 'none'" in policy,
        "script-src 'self'": "script-src 'self'" in policy,
        "object-src": "object-src" not in policy,
        "base-uri": "base-uri 'none'" in policy,
        "form-action": "form-action 'self'" in policy,
        "frame-ancestors": "frame-ancestors 'none'" in policy,
        "nothing unsafe": not any(word in policy for word in SCRIPTS_OF_ANYBODY),
        "nosniff": response.headers.get("X-Content-Type-Options") == "nosniff",
        "frame": response.headers.get("X-Frame-Options") == "DENY",
        "referrer": "Referrer-Policy" in response.headers,
    }
    for cookie in response.headers.getlist("Set-Cookie"):
        flags = cookie.replace(" ", "").lower().split(";")
        wanted[f"flags of {flags[0][:20]}"] = "httponly" in flags and "samesite=lax" in flags
    return [name for name, is_there in wanted.items() if not is_there]
