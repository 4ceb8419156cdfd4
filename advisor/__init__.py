"""Which open-weight model, in which quantization, to run for a use on a machine."""

from __future__ import annotations

__version__ = "0.1.0"
