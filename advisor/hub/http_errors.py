"""What an answer of the Hub that is no success means for the user."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from advisor.errors import NetworkError
from advisor.hub.access import HubAccess

_PARTS = {"EntryNotFound": "a file", "RevisionNotFound": "a revision"}
"""What of a repository is missing, by the header `X-Error-Code` of the Hub's answer."""
_LOGIN = "log in with `hf auth login` or set HF_TOKEN"


class HubUnreachable(NetworkError):
    """No answer at all, so nothing else need be asked."""


class HubBusy(NetworkError):
    """The Hub cannot answer now; it may say when to come back."""

    def __init__(self, what: str, *, why: str, hint: str, retry_after_s: float | None, is_limit: bool) -> None:
        super().__init__(what, why=why, hint=hint)
        self.retry_after_s = retry_after_s
        self.is_limit = is_limit
        """It answers nothing more to whoever asks; otherwise only this question fails."""


def fault(status: int, headers: Mapping[str, str], repo: str, access: HubAccess, now: datetime) -> NetworkError:
    """The error for an HTTP status of 400 or more about a repository."""
    headers = {name.lower(): text for name, text in headers.items()}
    code = headers.get("x-error-code", "")
    if code == "GatedRepo" and status in (401, 403):
        return _gated(status, repo, access)
    if status in (401, 403):
        return _refused(status, repo, access)
    if status == 404:
        hint = "It may have been renamed or removed: look for it on the Hub and correct the name."
        what = f"{_PARTS[code]} of {repo}" if code in _PARTS else repo
        return NetworkError(f"{what} is not on the Hub", why=_said(status), hint=hint)
    if status == 429 or status >= 500:
        return _busy(status, headers, repo, access, now)
    return NetworkError(f"{repo} cannot be read", why=_said(status), hint="Try again later.")


def unreachable(access: HubAccess, why: str) -> HubUnreachable:
    """The error where nobody answers."""
    return HubUnreachable(
        f"the Hub at {access.endpoint} cannot be reached",
        why=why,
        hint="Check the connection, the proxy and HF_ENDPOINT, then try again.",
    )


def garbled(repo: str, why: str) -> NetworkError:
    """The error for an answer that ended early or means nothing."""
    return NetworkError(f"the Hub's answer about {repo} cannot be used", why=why, hint="Try again.")


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that an answer asks to wait: a number or a date; None where it does not say. Keys in lower case."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(text) - now).total_seconds())
    except (TypeError, ValueError, OverflowError):  # no date, or one of a year beyond all calendars
        return None


def _gated(status: int, repo: str, access: HubAccess) -> NetworkError:
    why = "no token was sent" if access.token is None else "the token's account has no access yet"
    login = f", then {_LOGIN}" if access.token is None else " with the account of the token"
    hint = f"Accept its terms at {access.page(repo)}{login}."
    return NetworkError(f"{repo} is gated", why=f"{_said(status)}; {why}", hint=hint)


def _refused(status: int, repo: str, access: HubAccess) -> NetworkError:
    if access.token is not None:
        hint = "Check the name, and that the token of HF_TOKEN or `hf auth login` is valid and may read it."
        return NetworkError(f"the Hub refuses {repo} to this token", why=_said(status), hint=hint)
    hint = f"Check the name at {access.page(repo)}; where it is private or gated, {_LOGIN}."
    return NetworkError(f"{repo} does not exist or needs a login", why=_said(status), hint=hint)


def _busy(status: int, headers: Mapping[str, str], repo: str, access: HubAccess, now: datetime) -> HubBusy:
    pause = retry_after_s(headers, now)
    asks = "" if pause is None else f", and asks to wait {pause:.0f} s"
    is_limit = status == 429
    what = "the Hub limits how much is asked" if is_limit else f"the Hub fails at {repo}"
    hint = f"Try again later; logged in one may ask more: {_LOGIN}." if is_limit and not access.token else None
    hint = hint or "Try again later."
    return HubBusy(what, why=_said(status) + asks, hint=hint, retry_after_s=pause, is_limit=is_limit)


def _said(status: int) -> str:
    # The words are those of the standard: a server's own could be anything.
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "no standard answer"
    return f"it answered {status} {phrase}"
