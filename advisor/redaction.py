"""Secrets kept out of what is said: those that the environment holds, and those that stand in web addresses.

Data never contain them, which tests hold; this is for text of other programs and for errors that nobody foresaw.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
_PLACES = ("_PATH", "_FILE", "_DIR", "_HOME", "_COMMAND", "_URL")
"""Ends of names that say where a secret is, not what it is."""
_SHORTEST = 8
"""A shorter value is a switch or a number as often as a secret, and stands in ordinary words."""
_LOGIN = re.compile(r"(://|\b[a-z][a-z\d+.-]+:[/\\])[^\s/@'\"<>]*@", re.I)
"""Also where an address was taken for a path, which has one separator left (`https:/me:secret@host`)."""
_SIGNATURE = re.compile(
    r"([?&](?:x-amz-[\w-]+|x-goog-[\w-]+|signature|sig|policy|key-pair-id|access_token|hf_token)=)[^&\s'\"<>]+", re.I
)


def is_secret_name(name: str) -> bool:
    """Whether an environment variable of this name may hold a secret."""
    return any(word in name.upper() for word in _SECRET)


def redacted(text: str, environ: Mapping[str, str] | None = None) -> str:
    """The text with values of secret variables replaced by their names, and addresses without login and signature."""
    for name, value in (os.environ if environ is None else environ).items():
        if len(value) >= _SHORTEST and value in text and is_secret_name(name) and not name.endswith(_PLACES):
            text = text.replace(value, f"[{name}]")
    return _SIGNATURE.sub(r"\1[hidden]", _LOGIN.sub(r"\1[hidden]@", text))
