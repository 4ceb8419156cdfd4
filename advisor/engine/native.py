"""llama.cpp's C interface as far as the child needs it, behind the module that the worker imported.

`Any` stays at this edge: the bindings are untyped.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from advisor.domain.hardware import DeviceKind
from advisor.engine.messages import Description, DeviceDescription, FileType

_DEBUG = 1
_FTYPE = "LLAMA_FTYPE_"
_MAX_LINES = 5000
_UNECHOED = (b"print_info", b"llama_model_loader: -", b"[")
"""Listings of metadata and tensors: they say nothing about a death, and each line would wake the parent."""
_ASSIGNED, _CACHED = b"assigned to device", b": dev = "
"""The debug lines that `advisor.engine.logs` reads: the device of each layer and of its cache."""
_UNREAD = (b"create_tensor", b"llama_graph_n_input_tensors")
"""How debug lines of single tensors begin, of which thousands come for each context: they are dropped at once."""
_DEVICE_KINDS: tuple[DeviceKind, ...] = ("cpu", "gpu", "igpu", "accelerator")
"""In the order of `enum ggml_backend_dev_type`."""
_GPU_KINDS = (1, 2)
"""A graphics card, or one within the processor. Libraries of arithmetic count as accelerators."""


class NativeError(Exception):
    """llama.cpp refused or failed; `kind` is a protocol failure kind."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class LogCapture:
    """Collects what llama.cpp logs, whole lines only, and passes it on to standard error."""

    def __init__(self, lib: Any) -> None:
        self.lines: list[str] = []
        self._pending = b""
        self._callback = lib.llama_log_callback(self._receive)  # kept alive: C holds a pointer to it
        lib.llama_log_set(self._callback, None)

    @contextmanager
    def capture(self) -> Iterator[list[str]]:
        """The lines written inside the block."""
        self.lines = []
        yield self.lines

    def _receive(self, level: int, text: bytes, _user_data: object) -> None:
        if level == _DEBUG and text.startswith(_UNREAD):
            return
        if not text.endswith(b"\n"):
            self._pending += text
            return
        if level == _DEBUG and not self._pending and not _is_kept(text):
            return
        line, self._pending = (self._pending + text).rstrip(), b""
        self._keep(line, is_echoed=level != _DEBUG and not line.startswith(_UNECHOED))

    def _keep(self, line: bytes, *, is_echoed: bool) -> None:
        if len(self.lines) < _MAX_LINES:
            self.lines.append(line.decode("utf-8", errors="replace"))
        if is_echoed:
            os.write(2, line + b"\n")


def _is_kept(text: bytes) -> bool:
    """Whether a debug line carries a figure."""
    return _ASSIGNED in text or _CACHED in text


class Native:
    """The loaded library: `lib` is the module llama_cpp."""

    def __init__(self, lib: Any, threads: int) -> None:
        self.lib = lib
        self.threads = threads
        self.log = LogCapture(lib)
        lib.llama_backend_init()

    def ggml(self, name: str, restype: Any, *argtypes: Any) -> Any:
        """A function of ggml, which the bindings do not wrap."""
        for library in self._libraries():
            try:
                function = getattr(library, name)
            except AttributeError:
                continue
            function.restype, function.argtypes = restype, list(argtypes)
            return function
        raise NativeError("internal", f"the library has no function {name}")

    def _libraries(self) -> Iterator[Any]:
        """libllama finds what it depends on, except on Windows, where every library knows only its own functions."""
        yield self.lib.llama_cpp._lib
        if sys.platform == "win32":
            folder = Path(self.lib.__file__).parent / "lib"
            yield from (ctypes.CDLL(str(path)) for path in sorted(folder.glob("ggml*.dll")))

    def describe(self) -> Description:
        """Version, instruction sets and devices."""
        count = self.ggml("ggml_backend_dev_count", ctypes.c_size_t)()
        return Description(
            version=self.lib.__version__,
            system_info=self.lib.llama_print_system_info().decode("utf-8", errors="replace").strip(),
            gpu_offload=bool(self.lib.llama_supports_gpu_offload()),
            devices=tuple([self._device(index) for index in range(count)]),
            file_types=self._file_types(),
        )

    def has_gpus(self) -> bool:
        """Whether the library drives a device beside the processor."""
        get = self.ggml("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
        kind = self.ggml("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)
        count = self.ggml("ggml_backend_dev_count", ctypes.c_size_t)()
        return any(kind(get(index)) in _GPU_KINDS for index in range(count))

    def _file_types(self) -> tuple[FileType, ...]:
        found = {
            name.removeprefix(_FTYPE): number for name, number in vars(self.lib).items() if name.startswith(_FTYPE)
        }
        found.pop("GUESSED", None)  # a flag, no type
        return tuple([FileType(name, number) for name, number in sorted(found.items(), key=lambda item: item[1])])

    def _device(self, index: int) -> DeviceDescription:
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        device = self.ggml("ggml_backend_dev_get", pointer, ctypes.c_size_t)(index)
        name = self.ggml("ggml_backend_dev_name", text, pointer)(device)
        description = self.ggml("ggml_backend_dev_description", text, pointer)(device)
        kind = self.ggml("ggml_backend_dev_type", ctypes.c_int, pointer)(device)
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        size_p = ctypes.POINTER(ctypes.c_size_t)
        self.ggml("ggml_backend_dev_memory", None, pointer, size_p, size_p)(device, free, total)
        known: DeviceKind = _DEVICE_KINDS[kind] if kind < len(_DEVICE_KINDS) else "accelerator"
        return DeviceDescription(_text(name), _text(description), known, total.value, free.value)


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", errors="replace")
