"""Faults caused for real: `python -m tests.faults` causes them all and writes docs/faults.md."""
