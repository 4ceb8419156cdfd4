"""Coverage-guided fuzzing of the way from a hostile header to a footprint.

Usage: python -m tests.fuzz.header -max_total_time=600 -timeout=2 -rss_limit_mb=512 CORPUS_DIRECTORY

Needs atheris. Whatever bytes come, the answer is a footprint or an InputError.
"""

from __future__ import annotations

import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["advisor.gguf", "advisor.domain"]):
    from advisor.domain.footprint import footprint
    from advisor.domain.header import max_context_of, quantization_of, shape_of, weights_of
    from advisor.domain.sizing import SizeRequest, requested_placement
    from advisor.errors import InputError
    from advisor.gguf.reader import parse_header


class Bytes:
    """A source of bytes in memory, which claims to go on behind its end so that tables of real sizes are believed."""

    name = "fuzz"

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.size = len(raw) + (1 << 40)

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on, zeros behind the end."""
        found = self._raw[offset : offset + length]
        return found + bytes(min(length, 1 << 20) - len(found)) if len(found) < min(length, 1 << 20) else found


def one(raw: bytes) -> None:
    """Read a header and size its model."""
    with suppress(InputError):
        header = parse_header(Bytes(raw))
        shape = shape_of(header.metadata, header.tensors)
        quantization_of(header.metadata)
        placement = requested_placement(SizeRequest(), shape, max_context_of(header.metadata), ())
        footprint(shape, weights_of(header.tensors), placement, ())


def main() -> None:
    """Fuzz until told to stop."""
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
