"""What the installed llama.cpp is and sees, asked once and remembered until the installation changes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from advisor.domain.hardware import DeviceKind, Engine, EngineDevice, Reading
from advisor.errors import AdvisorError, EngineError
from advisor.files import is_file, is_folder, read_bounded, write_atomically
from advisor.units import MIB

if TYPE_CHECKING:
    from advisor.engine.client import EngineClient

T = TypeVar("T")
Facts = Mapping[str, Any]
"""`advisor.engine.messages.Description` as JSON."""

CACHE_FORMAT = 1
_PACKAGE = "llama-cpp-python"
_LIBRARIES = ("*.so", "*.so.*", "*.dylib", "*.dll")
_LIBRARY_FOLDER = "LLAMA_CPP_LIB_PATH"
"""Environment variable that names a folder in place of the package's own, by the bindings' `llama_cpp.py`."""
_SWITCHES = (
    "CUDA_DEVICE_ORDER",
    "CUDA_VISIBLE_DEVICES",
    "GGML_VK_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    _LIBRARY_FOLDER,
    "ONEAPI_DEVICE_SELECTOR",
    "ROCR_VISIBLE_DEVICES",
)
"""Environment variables that decide which llama.cpp is loaded and which devices it sees."""
_START_TIMEOUT_S = 30.0


def describe_engine(client: EngineClient | None = None, *, cache_file: Path | None = None) -> Engine:
    """The engine's readings; never raises. Without a client, one is started where the cache does not know."""
    folder = _package_folder()
    if folder is None:
        hint = f"Install it with `pip install {_PACKAGE}`."
        return _unknown(f"{_PACKAGE} is not installed", hint)
    key = _installation(folder)
    remembered = None if cache_file is None else _read_cache(cache_file, key)
    if remembered is not None:
        return remembered
    try:
        facts = _ask(client)
    except EngineError as error:
        return _unknown(error.what if error.why is None else f"{error.what}: {error.why}", error.hint)
    if cache_file is not None:
        _write_cache(cache_file, key, facts)
    return _engine(facts, is_fresh=True)


def _ask(client: EngineClient | None) -> Facts:
    """The child's answer as plain values. Whoever finds it in the cache imports nothing of the protocol."""
    from advisor.engine.client import EngineClient
    from advisor.engine.codec import to_json
    from advisor.engine.operations import describe

    if client is not None:
        answer: Facts = to_json(describe(client))
        return answer
    with EngineClient(start_timeout_s=_START_TIMEOUT_S) as own:
        return _ask(own)


def _engine(facts: Facts, *, is_fresh: bool) -> Engine:
    """Readings from plain values. Raises KeyError or TypeError where they are not what the child answers."""
    devices = tuple([_device(plain, is_fresh) for plain in facts["devices"]])
    return Engine(
        version=Reading(_typed(facts["version"], str), _PACKAGE),
        gpu_offload=Reading(_typed(facts["gpu_offload"], bool), "llama_supports_gpu_offload"),
        devices=Reading(devices, "ggml_backend_dev_get"),
        system_info=Reading(_typed(facts["system_info"], str), "llama_print_system_info"),
    )


def _device(plain: Facts, is_fresh: bool) -> EngineDevice:
    name, description = _typed(plain["name"], str), _typed(plain["description"], str)
    if plain["kind"] not in get_args(DeviceKind):
        raise TypeError("there is no such kind of device")
    total_bytes, free_bytes = _typed(plain["total_bytes"], int), _typed(plain["free_bytes"], int)
    return EngineDevice(name, description, plain["kind"], total_bytes, free_bytes if is_fresh else None)


def _typed(value: object, kind: type[T]) -> T:
    # A type that is no subclass: a bool is no number of bytes.
    if type(value) is not kind:
        raise TypeError(f"{value!r:.80} is no {kind.__name__}")
    return value


def _unknown(reason: str, hint: str | None) -> Engine:
    def reading() -> Reading[Any]:
        return Reading(None, _PACKAGE, reason, hint)

    return Engine(reading(), reading(), reading(), reading())


def _package_folder() -> Path | None:
    """Where llama_cpp lies, without importing it."""
    try:
        spec = find_spec("llama_cpp")
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _installation(folder: Path) -> dict[str, Any]:
    """What the answer depends on: version, libraries, this boot's hardware and the switches of the environment."""
    return {
        "format": CACHE_FORMAT,
        "version": _version(folder),
        "libraries": sorted(_library_marks(folder)),
        "boot": _read_text(Path("/proc/sys/kernel/random/boot_id")),
        "environment": {name: os.environ.get(name) for name in _SWITCHES},
    }


def _version(folder: Path) -> str | None:
    """Read from the source, because `importlib.metadata` takes longer to import than everything else here."""
    match = re.search(r'__version__ *= *"([^"]+)"', _read_text(folder / "__init__.py") or "")
    return match[1] if match else None


def _library_marks(folder: Path) -> Iterator[str]:
    """What tells each library apart from what it was before; none of a folder that cannot be read."""
    place = Path(os.environ.get(_LIBRARY_FOLDER) or folder / "lib")
    for pattern in _LIBRARIES if is_folder(place) else ():
        for path in filter(is_file, place.glob(pattern)):
            status = path.stat()
            yield f"{path} {status.st_size} {status.st_mtime_ns}"


def _read_text(path: Path) -> str | None:
    try:
        return read_bounded(path, MIB).decode("utf-8").strip()
    except (AdvisorError, UnicodeDecodeError):
        return None  # then the key rests on the rest


def _read_cache(path: Path, key: dict[str, Any]) -> Engine | None:
    text = _read_text(path)
    if text is None:
        return None
    try:
        stored = json.loads(text)
        return _engine(stored["description"], is_fresh=False) if stored["key"] == key else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # a broken cache is made anew


def _write_cache(path: Path, key: dict[str, Any], facts: Facts) -> None:
    text = json.dumps({"key": key, "description": facts}, indent=1) + "\n"
    try:
        write_atomically(path, text, overwrite=True)
    except AdvisorError:
        return  # the next start asks again
