"""What a repository on the Hub holds, without downloading any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from advisor import __version__
from advisor.domain.upkeep.files import ListedFile
from advisor.errors import NetworkError
from advisor.hub.access import HubAccess
from advisor.hub.faults import fault, garbled, unreachable

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

TIMEOUT_S = 20.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit."""

    repo: str
    commit: str
    files: tuple[ListedFile, ...]


def is_repository(name: str) -> bool:
    """Whether a name can be one of the Hub's: some published files lie elsewhere."""
    return _REPO.fullmatch(name) is not None


def list_repository(access: HubAccess, repo: str) -> Repository:
    """Names, exact sizes and LFS hashes of a repository's files at its newest commit.

    Raises NetworkError: HubUnreachable where nobody answers, HubBusy where the Hub asks to come back.
    """
    from httpx import HTTPError, TimeoutException
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    api = HfApi(endpoint=access.endpoint, token=access.token or False, library_name="llm-advisor",
                library_version=__version__)  # fmt: skip
    try:
        return _repository(repo, api.model_info(repo, files_metadata=True, timeout=TIMEOUT_S))
    except HfHubHTTPError as error:
        headers = dict(error.response.headers)
        raise fault(error.response.status_code, headers, repo, access, datetime.now(UTC)) from error
    except TimeoutException as error:
        raise unreachable(access, f"no answer within {TIMEOUT_S:.0f} s") from error
    except HTTPError as error:
        if _ended_early(error):
            raise garbled(repo, "it ended early") from error
        raise unreachable(access, _why(error)) from error
    except HFValidationError as error:
        raise NetworkError(f"{repo!r} is no name of a repository", hint="Write owner/name.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # What huggingface_hub raises where the answer is no JSON, or JSON of another shape.
        raise garbled(repo, "it is no description of a model") from error


def _repository(repo: str, info: ModelInfo) -> Repository:
    if info.siblings is None or info.sha is None:
        raise garbled(repo, "it names no files or no commit")
    files = []
    for found in info.siblings:
        sha256 = found.lfs.sha256 if found.lfs is not None else None
        size = found.size if isinstance(found.size, int) and found.size > 0 else None
        is_hash = sha256 is not None and _SHA256.fullmatch(sha256) is not None
        files.append(ListedFile(str(found.rfilename), size, sha256 if is_hash else None))
    return Repository(repo, info.sha, tuple(files))


def _ended_early(error: Exception) -> bool:
    from httpx import DecodingError, RemoteProtocolError

    return isinstance(error, RemoteProtocolError | DecodingError)


def _why(error: Exception) -> str:
    """The innermost reason, which the transport wraps several times."""
    while error.__cause__ is not None or error.__context__ is not None:
        inner = error.__cause__ or error.__context__
        if not isinstance(inner, Exception):
            break
        error = inner
    return str(error) or type(error).__name__
