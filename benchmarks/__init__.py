"""Measurements and fits that are run by hand: `python -m benchmarks.fit_speed`. See README.md."""
