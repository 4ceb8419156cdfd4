"""Machines that are reached through a Ray cluster. Ray itself runs in a child alone, and comes with an extra."""
