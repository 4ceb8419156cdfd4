"""Keeping the catalogue true: what is wrong with it, and what changed at its sources."""
