"""Fuzzing of everything that reads foreign bytes: `python -m tests.fuzz NAME|--all --seconds N`.

A harness feeds bytes to a real entry point and lets only its documented refusals through. `totals.md` says how long
each was run and what was found; inputs that once broke something stay in `seeds/` and are replayed by the tests.
`python -m tests.fuzz.sweep` tries every value at an edge in every place of the sound inputs.
"""
