"""Samples of EleutherAI's lm-evaluation-harness (`samples_*.jsonl`, written by `--log_samples`) as tasks.

Each line has `doc_id`, `doc`, `target`, `arguments` and results. `arguments` are the requests that were made: in older
versions a list of argument lists, in newer ones an object `{"gen_args_0": {"arg_0": …, "arg_1": …}}`.
"""

from __future__ import annotations

import math
import string
from typing import Any


def is_sample(raw: dict[str, Any]) -> bool:
    """Whether a line is a sample of the harness."""
    return "arguments" in raw and "target" in raw and "prompt" not in raw and "messages" not in raw


def sample_line(raw: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The task as our own line, and the kind of its check. Raises ValueError, in words, where it cannot be asked."""
    requests = _requests(raw["arguments"])
    first = requests[0]
    sample_id = _id(raw)
    if len(first) > 1 and isinstance(first[1], dict):
        return _generation(sample_id, first, raw["target"])
    if all(len(request) > 1 and isinstance(request[1], str) for request in requests) and len(requests) > 1:
        return _options(sample_id, requests, raw["target"])
    raise ValueError("it measures the likelihood of a text, which is no question with an answer")


def _id(raw: dict[str, Any]) -> str:
    document = raw.get("doc")
    inner = document.get("id") if isinstance(document, dict) else None
    found = raw.get("doc_id", inner)
    if not isinstance(found, str | int):
        raise ValueError("`doc_id` is missing")
    name = raw.get("filter")
    return f"{found}" if name in (None, "none") else f"{found}:{name}"


def _requests(arguments: Any) -> list[list[Any]]:
    if isinstance(arguments, dict):
        arguments = [list(inner.values()) if isinstance(inner, dict) else inner for inner in arguments.values()]
    if not isinstance(arguments, list) or not arguments or not all(isinstance(a, list) and a for a in arguments):
        raise ValueError("`arguments` is no list of requests")
    if not all(isinstance(request[0], str) and request[0].strip() for request in arguments):
        raise ValueError("a request has no text")
    return arguments


def _generation(sample_id: str, request: list[Any], target: Any) -> tuple[dict[str, Any], str]:
    options = request[1]
    # A stop at a line break was meant for a text that goes on, not for a chat answer.
    until = options.get("until")
    stops = [until] if isinstance(until, str) else until if isinstance(until, list) else []
    found: dict[str, Any] = {"id": sample_id, "prompt": request[0]}
    stop = [text for text in stops if isinstance(text, str) and text.strip()]
    if stop:
        found["stop"] = stop
    most = options.get("max_gen_toks", options.get("max_tokens"))
    if isinstance(most, int) and most > 0:
        found["max_tokens"] = most
    expected = _expected(target)
    if expected is None:
        return found, "none"
    if isinstance(expected, int | float):
        return {**found, "expected": expected, "check": "numeric"}, "numeric"
    check = {"kind": "contains", "amount": "any", "ignore_case": True}
    return {**found, "expected": expected, "check": check}, "contains"


def _expected(target: Any) -> Any:
    """A number, or texts any of which will do. GSM8K's targets end in `#### 42` after their working."""
    if isinstance(target, list):
        texts = [str(text) for text in target if str(text).strip()]
        return texts or None
    text = str(target).strip()
    if "####" in text:
        text = text.rpartition("####")[2].strip()
    if not text:
        return None
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return [text]
    return number if math.isfinite(number) else [text]  # `infinity` and `nan` are words


def _options(sample_id: str, requests: list[list[Any]], target: Any) -> tuple[dict[str, Any], str]:
    """One request for each option: they become letters under the question."""
    n = len(requests)
    if n > len(string.ascii_uppercase):
        raise ValueError(f"it has {n} options")
    contexts = {str(request[0]) for request in requests}
    if len(contexts) > 1:
        raise ValueError("its options differ in what comes before them")
    texts = [str(request[1]).strip() for request in requests]
    letters = string.ascii_uppercase[:n]
    place = _place(target, texts)
    if texts == list(letters):
        prompt = f"{requests[0][0].rstrip()}\n\nAnswer with the letter alone."
    else:
        lines = "\n".join(f"{letter}. {text}" for letter, text in zip(letters, texts, strict=True))
        prompt = f"{requests[0][0].rstrip()}\n\n{lines}\n\nAnswer with the letter of the best option alone."
    check = {"kind": "choice", "options": n}
    return {"id": sample_id, "prompt": prompt, "expected": letters[place], "check": check}, "choice"


def _place(target: Any, texts: list[str]) -> int:
    text = str(target).strip()
    if text in texts:
        return texts.index(text)
    if text.isdecimal() and len(text) < 10 and int(text) < len(texts):
        return int(text)
    raise ValueError(f"its target {text[:40]!r} is none of its options")
