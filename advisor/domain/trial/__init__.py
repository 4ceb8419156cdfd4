"""Trials of models on the user's own tasks: what is asked, how answers are judged, and what the outcome tells."""
