"""The platform: callbacks in, messages out. What wechatpy brings along is imported here."""

import warnings

from app.importing import instead

# Guessing in which encoding an answer may be: 3 MB a process, of which the platform's JSON needs
# nothing. `requests` warns that it is missing; only wechatpy imports it.
with (
    warnings.catch_warnings(),
    instead("charset_normalizer", None),
    instead("chardet", None),
):
    warnings.simplefilter("ignore")
    import requests as requests
