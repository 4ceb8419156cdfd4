"""The child that matches patterns and validates JSON: a script of its own, because a pattern can take for ever and a
schema is foreign text. Reads requests as JSON lines, answers each with a line, and ends with its input.

It imports nothing of this package, so that it starts quickly and isolated (`python -I`).
"""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import Any

_MEMORY_BYTES = 1 << 30
_LONGEST_S = {"regex": 5, "compile": 5}
"""More than the parent waits (`TIME_LIMIT_S`), and little enough for a processor that nobody wants any more."""
_LONGEST_OTHER_S = 30
"""The first of these imports the validator."""


def main() -> None:
    """Serve until standard input closes."""
    _limit()
    for line in sys.stdin.buffer:
        try:
            request = json.loads(line)
            _end_after(_LONGEST_S.get(request["kind"], _LONGEST_OTHER_S))
            answer = _serve(request)
        except MemoryError:
            answer = {"error": "out of memory"}
        except (re.error, RecursionError, OverflowError, ValueError, KeyError, TypeError) as error:
            answer = {"error": str(error) or type(error).__name__}
        sys.stdout.buffer.write(json.dumps(answer).encode("utf-8") + b"\n")
        sys.stdout.buffer.flush()
        _end_after(0)


def _end_after(seconds: int) -> None:
    """The parent ends a request much sooner; this is for one whose parent was killed. 0 takes it back."""
    if sys.platform != "win32":
        signal.alarm(seconds)  # unhandled, it ends the process, also amid a match that never returns


def _serve(request: dict[str, Any]) -> dict[str, Any]:
    kind = request["kind"]
    if kind == "compile":
        re.compile(request["pattern"])
        return {"ok": True}
    if kind == "regex":
        return {"ok": re.search(request["pattern"], request["text"]) is not None}
    if kind == "check_schema":
        return _check_schema(request["schema"])
    return _validate(request["schema"], request["value"])


def _check_schema(schema: Any) -> dict[str, Any]:
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        return {"error": error.message}
    return {"ok": True}


def _validate(schema: Any, value: Any) -> dict[str, Any]:
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # An empty registry: the default one fetches a schema that another refers to from the network.
    validator = validator_for(schema)(schema, registry=Registry())
    try:
        found = next(iter(validator.iter_errors(value)), None)
    except Unresolvable as error:
        return {"error": f"the schema refers to {error.ref!r}, which it does not contain"}
    return {"ok": found is None, "reason": "" if found is None else f"{found.json_path}: {found.message}"[:200]}


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    main()
